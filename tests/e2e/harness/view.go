package harness

// Queries that Grafana sends to a data source when it shows a dashboard. Variables are interpolated as by its Prometheus data
// source: https://grafana.com/docs/grafana/latest/datasources/prometheus/template-variables/

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// View is a dashboard with a time range and selected values.
type View struct {
	Dashboard Dashboard
	Receiver  *Receiver
	Step      time.Duration // the data source's "scrape interval", for queries without an interval
	FromMs    int64
	ToMs      int64
	Chosen    map[string][]string // selected values of variables; others have the dashboard's defaults
}

// points is the maximum number of points of a range query: the width of a panel.
const points = 1000

// everything is the value of a variable when "All" is selected.
const everything = "$__all"

// Ask runs a panel's query as Grafana does: over the time range, or at its end.
func (v *View) Ask(query PanelQuery) ([]Series, error) {
	promql, step, err := v.promql(query)
	if err != nil {
		return nil, err
	}
	if query.Instant {
		return v.Receiver.QueryAt(promql, v.ToMs)
	}
	return v.Receiver.QueryRange(promql, v.FromMs-v.FromMs%step.Milliseconds(), v.ToMs, step)
}

// Exemplars returns the exemplars of a panel's query, for which Grafana sends the same expression.
func (v *View) Exemplars(query PanelQuery) ([]Exemplar, error) {
	promql, _, err := v.promql(query)
	if err != nil {
		return nil, err
	}
	return v.Receiver.Exemplars(promql, v.FromMs, v.ToMs)
}

// promql returns the expression of a query without variables, and its step.
func (v *View) promql(query PanelQuery) (string, time.Duration, error) {
	smallest, err := v.smallestStep(query)
	if err != nil {
		return "", 0, err
	}
	step := max(smallest, v.span()/points)
	promql, err := v.interpolated(query.Expr, map[string]time.Duration{
		"__interval": step, "__rate_interval": max(step+smallest, 4*smallest), "__range": v.span(),
	})
	return promql, step, err
}

// smallestStep returns the query's interval, or that of the data source.
func (v *View) smallestStep(query PanelQuery) (time.Duration, error) {
	if query.Interval == "" {
		return v.Step, nil
	}
	text, err := v.interpolated(query.Interval, nil)
	if err != nil {
		return 0, err
	}
	return time.ParseDuration(text)
}

func (v *View) span() time.Duration { return time.Duration(v.ToMs-v.FromMs) * time.Millisecond }

// reference matches a variable in a text: $name or ${name}.
var reference = regexp.MustCompile(`\$(\w+)|\$\{([^}]+)\}`)

// interpolated replaces variables in a text: Grafana's built-in durations, and the dashboard's variables.
func (v *View) interpolated(text string, own map[string]time.Duration) (string, error) {
	var failure error
	replaced := reference.ReplaceAllStringFunc(text, func(match string) string {
		name := strings.Trim(match, "${}")
		if duration, is := own[name]; is {
			return fmt.Sprintf("%.0fs", duration.Seconds())
		}
		value, err := v.value(name)
		if err != nil {
			failure = err
		}
		return value
	})
	return replaced, failure
}

// value returns the text that replaces a variable in a query. If there may be several values it is a quoted regular expression.
func (v *View) value(name string) (string, error) {
	i := slices.IndexFunc(v.Dashboard.Variables, func(variable Variable) bool { return variable.Name == name })
	if i < 0 {
		return "", fmt.Errorf("%s has no variable %q", v.Dashboard.File, name)
	}
	variable := v.Dashboard.Variables[i]
	chosen, err := v.choice(variable)
	if err != nil {
		return "", err
	}
	if slices.Equal(chosen, []string{everything}) {
		if variable.AllValue != "" {
			return variable.AllValue, nil
		}
		if chosen, err = v.Offered(variable); err != nil {
			return "", err
		}
	}
	if !variable.Multi && !variable.IncludeAll {
		return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(chosen[0]), nil
	}
	quoted := make([]string, len(chosen))
	for i, value := range chosen {
		quoted[i] = strings.ReplaceAll(regexp.QuoteMeta(value), `\`, `\\`)
	}
	if len(quoted) == 1 {
		return quoted[0], nil
	}
	return "(" + strings.Join(quoted, "|") + ")", nil
}

// choice returns the selected values, or the one that the dashboard was saved with, or the first available one.
func (v *View) choice(variable Variable) ([]string, error) {
	if chosen := v.Chosen[variable.Name]; len(chosen) > 0 {
		return chosen, nil
	}
	if value, is := variable.Current.Value.(string); is {
		return []string{value}, nil
	}
	offered, err := v.Offered(variable)
	if err == nil && len(offered) == 0 {
		err = fmt.Errorf("no values are available for %s: %s", variable.Name, variable.Query)
	}
	if err != nil {
		return nil, err
	}
	return offered[:1], nil
}

var (
	labelValues = regexp.MustCompile(`^label_values\((?:(.+),\s*)?(\w+)\)$`)
	queryResult = regexp.MustCompile(`^query_result\((.+)\)$`)
)

// Offered returns the available values of a query variable.
func (v *View) Offered(variable Variable) ([]string, error) {
	query, err := v.interpolated(variable.Query, map[string]time.Duration{"__range": v.span()})
	if err != nil {
		return nil, err
	}
	var found []string
	if call := labelValues.FindStringSubmatch(query); call != nil {
		found, err = v.Receiver.LabelValues(call[2], call[1], v.FromMs, v.ToMs)
	} else if call := queryResult.FindStringSubmatch(query); call != nil {
		found, err = v.results(call[1])
	} else {
		err = fmt.Errorf("%s: unknown kind of query: %s", variable.Name, query)
	}
	if err == nil && variable.Regex != "" {
		found, err = filtered(found, variable.Regex)
	}
	if variable.Sort > 0 {
		slices.Sort(found)
	}
	if variable.Sort > 0 && variable.Sort%2 == 0 {
		slices.Reverse(found)
	}
	return found, err
}

// filtered returns, for each text that matches an expression, the part that its first group matches.
func filtered(texts []string, expression string) ([]string, error) {
	filter, err := regexp.Compile(strings.Trim(expression, "/"))
	if err != nil {
		return nil, err
	}
	var parts []string
	for _, text := range texts {
		if match := filter.FindStringSubmatch(text); match != nil {
			parts = append(parts, match[min(1, len(match)-1)])
		}
	}
	return parts, nil
}

// results returns the results of query_result() as lines: name and labels, value, time.
func (v *View) results(promql string) ([]string, error) {
	series, err := v.Receiver.QueryAt(promql, v.ToMs)
	if err != nil {
		return nil, err
	}
	lines := make([]string, len(series))
	for i, series := range series {
		value := strconv.FormatFloat(series.Last().Value, 'f', -1, 64)
		lines[i] = fmt.Sprintf("%s%v %s %d", series.Name, series.Labels, value, series.Last().TimeMs)
	}
	return lines, nil
}
