package main

// The same dashboards for vmui, the UI of VictoriaMetrics: it draws only graphs, and has no variables, annotations or
// exemplars.
// https://github.com/VictoriaMetrics/VictoriaMetrics/tree/master/app/vmui#predefined-dashboards

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

type vmuiDashboard struct {
	Title string    `json:"title"`
	Rows  []vmuiRow `json:"rows"` // vmui opens the first one
}

type vmuiRow struct {
	Title  string      `json:"title"`
	Panels []vmuiPanel `json:"panels"`
}

type vmuiPanel struct {
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Unit        string   `json:"unit,omitempty"` // appended to each number
	Expr        []string `json:"expr"`
	Alias       []string `json:"alias"` // the legend of each expr
	Width       int      `json:"width"` // of 12 columns
}

// forVMUI has the dashboards by file name. vmui sorts them by it, and shows the first one. Those of single runs and of
// Prometheus's native histograms are left out.
func forVMUI() map[string]*dashboard.DashboardBuilder {
	return map[string]*dashboard.DashboardBuilder{
		"1-overview.json":          overview(),
		"2-http.json":              httpInDepth(),
		"3-native-histograms.json": histograms(vmrangeHistograms),
		"4-output-health.json":     outputHealth(),
	}
}

// vmuiFile returns the content of a dashboard's file for vmui.
func vmuiFile(builder *dashboard.DashboardBuilder) ([]byte, error) {
	built, err := builder.Build()
	if err != nil {
		return nil, err
	}
	shown := vmuiDashboard{Title: strings.TrimPrefix(*built.Title, "k6 run: ")}
	for _, of := range built.Panels {
		switch {
		case of.RowPanel != nil:
			shown.Rows = append(shown.Rows, vmuiRow{Title: *of.RowPanel.Title})
		case of.Panel.Type == "timeseries":
			panel, err := inVMUI(*of.Panel, built.Templating.List)
			if err != nil {
				return nil, fmt.Errorf("panel %q: %w", *of.Panel.Title, err)
			}
			row := &shown.Rows[len(shown.Rows)-1]
			row.Panels = append(row.Panels, panel)
		}
	}
	shown.Rows = withPanels(shown.Rows)
	return indented(shown)
}

func withPanels(rows []vmuiRow) []vmuiRow {
	var all []vmuiRow
	for _, row := range rows {
		if len(row.Panels) > 0 {
			all = append(all, row)
		}
	}
	return all
}

// vmuiUnits are the texts behind numbers, by Grafana's name of the unit. Shares are in percent.
var vmuiUnits = map[string]string{
	units.Short:             "",
	units.Seconds:           "s",
	units.PercentUnit:       "%",
	units.RequestsPerSecond: "req/s",
	units.OpsPerSecond:      "/s",
	units.CountsPerSecond:   "/s",
	units.BytesSI:           "B",
	units.BytesPerSecondSI:  "B/s",
}

func inVMUI(panel dashboard.Panel, variables []dashboard.VariableModel) (vmuiPanel, error) {
	unit := *panel.FieldConfig.Defaults.Unit
	text, known := vmuiUnits[unit]
	if !known {
		return vmuiPanel{}, fmt.Errorf("vmui has no text for the unit %q", unit)
	}
	fixed := func(text string) string { return withDefaults(text, variables) }
	shown := vmuiPanel{
		Title:       fixed(*panel.Title),
		Description: fixed(strings.TrimSuffix(*panel.Description, andTraces)), // it has no exemplars
		Unit:        text,
		Width:       int(panel.GridPos.W) / 2,
	}
	for _, target := range panel.Targets {
		query := target.(prometheus.Dataquery)
		expr := fixed(withoutSelections(query.Expr))
		if unit == units.PercentUnit {
			expr = "100 * (" + expr + ")"
		}
		shown.Expr = append(shown.Expr, expr)
		shown.Alias = append(shown.Alias, fixed(*query.LegendFormat))
	}
	return shown, nil
}

// reference matches a variable in a text: $name or ${name}.
var reference = regexp.MustCompile(`\$\{?(\w+)\}?`)

// withDefaults replaces the variables in a text by their defaults.
func withDefaults(text string, variables []dashboard.VariableModel) string {
	return reference.ReplaceAllStringFunc(text, func(match string) string {
		name := strings.Trim(match, "${}")
		if name == "__rate_interval" {
			return rateInterval
		}
		for _, variable := range variables {
			if variable.Name == name {
				return *variable.Current.Value.String
			}
		}
		return match // a test finds it
	})
}

// rateInterval is nine seconds and a step: at least three windows of 3 s, as Grafana's $__rate_interval has four.
const rateInterval = "9s1i"

// selection matches a matcher whose value is a variable, with the comma after or before it.
var selection = regexp.MustCompile(`\$?\w+=~"\$\w+"(?:, )?|, \$?\w+=~"\$\w+"`)

// withoutSelections removes the matchers of variables, which select all series by default.
func withoutSelections(expr string) string {
	return strings.ReplaceAll(selection.ReplaceAllString(expr, ""), "{}", "")
}
