package e2e

// Real receivers that reject a part of the points: all others are stored, and the rejection is logged.

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

const manySeries = "tests/e2e/scripts/many_series.js"

// refuser is a receiver that stores the valid points of a request that it rejects.
type refuser struct {
	kind     harness.Kind
	protocol string
	flags    []string
}

// refusers returns Mimir, and with RECEIVERS=all Cortex, each with both protocol versions: for a rejected request of 2.0, Mimir
// reports that it has written all of it, Cortex nothing, and both have stored the points that they did not reject.
func refusers() []refuser {
	all := []refuser{{harness.Mimir, "1.0", nil}, {harness.Mimir, "auto", nil}}
	if allReceivers() {
		all = append(all, refuser{harness.Cortex, "1.0", nil},
			refuser{harness.Cortex, "auto", []string{"-distributor.remote-writev2-enabled=true"}})
	}
	return all
}

// onRefusers runs a test for each of them.
func onRefusers(
	t *testing.T, all []refuser, flags []string, test func(t *testing.T, receiver *harness.Receiver, load harness.Run),
) {
	for _, refuser := range all {
		t.Run(string(refuser.kind)+"/"+refuser.protocol, func(t *testing.T) {
			t.Parallel()
			receiver := startReceiverWith(t, refuser.kind, slices.Concat(refuser.flags, flags)...)
			load := loadFor(6*time.Second, startTarget(t), receiver.WriteURL())
			load.Env["K6_PROMETHEUS_RW_PUSH_INTERVAL"] = "1s"
			load.Env["SERIES"] = "300"
			load.Options = map[string]any{"protocol": refuser.protocol, "staleMarkers": false}
			test(t, receiver, load)
		})
	}
}

func TestMimirAcceptsEverything(t *testing.T) {
	t.Parallel()
	receiver := startReceiver(t, harness.Mimir)
	load := loadFor(6*time.Second, startTarget(t), receiver.WriteURL())
	load.Env["K6_PROMETHEUS_RW_PUSH_INTERVAL"] = "1s"
	load.Options = map[string]any{"trendAs": []string{"gauges", "native"}}

	result := run(t, load)

	expectSummaryIn(t, receiver, result)
	expectAPointInEveryWindow(t, receiver, time.Second)
	expectAllSent(t, result)
	count := query(t, receiver, "histogram_count(sum(last_over_time(k6_http_req_duration_seconds[5m])))")
	if stored, made := count[0].Last().Value, result.Summary["http_reqs"]["count"]; stored != made {
		t.Errorf("the native histogram has %v of %v requests", stored, made)
	}
}

func TestSeriesOverALimitDoNotAffectOthers(t *testing.T) {
	t.Parallel()
	flags := []string{"-ingester.max-global-series-per-user=100"}
	onRefusers(t, refusers(), flags, func(t *testing.T, receiver *harness.Receiver, load harness.Run) {
		load.Script = manySeries
		result := run(t, load)

		if stored := query(t, receiver, `count(last_over_time({__name__!=""}[5m]))`)[0].Last().Value; stored != 100 {
			t.Errorf("%v series are stored, not 100", stored)
		}
		// All stored series are complete: no request was dropped because of the others.
		for _, series := range query(t, receiver, "last_over_time(k6_many_total[5m])") {
			if expected := result.Summary["iterations"]["count"]; series.Last().Value != expected {
				t.Errorf("%v is %v, not %v", series.Labels, series.Last().Value, expected)
			}
		}
		expectPointsFailed(t, result, "per-user series limit", "fewer series")
	})
}

func TestOneRefusedSeriesCostsOnlyItself(t *testing.T) {
	t.Parallel()
	for _, refusal := range []struct {
		name    string
		env     map[string]string
		options map[string]any
		flags   []string
		hint    string
	}{
		{"a long label value", map[string]string{"VALUE_BYTES": "3000"}, map[string]any{"maxLabelValueBytes": 1 << 20}, nil,
			"maxLabelValueBytes"},
		{"a long label name", map[string]string{"NAME_BYTES": "1100"}, nil, nil, "the name of a tag is longer"},
		{"many labels", map[string]string{"LABELS": "60"}, nil, []string{"-validation.max-label-names-per-series=50"},
			"more labels"},
		{"buckets of native histograms", nil, map[string]any{"trendAs": []string{"gauges", "native"}},
			[]string{"-validation.max-native-histogram-buckets=2"}, "limits the buckets"},
	} {
		t.Run(refusal.name, func(t *testing.T) {
			t.Parallel()
			onRefusers(t, refusers(), refusal.flags, func(t *testing.T, receiver *harness.Receiver, load harness.Run) {
				load.Script = "tests/e2e/scripts/refused.js"
				maps.Copy(load.Env, refusal.env)
				maps.Copy(load.Options, refusal.options)
				result := run(t, load)

				iterations := result.Summary["iterations"]["count"]
				for _, name := range []string{"k6_plain_total", "k6_iterations_total", "k6_http_reqs_total"} {
					if value := query(t, receiver, "sum(last_over_time("+name+"[5m]))")[0].Last().Value; value != iterations {
						t.Errorf("%s is %v, not %v", name, value, iterations)
					}
				}
				expectPointsFailed(t, result, "", refusal.hint)
				expectStoredAsCounted(t, receiver, result)
			})
		})
	}
}

func TestASeriesThatIsOutOfOrderDoesNotAffectOthers(t *testing.T) {
	t.Parallel()
	all := refusers()
	if allReceivers() {
		all = append(all, refuser{harness.Thanos, "auto", nil})
	}
	onRefusers(t, all, nil, func(t *testing.T, receiver *harness.Receiver, load harness.Run) {
		writeAhead(t, receiver)
		result := run(t, load)

		expectSummaryBut(t, receiver, result, "vus")
		expectAPointInEveryWindow(t, receiver, time.Second)
		expectPointsFailed(t, result, "", "another run writes the same series")
		expectStoredAsCounted(t, receiver, result)
	})
}

// Prometheus stores no point of such a request with 1.0, and all points except the bad ones with 2.0.
func TestASeriesThatIsOutOfOrderForPrometheusDoesNotStopTheTest(t *testing.T) {
	t.Parallel()
	onBothProtocols(t, func(t *testing.T, receiver *harness.Receiver, load harness.Run) {
		writeAhead(t, receiver)
		load.Env["DURATION"] = "8s"
		load.Options["abortOnFailure"] = "3s"
		result := run(t, load)

		expectSummaryBut(t, receiver, result, "vus")
		expectAPointInEveryWindow(t, receiver, time.Second)
		expectPointsFailed(t, result, "out of order", "another run writes the same series")
		// One point of k6_vus, of k6_vus_lowest and of k6_vus_highest in each window, of which only the first is bad.
		if failed, _ := result.Log[len(result.Log)-1].Fields["points_failed"].(float64); failed > 10 {
			t.Errorf("%v points failed, though one series is bad for 8 s", failed)
		}
	})
}

func TestAPrometheusWithoutNativeHistogramsReceivesAllOtherSeries(t *testing.T) {
	t.Parallel()
	if _, err := harness.Binary("prometheus-2"); err != nil {
		t.Skip(err)
	}
	receiver := startReceiver(t, harness.Prometheus2)
	load := loadFor(8*time.Second, startTarget(t), receiver.WriteURL())
	load.Env["K6_PROMETHEUS_RW_PUSH_INTERVAL"] = "1s"
	load.Options = map[string]any{"trendAs": []string{"gauges", "native"}, "preflight": true}

	result := run(t, load)

	expectSummaryIn(t, receiver, result)
	expectAPointInEveryWindow(t, receiver, time.Second)
	expectPointsFailed(t, result, "native histograms are disabled", "trendAs")
	if !slices.ContainsFunc(linesOf(result, "error"), func(line harness.LogLine) bool {
		return line.Message == "Receiver rejects native histograms, dropping them"
	}) {
		t.Errorf("the log does not say what was dropped:\n%s", result.LogText())
	}
}

// writeAhead writes k6_vus five minutes ahead, as a run on a machine with a wrong clock.
func writeAhead(t *testing.T, receiver *harness.Receiver) {
	t.Helper()
	ahead := time.Now().Add(5 * time.Minute).UnixMilli()
	if err := receiver.Write(harness.Series{Name: "k6_vus", Points: []harness.Point{{TimeMs: ahead, Value: 1}}}); err != nil {
		t.Fatal(err)
	}
}

// expectSummaryBut is expectSummaryIn without some metrics.
func expectSummaryBut(t *testing.T, receiver *harness.Receiver, result *harness.Result, but ...string) {
	t.Helper()
	rest := slices.DeleteFunc(result.Summary.Measured(), func(m harness.Measured) bool {
		return slices.Contains(but, m.Metric)
	})
	expectEqual(t, receiver, rest, harness.Totals)
	if t.Failed() {
		t.Logf("k6 logged:\n%s", result.LogText())
	}
}

// expectPointsFailed expects the receiver's message with a hint in the log, and the number of points at the end.
func expectPointsFailed(t *testing.T, result *harness.Result, message, hint string) {
	t.Helper()
	lines := linesOfOutput(result)
	if !slices.ContainsFunc(lines, func(line harness.LogLine) bool {
		return line.Level == "error" && strings.Contains(fmt.Sprint(line.Fields["error"]), message) &&
			strings.Contains(fmt.Sprint(line.Fields["hint"]), hint)
	}) {
		t.Errorf("the log has no line with %q and the hint %q:\n%s", message, hint, result.LogText())
	}
	last := lines[len(lines)-1]
	if failed, _ := last.Fields["points_failed"].(float64); last.Level != "error" || failed == 0 {
		t.Errorf("the last line must have the number of failed points:\n%s", result.LogText())
	}
}

// expectStoredAsCounted expects that the receiver has as many points of the run as the output reports as sent. Without stale
// markers, which no query returns.
func expectStoredAsCounted(t *testing.T, receiver *harness.Receiver, result *harness.Result) {
	t.Helper()
	lines := linesOfOutput(result)
	last := lines[len(lines)-1]
	stored := 0
	for _, series := range query(t, receiver, `{__name__!=""}[5m]`) {
		stored += len(series.Points)
	}
	if sent, _ := last.Fields["points_sent"].(float64); float64(stored) != sent {
		t.Errorf("%v points are stored, the output has sent %v:\n%s", stored, sent, result.LogText())
	}
}

// expectAllSent expects that the last line reports success, and that no other line reports a loss.
func expectAllSent(t *testing.T, result *harness.Result) {
	t.Helper()
	lines := linesOfOutput(result)
	last := lines[len(lines)-1]
	lost := slices.ContainsFunc(lines, func(line harness.LogLine) bool { return line.Level == "error" })
	if lost || last.Fields["points"] == nil || last.Fields["points"] != last.Fields["points_sent"] {
		t.Errorf("not all points were sent:\n%s", result.LogText())
	}
}

// linesOfOutput returns the log lines of the output, without those of k6.
func linesOfOutput(result *harness.Result) []harness.LogLine {
	return slices.DeleteFunc(slices.Clone(result.Log), func(line harness.LogLine) bool {
		return line.Fields["output"] != "remote-write"
	})
}
