// Package harness puts real programs on a stage: a target that k6 loads, k6 itself, a receiver that stores what the
// output ships, and, where a test wants trouble, a fake receiver with faults.
//
//	target.go         the HTTP server that a script loads
//	k6.go             one run of k6, from the command line to the exit code
//	log.go            what k6 logged, line by line
//	summary.go        k6's own end-of-test numbers, as it exports them
//	measured.go       the same in full, with types, units and submetrics
//	fake_receiver.go  a receiver that records, passes on, fails, rejects, hangs, is slow, resets connections or loses its answers
//	write_request.go  what a request has, and one of another program
//	receiver.go       Prometheus, VictoriaMetrics and Mimir, started and stopped
//	query.go          what a receiver answers to PromQL
//	dashboard.go      what of a dashboard asks for something
//	view.go           what Grafana asks for when a dashboard is shown
//	rules.go          what Prometheus reports of its rules
//	own_metrics.go    a receiver's own metrics
//	operator.go       what k6-operator does with a TestRun
//	listening.go      where k6's REST API is
//	refused.go        an address that refuses connections
//	comparison.go     k6's numbers beside the receiver's
//	process.go        children that never outlive this program
//
// Everything listens on the loopback interface and on ports that the system chose. Nothing here knows of testing.T: the
// demo and the benchmark stand on the same stage as the tests.
package harness
