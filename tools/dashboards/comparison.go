package main

// Dashboard of a comparison: how do two runs differ?

import (
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// startOf returns the start of a run: the latest within two weeks before and after the shown time.
func startOf(run string) string {
	return `max(last_over_time(k6_remote_write_run_start_time_seconds{$run_by="` + run + `"}[28d] offset -14d))`
}

// ofA queries run A; ofB queries run B, shifted in time so that both start together.
func ofA(expr string) string { return strings.ReplaceAll(expr, "<run>", `$run_by="$run_a"`) }

func ofB(expr string) string {
	return strings.NewReplacer("<run>", `$run_by="$run_b"`, "<then>", " offset ${shift}s").Replace(expr)
}

// both returns lines of both runs.
func both(title, description, unit, expr string) panel {
	return lines(title, description, unit, line(ofA(expr), "A"), line(ofB(expr), "B"))
}

// more returns the difference B - A, as a share of A.
func more(expr string) string { return ofB(expr) + " / (" + ofA(expr) + ") - 1" }

// apart returns the difference B - A, for shares, which may be 0.
func apart(expr string) string { return ofB(expr) + " - (" + ofA(expr) + ")" }

// Thresholds of changes for the worse.
var (
	neither = steps("text")
	rising  = steps(well, step{0.05, doubt}, step{0.2, wrong})
	falling = steps(wrong, step{-0.2, doubt}, step{-0.05, well})
	failing = steps(well, step{0.001, doubt}, step{0.01, wrong})
)

// compared returns three numbers: of A, of B, and the change, coloured if it is for the worse.
func compared(
	title, description, unit, expr string, change func(string) string, worse *dashboard.ThresholdsConfigBuilder,
) *stat.PanelBuilder {
	judged, _ := worse.Build() // cannot fail for constants
	return numbers(title, description, unit, number(ofA(expr), "A"), number(ofB(expr), "B"), number(change(expr), "change")).
		Span(8).
		OverrideByName("change", []dashboard.DynamicConfigValue{{Id: "unit", Value: units.PercentUnit}, {Id: "thresholds", Value: judged}})
}

// comparison builds the dashboard.
func comparison() *dashboard.DashboardBuilder {
	return board("k6-rw-comparison", "k6 run: comparison of two runs",
		"Run B beside run A. Set the time range to run A, from before its start to after its end: B is shifted in time "+
			"so that both start together, and may be up to two weeks before or after. Totals of B cover the same time since its start.",
		[]variable{
			datasourceVariable(),
			runByVariable(),
			found("run_a", "Run A", "The baseline.", "label_values(k6_vus, $run_by)"),
			found("run_b", "Run B", "The run that is compared with it.", "label_values(k6_vus, $run_by)").Sort(dashboard.VariableSortNaturalDesc),
			windowVariable(),
			found("shift", "Shift", "How many seconds A started after B.",
				"query_result(round("+startOf("$run_a")+" - "+startOf("$run_b")+" or vector(0)))").
				Regex(`/ (-?\d+) /`).Hide(dashboard.VariableHideHideVariable),
		},
		under("Totals",
			compared("Requests", "HTTP requests since the start of the run.", units.Short,
				sum("k6_http_reqs_total", sofar), more, neither),
			compared("Failed requests", "Share of requests that failed; the change is in percentage points.", units.PercentUnit,
				share("nonzero", "k6_http_req_failed", sofar), apart, failing),
			compared("Failed checks", "Share of checks that failed; the change is in percentage points.", units.PercentUnit,
				share("zero", "k6_checks", sofar), apart, failing),
			compared("Mean duration", "Of all requests since the start of the run.", units.Seconds,
				mean("k6_http_req_duration", sofar), more, rising),
			compared("Highest p95", worstP95, units.Seconds,
				highest("k6_http_req_duration_p95", sofar), more, rising),
			compared("Slowest request", "The longest duration in the time range.", units.Seconds,
				highest("k6_http_req_duration_max", sofar), more, rising),
			compared("Iterations", "Iterations since the start of the run.", units.Short,
				sum("k6_iterations_total", sofar), more, falling),
			compared("Mean duration of iterations", "Of all iterations since the start of the run.", units.Seconds,
				mean("k6_iteration_duration", sofar), more, rising),
			compared("Bytes received per request", "A change means other responses.", units.BytesSI,
				sum("k6_data_received_total", sofar)+" / "+sum("k6_http_reqs_total", sofar), more, neither),
		),
		under("Side by side, from the start of both",
			both("Virtual users", "Whether both runs had the same load.", units.Short,
				"sum("+over("last_over_time", "k6_vus", "$__rate_interval")+")"),
			both("Requests per second", "What the system handled.", units.RequestsPerSecond,
				sum("k6_http_reqs_total", lately)),
			both("Mean duration", "Of all requests.", units.Seconds,
				mean("k6_http_req_duration", lately)),
			both("95th percentile, worst series", "Highest of all series in each step.", units.Seconds,
				highest("k6_http_req_duration_p95", lately)),
			both("Failed requests", "Share of all requests.", units.PercentUnit,
				share("nonzero", "k6_http_req_failed", lately)),
			both("Dropped iterations per second", "Load that was configured but not generated.", units.OpsPerSecond,
				sum("k6_dropped_iterations_total", lately)),
		),
		under("By URL",
			byURL("Mean duration", "Since the start of the run.", units.Seconds,
				mean("k6_http_req_duration", sofar, "name", "method"), more),
			byURL("Share of failed requests", "Since the start of the run; the change is in percentage points.", units.PercentUnit,
				share("nonzero", "k6_http_req_failed", sofar, "name", "method"), apart),
		),
	)
}

// byURL returns a table of both runs and the change.
func byURL(title, description, unit, expr string, change func(string) string) panel {
	return listing(title, description,
		column{"A", unit, ofA(expr)},
		column{"B", unit, ofB(expr)},
		column{"Change", units.PercentUnit, change(expr)},
	).Span(12)
}
