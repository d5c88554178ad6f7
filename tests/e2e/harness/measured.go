package harness

// k6's full summary: each metric and submetric with its type, unit and numbers, as k6 passes them to handleSummary().

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// Measured is a k6 metric, or a submetric that has a threshold.
type Measured struct {
	Metric   string // k6's name
	Selector string // PromQL matchers of a submetric; empty for the whole metric
	Type     MetricType
	Unit     float64 // divisor from k6's unit to the receiver's
	Values   Statistics
	Duration time.Duration // of the run; 0 if unknown
}

// String returns the name and the matchers.
func (m Measured) String() string {
	if m.Selector == "" {
		return m.Metric
	}
	return fmt.Sprintf("%s{%s}", m.Metric, m.Selector)
}

// ReadMeasured reads the file that a script's handleSummary() writes.
func ReadMeasured(path string) ([]Measured, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var summary struct {
		State   struct{ TestRunDurationMs float64 }
		Metrics map[string]struct {
			Type     MetricType
			Contains string
			Values   Statistics
		}
	}
	if err := json.Unmarshal(data, &summary); err != nil {
		return nil, fmt.Errorf("k6's summary: %w", err)
	}
	var all []Measured
	for _, name := range slices.Sorted(maps.Keys(summary.Metrics)) {
		metric := summary.Metrics[name]
		measured := Measured{Type: metric.Type, Unit: 1, Values: metric.Values}
		measured.Metric, measured.Selector = selected(name)
		measured.Duration = time.Duration(summary.State.TestRunDurationMs * float64(time.Millisecond))
		if metric.Contains == "time" {
			measured.Unit = 1000
		}
		all = append(all, measured)
	}
	return all, nil
}

// Measured converts the exported summary for comparison. The export does not mark which trends are times.
func (s Summary) Measured() []Measured {
	var all []Measured
	for _, name := range slices.Sorted(maps.Keys(s)) {
		measured := Measured{Metric: name, Type: s[name].Type(), Unit: 1, Values: s[name]}
		if measured.Type == Trend && isTime(name) {
			measured.Unit = 1000
		}
		all = append(all, measured)
	}
	return all
}

// Together merges the measurements of several instances of a test.
func Together(instances ...[]Measured) []Measured {
	byName := map[string]Measured{}
	for _, measured := range slices.Concat(instances...) {
		name := measured.String()
		known, found := byName[name]
		if !found || known.Type == Trend && known.Values["count"] == 0 {
			measured.Values = maps.Clone(measured.Values)
			byName[name] = measured
			continue
		}
		known.add(measured.Values)
	}
	var all []Measured
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		all = append(all, byName[name])
	}
	return all
}

// add merges the statistics that can be merged, and removes the others.
func (m Measured) add(other Statistics) {
	if m.Type == Trend {
		if other["count"] == 0 {
			return // its minimum and maximum would be 0
		}
		count := m.Values["count"] + other["count"]
		m.Values["avg"] = (m.Values["avg"]*m.Values["count"] + other["avg"]*other["count"]) / count
	}
	for statistic, value := range other {
		switch statistic {
		case "count", "passes", "fails":
			m.Values[statistic] += value
		case "min":
			m.Values[statistic] = min(m.Values[statistic], value)
		case "max":
			m.Values[statistic] = max(m.Values[statistic], value)
		case "avg":
		default:
			delete(m.Values, statistic)
		}
	}
}

// selected splits a submetric's name, `metric{tag:value,other:value}`, into the metric's name and PromQL matchers.
func selected(name string) (metric, selector string) {
	metric, tags, isPart := strings.Cut(strings.TrimSuffix(name, "}"), "{")
	if !isPart {
		return metric, ""
	}
	var matchers []string
	for _, tag := range strings.Split(tags, ",") {
		label, value, _ := strings.Cut(tag, ":")
		matchers = append(matchers, fmt.Sprintf("%s=%q", strings.TrimSpace(label), strings.TrimSpace(value)))
	}
	return metric, strings.Join(matchers, ",")
}
