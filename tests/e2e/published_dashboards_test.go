package e2e

// The dashboards that k6's users have: 19665 and 18030 on grafana.com. What their queries ask for is there: each name, with each label.

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// published is one of them. A name that ends in _$stat stands for one of each statistic.
type published struct {
	number string
	run    string // with the settings that it needs
	kinds  []harness.Kind
	names  []string
}

var publishedDashboards = []published{
	{number: "19665", run: after, kinds: harness.Kinds, names: []string{
		"k6_checks_rate", "k6_data_received_total", "k6_data_sent_total", "k6_dropped_iterations_total",
		"k6_http_req_blocked_$stat", "k6_http_req_duration_$stat", "k6_http_req_failed_rate", "k6_http_req_receiving_$stat",
		"k6_http_req_sending_$stat", "k6_http_req_tls_handshaking_$stat", "k6_http_req_waiting_$stat", "k6_http_reqs_total",
		"k6_iteration_duration_$stat", "k6_vus",
	}},
	// Its queries take a native histogram for one series, as only Prometheus has it.
	{number: "18030", run: native, kinds: []harness.Kind{harness.Prometheus}, names: []string{
		"k6_checks_rate", "k6_data_received_total", "k6_data_sent_total", "k6_dropped_iterations_total",
		"k6_http_req_blocked_seconds", "k6_http_req_duration_seconds", "k6_http_req_failed_rate", "k6_http_req_receiving_seconds",
		"k6_http_req_sending_seconds", "k6_http_req_tls_handshaking_seconds", "k6_http_req_waiting_seconds", "k6_http_reqs_total",
		"k6_iteration_duration_seconds", "k6_vus",
	}},
}

// statistics are what $quantile_stat of 19665 offers.
var statistics = []string{"min", "max", "count", "sum", "avg", "med", "p90", "p95", "p99"}

// labels are what tells series of a metric apart in their queries.
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

// dashboard asks for each name by each of its labels, while the run goes on, in the ways that the published one does.
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

// queryFor is a query of the published dashboards' kind for a series.
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

func (s *runsOnReceivers) expectPublished(t *testing.T, asked published) {
	t.Helper()
	for _, receiver := range s.receivers {
		if !slices.Contains(asked.kinds, receiver.Kind) {
			continue
		}
		view := s.look(asked.dashboard(), receiver, map[string][]string{"testid": {asked.run}})
		view.Step = 3 * time.Second // as docs/dashboards.md says
		expectAnswers(t, view)
	}
}
