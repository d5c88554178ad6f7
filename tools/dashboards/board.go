package main

// A dashboard with rows of panels on a grid without gaps.

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// tag is the tag of all dashboards, by which links find them.
const tag = "k6-remote-write"

// row is a heading with panels, which fill lines of 24 columns.
type row struct {
	title  string
	panels []panel
}

func under(title string, panels ...panel) row { return row{title, panels} }

// board builds a dashboard. The uid must not change: links and bookmarks contain it.
func board(uid, title, description string, variables []variable, rows ...row) *dashboard.DashboardBuilder {
	board := dashboard.NewDashboardBuilder(title).Uid(uid).Description(description).Tags([]string{"k6", tag}).
		Time("now-30m", "now").Refresh("5s").Timezone(common.TimeZoneBrowser).Editable().
		Tooltip(dashboard.DashboardCursorSyncCrosshair).
		Variables(variables).
		Link(dashboard.NewDashboardLinkBuilder("k6").Type(dashboard.DashboardLinkTypeDashboards).Tags([]string{tag}).
			AsDropdown(true).IncludeVars(true).KeepTime(true))
	for _, row := range rows {
		board.WithRow(dashboard.NewRowBuilder(row.title))
		for _, panel := range row.panels {
			board.WithPanel(panel)
		}
	}
	return board
}

// ofRuns builds a dashboard of the selected runs, with additional variables. Annotations mark starts and ends of runs.
func ofRuns(uid, title, description string, additional []variable, rows ...row) *dashboard.DashboardBuilder {
	return board(uid, title, description, append(runVariables(), additional...), rows...).
		Annotation(annotation("Start", "green", `last_over_time(k6_remote_write_run_start_time_seconds{<run>}[$__interval]) * 1000`)).
		Annotation(annotation("End", "blue", `last_over_time(k6_remote_write_run_end_time_seconds{<run>}[$__interval]) * 1000`))
}

// annotation returns an annotation at the times (values of the query, in milliseconds).
func annotation(name, colour, expr string) *dashboard.AnnotationQueryBuilder {
	return dashboard.NewAnnotationQueryBuilder().Name(name).IconColor(colour).Datasource(datasource).Enable(true).
		Target(line(expr, "").RefId("Anno")).UseValueForTime(true).
		TitleFormat(name + " of {{testid}}{{test_run_id}}{{testrun_name}} {{instance}}{{instance_id}}")
}

// numberPanels sets the ids of panels, which links and alerts use.
func numberPanels(built *dashboard.Dashboard) {
	for i, of := range built.Panels {
		id := uint32(i + 1)
		if of.RowPanel != nil {
			of.RowPanel.Id = id
		} else {
			of.Panel.Id = cog.ToPtr(id)
		}
	}
}

// showLinks shows links next to the variables instead of in a menu, the default of the SDK.
func showLinks(built *dashboard.Dashboard) {
	for i := range built.Links {
		built.Links[i].Placement = nil
	}
}
