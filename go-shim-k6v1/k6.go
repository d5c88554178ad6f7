package remotewrite

import "go.k6.io/k6/output"

// k6Module is the Go module of k6.
const k6Module = "go.k6.io/k6"

// activeFeatures returns nothing: k6 1 has no features that a user turns on.
func activeFeatures(output.Params) []string { return nil }
