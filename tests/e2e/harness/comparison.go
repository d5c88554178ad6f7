package harness

// Comparison of k6's numbers with the receiver's. The queries are those that a user would write after a run.

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

// String describes the row for a test failure.
func (r Row) String() string {
	received := fmt.Sprint(r.Receiver)
	if r.Missing {
		received = "no series"
	}
	return fmt.Sprintf("%s %s: k6 has %v, the receiver %s (%s)", r.Metric, r.Statistic, r.K6, received, r.Query)
}

// Table formats all rows as a table of text.
func Table(rows []Row) string {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "metric\t\tk6\treceiver\tequal\tquery\n")
	for _, row := range rows {
		fmt.Fprintf(table, "%s\t%s\t%v\t%v\t%t\t%s\n", row.Metric, row.Statistic, row.K6, row.Receiver, row.Equal, row.Query)
	}
	_ = table.Flush()
	return text.String()
}

// Expectation is a number of k6 and the query that should return it.
type Expectation struct {
	Statistic string
	Query     string
	Value     float64
	Tolerance float64 // relative; 0 where the numbers must be the same
}

func (e Expectation) met(value float64) bool {
	return value == e.Value || math.Abs(value-e.Value) <= e.Tolerance*math.Abs(e.Value)
}

// Compare queries the receiver for every number that is expected for what k6 measured. Metrics without series get a row, too.
func Compare(all []Measured, expect func(Measured) []Expectation, receiver *Receiver) ([]Row, error) {
	var rows []Row
	for _, measured := range all {
		for _, expected := range expect(measured) {
			value, found, err := receiver.Number(expected.Query)
			if err != nil {
				return nil, err
			}
			rows = append(rows, Row{
				Metric:    measured.String(),
				Statistic: expected.Statistic,
				Query:     expected.Query,
				K6:        expected.Value,
				Receiver:  value,
				Missing:   !found,
				Equal:     found && expected.met(value),
			})
		}
	}
	return rows, nil
}

// Unequal returns the rows in which k6 and the receiver differ.
func Unequal(rows []Row) []Row {
	return slices.DeleteFunc(slices.Clone(rows), func(row Row) bool { return row.Equal })
}

// rounding is the tolerance where both sides calculate: k6 exports an average, not a sum, and milliseconds.
const rounding = 1e-9

// Totals returns the numbers that do not depend on the tags: those of counters, gauges and rates, and of trends the count, sum,
// mean, minimum and maximum.
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

// Percentiles returns the percentiles of a trend with one series, sent with `trendWindow: run`.
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

// matching returns the selector's matchers and others, in braces.
func (m Measured) matching(others string) string {
	matchers := slices.DeleteFunc([]string{m.Selector, others}, func(s string) bool { return s == "" })
	if len(matchers) == 0 {
		return ""
	}
	return "{" + strings.Join(matchers, ",") + "}"
}
