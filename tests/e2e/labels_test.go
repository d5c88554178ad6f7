package e2e

// Labels and metadata at the receiver: k6's tags, and the type and unit of a metric.

import (
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

func TestTagsBecomeLabels(t *testing.T) {
	t.Parallel()
	onEveryReceiver(t, func(t *testing.T, receiver *harness.Receiver) {
		load := loadFor(2*time.Second, startTarget(t), receiver.WriteURL())
		load.Args = []string{"--tag", "testid=abc"}
		result := run(t, load)
		expectSummaryIn(t, receiver, result)

		for _, series := range query(t, receiver, `last_over_time({__name__=~"k6_.+"}[5m])`) {
			if series.Labels["testid"] != "abc" {
				t.Errorf("%v has no testid", series.Labels)
			}
		}
		for _, series := range query(t, receiver, `last_over_time(k6_http_reqs_total[5m])`) {
			if series.Labels["scenario"] != "shop" {
				t.Errorf("%v does not have the scenario", series.Labels)
			}
		}
		for selector, requests := range map[string]float64{
			`group="::browse", method="GET", status="200"`: 3 * result.Summary["iterations"]["count"],
			`group="::buy", method="POST"`:                 result.Summary["iterations"]["count"],
			`group="::buy", status="500"`:                  result.Summary["http_req_failed"]["passes"],
		} {
			total := fmt.Sprintf("sum(last_over_time(k6_http_reqs_total{%s}[5m]))", selector)
			if value := query(t, receiver, total)[0].Last().Value; value != requests {
				t.Errorf("%s is %v, not %v", total, value, requests)
			}
		}
	})
}

func TestUnusualTagsBecomeLabelsWithoutLossOfOtherSeries(t *testing.T) {
	t.Parallel()
	onEveryReceiver(t, func(t *testing.T, receiver *harness.Receiver) {
		if receiver.Kind == harness.Mimir || receiver.Kind == harness.Cortex {
			t.Skip("accepts neither names in UTF-8 nor values of 4 KiB")
		}
		for names, expected := range map[string]map[string]string{
			"ascii": {
				"gr__e": "ärmel", "_": "да", "with_space": "a \"quoted\" \\ value\nof two lines", "a_b": "first", "_9lives": "cat",
				"_name__": "not the name", "_own": "x", "le": "0.5", "emoji": "🚀",
			},
			"utf8": {
				"größe": "ärmel", "日本": "東京", "мир": "да", "سلام": "عليكم",
				"with space": "a \"quoted\" \\ value\nof two lines", "a-b": "first", "a.b": "second", "9lives": "cat",
				"_name__": "not the name", "_own": "x", "le": "0.5", "emoji": "🚀",
			},
		} {
			run(t, harness.Run{
				Script: "tests/e2e/scripts/odd_tags.js",
				Out:    []string{"remote-write=" + receiver.WriteURL()},
				Env: map[string]string{
					"K6_PROMETHEUS_RW_LABEL_NAMES": names, "K6_PROMETHEUS_RW_LABELS": "names=" + names + ",zone=eu",
					"K6_PROMETHEUS_RW_DROP_TAGS": "scenario,group", "K6_PROMETHEUS_RW_MAX_LABEL_VALUE_BYTES": "4096",
				},
			})
			of := fmt.Sprintf("{names=%q}[5m]", names)
			labels := query(t, receiver, "last_over_time(k6_odd_total"+of+")")[0].Labels
			expected["names"], expected["zone"] = names, "eu"
			if !maps.Equal(labels, expected) {
				t.Errorf("%s: the labels are %v, not %v", names, labels, expected)
			}
			if plain := query(t, receiver, "last_over_time(k6_plain_total"+of+")")[0].Last().Value; plain != 3 {
				t.Errorf("%s: the plain counter is %v", names, plain)
			}
			long := query(t, receiver, "last_over_time(k6_long_total"+of+")")[0].Labels["long"]
			if len(long) != 4096 {
				t.Errorf("%s: %d bytes of 64 KiB were stored", names, len(long))
			}
		}
		if receiver.Kind == harness.Prometheus {
			expectNothingRejected(t, receiver)
		}
	})
}

func TestSeriesOverTheLimitAreCountedAndLoggedOnce(t *testing.T) {
	t.Parallel()
	receiver := startReceiver(t, harness.Prometheus)
	load := loadFor(2*time.Second, startTarget(t), receiver.WriteURL())
	load.Options = map[string]any{"maxSeries": 30}
	result := run(t, load)

	warnings := 0
	for _, line := range linesOf(result, "warning") {
		if strings.Contains(line.Message, "maxSeries") {
			warnings++
			if hint, _ := line.Fields["hint"].(string); !strings.Contains(hint, "dropTags") {
				t.Errorf("a hint is missing in %s", line)
			}
		}
	}
	if warnings != 1 {
		t.Errorf("%d warnings:\n%s", warnings, result.LogText())
	}
	names := query(t, receiver, `count(count by (__name__) (last_over_time({__name__=~"k6_.+"}[5m])))`)
	if names[0].Last().Value == 0 {
		t.Error("no series is stored")
	}
	errors := linesOf(result, "error")
	if len(errors) != 1 || errors[0].Fields["series_over_max_series"] == nil || errors[0].Fields["samples_over_max_series"] == nil {
		t.Errorf("the last line does not count the dropped series:\n%s", result.LogText())
	}
}

// Prometheus and Thanos do not store the metadata of Remote Write 1.0, and Prometheus not that of 2.0 by default.
func TestTypesAndUnitsArriveAsMetadata(t *testing.T) {
	t.Parallel()
	onEveryReceiver(t, func(t *testing.T, receiver *harness.Receiver) {
		if receiver.Kind == harness.Prometheus || receiver.Kind == harness.Thanos {
			t.Skip("stores no metadata of remote write")
		}
		expectMetadata(t, receiver)
	})
}

func expectMetadata(t *testing.T, receiver *harness.Receiver) {
	t.Helper()
	load := loadFor(3*time.Second, startTarget(t), receiver.WriteURL())
	load.Env["K6_PROMETHEUS_RW_TREND_AS"] = "gauges,native,classic"
	load.Env["K6_PROMETHEUS_RW_PUSH_INTERVAL"] = "1s" // request durations are sent one window later
	run(t, load)

	byName, err := receiver.Metadata()
	if err != nil {
		t.Fatal(err)
	}
	for name, expected := range map[string]harness.Metadata{
		"k6_http_reqs_total":           {Type: "counter"},
		"k6_data_sent_total":           {Type: "counter", Unit: "bytes"},
		"k6_vus":                       {Type: "gauge"},
		"k6_vus_highest":               {Type: "gauge"},
		"k6_checks_total":              {Type: "counter"},
		"k6_checks_rate":               {Type: "gauge"},
		"k6_http_req_duration_p95":     {Type: "gauge", Unit: "seconds"},
		"k6_http_req_duration_count":   {Type: "counter"},
		"k6_http_req_duration_sum":     {Type: "counter", Unit: "seconds"},
		"k6_http_req_duration_seconds": {Type: "histogram", Unit: "seconds"},
		"k6_order_value_avg":           {Type: "gauge"},
		"k6_order_value":               {Type: "histogram"},
	} {
		if len(byName[name]) != 1 {
			t.Errorf("%s: expected one entry, got %v", name, byName[name])
			continue
		}
		metadata := byName[name][0]
		if metadata.Type != expected.Type || metadata.Unit != expected.Unit || metadata.Help == "" {
			t.Errorf("%s: got %+v, expected %+v and a help text", name, metadata, expected)
		}
	}
	expectCleanMetrics(t, receiver, byName)
}

// knownProblems are warnings of `promtool check metrics` about names of k6's own output, which do not change.
var knownProblems = []string{
	`non-histogram and non-summary metrics should not have "_count" suffix`,
	`non-histogram and non-summary metrics should not have "_sum" suffix`,
	`counter metrics should have "_total" suffix`,
}

// expectCleanMetrics checks the metrics with promtool, in the format of a scrape: every series after its metadata.
func expectCleanMetrics(t *testing.T, receiver *harness.Receiver, byName map[string][]harness.Metadata) {
	t.Helper()
	promtool, err := harness.Binary("promtool")
	if err != nil {
		t.Fatal(err)
	}
	check := exec.Command(promtool, "check", "metrics")
	check.Stdin = strings.NewReader(exposition(t, receiver, byName))
	problems, err := check.CombinedOutput()
	if _, ended := err.(*exec.ExitError); err != nil && !ended {
		t.Fatal(err)
	}
	for problem := range strings.Lines(string(problems)) {
		known := func(known string) bool { return strings.Contains(problem, known) }
		if !slices.ContainsFunc(knownProblems, known) {
			t.Errorf("promtool reports: %s", problem)
		}
	}
}

// exposition formats the receiver's series in Prometheus's text format.
func exposition(t *testing.T, receiver *harness.Receiver, byName map[string][]harness.Metadata) string {
	t.Helper()
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		metadata := byName[name][0]
		fmt.Fprintf(&text, "# HELP %s %s\n# TYPE %s %s\n", name, metadata.Help, name, metadata.Type)
		pattern := name
		if metadata.Type == "histogram" {
			pattern = name + "_(bucket|count|sum)"
		}
		for _, series := range query(t, receiver, fmt.Sprintf(`last_over_time({__name__=~"%s", vmrange=""}[5m])`, pattern)) {
			var labels []string
			for label, value := range series.Labels {
				labels = append(labels, fmt.Sprintf("%s=%q", label, value))
			}
			fmt.Fprintf(&text, "%s{%s} %v\n", series.Name, strings.Join(labels, ","), series.Last().Value)
		}
	}
	return text.String()
}
