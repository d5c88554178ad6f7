// Package harness runs real programs: a target that k6 loads, k6 itself, a receiver that stores what the output sends, and,
// for faults, a fake receiver.
//
//	target.go         the HTTP server that a script loads
//	k6.go             a run of k6, from the command line to the exit code
//	log.go            k6's log, line by line
//	summary.go        k6's end-of-test summary, as it exports it
//	measured.go       the full summary, with types, units and submetrics
//	fake_receiver.go  a receiver that records, forwards, responds with 503, hangs, resets connections or loses its responses
//	write_request.go  the series of a request
//	receiver.go       Prometheus and VictoriaMetrics, started and stopped
//	query.go          PromQL queries to a receiver
//	dashboard.go      the queries of a dashboard
//	view.go           the queries that Grafana sends when it shows a dashboard
//	rules.go          the state of Prometheus's rules
//	own_metrics.go    a receiver's own metrics
//	operator.go       the runners of a TestRun of k6-operator
//	listening.go      the address of k6's REST API
//	refused.go        an address that refuses connections
//	comparison.go     comparison of k6's numbers with the receiver's
//	process.go        child processes that do not outlive this program
//
// All programs listen on the loopback interface, on ports that the system chooses. The package does not use testing.T,
// because the demo and the benchmark use it, too.
package harness
