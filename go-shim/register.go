// Package remotewrite is a k6 output that ships metrics by Prometheus Remote Write.
//
// It is a thin shim over a Rust library, which does all the work behind a C ABI: here k6's samples become records, its
// options one JSON document, and the library's events lines of k6's log. Nothing is parsed, computed or sent in Go.
//
//	register.go  makes the output known to k6
//	output.go    the output: the way of a sample, start and stop
//	options.go   what the user wrote, gathered for the library
//	native.go    every call into the library
package remotewrite

import "go.k6.io/k6/v2/output"

// Name is what users write after --out.
const Name = "remote-write"

func init() {
	output.RegisterExtension(Name, func(params output.Params) (output.Output, error) { return New(params) })
}
