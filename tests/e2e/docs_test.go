package e2e

// Runs every query of docs/metrics.md, and compares the results with k6's summary where it has them.

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// section is a section of the page, whose queries need a certain form of trends.
type section struct {
	title   string
	trendAs string
	kinds   []harness.Kind
}

var sections = []section{
	{"From any run", "gauges", kinds()},
	{"From gauges", "gauges", kinds()},
	{"From native histograms in Prometheus", "native", slices.DeleteFunc(kinds(), harness.Kind.MakesRanges)},
	{"From native histograms in VictoriaMetrics", "native",
		slices.DeleteFunc(kinds(), func(kind harness.Kind) bool { return !kind.MakesRanges() })},
	{"From classic histograms", "classic", kinds()},
}

// statistic is a number in k6's summary.
type statistic struct {
	metric, name string
	tolerance    float64 // relative
}

// inSummaryByQuestion has k6's number for a question, where there is one.
var inSummaryByQuestion = map[string]statistic{
	"requests of a run that is over":    {"http_reqs", "count", 0},
	"iterations of a run that is over":  {"iterations", "count", 0},
	"bytes received":                    {"data_received", "count", 0},
	"share of failed requests of a run": {"http_req_failed", "rate", 1e-9},
	"share of passed checks":            {"checks", "rate", 1e-9},
	"most virtual users at once":        {"vus", "max", 0},
	"mean duration of a run":            {"http_req_duration", "avg", 1e-9},
	"slowest request":                   {"http_req_duration", "max", 1e-9},
	"number of requests":                {"http_req_duration", "count", 0},
}

// question is a row of the page: text and query.
type question struct{ text, promql string }

func TestEveryQueryOfTheDocsReturnsSeries(t *testing.T) {
	t.Parallel()
	questions := readQuestions(t)
	if len(questions) != len(sections) {
		t.Fatalf("docs/metrics.md has %d sections of queries, the test knows %d", len(questions), len(sections))
	}
	for _, section := range sections {
		for _, kind := range section.kinds {
			t.Run(section.title+"/"+string(kind), func(t *testing.T) {
				t.Parallel()
				if len(questions[section.title]) < 3 {
					t.Fatalf("the page has only %v", questions[section.title])
				}
				receiver := startReceiver(t, kind)
				measured := runEveryKind(t, receiver, map[string]string{
					"K6_PROMETHEUS_RW_TREND_AS": section.trendAs, "K6_PROMETHEUS_RW_PUSH_INTERVAL": "1s",
				}, "--tag", "instance=one")
				lastMs := lastPointMs(t, receiver)
				for _, question := range questions[section.title] {
					runQuery(t, receiver, question, lastMs, measured)
				}
			})
		}
	}
}

func runQuery(t *testing.T, receiver *harness.Receiver, question question, lastMs int64, measured []harness.Measured) {
	t.Helper()
	if strings.HasSuffix(question.text, ", now") {
		series, err := receiver.QueryAt(question.promql, lastMs)
		if err != nil || len(series) == 0 || series[0].Last().Value < 0 || math.IsNaN(series[0].Last().Value) {
			t.Errorf("%s (%s): %v, %v", question.text, question.promql, series, err)
		}
		return
	}
	result := query(t, receiver, question.promql)
	expected, known := inSummaryByQuestion[question.text]
	if !known {
		return
	}
	all := func(m harness.Measured) bool { return m.String() == expected.metric }
	metric := measured[slices.IndexFunc(measured, all)]
	value := metric.Values[expected.name]
	if expected.name != "count" {
		value /= metric.Unit
	}
	if got := result[0].Last().Value; math.Abs(got-value) > expected.tolerance*value {
		t.Errorf("%s (%s): %v, k6 has %v", question.text, question.promql, got, value)
	}
}

// readQuestions reads the tables of queries, by their headings.
func readQuestions(t *testing.T) map[string][]question {
	t.Helper()
	all := map[string][]question{}
	for _, table := range tablesIn(t, "docs/metrics.md") {
		if table.head[1] != "PromQL" {
			continue
		}
		for _, row := range table.rows {
			all[table.heading] = append(all[table.heading], question{row[0], row[1]})
		}
	}
	return all
}
