package e2e

// The defaults fit the limits that receivers have by default, and the number of series is reported.

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// freeTenant has the limits of Grafana Cloud's documentation ("Understand Grafana Cloud usage limits", "Label handling and
// limits"), with the 10 000 series that are free of charge, beyond which a free account drops samples.
var freeTenant = map[string]any{
	"ingestion_rate": 10_000, "ingestion_burst_size": 200_000,
	"max_global_series_per_user": 10_000, "max_global_exemplars_per_user": 100_000,
	"max_global_metadata_per_user": 30_000, "max_global_metadata_per_metric": 10,
	"max_label_name_length": 1024, "max_label_value_length": 2048, "label_value_length_over_limit_strategy": "truncate",
	"out_of_order_time_window": "2h",
}

// startFreeTenant starts a Mimir with a tenant as a free account of Grafana Cloud has it.
func startFreeTenant(t *testing.T) *harness.Receiver {
	t.Helper()
	overrides, err := json.Marshal(map[string]any{"overrides": map[string]any{"123456": freeTenant}}) // JSON is YAML
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "runtime.yaml")
	if err := os.WriteFile(path, overrides, 0o600); err != nil {
		t.Fatal(err)
	}
	receiver := startReceiverWith(t, harness.Mimir, "-auth.multitenancy-enabled=true", "-runtime-config.file="+path)
	receiver.Tenant = "123456"
	return receiver
}

func TestDefaultsLoseNothingWhereLabelsAreLimited(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(t *testing.T) *harness.Receiver{
		"Mimir":           func(t *testing.T) *harness.Receiver { return startReceiver(t, harness.Mimir) },
		"Grafana Cloud":   startFreeTenant,
		"VictoriaMetrics": func(t *testing.T) *harness.Receiver { return startReceiver(t, harness.VictoriaMetrics) },
	} {
		for _, trendAs := range []string{"gauges", "native"} {
			t.Run(name+"/"+trendAs, func(t *testing.T) {
				t.Parallel()
				receiver := start(t)
				load := loadFor(5*time.Second, startTarget(t), receiver.WriteURL())
				load.Script = "tests/e2e/scripts/unlucky_tags.js"
				load.Env["LABELS"] = "30"
				load.Env["K6_PROMETHEUS_RW_TREND_AS"] = trendAs
				if receiver.Tenant != "" {
					load.Env["K6_PROMETHEUS_RW_HTTP_HEADERS"] = "X-Scope-OrgID:" + receiver.Tenant
				}
				result := run(t, load)

				expectAllSent(t, result)
				iterations := result.Summary["iterations"]["count"]
				for promql, expected := range map[string]float64{
					"sum(last_over_time(k6_http_reqs_total[5m]))":                   iterations,
					"sum(last_over_time(k6_many_total[5m]))":                        iterations,
					"sum(last_over_time(k6_values_total[5m]))":                      result.Summary["values"]["count"],
					"sum(last_over_time(k6_long_total[5m]))":                        3 * iterations,
					`sum(last_over_time(k6_share_total{condition="nonzero"}[5m]))`:  iterations,
					"count(last_over_time(k6_http_reqs_total[5m]))":                 1, // the URLs differ only in what is cut
					"count(count by (value) (last_over_time(k6_values_total[5m])))": 29,
					`count(last_over_time(k6_long_total{long=~"x+|東+|🚀+"}[5m]))`:    3,
				} {
					if value := query(t, receiver, promql)[0].Last().Value; value != expected {
						t.Errorf("%s is %v, not %v", promql, value, expected)
					}
				}
				if !hasWarning(result, "Label value is longer than maxLabelValueBytes") {
					t.Errorf("values were cut without a warning:\n%s", result.LogText())
				}
				if receiver.Kind != harness.VictoriaMetrics || trendAs == "gauges" { // it makes floats of native histograms
					expectActiveSeries(t, receiver, result)
				}
			})
		}
	}
}

// VictoriaMetrics drops such series and responds with a success, so only the output can say it.
func TestSeriesThatVictoriaMetricsDropsSilentlyAreReported(t *testing.T) {
	t.Parallel()
	receiver := startReceiver(t, harness.VictoriaMetrics)
	load := loadFor(2*time.Second, startTarget(t), receiver.WriteURL())
	load.Script = "tests/e2e/scripts/unlucky_tags.js"
	load.Env["LABELS"] = "41"
	result := run(t, load)

	if series, err := receiver.Query("last_over_time(k6_many_total[5m])"); err != nil || len(series) != 0 {
		t.Fatalf("it stores the series: %v, %v", series, err)
	}
	if !hasWarning(result, "Series has more labels than most receivers accept") {
		t.Errorf("no warning:\n%s", result.LogText())
	}
}

func TestIDsInURLsAreReportedEarlyAndEndpointsAreNot(t *testing.T) {
	t.Parallel()
	receiver := startFake(t, harness.Fake{})
	for endpoints, warned := range map[int]bool{200: false, 100_000: true} {
		t.Run(strconv.Itoa(endpoints), func(t *testing.T) {
			t.Parallel()
			result := run(t, harness.Run{
				Script: "tests/e2e/scripts/ids.js",
				Out:    []string{"remote-write=" + receiver.URL()},
				Env: map[string]string{
					"TARGET_URL": startTarget(t).URL(), "ENDPOINTS": strconv.Itoa(endpoints), "REQUESTS": "1000",
				},
			})
			var hints []string
			for _, line := range linesOf(result, "warning") {
				if strings.HasPrefix(line.Message, "A label has very many values") {
					hint, _ := line.Fields["hint"].(string)
					hints = append(hints, hint)
				}
			}
			if warned && (len(hints) != 1 || !strings.Contains(hints[0], `dropTags: ["name","url"]`)) || !warned && len(hints) > 0 {
				t.Errorf("hints: %q\n%s", hints, result.LogText())
			}
			if active := activeSeries(t, result); active < 10_000 {
				t.Errorf("only %v series: nothing was examined", active)
			}
		})
	}
}

// hasWarning reports whether there is exactly one warning that begins so.
func hasWarning(result *harness.Result, message string) bool {
	count := 0
	for _, line := range linesOf(result, "warning") {
		if strings.HasPrefix(line.Message, message) {
			count++
		}
	}
	return count == 1
}

// activeSeries returns the number of series in the last line of the only destination.
func activeSeries(t *testing.T, result *harness.Result) float64 {
	t.Helper()
	for _, line := range result.Log {
		if active, ok := line.Fields["active_series"].(float64); ok && line.Fields["points_sent"] != nil {
			return active
		}
	}
	t.Fatalf("no line has the number of series:\n%s", result.LogText())
	return 0
}

// expectActiveSeries expects that the receiver has as many series as the output says.
func expectActiveSeries(t *testing.T, receiver *harness.Receiver, result *harness.Result) {
	t.Helper()
	stored := query(t, receiver, `count(last_over_time({__name__!=""}[5m]))`)[0].Last().Value
	if active := activeSeries(t, result); active != stored {
		t.Errorf("active_series is %v, the receiver has %v", active, stored)
	}
}
