package main

// Kinds of panels. Dashboards define the content of panels, this file their form.

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/heatmap"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// panel builds a panel. All functions have a title, a description, a unit and queries as arguments.
type panel = cog.Builder[dashboard.Panel]

// single shows one number.
func single(title, description, unit, expr string) *stat.PanelBuilder {
	return numbers(title, description, unit, number(expr, ""))
}

// numbers shows several numbers with legends.
func numbers(title, description, unit string, targets ...*target) *stat.PanelBuilder {
	return stat.NewPanelBuilder().Title(title).Description(description).Unit(unit).Datasource(datasource).
		Height(4).Span(4).
		Targets(lettered(targets)).
		Orientation(common.VizOrientationAuto).GraphMode(common.BigValueGraphModeNone).ColorMode(common.BigValueColorModeValue).
		ReduceOptions(common.NewReduceDataOptionsBuilder().Calcs([]string{"lastNotNull"})).
		Thresholds(steps("text"))
}

// lines shows values over time.
func lines(title, description, unit string, targets ...*target) *timeseries.PanelBuilder {
	return timeseries.NewPanelBuilder().Title(title).Description(description).Unit(unit).Datasource(datasource).
		Height(8).Span(12).Min(0).
		Targets(lettered(targets)).
		FillOpacity(10).ShowPoints(common.VisibilityModeAuto).
		Legend(common.NewVizLegendOptionsBuilder().ShowLegend(true).DisplayMode(common.LegendDisplayModeTable).
			Placement(common.LegendPlacementBottom).Calcs([]string{"mean", "max", "lastNotNull"})).
		Tooltip(common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeMulti).Sort(common.SortOrderDescending))
}

// stacked shows values over time that add up.
func stacked(title, description, unit string, targets ...*target) *timeseries.PanelBuilder {
	return lines(title, description, unit, targets...).FillOpacity(40).
		Stacking(common.NewStackingConfigBuilder().Mode(common.StackingModeNormal).Group("A"))
}

// heat shows the distribution of values over time.
func heat(title, description, unit string, buckets *target) *heatmap.PanelBuilder {
	return heatmap.NewPanelBuilder().Title(title).Description(description).Datasource(datasource).
		Height(10).Span(24).Unit(unit).
		Targets(lettered([]*target{buckets})).
		Color(heatmap.NewHeatmapColorOptionsBuilder().Scheme("Oranges").Scale(heatmap.HeatmapColorScaleExponential).Exponent(0.5).Steps(64)).
		YAxis(heatmap.NewYAxisConfigBuilder().Unit(unit)).
		Tooltip(heatmap.NewHeatmapTooltipBuilder().Mode(common.TooltipDisplayModeSingle).YHistogram(true))
}

// column is a column of a table: its heading, and a query whose labels identify the rows.
type column struct{ title, unit, expr string }

// listing shows a table with a row for each label set of its columns.
func listing(title, description string, columns ...column) *table.PanelBuilder {
	names := map[string]string{}
	targets := make([]*target, len(columns))
	listing := table.NewPanelBuilder().Title(title).Description(description).Unit(units.Short).Datasource(datasource).
		Height(9).Span(24).Filterable(true).
		Footer(common.NewTableFooterOptionsBuilder().Reducer([]string{})) // required by the schema
	for i, column := range columns {
		targets[i] = rows(column.expr)
		names["Value #"+letter(i)] = column.title
		listing.OverrideByName(column.title, []dashboard.DynamicConfigValue{{Id: "unit", Value: column.unit}})
	}
	return listing.Targets(lettered(targets)).
		WithTransformation(dashboard.DataTransformerConfig{Id: "merge", Options: map[string]any{}}).
		WithTransformation(dashboard.DataTransformerConfig{Id: "organize", Options: map[string]any{
			"excludeByName": map[string]bool{"Time": true},
			"renameByName":  names,
		}})
}

// yesOrNo shows 1 and 0 as text.
var yesOrNo = []dashboard.DynamicConfigValue{
	{Id: "mappings", Value: []dashboard.ValueMap{{
		Type: dashboard.MappingTypeValueToText,
		Options: map[string]dashboard.ValueMappingResult{
			"1": {Text: cog.ToPtr("yes"), Color: cog.ToPtr(well)},
			"0": {Text: cog.ToPtr("no"), Color: cog.ToPtr(wrong)},
		},
	}}},
	{Id: "custom.cellOptions", Value: map[string]string{"type": "color-text"}},
}

// lettered sets the reference ids of queries: A, B, …
func lettered(targets []*target) []cog.Builder[dataquery] {
	all := make([]cog.Builder[dataquery], len(targets))
	for i, target := range targets {
		all[i] = target.RefId(letter(i))
	}
	return all
}

func letter(i int) string { return fmt.Sprintf("%c", 'A'+i) }

// Colours for good, doubtful and bad values.
const (
	well  = "green"
	doubt = "orange"
	wrong = "red"
)

// step is the lower bound of a colour.
type step struct {
	from   float64
	colour string
}

// steps returns the colours of values, from the first colour upwards.
func steps(first string, higher ...step) *dashboard.ThresholdsConfigBuilder {
	all := []dashboard.Threshold{{Color: first}}
	for _, step := range higher {
		all = append(all, dashboard.Threshold{Color: step.colour, Value: &step.from})
	}
	return dashboard.NewThresholdsConfigBuilder().Mode(dashboard.ThresholdsModeAbsolute).Steps(all)
}

// badFrom returns the steps of a value that should be low.
func badFrom(doubtful, bad float64) *dashboard.ThresholdsConfigBuilder {
	return steps(well, step{doubtful, doubt}, step{bad, wrong})
}

// none returns the steps of a value that should be 0.
func none(colour string) *dashboard.ThresholdsConfigBuilder { return steps(well, step{1, colour}) }

// goodFrom returns the steps of a value that should be high.
func goodFrom(doubtful, good float64) *dashboard.ThresholdsConfigBuilder {
	return steps(wrong, step{doubtful, doubt}, step{good, well})
}

// shaded shows the steps as the background of lines, too.
func shaded() *common.GraphThresholdsStyleConfigBuilder {
	return common.NewGraphThresholdsStyleConfigBuilder().Mode(common.GraphThresholdsStyleModeArea)
}
