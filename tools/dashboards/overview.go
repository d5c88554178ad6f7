package main

// Dashboard "overview": is the run going well, and how did it end?

import (
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// overview builds the dashboard.
func overview() *dashboard.DashboardBuilder {
	return ofRuns("k6-rw-overview", "k6 run: overview",
		"How a load test goes, and how it ended. Works with the output's default settings.",
		nil,
		under("The run",
			single("Requests", "HTTP requests since the start of the run.",
				units.Short, sum("k6_http_reqs_total", sofar)),
			single("Failed requests", "Share of requests that k6 counts as failed: by default a status of 400 or more, or no response.",
				units.PercentUnit, share("nonzero", "k6_http_req_failed", sofar)).Thresholds(badFrom(0.01, 0.05)),
			single("Passed checks", "Share of checks that passed.",
				units.PercentUnit, share("nonzero", "k6_checks", sofar)).Thresholds(goodFrom(0.95, 0.99)),
			single("Mean duration", "Of all requests since the start of the run.",
				units.Seconds, mean("k6_http_req_duration", sofar)),
			single("Highest p95", worstP95+" The percentile of the whole run needs histograms.",
				units.Seconds, highest("k6_http_req_duration_p95", sofar)),
			single("Slowest request", "The longest duration of a request in the time range.",
				units.Seconds, highest("k6_http_req_duration_max", sofar)),
			single("Crossed thresholds", "Thresholds that the run failed. k6 reports them at its end.",
				units.Short, `sum(1 - min by (metric, threshold) (last_over_time(k6_threshold_passed{<run>}[$__range])))`).
				Thresholds(none(wrong)).NoValue("at the end"),
			single("Iterations", "Iterations since the start of the run.",
				units.Short, sum("k6_iterations_total", sofar)),
			single("Dropped iterations", "Iterations that could not start, since no virtual user was free: less load than configured.",
				units.Short, sum("k6_dropped_iterations_total", sofar)).Thresholds(none(doubt)),
			single("Peak virtual users", "Maximum of virtual users, of all instances.",
				units.Short, `sum(max_over_time(k6_vus_highest{<run>}[$__range]))`),
			single("Peak load", "Maximum of requests per second in the time range.",
				units.RequestsPerSecond, "max_over_time("+sum("k6_http_reqs_total", lately)+"[$__range:$__interval])"),
			single("Received", "Bytes received since the start of the run.",
				units.BytesSI, sum("k6_data_received_total", sofar)),
		),
		under("Load and responses",
			lines("Virtual users", "Active virtual users, and those that k6 has initialized.", units.Short,
				line(`sum(k6_vus{<run>})`, "active"),
				line(`sum(k6_vus_max{<run>})`, "initialized")),
			stacked("Requests per second", "By URL.", units.RequestsPerSecond,
				line(sum("k6_http_reqs_total", lately, "name", "method"), "{{method}} {{name}}")),
			lines("Failed requests by URL", "Share of the requests of each URL.", units.PercentUnit,
				line(share("nonzero", "k6_http_req_failed", lately, "name", "method"), "{{method}} {{name}}")).
				Thresholds(badFrom(0.01, 0.05)).ThresholdsStyle(shaded()),
			lines("95th percentile by URL", "Each by its worst series.", units.Seconds,
				line(highest("k6_http_req_duration_p95", lately, "name", "method"), "{{method}} {{name}}")),
			lines("Duration of requests", "Mean of all; 95th and 99th percentile of the worst series; the slowest request."+andTraces, units.Seconds,
				line(mean("k6_http_req_duration", lately), "mean"),
				line(highest("k6_http_req_duration_p95", lately), "p95, worst series"),
				line(highest("k6_http_req_duration_p99", lately), "p99, worst series"),
				traced(highest("k6_http_req_duration_max", lately), "slowest")),
			lines("Failures", "Shares of requests and of checks that failed.", units.PercentUnit,
				line(share("nonzero", "k6_http_req_failed", lately), "requests"),
				line(share("zero", "k6_checks", lately), "checks")).
				Thresholds(badFrom(0.01, 0.05)).ThresholdsStyle(shaded()),
		),
		under("Responses and iterations",
			stacked("Responses per second", "By HTTP status; 0 means no response.", units.RequestsPerSecond,
				line(sum("k6_http_reqs_total", lately, "status"), "{{status}}")),
			stacked("Iterations per second", "By scenario.", units.OpsPerSecond,
				line(sum("k6_iterations_total", lately, "scenario"), "{{scenario}}")),
			lines("Dropped iterations per second", "Above 0, preAllocatedVUs or maxVUs is too low, or the system is too slow.", units.OpsPerSecond,
				line(sum("k6_dropped_iterations_total", lately), "dropped")).
				Thresholds(steps(well, step{0.001, doubt})).ThresholdsStyle(shaded()),
			lines("Mean duration of iterations", "By scenario.", units.Seconds,
				line(mean("k6_iteration_duration", lately, "scenario"), "{{scenario}}")),
			lines("95th percentile of iterations", "The worst series of each scenario.", units.Seconds,
				line(highest("k6_iteration_duration_p95", lately, "scenario"), "{{scenario}}")).Span(24),
		),
		under("Checks",
			listing("Checks", "How often each check passed and failed since the start of the run.",
				column{"Passed", units.Short, sum(where("k6_checks_total", `condition="nonzero"`), sofar, "check")},
				column{"Failed", units.Short, sum(where("k6_checks_total", `condition="zero"`), sofar, "check")},
				column{"Share passed", units.PercentUnit, share("nonzero", "k6_checks", sofar, "check")},
			).Span(12),
			lines("Failed checks per second", "By check."+andTraces, units.OpsPerSecond,
				traced(sum(where("k6_checks_total", `condition="zero"`), lately, "check"), "{{check}}")).Height(9),
		),
		under("Thresholds and runs",
			listing("Thresholds", "Whether the run passed each threshold of the script. k6 reports this at the end of the run.",
				column{"Kept", units.Short, `min by (metric, threshold) (last_over_time(k6_threshold_passed{<run>}[$__range]))`},
				column{"Instances that failed it", units.Short,
					`sum by (metric, threshold) (1 - last_over_time(k6_threshold_passed{<run>}[$__range]))`},
			).Span(12).OverrideByName("Kept", yesOrNo),
			listing("Runs", "The runs in the time range. One without a duration is still running, or was killed.",
				column{"Began", units.DatetimeISO, ofEachRun("(1000 * " + began + ")")},
				column{"Took", units.Seconds, ofEachRun("(" + ended + " - " + began + ")")},
				column{"Requests", units.Short, ofEachRun(sum("k6_http_reqs_total", sofar, "$run_by"))},
			).Span(12),
		),
		under("Network and instances",
			lines("Network", "Bytes per second, of all protocols.", units.BytesPerSecondSI,
				line(sum("k6_data_received_total", lately), "received"),
				line(sum("k6_data_sent_total", lately), "sent")),
			stacked("Requests per second by instance", "Whether all instances of a distributed run generate their share.", units.RequestsPerSecond,
				line(sum("k6_http_reqs_total", lately, "$instance_by"), "{{instance}}{{instance_id}}")),
		),
	)
}

const worstP95 = "The worst 95th percentile that one series (URL, method, status …) had in one window."

// andTraces follows the description of a panel with exemplars.
const andTraces = " Diamonds lead to the traces of single requests."

// Start and end of each run.
const (
	began = `min by ($run_by) (last_over_time(k6_remote_write_run_start_time_seconds{<run>}[$__range]))`
	ended = `max by ($run_by) (last_over_time(k6_remote_write_run_end_time_seconds{<run>}[$__range]))`
)

// ofEachRun adds the labels of the run metadata to a number of each run.
func ofEachRun(expr string) string {
	return `max by ($run_by, script, scenarios, k6_version) (last_over_time(k6_remote_write_run_info{<run>}[$__range]))` +
		` * on ($run_by) group_left () ` + expr
}
