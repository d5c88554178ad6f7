package main

// Queries of panels in PromQL: over time, or of a run so far.

import (
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
)

// chosen replaces <run> in a query: the matchers of the selected runs.
const chosen = `$run_by=~"$run", $instance_by=~"$instance"`

// target is a query of a panel.
type target = prometheus.DataqueryBuilder

type dataquery = variants.Dataquery

// line is a range query; the legend names each series, `{{name}}` is the value of a label.
func line(expr, legend string) *target { return newTarget(expr, legend).Range() }

// traced is a range query that also asks for exemplars, the traces of single requests. Its metric must have them: docs/traces.md.
func traced(expr, legend string) *target { return line(expr, legend).Exemplar(true) }

// number is an instant query at the end of the time range. It must also return values after a run, when all series have
// ended, so it uses sofar.
func number(expr, legend string) *target { return newTarget(expr, legend).Instant() }

// rows is an instant query for a column of a table.
func rows(expr string) *target {
	return newTarget(expr, "").Instant().Format(prometheus.PromQueryFormatTable)
}

// buckets is a query for a heatmap.
func buckets(expr, legend string) *target {
	return newTarget(expr, legend).Range().Format(prometheus.PromQueryFormatHeatmap)
}

func newTarget(expr, legend string) *target {
	return prometheus.NewDataqueryBuilder().Datasource(datasource).EditorMode(prometheus.QueryEditorModeCode).
		Expr(strings.NewReplacer("<run>", chosen, "<then>", "").Replace(expr)).LegendFormat(legend).
		Interval("$window") // the minimum step; $__rate_interval is at least four times as long
}

// span is the time range of a value.
type span struct{ function, duration string }

var (
	lately = span{"rate", "$__rate_interval"}
	sofar  = span{"last_over_time", "$__range"} // since the start of the run, for cumulative metrics
)

// over applies a function to a metric of the selected runs. <then> is replaced by a shift in time.
func over(function, metric, duration string) string {
	if !strings.Contains(metric, "<run>") {
		metric += "{<run>}"
	}
	return function + "(" + metric + "[" + duration + "]<then>)"
}

// where adds a matcher to those of the selected runs.
func where(metric, matcher string) string { return metric + "{<run>, " + matcher + "}" }

// sum adds up a cumulative metric by labels.
func sum(metric string, of span, by ...string) string {
	return "sum" + grouped(by) + "(" + over(of.function, metric, of.duration) + ")"
}

// highest returns the maximum of a gauge.
func highest(metric string, of span, by ...string) string {
	return "max" + grouped(by) + "(" + over("max_over_time", metric, of.duration) + ")"
}

// share returns the share of a rate's values with this condition.
func share(condition, rate string, of span, by ...string) string {
	total := rate + "_total"
	return sum(where(total, `condition="`+condition+`"`), of, by...) + " / " + sum(total, of, by...)
}

// mean returns the average of a trend's values.
func mean(trend string, of span, by ...string) string {
	return sum(trend+"_sum", of, by...) + " / " + sum(trend+"_count", of, by...)
}

func grouped(by []string) string {
	if len(by) == 0 {
		return ""
	}
	return " by (" + strings.Join(by, ", ") + ") "
}
