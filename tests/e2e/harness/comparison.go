package harness

// k6's numbers beside the receiver's. The queries are those that a user would write after a run.

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
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

// Table is all rows for a person.
func Table(rows []Row) string {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "metric\t\tk6\treceiver\tequal\tasked with\n")
	for _, row := range rows {
		fmt.Fprintf(table, "%s\t%s\t%v\t%v\t%t\t%s\n", row.Metric, row.Statistic, row.K6, row.Receiver, row.Equal, row.Query)
	}
	_ = table.Flush()
	return text.String()
}

// Expectation is one number of k6's and the query that should answer it.
type Expectation struct {
	Statistic string
	Query     string
	Value     float64
	Tolerance float64 // relative; 0 where the numbers must be the same
}

func (e Expectation) met(answer float64) bool {
	return answer == e.Value || math.Abs(answer-e.Value) <= e.Tolerance*math.Abs(e.Value)
}

// Compare asks the receiver for every number that is expected of what k6 measured. It says so, too, when a metric is
// missing altogether.
func Compare(all []Measured, expect func(Measured) []Expectation, receiver *Receiver) ([]Row, error) {
	var rows []Row
	for _, measured := range all {
		for _, expected := range expect(measured) {
			answer, there, err := receiver.Number(expected.Query)
			if err != nil {
				return nil, err
			}
			rows = append(rows, Row{
				Metric:    measured.String(),
				Statistic: expected.Statistic,
				Query:     expected.Query,
				K6:        expected.Value,
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

// rounding is allowed where both sides had to calculate: k6 exports an average, not a sum, and milliseconds.
const rounding = 1e-9

// Totals are the numbers that come back whatever the tags: those of counters, gauges and rates, and of trends the count, the
// sum, the mean and the extremes.
func Totals(m Measured) []Expectation {
	over := func(function, suffix, matchers string) string {
		return fmt.Sprintf("%s(k6_%s%s%s[5m])", function, m.Metric, suffix, m.matching(matchers))
	}
	total := func(suffix, matchers string) string { return "sum(" + over("last_over_time", suffix, matchers) + ")" }
	known := func(expectations ...Expectation) []Expectation {
		return slices.DeleteFunc(expectations, func(e Expectation) bool { return math.IsNaN(e.Value) })
	}
	value := func(statistic string) float64 {
		if value, known := m.Values[statistic]; known {
			return value / m.Unit
		}
		return math.NaN()
	}
	switch m.Type {
	case Counter:
		all := known(Expectation{"count", total("_total", ""), value("count"), rounding})
		if m.Duration > 0 {
			rate := fmt.Sprintf("%s / %v", total("_total", ""), m.Duration.Seconds())
			all = append(all, known(Expectation{"rate", rate, value("rate"), rounding})...)
		}
		return all
	case Gauge:
		return known(
			Expectation{"value", over("last_over_time", "", ""), value("value"), rounding},
			Expectation{"min", "min(" + over("min_over_time", "_lowest", "") + ")", value("min"), rounding},
			Expectation{"max", "max(" + over("max_over_time", "_highest", "") + ")", value("max"), rounding},
		)
	case Rate:
		nonzero := total("_total", `condition="nonzero"`)
		return known(
			Expectation{"passes", nonzero, value("passes"), 0},
			Expectation{"fails", total("_total", `condition="zero"`), value("fails"), 0},
			Expectation{"rate", nonzero + " / " + total("_total", ""), value("rate"), rounding},
		)
	default:
		count := m.Values["count"]
		if count == 0 {
			return []Expectation{{"count", total("_count", "") + " or vector(0)", 0, 0}}
		}
		return []Expectation{
			{"count", total("_count", ""), count, 0},
			{"sum", total("_sum", ""), value("avg") * count, rounding},
			{"avg", total("_sum", "") + " / " + total("_count", ""), value("avg"), rounding},
			{"min", "min(" + over("min_over_time", "_min", "") + ")", value("min"), rounding},
			{"max", "max(" + over("max_over_time", "_max", "") + ")", value("max"), rounding},
		}
	}
}

// Percentiles are those of a trend that has one series, shipped with `trendWindow: run`.
func Percentiles(m Measured) []Expectation {
	if m.Type != Trend || m.Values["count"] == 0 {
		return nil
	}
	var all []Expectation
	for _, statistic := range []string{"med", "p(90)", "p(95)", "p(99)", "p(99.9)"} {
		value, known := m.Values[statistic]
		if !known {
			continue
		}
		suffix := strings.NewReplacer("(", "", ")", "", ".", "").Replace(statistic)
		query := fmt.Sprintf("last_over_time(k6_%s_%s%s[5m])", m.Metric, suffix, m.matching(""))
		all = append(all, Expectation{statistic, query, value / m.Unit, 0.005})
	}
	return all
}

// matching is the part's matchers, with others, in braces.
func (m Measured) matching(others string) string {
	matchers := slices.DeleteFunc([]string{m.Selector, others}, func(s string) bool { return s == "" })
	if len(matchers) == 0 {
		return ""
	}
	return "{" + strings.Join(matchers, ",") + "}"
}
