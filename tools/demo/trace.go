package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// traceSlowest runs a script whose requests have traces, and prints the slowest request as the receiver has it, and as the shop has
// logged its trace. A Prometheus takes the place of a receiver that stores no exemplars.
func traceSlowest(target *harness.Target, receiver *harness.Receiver, interrupts <-chan os.Signal) error {
	fmt.Println("\nRunning examples/traces.js, whose requests have trace ids …")
	if !slices.Contains(harness.WithExemplars, receiver.Kind) {
		prometheus, err := harness.StartReceiver(harness.Prometheus, false)
		if err != nil {
			return err
		}
		defer prometheus.Stop()
		receiver = prometheus
	}
	start := time.Now()
	result, err := load(harness.Run{
		Script: "examples/traces.js",
		Out:    []string{"remote-write=" + receiver.WriteURL()},
		Env:    map[string]string{"TARGET_URL": target.URL(), "DURATION": "4s"},
	}, interrupts)
	if err != nil {
		return err
	}
	if result.ExitCode != 0 {
		return fmt.Errorf("k6 ended with exit code %d:\n%s", result.ExitCode, result.LogText())
	}
	const series = "k6_http_req_duration_max"
	exemplars, err := receiver.Exemplars(series, start.UnixMilli(), time.Now().UnixMilli())
	if err != nil {
		return err
	}
	if len(exemplars) == 0 {
		return fmt.Errorf("%s has no exemplars of %s", receiver.Kind, series)
	}
	slowest := slices.MaxFunc(exemplars, func(a, b harness.Exemplar) int { return cmp.Compare(a.Value, b.Value) })
	trace := slowest.Labels["trace_id"]
	logged, got := target.Traces()[trace]
	if !got {
		return fmt.Errorf("the shop did not get trace %s", trace)
	}
	fmt.Printf("slowest request, in %s: %s s, trace_id=%s\n", receiver.Kind, spell(slowest.Value), trace)
	fmt.Printf("this trace, in the shop's log: %s\n", logged)
	fmt.Println("From a graph to the trace in Grafana: docs/traces.md")
	return nil
}
