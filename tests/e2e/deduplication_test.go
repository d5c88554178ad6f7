package e2e

// VictoriaMetrics with deduplication: it keeps the latest point of an interval, so no point may follow a total.

import (
	"slices"
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
