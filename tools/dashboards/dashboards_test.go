package main

// Tests of the dashboards without a receiver: the committed files are current, valid and complete.

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
)

const directory = "../../deploy"

func TestTheCommittedFilesAreWhatTheCodeMakes(t *testing.T) {
	made, err := files()
	if err != nil {
		t.Fatal(err)
	}
	for path, data := range made {
		committed, err := os.ReadFile(filepath.Join(directory, path))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(committed, data) {
			t.Errorf("%s is not current: run `make dashboards`", path)
		}
	}
	for _, kind := range []string{"dashboards", "vmui"} {
		found, err := filepath.Glob(filepath.Join(directory, kind, "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			if _, is := made[filepath.Join(kind, filepath.Base(path))]; !is {
				t.Errorf("%s is not generated", path)
			}
		}
	}
}

// onEach runs a test for each dashboard, parsed with Grafana's schema.
func onEach(t *testing.T, test func(t *testing.T, read dashboard.Dashboard)) {
	plugins.RegisterDefaultPlugins()
	for name, builder := range all() {
		t.Run(name, func(t *testing.T) {
			data, err := file(builder)
			if err != nil {
				t.Fatal(err)
			}
			var read dashboard.Dashboard
			if err := json.Unmarshal(data, &read); err != nil {
				t.Fatal(err)
			}
			test(t, read)
		})
	}
}

func TestDashboardsAreToldApart(t *testing.T) {
	uids, titles := map[string]bool{}, map[string]bool{}
	onEach(t, func(t *testing.T, read dashboard.Dashboard) {
		uid, title := *read.Uid, *read.Title
		if uids[uid] || titles[title] || uid == "" || title == "" || len(uid) > 40 {
			t.Errorf("%q, %q is a duplicate, empty or too long", uid, title)
		}
		uids[uid], titles[title] = true, true
		if read.Description == nil || *read.Description == "" {
			t.Error("there is no description")
		}
	})
}

// panelsOf returns all panels except rows.
func panelsOf(read dashboard.Dashboard) []dashboard.Panel {
	var panels []dashboard.Panel
	for _, of := range read.Panels {
		if of.Panel != nil {
			panels = append(panels, *of.Panel)
		}
	}
	return panels
}

func TestPanelsSayWhatTheyShow(t *testing.T) {
	onEach(t, func(t *testing.T, read dashboard.Dashboard) {
		ids := map[uint32]bool{}
		for _, panel := range panelsOf(read) {
			title := text(panel.Title)
			if title == "" || text(panel.Description) == "" {
				t.Errorf("panel %q has no title or no description", title)
			}
			if panel.FieldConfig == nil || text(panel.FieldConfig.Defaults.Unit) == "" {
				t.Errorf("panel %q has no unit", title)
			}
			if ids[*panel.Id] {
				t.Errorf("panel %q has a duplicate id", title)
			}
			ids[*panel.Id] = true
			if len(panel.Targets) == 0 {
				t.Errorf("panel %q has no query", title)
			}
		}
	})
}

// text returns the string, or "" for nil.
func text(of *string) string {
	if of == nil {
		return ""
	}
	return *of
}

func TestEveryQueryGoesToTheChosenDataSource(t *testing.T) {
	onEach(t, func(t *testing.T, read dashboard.Dashboard) {
		is := func(of *common.DataSourceRef) bool {
			return of != nil && of.Uid != nil && *of.Uid == "${datasource}"
		}
		for _, panel := range panelsOf(read) {
			names := map[string]bool{}
			for _, target := range panel.Targets {
				query := target.(*prometheus.Dataquery)
				if !is(panel.Datasource) || !is(query.Datasource) {
					t.Errorf("panel %q uses another data source", *panel.Title)
				}
				if names[text(query.RefId)] {
					t.Errorf("panel %q has two queries %s", *panel.Title, text(query.RefId))
				}
				names[text(query.RefId)] = true
			}
		}
		for _, variable := range read.Templating.List {
			if variable.Type == dashboard.VariableTypeQuery && !is(variable.Datasource) {
				t.Errorf("variable %q uses another data source", variable.Name)
			}
		}
	})
}

// A series ends with its run, so instant queries must look back over the time range; range queries must not look back longer
// than a step.
func TestQueriesLookAsFarBackAsTheyShould(t *testing.T) {
	onEach(t, func(t *testing.T, read dashboard.Dashboard) {
		for _, panel := range panelsOf(read) {
			for _, target := range panel.Targets {
				query := target.(*prometheus.Dataquery)
				overAll := strings.Contains(query.Expr, "$__range")
				if query.Instant != nil && *query.Instant != overAll {
					t.Errorf("panel %q: instant is %t, uses $__range: %t, in %s", *panel.Title, *query.Instant, overAll, query.Expr)
				}
				if !strings.Contains(query.Expr, "$run") {
					t.Errorf("panel %q does not select a run: %s", *panel.Title, query.Expr)
				}
				if text(query.Interval) != "$window" {
					t.Errorf("panel %q does not use $window", *panel.Title)
				}
				for _, function := range []string{"rate", "irate", "increase"} {
					for _, call := range strings.Split(query.Expr, function+"(")[1:] {
						_, window, _ := strings.Cut(call, "[")
						if !strings.HasPrefix(window, "$__rate_interval]") {
							t.Errorf("panel %q: %s() with another range than $__rate_interval: %s", *panel.Title, function, query.Expr)
						}
					}
				}
			}
		}
	})
}

// withTraces has the panels that ask for exemplars.
var withTraces = map[string][]string{
	"overview.json":                          {"Duration of requests", "Failed checks per second"},
	"http.json":                              {"95th percentile", "Errors"},
	"native-histograms.json":                 {"Values", "Percentiles", "95th percentile by URL", "95th percentile by status"},
	"native-histograms-victoriametrics.json": nil, // stores none
	"comparison.json":                        nil, // run B is shifted in time, its exemplars would not be
	"output-health.json":                     nil,
}

// A receiver returns the exemplars of all series that a query selects, also of the denominator of a ratio. Grafana asks once for each
// query that has them turned on, so one of a panel is enough.
func TestExemplarsAreThoseOfThePanel(t *testing.T) {
	for name, builder := range all() {
		built, err := builder.Build()
		if err != nil {
			t.Fatal(err)
		}
		var titles []string
		for _, panel := range panelsOf(built) {
			for _, target := range panel.Targets {
				query := target.(prometheus.Dataquery)
				if query.Exemplar == nil {
					continue
				}
				titles = append(titles, text(panel.Title))
				if query.Range == nil || strings.Count(query.Expr, "$run_by=~") != 1 {
					t.Errorf("%s, panel %q: not a range query with one selector: %s", name, text(panel.Title), query.Expr)
				}
			}
		}
		if !slices.Equal(titles, withTraces[name]) {
			t.Errorf("%s: panels %q ask for exemplars", name, titles)
		}
	}
}

func TestPanelsFillTheGridAndDoNotOverlap(t *testing.T) {
	onEach(t, func(t *testing.T, read dashboard.Dashboard) {
		used := map[[2]uint32]string{}
		for _, of := range read.Panels {
			title, at := position(of)
			if at.W == 0 || at.H == 0 || at.X+at.W > 24 {
				t.Errorf("%s is at %+v", title, at)
			}
			for x := at.X; x < at.X+at.W; x++ {
				for y := at.Y; y < at.Y+at.H; y++ {
					if other, is := used[[2]uint32{x, y}]; is {
						t.Fatalf("%s overlaps %s", title, other)
					}
					used[[2]uint32{x, y}] = title
				}
			}
		}
		var lowest uint32
		for cell := range used {
			lowest = max(lowest, cell[1]+1)
		}
		if gaps := int(24*lowest) - len(used); gaps != 0 {
			t.Errorf("%d cells of the grid are empty", gaps)
		}
	})
}

func position(of dashboard.PanelOrRowPanel) (title string, at dashboard.GridPos) {
	if of.RowPanel != nil {
		return "row " + text(of.RowPanel.Title), *of.RowPanel.GridPos
	}
	return text(of.Panel.Title), *of.Panel.GridPos
}

// The SDK ignores unknown fields, so the test reads the query of an annotation from the file.
func TestRunsAreMarked(t *testing.T) {
	for name, builder := range all() {
		if name == "comparison.json" { // run B is shifted in time
			continue
		}
		data, err := file(builder)
		if err != nil {
			t.Fatal(err)
		}
		var read struct {
			Annotations struct {
				List []struct {
					Name            string
					UseValueForTime bool
					Target          struct{ Expr string }
				}
			}
		}
		if err := json.Unmarshal(data, &read); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, annotation := range read.Annotations.List {
			names = append(names, annotation.Name)
			if !annotation.UseValueForTime || !strings.Contains(annotation.Target.Expr, "* 1000") {
				t.Errorf("%s: %+v", name, annotation)
			}
		}
		if !slices.Equal(names, []string{"Start", "End"}) {
			t.Errorf("%s has annotations %v", name, names)
		}
	}
}
