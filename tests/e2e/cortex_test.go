package e2e

// Cortex where its experimental features are off, as by default.

import (
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// It drops native histograms and answers with a success, so only a query can show it. All other series are complete.
func TestACortexWithoutNativeHistogramsHasAllOtherSeries(t *testing.T) {
	t.Parallel()
	off := []string{"-blocks-storage.tsdb.enable-native-histograms=false"}
	onSettings(t, []setting{{harness.Cortex, off}}, func(t *testing.T, receiver *harness.Receiver) {
		load := loadFor(5*time.Second, startTarget(t), receiver.WriteURL())
		load.Options = map[string]any{"trendAs": []string{"gauges", "native"}}
		result := run(t, load)

		expectSummaryIn(t, receiver, result)
		expectAllSent(t, result)
		if stored, err := receiver.Query("last_over_time(k6_http_req_duration_seconds[5m])"); err != nil || len(stored) > 0 {
			t.Errorf("it stores native histograms: %v, %v", stored, err)
		}
	})
}
