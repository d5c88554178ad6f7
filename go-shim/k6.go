package remotewrite

import "go.k6.io/k6/v2/output"

// This file has what differs between the major versions of k6: go-shim-k6v1 has another one, and is otherwise made of these sources.

// k6Module is the Go module of k6.
const k6Module = "go.k6.io/k6/v2"

// activeFeatures returns the names of k6's features that are on.
func activeFeatures(params output.Params) []string {
	if params.Features == nil {
		return nil
	}
	return params.Features.Activated()
}
