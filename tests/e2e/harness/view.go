package harness

// What Grafana asks a data source for when a dashboard is shown. Variables are put into queries as its Prometheus data
// source does it: https://grafana.com/docs/grafana/latest/datasources/prometheus/template-variables/

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// View is a dashboard as it is shown: a time range, and what is chosen.
type View struct {
	Dashboard Dashboard
	Receiver  *Receiver
	Step      time.Duration // the data source's "scrape interval", for queries that do not have their own
	FromMs    int64
	ToMs      int64
	Chosen    map[string][]string // values of variables; what is not in it is as the dashboard has it
}

// points is how many Grafana asks for at most: the width of a panel.
const points = 1000

// everything is how a dashboard spells the choice of all values.
const everything = "$__all"

// Ask asks a panel's query, as Grafana would: over the time range, or at its end.
func (v *View) Ask(query PanelQuery) ([]Series, error) {
	smallest, err := v.smallestStep(query)
	if err != nil {
		return nil, err
	}
	step := max(smallest, v.span()/points)
	promql, err := v.interpolated(query.Expr, map[string]time.Duration{
		"__interval": step, "__rate_interval": max(step+smallest, 4*smallest), "__range": v.span(),
	})
	if err != nil {
		return nil, err
	}
	if query.Instant {
		return v.Receiver.QueryAt(promql, v.ToMs)
	}
	return v.Receiver.QueryRange(promql, v.FromMs-v.FromMs%step.Milliseconds(), v.ToMs, step)
}

// smallestStep is the query's own, or what the data source is configured with.
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

// reference is a variable in a text: $name or ${name}.
var reference = regexp.MustCompile(`\$(\w+)|\$\{([^}]+)\}`)

// interpolated puts variables into a text: Grafana's own, which are durations, and the dashboard's.
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

// value is what stands in a query for a variable. Where there may be several values it is a regular expression, in quotes.
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

// choice is what was chosen, or what the dashboard was saved with, or the first that is offered.
func (v *View) choice(variable Variable) ([]string, error) {
	if chosen := v.Chosen[variable.Name]; len(chosen) > 0 {
		return chosen, nil
	}
	if value, is := variable.Current.Value.(string); is {
		return []string{value}, nil
	}
	offered, err := v.Offered(variable)
	if err == nil && len(offered) == 0 {
		err = fmt.Errorf("nothing is offered for %s: %s", variable.Name, variable.Query)
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

// Offered are the values that can be chosen of a query variable.
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
		err = fmt.Errorf("%s: what kind of a query is %s?", variable.Name, query)
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

// filtered are the parts of texts that an expression's first group has, of those that it matches.
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

// results are lines of an answer as query_result() has them: name and labels, value, time.
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
