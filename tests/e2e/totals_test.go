package e2e

// The main job: what k6 says at the end of a run is what the receiver says.

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
				t.Errorf("%s is not in k6's summary, so nothing was compared", metric)
			}
		}
		if checks := result.Summary["checks"]; checks["passes"] == 0 || checks["fails"] == 0 {
			t.Errorf("checks have to pass and to fail for the comparison to mean something: %v", checks)
		}
	})
}

func TestDroppedIterationsExistEvenWhenThereAreNone(t *testing.T) {
	t.Parallel()
	onEveryReceiver(t, func(t *testing.T, receiver *harness.Receiver) {
		result := run(t, loadFor(time.Second, startTarget(t), receiver.WriteURL()))

		dropped := result.Summary["dropped_iterations"]["count"] // 0 when the summary has no such metric
		answer, there, err := receiver.Number("sum(last_over_time(k6_dropped_iterations_total[5m]))")
		if err != nil {
			t.Fatal(err)
		}
		if !there || answer != dropped {
			t.Errorf("k6 dropped %v iterations, the receiver says %v (there: %t)", dropped, answer, there)
		}
	})
}

func TestARunShorterThanOneWindowIsWhole(t *testing.T) {
	t.Parallel()
	onEveryReceiver(t, func(t *testing.T, receiver *harness.Receiver) {
		load := loadFor(time.Second, startTarget(t), receiver.WriteURL())
		load.Env["K6_PROMETHEUS_RW_PUSH_INTERVAL"] = "1h"

		expectSummaryIn(t, receiver, run(t, load))
	})
}

func TestAnInterruptedRunIsWhole(t *testing.T) {
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
