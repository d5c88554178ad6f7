// Package remotewrite is a k6 output that sends metrics with Prometheus Remote Write.
//
// It is a thin shim over a Rust library with a C ABI. It converts k6's samples to records, k6's options to a JSON document,
// and the library's events to lines of k6's log. What only k6 knows becomes samples here: which thresholds have passed, and
// which scenarios may drop iterations. Options are parsed, samples aggregated and requests sent in the library.
//
//	register.go  registers the output with k6
//	output.go        the output: samples, events, start and stop
//	series.go        finds the ids of series
//	process.go       what the outputs of a process share: signals, and the end of a test
//	options.go       collects the options for the library
//	subcommand.go    the command `k6 x remote-write`
//	native.go        all calls into the library
//	registration.go  what a call that registers a series needs
package remotewrite

import (
	"go.k6.io/k6/v2/output"
	"go.k6.io/k6/v2/subcommand"
)

// Name is the name of the output after --out, and of the command after `k6 x`.
const Name = "remote-write"

func init() {
	output.RegisterExtension(Name, func(params output.Params) (output.Output, error) { return New(params) })
	subcommand.RegisterExtension(Name, newSubcommand)
}
