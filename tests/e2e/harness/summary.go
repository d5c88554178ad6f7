package harness

// k6's own numbers at the end of a run, as `--summary-export` writes them: with full precision, and beside the usual
// text, which a handleSummary() would replace.

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// summaryTrendStats are the statistics that k6 is asked for. `count` is not among its default ones.
const summaryTrendStats = "avg,min,med,max,p(90),p(95),p(99),p(99.9),count"

// Summary is what k6 says of each metric, by the metric's name.
type Summary map[string]Statistics

// Statistics are a metric's numbers by k6's names for them: `count`, `passes`, `fails`, `value`, `avg`, `p(95)`.
type Statistics map[string]float64

// readSummary reads an exported summary. Submetrics, which k6 has for thresholds only, are left out.
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

// MetricType is one of k6's four.
type MetricType string

const (
	Counter MetricType = "counter"
	Gauge   MetricType = "gauge"
	Rate    MetricType = "rate"
	Trend   MetricType = "trend"
)

// Type tells the type by the statistics that only this type has, as the export does not name it.
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

// isTime tells trends in milliseconds from plain ones. The export does not say which is which; k6's own trends are all
// times, and the scripts here end the names of theirs in `_time`.
func isTime(metric string) bool {
	return strings.HasPrefix(metric, "http_req_") || strings.HasSuffix(metric, "_duration") || strings.HasSuffix(metric, "_time")
}
