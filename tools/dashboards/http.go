package main

// Dashboard "HTTP in depth": which requests are slow or fail, and in which phase are they slow?

import (
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// Phases of a request, in order.
var phases = []struct{ metric, title string }{
	{"k6_http_req_blocked", "blocked"},
	{"k6_http_req_connecting", "connecting"},
	{"k6_http_req_tls_handshaking", "TLS handshake"},
	{"k6_http_req_sending", "sending"},
	{"k6_http_req_waiting", "waiting"},
	{"k6_http_req_receiving", "receiving"},
}

const aboutPhases = "Blocked: waiting for a free connection. Waiting: until the first byte of the response."

// eachPhase returns the same query for each phase.
func eachPhase(expr func(metric string) string) []*target {
	targets := make([]*target, len(phases))
	for i, phase := range phases {
		targets[i] = line(expr(phase.metric), phase.title)
	}
	return targets
}

// requestVariables are the variables that select requests of a run.
func requestVariables() []variable {
	return []variable{
		several("scenario", "Scenario", "Scenarios to show.", `label_values(k6_http_reqs_total{$run_by=~"$run"}, scenario)`),
		several("method", "Method", "HTTP methods to show.", `label_values(k6_http_reqs_total{$run_by=~"$run"}, method)`),
		several("name", "URL", "URLs to show, by the tag name.", `label_values(k6_http_reqs_total{$run_by=~"$run"}, name)`),
	}
}

// requests restricts a query to the selected requests.
func requests(expr string) string {
	return strings.ReplaceAll(expr, "<run>", `<run>, scenario=~"$scenario", method=~"$method", name=~"$name"`)
}

// httpInDepth builds the dashboard.
func httpInDepth() *dashboard.DashboardBuilder {
	byURL := []string{"name", "method"}
	return ofRuns("k6-rw-http", "k6 run: HTTP in depth",
		"Which requests are slow or fail, and in which phase the time is spent. Works with the output's default settings.",
		requestVariables(),
		under("Selected requests of the run",
			single("Requests", "Since the start of the run.",
				units.Short, requests(sum("k6_http_reqs_total", sofar))),
			single("Failed", "Share of the requests that failed.",
				units.PercentUnit, requests(share("nonzero", "k6_http_req_failed", sofar))).Thresholds(badFrom(0.01, 0.05)),
			single("Mean duration", "Since the start of the run.",
				units.Seconds, requests(mean("k6_http_req_duration", sofar))),
			single("Highest p95", worstP95,
				units.Seconds, requests(highest("k6_http_req_duration_p95", sofar))),
			single("Highest p99", "The same of the 99th percentile.",
				units.Seconds, requests(highest("k6_http_req_duration_p99", sofar))),
			single("Slowest", "The longest duration in the time range.",
				units.Seconds, requests(highest("k6_http_req_duration_max", sofar))),
		),
		under("By URL",
			listing("URLs", "Since the start of the run. Give requests to many URLs one tag name, or each URL has its own row.",
				column{"Requests", units.Short, requests(sum("k6_http_reqs_total", sofar, byURL...))},
				column{"Failed", units.PercentUnit, requests(share("nonzero", "k6_http_req_failed", sofar, byURL...))},
				column{"Mean", units.Seconds, requests(mean("k6_http_req_duration", sofar, byURL...))},
				column{"Fastest", units.Seconds, requests("min by (name, method) (min_over_time(k6_http_req_duration_min{<run>}[$__range]))")},
				column{"Highest p95", units.Seconds, requests(highest("k6_http_req_duration_p95", sofar, byURL...))},
				column{"Slowest", units.Seconds, requests(highest("k6_http_req_duration_max", sofar, byURL...))},
			),
			stacked("Requests per second", "By URL.", units.RequestsPerSecond,
				line(requests(sum("k6_http_reqs_total", lately, byURL...)), "{{method}} {{name}}")),
			lines("Share of failed requests", "By URL.", units.PercentUnit,
				line(requests(share("nonzero", "k6_http_req_failed", lately, byURL...)), "{{method}} {{name}}")).
				Thresholds(badFrom(0.01, 0.05)).ThresholdsStyle(shaded()),
			lines("Mean duration", "By URL.", units.Seconds,
				line(requests(mean("k6_http_req_duration", lately, byURL...)), "{{method}} {{name}}")),
			lines("95th percentile", "By URL, each by its worst series."+andTraces, units.Seconds,
				traced(requests(highest("k6_http_req_duration_p95", lately, byURL...)), "{{method}} {{name}}")),
		),
		under("Responses",
			stacked("By status", "0 means no response.", units.RequestsPerSecond,
				line(requests(sum("k6_http_reqs_total", lately, "status")), "{{status}}")),
			stacked("Errors", "By k6's error code: 1000 general, 1100 DNS, 1200 TCP, 1300 TLS, 1400 and 1500 the status, 1600 HTTP/2."+andTraces,
				units.RequestsPerSecond,
				traced(requests(sum(where("k6_http_reqs_total", `error_code!=""`), lately, "error_code")), "{{error_code}}")),
			lines("Mean duration of expected and other responses", "Fast failures lower the mean.",
				units.Seconds,
				line(requests(mean("k6_http_req_duration", lately, "expected_response")), "expected: {{expected_response}}")),
			stacked("By protocol", "HTTP/1.1, HTTP/2 …", units.RequestsPerSecond,
				line(requests(sum("k6_http_reqs_total", lately, "proto")), "{{proto}}")),
		),
		under("Where the time goes",
			stacked("Mean of each phase", aboutPhases, units.Seconds,
				eachPhase(func(metric string) string { return requests(mean(metric, lately)) })...),
			lines("95th percentile of each phase", "Each by its worst series.", units.Seconds,
				eachPhase(func(metric string) string { return requests(highest(metric+"_p95", lately)) })...),
		),
	)
}
