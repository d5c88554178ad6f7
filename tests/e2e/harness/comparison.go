package harness

// k6's numbers beside the receiver's. The queries are those that a user would write after a run.

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// Row is one number that k6 and the receiver should agree on.
type Row struct {
	Metric    string // k6's name
	Statistic string
	Query     string
	K6        float64 // in the receiver's unit: seconds where k6 has milliseconds
	Receiver  float64
	Missing   bool // the receiver has no such series
	Equal     bool
}

// String says what a reader of a failed test wants to know.
func (r Row) String() string {
	answer := fmt.Sprint(r.Receiver)
	if r.Missing {
		answer = "no series"
	}
	return fmt.Sprintf("%s %s: k6 says %v, the receiver %s (%s)", r.Metric, r.Statistic, r.K6, answer, r.Query)
}

// Compare asks the receiver for every number of the summary that can be had from it: totals of counters and rates, and
// of trends the count, the sum and the extremes. It says so, too, when a metric is missing altogether.
func Compare(summary Summary, receiver *Receiver) ([]Row, error) {
	var rows []Row
	for _, metric := range slices.Sorted(maps.Keys(summary)) {
		for _, expected := range expectations(metric, summary[metric]) {
			answer, there, err := receiver.Number(expected.query)
			if err != nil {
				return nil, err
			}
			rows = append(rows, Row{
				Metric:    metric,
				Statistic: expected.statistic,
				Query:     expected.query,
				K6:        expected.value,
				Receiver:  answer,
				Missing:   !there,
				Equal:     there && expected.met(answer),
			})
		}
	}
	return rows, nil
}

// Unequal are the rows in which the two differ.
func Unequal(rows []Row) []Row {
	return slices.DeleteFunc(slices.Clone(rows), func(row Row) bool { return row.Equal })
}

// expectation is one number of k6's and the query that should answer it.
type expectation struct {
	statistic string
	query     string
	value     float64
	tolerance float64 // relative; 0 where the numbers must be the same
}

func (e expectation) met(answer float64) bool {
	return answer == e.value || math.Abs(answer-e.value) <= e.tolerance*math.Abs(e.value)
}

// rounding is allowed where both sides had to calculate: k6 exports an average, not a sum, and milliseconds.
const rounding = 1e-9

func expectations(metric string, k6 Statistics) []expectation {
	total := func(suffix string) string { return fmt.Sprintf("sum(last_over_time(k6_%s%s[5m]))", metric, suffix) }
	switch k6.Type() {
	case Counter:
		return []expectation{{"count", total("_total"), k6["count"], 0}}
	case Gauge:
		return []expectation{{"value", fmt.Sprintf("last_over_time(k6_%s[5m])", metric), k6["value"], 0}}
	case Rate:
		return []expectation{
			{"passes", total(`_total{condition="nonzero"}`), k6["passes"], 0},
			{"fails", total(`_total{condition="zero"}`), k6["fails"], 0},
		}
	default:
		unit := 1.0
		if isTime(metric) {
			unit = 1000
		}
		return []expectation{
			{"count", total("_count"), k6["count"], 0},
			{"sum", total("_sum"), k6["avg"] * k6["count"] / unit, rounding},
			{"min", fmt.Sprintf("min(min_over_time(k6_%s_min[5m]))", metric), k6["min"] / unit, rounding},
			{"max", fmt.Sprintf("max(max_over_time(k6_%s_max[5m]))", metric), k6["max"] / unit, rounding},
		}
	}
}
