package main

// A dashboard of rows of panels, on a grid without holes.

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// tag is what the dashboards have in common; links find them by it.
const tag = "k6-remote-write"

// row is a heading with its panels, which fill lines of 24 columns.
type row struct {
	title  string
	panels []panel
}

func under(title string, panels ...panel) row { return row{title, panels} }

// board is a dashboard. Its uid never changes: links and bookmarks hold it.
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

// ofRuns is a dashboard of the runs that are chosen at its top, with further variables. Their starts and ends are marked in it.
func ofRuns(uid, title, description string, further []variable, rows ...row) *dashboard.DashboardBuilder {
	return board(uid, title, description, append(runVariables(), further...), rows...).
		Annotation(mark("Start", "green", `last_over_time(k6_remote_write_run_start_time_seconds{<run>}[$__interval]) * 1000`)).
		Annotation(mark("End", "blue", `last_over_time(k6_remote_write_run_end_time_seconds{<run>}[$__interval]) * 1000`))
}

// mark is a line at the times, in milliseconds, that a query's values are.
func mark(name, colour, expr string) *dashboard.AnnotationQueryBuilder {
	return dashboard.NewAnnotationQueryBuilder().Name(name).IconColor(colour).Datasource(datasource).Enable(true).
		Target(line(expr, "").RefId("Anno")).UseValueForTime(true).
		TitleFormat(name + " of {{testid}}{{test_run_id}}{{testrun_name}} {{instance}}{{instance_id}}")
}

// numberPanels gives panels the ids by which links and alerts name them.
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

// showLinks lets links stand beside the variables, where the SDK would put them into a menu.
func showLinks(built *dashboard.Dashboard) {
	for i := range built.Links {
		built.Links[i].Placement = nil
	}
}
