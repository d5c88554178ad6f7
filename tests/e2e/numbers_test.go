package e2e

// PromQL returns every number of k6's summary: from one instance and from two, for each form of trends.

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

const everyKind = "tests/e2e/scripts/every_kind.js"

// allTags are k6's system tags and those of the script, without the scenario.
const allTags = "check,error,error_code,expected_response,group,kind,method,name,proto,size,status,tls_version,url"

// runEveryKind runs the script with every kind of metric, and returns what k6 measured.
func runEveryKind(t *testing.T, receiver *harness.Receiver, env map[string]string, args ...string) []harness.Measured {
	t.Helper()
	k6, measured := startEveryKind(t, receiver, env, args...)
	finish(t, k6, 0)
	return measured()
}

func startEveryKind(
	t *testing.T, receiver *harness.Receiver, env map[string]string, args ...string,
) (*harness.K6, func() []harness.Measured) {
	t.Helper()
	summary := filepath.Join(t.TempDir(), "summary.json")
	load := harness.Run{
		Script: everyKind,
		Out:    []string{"remote-write=" + receiver.WriteURL()},
		Args:   args,
		Env:    map[string]string{"TARGET_URL": startTarget(t).URL(), "SUMMARY": summary},
	}
	for name, value := range env {
		load.Env[name] = value
	}
	return start(t, load), func() []harness.Measured {
		measured, err := harness.ReadMeasured(summary)
		if err != nil {
			t.Fatal(err)
		}
		if len(measured) < 30 {
			t.Fatalf("k6 measured only %v", measured)
		}
		return measured
	}
}

func TestQueriesReturnEveryNumberOfTheSummary(t *testing.T) {
	t.Parallel()
	onEveryReceiver(t, func(t *testing.T, receiver *harness.Receiver) {
		measured := runEveryKind(t, receiver, nil)

		rows := expectEqual(t, receiver, measured, harness.Totals)
		t.Logf("%d numbers:\n%s", len(rows), harness.Table(rows))
		for _, part := range []string{
			`http_req_duration{group="::browse"}`, `checks{check="order is accepted"}`, `value{size="large"}`,
			`http_reqs{scenario="visit",method="POST"}`, "data_sent", "balance", "counted_time", "delay", "vus_max",
		} {
			if !slices.ContainsFunc(rows, func(row harness.Row) bool { return row.Metric == part && row.K6 != 0 }) {
				t.Errorf("nothing was compared of %s", part)
			}
		}
	})
}

func TestQueriesReturnThePercentilesOfTheRun(t *testing.T) {
	t.Parallel()
	for _, tags := range []struct {
		name    string
		dropped string
		isOne   func(harness.Measured) bool // reports whether a trend has one series
	}{
		{"of all", allTags + ",scenario", func(m harness.Measured) bool { return m.Selector == "" }},
		{"of each scenario", allTags, func(m harness.Measured) bool { return strings.HasPrefix(m.Selector, "scenario=") }},
	} {
		t.Run(tags.name, func(t *testing.T) {
			t.Parallel()
			onEveryReceiver(t, func(t *testing.T, receiver *harness.Receiver) {
				measured := runEveryKind(t, receiver, map[string]string{
					"K6_PROMETHEUS_RW_TREND_WINDOW": "run",
					"K6_PROMETHEUS_RW_TREND_STATS":  "med,p(90),p(95),p(99),p(99.9)",
					"K6_PROMETHEUS_RW_DROP_TAGS":    tags.dropped,
				})
				measured = slices.DeleteFunc(measured, func(m harness.Measured) bool { return !tags.isOne(m) })

				rows := expectEqual(t, receiver, measured, harness.Percentiles)
				t.Logf("%d percentiles:\n%s", len(rows), harness.Table(rows))
				if len(rows) < 10 {
					t.Errorf("only %d percentiles were compared", len(rows))
				}
			})
		})
	}
}

// Adjacent values of `spread` differ by at most 0.3 %, so that a percentile and the next rank are almost equal.
func TestQuantilesOfHistogramsAreAsExactAsTheirBuckets(t *testing.T) {
	t.Parallel()
	onEveryReceiver(t, func(t *testing.T, receiver *harness.Receiver) {
		measured := runEveryKind(t, receiver, map[string]string{"K6_PROMETHEUS_RW_TREND_AS": "gauges,native,classic"})

		expectEqual(t, receiver, measured, harness.Totals)
		if lasting, err := receiver.Query("k6_spread_seconds"); err != nil || len(lasting) > 0 {
			t.Errorf("the native histogram continues after the run: %v, %v", lasting, err)
		}
		rows := expectEqual(t, receiver, measured, func(m harness.Measured) []harness.Expectation {
			return histogramTotals(m, receiver.Kind)
		})
		t.Logf("%d numbers:\n%s", len(rows), harness.Table(rows))
		spread := measured[slices.IndexFunc(measured, func(m harness.Measured) bool { return m.String() == "spread" })]
		for percent, statistic := range map[float64]string{50: "med", 90: "p(90)", 95: "p(95)", 99: "p(99)"} {
			exact := spread.Values[statistic] / 1000
			// Native: the bounds of a bucket differ by a factor of 2^(1/8).
			expectQuantile(t, receiver, nativeBuckets(receiver.Kind), percent, exact/math.Exp2(1./8), exact*math.Exp2(1./8))
			// Classic: the two bounds around it.
			above, _ := slices.BinarySearch(secondsBounds, exact)
			classic := `sum by (le) (last_over_time(k6_spread_seconds_bucket{le!=""}[5m]))`
			expectQuantile(t, receiver, classic, percent, secondsBounds[above-1], secondsBounds[above])
		}
		if receiver.Kind == harness.Prometheus {
			expectNothingRejected(t, receiver)
		}
	})
}

// secondsBounds are the default bounds of classic histograms of times.
var secondsBounds = []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60}

// nativeBuckets returns the query for the native histogram of `spread`, which VictoriaMetrics stores as separate series.
func nativeBuckets(kind harness.Kind) string {
	if kind.MakesRanges() {
		return `sum by (vmrange) (last_over_time(k6_spread_seconds_bucket{vmrange!=""}[5m]))`
	}
	return "sum(last_over_time(k6_spread_seconds[5m]))"
}

func expectQuantile(t *testing.T, receiver *harness.Receiver, buckets string, percent, low, high float64) {
	t.Helper()
	promql := fmt.Sprintf("histogram_quantile(%v, %s)", percent/100, buckets)
	value, found, err := receiver.Number(promql)
	if err != nil {
		t.Fatal(err)
	}
	if !found || value < low || value > high {
		t.Errorf("%s is %v (found: %t), not between %v and %v", promql, value, found, low, high)
	}
}

// histogramTotals returns the counts and sums of a trend's histograms.
func histogramTotals(m harness.Measured, kind harness.Kind) []harness.Expectation {
	count := m.Values["count"]
	if m.Type != harness.Trend || count == 0 {
		return nil
	}
	name := "k6_" + m.Metric
	if m.Unit != 1 {
		name += "_seconds"
	}
	over := func(suffix, matchers string) string {
		all := slices.DeleteFunc([]string{m.Selector, matchers}, func(s string) bool { return s == "" })
		return fmt.Sprintf("sum(last_over_time(%s%s{%s}[5m]))", name, suffix, strings.Join(all, ","))
	}
	sum := m.Values["avg"] * count / m.Unit
	expectations := []harness.Expectation{
		{Statistic: "classic count", Query: over("_count", ""), Value: count},
		{Statistic: "classic infinite bucket", Query: over("_bucket", `le="+Inf"`), Value: count},
		{Statistic: "classic sum", Query: over("_sum", ""), Value: sum, Tolerance: 1e-9},
	}
	if !kind.MakesRanges() {
		expectations = append(expectations,
			harness.Expectation{Statistic: "native count", Query: "histogram_count(" + over("", "") + ")", Value: count},
			harness.Expectation{Statistic: "native sum", Query: "histogram_sum(" + over("", "") + ")", Value: sum, Tolerance: 1e-9},
			harness.Expectation{
				Statistic: "native avg", Query: "histogram_avg(" + over("", "") + ")", Value: sum / count, Tolerance: 1e-9,
			},
		)
	} else {
		ranges := harness.Expectation{Statistic: "native buckets", Query: over("_bucket", `vmrange!=""`), Value: count}
		expectations = append(expectations, ranges)
	}
	return expectations
}

func TestTheFeatureFlagEnablesNativeHistograms(t *testing.T) {
	t.Parallel()
	receiver := startReceiver(t, harness.Prometheus)
	measured := runEveryKind(t, receiver, map[string]string{"K6_FEATURES": "native-histograms"})

	wait := measured[slices.IndexFunc(measured, func(m harness.Measured) bool { return m.String() == "wait" })]
	count := query(t, receiver, "histogram_count(sum(last_over_time(k6_wait_seconds[5m])))")[0].Last().Value
	if count != wait.Values["count"] {
		t.Errorf("the histogram has %v of %v values", count, wait.Values["count"])
	}
	if gauges, err := receiver.Query(`last_over_time({__name__=~"k6_wait_(avg|count|p95)"}[5m])`); err != nil || len(gauges) > 0 {
		t.Errorf("there are gauges in addition: %v, %v", gauges, err)
	}
}

func TestTwoInstancesAddUp(t *testing.T) {
	t.Parallel()
	onEveryReceiver(t, expectTwoInstancesAddUp)
}

func expectTwoInstancesAddUp(t *testing.T, receiver *harness.Receiver) {
	var all [][]harness.Measured
	var finished []func() []harness.Measured
	for _, segment := range []string{"0:1/2", "1/2:1"} {
		k6, measured := startEveryKind(t, receiver, nil,
			"--execution-segment", segment, "--execution-segment-sequence", "0,1/2,1")
		finished = append(finished, func() []harness.Measured {
			finish(t, k6, 0)
			return measured()
		})
	}
	for _, measured := range finished {
		all = append(all, measured())
	}

	rows := expectEqual(t, receiver, harness.Together(all...), harness.Totals)
	t.Logf("%d numbers:\n%s", len(rows), harness.Table(rows))
	// At the time of an instance's last point, with a first point of 0, increase() does not extrapolate.
	ends := map[string]int64{}
	for _, series := range query(t, receiver, "k6_http_reqs_total[5m]") {
		instance := series.Labels["instance"]
		ends[instance] = max(ends[instance], series.Last().TimeMs)
	}
	increased := 0.0
	for instance, endMs := range ends {
		increased += increase(t, receiver, fmt.Sprintf("k6_http_reqs_total{instance=%q}", instance), "5m", endMs)
	}
	total := query(t, receiver, "sum(last_over_time(k6_http_reqs_total[5m]))")[0].Last().Value
	if len(ends) != 2 || math.Abs(increased-total) > 1e-9*total {
		t.Errorf("increase() over %d instances is %v of %v", len(ends), increased, total)
	}
	if receiver.Kind == harness.Prometheus {
		expectNothingRejected(t, receiver)
	}
}
