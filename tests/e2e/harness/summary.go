package harness

// k6's end-of-test summary, as `--summary-export` writes it: with full precision, and in addition to the usual text, which
// a handleSummary() would replace.

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// summaryTrendStats are the statistics of trends in the summary. By default k6 has no `count`.
const summaryTrendStats = "avg,min,med,max,p(90),p(95),p(99),p(99.9),count"

// Summary has the statistics of each metric by the metric's name.
type Summary map[string]Statistics

// Statistics are a metric's numbers by k6's names: `count`, `passes`, `fails`, `value`, `avg`, `p(95)`.
type Statistics map[string]float64

// readSummary reads an exported summary without submetrics, which k6 has only for thresholds.
func readSummary(path string) (Summary, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var export struct {
		Metrics map[string]map[string]any
	}
	if err := json.Unmarshal(data, &export); err != nil {
		return nil, fmt.Errorf("k6's summary: %w", err)
	}
	summary := Summary{}
	for name, values := range export.Metrics {
		if strings.ContainsRune(name, '{') {
			continue
		}
		summary[name] = Statistics{}
		for statistic, value := range values {
			if number, is := value.(float64); is { // `thresholds` is not
				summary[name][statistic] = number
			}
		}
	}
	return summary, nil
}

// MetricType is a type of k6 metrics.
type MetricType string

const (
	Counter MetricType = "counter"
	Gauge   MetricType = "gauge"
	Rate    MetricType = "rate"
	Trend   MetricType = "trend"
)

// Type derives the type from the statistics that only this type has, since the export does not contain it.
func (s Statistics) Type() MetricType {
	has := func(statistic string) bool { _, has := s[statistic]; return has }
	switch {
	case has("avg"):
		return Trend
	case has("passes"):
		return Rate
	case has("count"):
		return Counter
	default:
		return Gauge
	}
}

// isTime reports whether a trend is in milliseconds. The export does not contain it; k6's built-in trends are all times,
// and the names of such trends in the tests' scripts end in `_time`.
func isTime(metric string) bool {
	return strings.HasPrefix(metric, "http_req_") || strings.HasSuffix(metric, "_duration") || strings.HasSuffix(metric, "_time")
}
