package main

// What a panel asks for, in PromQL: now, or of a run so far.

import (
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
)

// chosen stands for <run> in a query: the matchers of what is chosen at the top of the dashboard.
const chosen = `$run_by=~"$run", $instance_by=~"$instance"`

// target is what a panel asks Prometheus.
type target = prometheus.DataqueryBuilder

type dataquery = variants.Dataquery

// line asks for values over time; the legend names each series, `{{name}}` by its label.
func line(expr, legend string) *target { return ask(expr, legend).Range() }

// number asks once, at the end of the time range. What it asks for must be there after a run, too, when all series have ended: so far.
func number(expr, legend string) *target { return ask(expr, legend).Instant() }

// rows asks once, for a column of a table.
func rows(expr string) *target {
	return ask(expr, "").Instant().Format(prometheus.PromQueryFormatTable)
}

// buckets asks for a heatmap.
func buckets(expr, legend string) *target {
	return ask(expr, legend).Range().Format(prometheus.PromQueryFormatHeatmap)
}

func ask(expr, legend string) *target {
	return prometheus.NewDataqueryBuilder().Datasource(datasource).EditorMode(prometheus.QueryEditorModeCode).
		Expr(strings.NewReplacer("<run>", chosen, "<then>", "").Replace(expr)).LegendFormat(legend).
		Interval("$window") // no step is smaller, and $__rate_interval is four of it at least
}

// span is the time that a value is of.
type span struct{ function, duration string }

var (
	lately = span{"rate", "$__rate_interval"}
	sofar  = span{"last_over_time", "$__range"} // from the start of the run: what is added up is cumulative
)

// over applies a function to a metric of the chosen runs. <then> is where a query may be moved in time.
func over(function, metric, duration string) string {
	if !strings.Contains(metric, "<run>") {
		metric += "{<run>}"
	}
	return function + "(" + metric + "[" + duration + "]<then>)"
}

// where adds a matcher to those of the chosen runs.
func where(metric, matcher string) string { return metric + "{<run>, " + matcher + "}" }

// sum adds up a cumulative metric, for each value of some labels.
func sum(metric string, of span, by ...string) string {
	return "sum" + grouped(by) + "(" + over(of.function, metric, of.duration) + ")"
}

// highest is the highest value of a gauge.
func highest(metric string, of span, by ...string) string {
	return "max" + grouped(by) + "(" + over("max_over_time", metric, of.duration) + ")"
}

// share is the part of a rate's values that met the condition.
func share(condition, rate string, of span, by ...string) string {
	total := rate + "_total"
	return sum(where(total, `condition="`+condition+`"`), of, by...) + " / " + sum(total, of, by...)
}

// mean is the average of a trend's values.
func mean(trend string, of span, by ...string) string {
	return sum(trend+"_sum", of, by...) + " / " + sum(trend+"_count", of, by...)
}

func grouped(by []string) string {
	if len(by) == 0 {
		return ""
	}
	return " by (" + strings.Join(by, ", ") + ") "
}
