package e2e

// Totals at the receiver are equal to k6's summary.

import (
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

func TestTotalsEqualTheSummary(t *testing.T) {
	t.Parallel()
	onEveryReceiver(t, func(t *testing.T, receiver *harness.Receiver) {
		result := run(t, loadFor(7*time.Second, startTarget(t), receiver.WriteURL()))

		expectSummaryIn(t, receiver, result)
		for _, metric := range []string{
			"http_reqs", "iterations", "data_sent", "data_received", "checks", "http_req_duration", "http_req_failed",
			"items_ordered", "catalogue_size", "orders_accepted", "order_value", "shopping_time",
		} {
			if _, compared := result.Summary[metric]; !compared {
				t.Errorf("%s is missing in k6's summary", metric)
			}
		}
		if checks := result.Summary["checks"]; checks["passes"] == 0 || checks["fails"] == 0 {
			t.Errorf("some checks must pass and some fail: %v", checks)
		}
	})
}

func TestDroppedIterationsIsSentEvenIfItIsZero(t *testing.T) {
	t.Parallel()
	onEveryReceiver(t, func(t *testing.T, receiver *harness.Receiver) {
		result := run(t, loadFor(time.Second, startTarget(t), receiver.WriteURL()))

		dropped := result.Summary["dropped_iterations"]["count"] // 0 if the summary does not have it
		value, found, err := receiver.Number("sum(last_over_time(k6_dropped_iterations_total[5m]))")
		if err != nil {
			t.Fatal(err)
		}
		if !found || value != dropped {
			t.Errorf("k6 dropped %v iterations, the receiver has %v (found: %t)", dropped, value, found)
		}
	})
}

func TestARunShorterThanOneWindowIsComplete(t *testing.T) {
	t.Parallel()
	onEveryReceiver(t, func(t *testing.T, receiver *harness.Receiver) {
		load := loadFor(time.Second, startTarget(t), receiver.WriteURL())
		load.Env["K6_PROMETHEUS_RW_PUSH_INTERVAL"] = "1h"

		expectSummaryIn(t, receiver, run(t, load))
	})
}

func TestAnInterruptedRunIsComplete(t *testing.T) {
	t.Parallel()
	onEveryReceiver(t, func(t *testing.T, receiver *harness.Receiver) {
		target := startTarget(t)
		k6 := start(t, loadFor(time.Minute, target, receiver.WriteURL()))
		await(t, "some load", func() bool { return target.Requests() > 200 })
		k6.Interrupt()

		expectSummaryIn(t, receiver, finish(t, k6, abortedByASignal))
	})
}

func TestACrossedThresholdKeepsItsExitCode(t *testing.T) {
	t.Parallel()
	receiver := startReceiver(t, harness.Prometheus)
	load := loadFor(2*time.Second, startTarget(t), receiver.WriteURL())
	load.Script = "tests/e2e/scripts/crossed_threshold.js"

	expectSummaryIn(t, receiver, finish(t, start(t, load), thresholdsHaveFailed))
}
