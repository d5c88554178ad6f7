package main

// Dashboards of native histograms: the distribution of durations, for each kind of receiver.

import (
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// form is a receiver's representation of native histograms, on which queries depend.
type form struct {
	uid, title, description string
	metric                  variable // has all histograms of times
	quantile                func(q, metric string, of span, by ...string) string
	count, mean, within     func(metric string, of span, by ...string) string
	heat                    *target
	traced                  func(expr, legend string) *target // a line, with exemplars where receivers store them
}

// nativeHistograms is the form of Prometheus and compatible receivers.
var nativeHistograms = form{
	uid:   "k6-rw-native-histograms",
	title: "k6 run: native histograms",
	description: "Percentiles of any grouping and of whole runs. Needs trendAs: native, and Prometheus or a receiver with its native histograms; " +
		"VictoriaMetrics has a separate dashboard.",
	metric: found("metric", "Metric", "Histograms of times.", `label_values({__name__=~"k6_.+_seconds", $run_by=~"$run"}, __name__)`).
		Current(option("k6_http_req_duration_seconds", "k6_http_req_duration_seconds")),
	quantile: func(q, metric string, of span, by ...string) string {
		return "histogram_quantile(" + q + ", " + sum(metric, of, by...) + ")"
	},
	count: func(metric string, of span, by ...string) string {
		return "histogram_count(" + sum(metric, of, by...) + ")"
	},
	mean: func(metric string, of span, by ...string) string {
		return "histogram_avg(" + sum(metric, of, by...) + ")"
	},
	within: func(metric string, of span, by ...string) string {
		return "histogram_fraction(0, $objective, " + sum(metric, of, by...) + ")"
	},
	heat:   buckets("sum("+over("increase", "${metric}", "$__rate_interval")+")", "duration").Exemplar(true),
	traced: traced,
}

// vmrangeHistograms is the form of VictoriaMetrics: a series for each bucket.
var vmrangeHistograms = form{
	uid:   "k6-rw-native-histograms-victoriametrics",
	title: "k6 run: native histograms in VictoriaMetrics",
	description: "Percentiles of any grouping and of whole runs. Needs trendAs: native, and VictoriaMetrics, " +
		"which stores a native histogram as the series _bucket{vmrange}, _count and _sum.",
	metric: found("metric", "Metric", "Histograms of times.", `label_values({__name__=~"k6_.+_seconds_bucket", $run_by=~"$run"}, __name__)`).
		Regex("/(.+)_bucket/").
		Current(option("k6_http_req_duration_seconds", "k6_http_req_duration_seconds")),
	quantile: func(q, metric string, of span, by ...string) string {
		return "histogram_quantile(" + q + ", " + sum(metric+"_bucket", of, append(by, "vmrange")...) + ")"
	},
	count: func(metric string, of span, by ...string) string {
		return sum(metric+"_count", of, by...)
	},
	mean: mean,
	within: func(metric string, of span, by ...string) string {
		return "histogram_share($objective, " + sum(metric+"_bucket", of, append(by, "vmrange")...) + ")"
	},
	heat:   buckets("prometheus_buckets(sum by (vmrange) ("+over("increase", "${metric}_bucket", "$__rate_interval")+"))", "{{le}}"),
	traced: line,
}

// histograms builds a dashboard with the distribution of durations and the percentiles of the whole run.
func histograms(kept form) *dashboard.DashboardBuilder {
	const metric = "${metric}"
	each := func(q string) *target { return line(kept.quantile(q, metric, lately), "p"+strings.TrimPrefix(q, "0.")) }
	return ofRuns(kept.uid, kept.title, kept.description,
		[]variable{
			kept.metric,
			oneOf("objective", "Objective", "Objective for the duration, in seconds.",
				"0.5", "0.05", "0.1", "0.25", "1", "2.5", "5", "10"),
		},
		under("The run",
			single("Values", "Number of values of the selected metric.", units.Short, kept.count(metric, sofar)),
			single("Mean", "Of all values, exact.", units.Seconds, kept.mean(metric, sofar)),
			single("Median", "Of all values, within 9.1 %.", units.Seconds, kept.quantile("0.5", metric, sofar)),
			single("95th percentile", "Of all values, within 9.1 %.", units.Seconds, kept.quantile("0.95", metric, sofar)),
			single("99th percentile", "Of all values, within 9.1 %.", units.Seconds, kept.quantile("0.99", metric, sofar)),
			single("Within $objective s", "Share of values that meet the objective.", units.PercentUnit, kept.within(metric, sofar)).
				Thresholds(goodFrom(0.95, 0.99)),
		),
		under("Distribution",
			heat("Values", "Number of values per bucket. Two bands are two kinds of responses: compare URLs or statuses.",
				units.Seconds, kept.heat),
			lines("Percentiles", "Of all selected series together.", units.Seconds,
				each("0.5"), each("0.9"), kept.traced(kept.quantile("0.95", metric, lately), "p95"), each("0.99"), each("0.999")),
			lines("Within $objective s", "Share of values that meet the objective.", units.PercentUnit,
				line(kept.within(metric, lately), "within $objective s")).
				Max(1).Thresholds(goodFrom(0.95, 0.99)),
		),
		under("By URL",
			listing("URLs", "Since the start of the run.",
				column{"Values", units.Short, kept.count(metric, sofar, "name", "method")},
				column{"Mean", units.Seconds, kept.mean(metric, sofar, "name", "method")},
				column{"Median", units.Seconds, kept.quantile("0.5", metric, sofar, "name", "method")},
				column{"p95", units.Seconds, kept.quantile("0.95", metric, sofar, "name", "method")},
				column{"p99", units.Seconds, kept.quantile("0.99", metric, sofar, "name", "method")},
				column{"Within objective", units.PercentUnit, kept.within(metric, sofar, "name", "method")},
			),
			lines("95th percentile by URL", "Exact grouping: of all series of each URL.", units.Seconds,
				kept.traced(kept.quantile("0.95", metric, lately, "name", "method"), "{{method}} {{name}}")),
			lines("95th percentile by status", "Failures are often faster than successful responses.", units.Seconds,
				kept.traced(kept.quantile("0.95", metric, lately, "status"), "{{status}}")),
		),
		under("Where the time of HTTP requests goes",
			stacked("Mean of each phase", aboutPhases, units.Seconds,
				eachPhase(func(metric string) string { return kept.mean(metric+"_seconds", lately) })...),
			lines("95th percentile of each phase", "Of all selected series together.", units.Seconds,
				eachPhase(func(metric string) string { return kept.quantile("0.95", metric+"_seconds", lately) })...),
		),
	)
}
