// Package harness runs real programs: a target that k6 loads, k6 itself, a receiver that stores what the output sends, and,
// for faults, a fake receiver.
//
//	target.go         the HTTP server that a script loads
//	k6.go             one run of k6, from the command line to the exit code
//	log.go            what k6 logged, line by line
//	summary.go        k6's own end-of-test numbers, as it exports them
//	measured.go       the same in full, with types, units and submetrics
//	fake_receiver.go  a receiver that records, forwards, fails, rejects, hangs, is slow, resets connections or loses its responses
//	write_request.go  what a request has, and one of another program
//	kind.go           the receivers: programs, flags, addresses
//	receiver.go       one of them, started and stopped
//	two_processes.go  those that are queried by another process
//	cluster.go        several of them that share the series
//	query.go          what a receiver answers to PromQL
//	dashboard.go      what of a dashboard asks for something
//	view.go           what Grafana asks for when a dashboard is shown
//	rules.go          what Prometheus reports of its rules
//	own_metrics.go    a receiver's own metrics
//	operator.go       the runners of a TestRun of k6-operator
//	listening.go      the address of k6's REST API
//	refused.go        an address that refuses connections
//	comparison.go     comparison of k6's numbers with the receiver's
//	process.go        child processes that do not outlive this program
//
// All programs listen on the loopback interface, on ports that nothing else uses. The package does not use testing.T,
// because the demo and the benchmark use it, too.
package harness
