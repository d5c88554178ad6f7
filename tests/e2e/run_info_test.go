package e2e

// Run metadata: script, start, end, and the results of thresholds.

import (
	"maps"
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

const thresholds = "tests/e2e/scripts/thresholds.js"

func TestRunMetadataIsSent(t *testing.T) {
	t.Parallel()
	onEveryReceiver(t, func(t *testing.T, receiver *harness.Receiver) {
		started := time.Now()
		crossThresholds(t, receiver)
		ended := time.Now()

		info := runMetadata(t, receiver, "k6_remote_write_run_info")
		delete(info.Labels, "output_version") // changes with each release
		expected := map[string]string{
			"k6_version": "v2.2.0", "script": "thresholds.js", "scenarios": "shop", "testid": "abc", "destination": "1",
		}
		if info.Last().Value != 1 || !maps.Equal(info.Labels, expected) {
			t.Errorf("the run info is %v %v, not 1 %v", info.Last().Value, info.Labels, expected)
		}
		began := secondsAsTime(runMetadata(t, receiver, "k6_remote_write_run_start_time_seconds").Last().Value)
		stopped := secondsAsTime(runMetadata(t, receiver, "k6_remote_write_run_end_time_seconds").Last().Value)
		if began.Before(started) || stopped.After(ended) || stopped.Sub(began) < 2*time.Second {
			t.Errorf("metadata from %s to %s, but k6 ran from %s to %s", began, stopped, started, ended)
		}
	})
}

func TestThresholdResultsAreSent(t *testing.T) {
	t.Parallel()
	onEveryReceiver(t, func(t *testing.T, receiver *harness.Receiver) {
		crossThresholds(t, receiver)

		type threshold struct{ metric, expression string }
		results := map[threshold]float64{}
		for _, series := range query(t, receiver, `last_over_time(k6_threshold_passed{testid="abc"}[5m])`) {
			results[threshold{series.Labels["metric"], series.Labels["threshold"]}] = series.Last().Value
		}
		expected := map[threshold]float64{
			{"http_reqs", "count>3"}:                          1,
			{"http_reqs", "count<3"}:                          0,
			{"http_req_failed", "rate==0"}:                    0,
			{"http_req_duration{group:::buy}", "p(95)<60000"}: 1,
		}
		if !maps.Equal(results, expected) {
			t.Errorf("the thresholds are %v, not %v", results, expected)
		}
	})
}

func TestARunWithoutThresholdsSendsNoResults(t *testing.T) {
	t.Parallel()
	receiver := startReceiver(t, harness.Prometheus)
	load := loadFor(time.Second, startTarget(t), receiver.WriteURL())
	load.Script = thresholds
	load.Args = []string{"--no-thresholds"}
	expectSummaryIn(t, receiver, run(t, load))

	if results, err := receiver.Query("last_over_time(k6_threshold_passed[5m])"); err != nil || len(results) > 0 {
		t.Errorf("unexpected results %v, %v", results, err)
	}
}

// crossThresholds runs a script with crossed thresholds and the tag testid=abc.
func crossThresholds(t *testing.T, receiver *harness.Receiver) {
	t.Helper()
	load := loadFor(3*time.Second, startTarget(t), receiver.WriteURL())
	load.Script = thresholds
	load.Args = []string{"--tag", "testid=abc"}
	finish(t, start(t, load), thresholdsHaveFailed)
}

// runMetadata returns the only series of a metric of run metadata after the run.
func runMetadata(t *testing.T, receiver *harness.Receiver, name string) harness.Series {
	t.Helper()
	series := query(t, receiver, "last_over_time("+name+"[5m])")
	if len(series) != 1 {
		t.Fatalf("%s has %d series", name, len(series))
	}
	return series[0]
}

func secondsAsTime(seconds float64) time.Time { return time.UnixMilli(int64(seconds * 1000)) }
