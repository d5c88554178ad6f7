package e2e

// VictoriaMetrics with deduplication: it keeps the latest point of an interval, so no point may follow a total.

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

func TestDeduplicationKeepsTheTotals(t *testing.T) {
	t.Parallel()
	for _, interval := range []string{"1ms", "1s", "15s", "1m"} {
		t.Run(interval, func(t *testing.T) {
			t.Parallel()
			receiver := startReceiverWith(t, harness.VictoriaMetrics, "-dedup.minScrapeInterval="+interval)
			load := loadFor(5*time.Second, startTarget(t), receiver.WriteURL())
			load.Script = thresholds
			// By default, minimum and maximum of a trend are those of a window, and only the last window of an interval is kept.
			load.Options = map[string]any{"trendWindow": "run"}

			result := finish(t, start(t, load), thresholdsHaveFailed)

			expectEqual(t, receiver, result.Summary.Measured(), totalsOfTheRun)
			expectAllSent(t, result)
			if kept := query(t, receiver, "last_over_time(k6_threshold_passed[5m])"); len(kept) != 4 {
				t.Errorf("%d thresholds are stored, not 4: %v", len(kept), kept)
			}
			ended := secondsAsTime(runMetadata(t, receiver, "k6_remote_write_run_end_time_seconds").Last().Value)
			if ago := time.Since(ended); ago < 0 || ago > time.Minute {
				t.Errorf("the run ended %s ago", ago)
			}
		})
	}
}

// totalsOfTheRun returns the numbers that a receiver has if it has the last point of each series, with `trendWindow: run`: minimum
// and maximum of a gauge belong to a window.
func totalsOfTheRun(m harness.Measured) []harness.Expectation {
	return slices.DeleteFunc(harness.Totals(m), func(e harness.Expectation) bool {
		return m.Type == harness.Gauge && e.Statistic != "value"
	})
}

// Mimir's tracker of high availability stores one replica of a cluster. Runners are not replicas, so that they have no label of
// one.
func TestMimirsTrackerOfReplicasKeepsAllRunners(t *testing.T) {
	t.Parallel()
	if !allReceivers() {
		t.Skip("only with RECEIVERS=all")
	}
	tracker := []string{
		"-distributor.ha-tracker.enable=true", "-distributor.ha-tracker.enable-for-all-users=true",
		"-distributor.ha-tracker.store=inmemory", "-distributor.ha-tracker.replica=replica",
	}
	for name, tried := range map[string]struct {
		flags  []string
		labels string
	}{
		"off":                  {nil, "cluster=eu,replica=r"},
		"on, without labels":   {tracker, ""},
		"on, with the cluster": {tracker, "cluster=eu"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			receiver := startReceiverWith(t, harness.Mimir, tried.flags...)
			expectEqual(t, receiver, finishRunners(t, startReplicas(t, receiver, tried.labels)), harness.Totals)
		})
	}
	t.Run("on, with both", func(t *testing.T) {
		t.Parallel()
		receiver := startReceiverWith(t, harness.Mimir, tracker...)
		rejected := 0
		for _, runner := range startReplicas(t, receiver, "cluster=eu,replica=r") {
			if result := finish(t, runner, 0); strings.Contains(result.LogText(), "replicas did not match") {
				expectPointsFailed(t, result, "replicas did not match", "leave out the label of the replica")
				rejected++
			}
		}
		if rejected != 1 {
			t.Errorf("%d of two runners log that their points are not stored", rejected)
		}
	})
}

// startReplicas starts two halves of a test, each with its number after the last label's value.
func startReplicas(t *testing.T, receiver *harness.Receiver, labels string) []*harness.K6 {
	t.Helper()
	var runners []*harness.K6
	target := startTarget(t)
	for i, part := range []string{"0:1/2", "1/2:1"} {
		load := loadFor(5*time.Second, target, receiver.WriteURL())
		if load.Env["K6_PROMETHEUS_RW_LABELS"] = labels; strings.HasSuffix(labels, "=r") {
			load.Env["K6_PROMETHEUS_RW_LABELS"] += fmt.Sprint(i)
		}
		load.Args = []string{"--execution-segment", part, "--execution-segment-sequence", "0,1/2,1", "--no-thresholds"}
		runners = append(runners, start(t, load))
	}
	return runners
}
