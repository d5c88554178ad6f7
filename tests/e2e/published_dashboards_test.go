package e2e

// The dashboards 19665 and 18030 of grafana.com. All metric names and labels of their queries exist.

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// published is one of these dashboards. A name that ends in _$stat stands for one name for each statistic.
type published struct {
	number string
	run    string // a run with the required settings
	native bool   // it expects a native histogram in one series
	names  []string
}

var publishedDashboards = []published{
	{number: "19665", run: after, names: []string{
		"k6_checks_rate", "k6_data_received_total", "k6_data_sent_total", "k6_dropped_iterations_total",
		"k6_http_req_blocked_$stat", "k6_http_req_duration_$stat", "k6_http_req_failed_rate", "k6_http_req_receiving_$stat",
		"k6_http_req_sending_$stat", "k6_http_req_tls_handshaking_$stat", "k6_http_req_waiting_$stat", "k6_http_reqs_total",
		"k6_iteration_duration_$stat", "k6_vus",
	}},
	{number: "18030", run: native, native: true, names: []string{
		"k6_checks_rate", "k6_data_received_total", "k6_data_sent_total", "k6_dropped_iterations_total",
		"k6_http_req_blocked_seconds", "k6_http_req_duration_seconds", "k6_http_req_failed_rate", "k6_http_req_receiving_seconds",
		"k6_http_req_sending_seconds", "k6_http_req_tls_handshaking_seconds", "k6_http_req_waiting_seconds", "k6_http_reqs_total",
		"k6_iteration_duration_seconds", "k6_vus",
	}},
}

// statistics are the values of $quantile_stat of 19665.
var statistics = []string{"min", "max", "count", "sum", "avg", "med", "p90", "p95", "p99"}

// labels returns the labels by which their queries distinguish series of a metric.
func labels(name string) []string {
	switch {
	case strings.HasPrefix(name, "k6_http_"):
		return []string{"testid", "expected_response", "method", "name", "status"}
	case strings.HasPrefix(name, "k6_checks_"):
		return []string{"testid", "check"}
	default:
		return []string{"testid"}
	}
}

// dashboard returns a dashboard with a query for each label of each name, in the form of the published ones.
func (p *published) dashboard() harness.Dashboard {
	dashboard := harness.Dashboard{
		File:      p.number,
		Variables: []harness.Variable{{Name: "testid", Type: "query", Query: "label_values(testid)", Multi: true, IncludeAll: true}},
	}
	for _, family := range p.names {
		stats := []string{""}
		if strings.HasSuffix(family, "_$stat") {
			stats = statistics
		}
		for _, stat := range stats {
			name := strings.ReplaceAll(family, "$stat", stat)
			panel := harness.Panel{Title: name}
			for _, label := range labels(name) {
				series := fmt.Sprintf(`%s{testid=~"$testid", %s!=""}`, name, label)
				panel.Queries = append(panel.Queries, harness.PanelQuery{Expr: queryFor(series, label)})
			}
			dashboard.Panels = append(dashboard.Panels, panel)
		}
	}
	return dashboard
}

// queryFor returns a query for a series in the form of the published dashboards.
func queryFor(series, label string) string {
	switch name, _, _ := strings.Cut(series, "{"); {
	case strings.HasSuffix(name, "_total") && name != "k6_dropped_iterations_total":
		return fmt.Sprintf("sum by (%s) (irate(%s[$__rate_interval]))", label, series)
	case strings.HasSuffix(name, "_seconds"):
		return fmt.Sprintf("histogram_quantile(0.95, sum by (le, %s) (rate(%s[$__rate_interval])))", label, series)
	default:
		return fmt.Sprintf("avg by (%s) (%s)", label, series)
	}
}

func (s *runsOnReceivers) expectPublished(t *testing.T, dashboard published) {
	t.Helper()
	for _, receiver := range s.receivers {
		if dashboard.native && receiver.Kind.MakesRanges() {
			continue
		}
		view := s.look(dashboard.dashboard(), receiver, map[string][]string{"testid": {dashboard.run}})
		view.Step = 3 * time.Second // as in docs/dashboards.md
		expectSeries(t, view)
	}
}
