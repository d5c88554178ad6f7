package e2e

// Runs every query of every dashboard in deploy/dashboards/ as Grafana does, and of those in deploy/vmui/ as VictoriaMetrics's
// UI does, on real receivers, after real runs with default settings and with native histograms. Each must return series, also where no error occurred and the value is 0.

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// The runs on the dashboards. Names with characters of regular expressions must be found, too.
const (
	before = "release 1.1 (main)"
	after  = "release 1.2+fix"
	native = "release 1.1, native"
)

// rangesIn has the dashboards for receivers with one representation of native histograms: whether as series with ranges.
var rangesIn = map[string]bool{
	"native-histograms.json":                 false, // one series with all buckets, and functions for it
	"native-histograms-victoriametrics.json": true,
}

// choices returns the selected values for one run; other variables have all available values.
func choices(file string) map[string][]string {
	switch _, isNative := rangesIn[file]; {
	case isNative:
		return map[string][]string{"run_by": {"test_run_id"}, "run": {native}, "instance_by": {"instance_id"}}
	case file == "comparison.json":
		return map[string][]string{"run_a": {before}, "run_b": {after}}
	default:
		return map[string][]string{"run": {after}}
	}
}

// twoBuckets is the width of two buckets of a native histogram, 9.1 % each: the value of the next rank may be in the next one.
const twoBuckets = 0.19

// inSummary has the panels whose number is also in k6's summary.
var inSummary = map[string]map[string]statistic{
	"overview.json": {
		"Requests":           {"http_reqs", "count", 0},
		"Failed requests":    {"http_req_failed", "value", 1e-9},
		"Passed checks":      {"checks", "value", 1e-9},
		"Mean duration":      {"http_req_duration", "avg", 1e-9},
		"Slowest request":    {"http_req_duration", "max", 1e-9},
		"Iterations":         {"iterations", "count", 0},
		"Dropped iterations": {"dropped_iterations", "count", 0},
		"Peak virtual users": {"vus", "max", 0},
		"Received":           {"data_received", "count", 0},
	},
	"http.json": {
		"Requests":      {"http_reqs", "count", 0},
		"Failed":        {"http_req_failed", "value", 1e-9},
		"Mean duration": {"http_req_duration", "avg", 1e-9},
		"Slowest":       {"http_req_duration", "max", 1e-9},
	},
	"native-histograms.json": {
		"Values":          {"http_req_duration", "count", 0},
		"Mean":            {"http_req_duration", "avg", 1e-9},
		"Median":          {"http_req_duration", "med", twoBuckets},
		"95th percentile": {"http_req_duration", "p(95)", twoBuckets},
	},
	"native-histograms-victoriametrics.json": {
		"Values":          {"http_req_duration", "count", 0},
		"Mean":            {"http_req_duration", "avg", 1e-9},
		"Median":          {"http_req_duration", "med", twoBuckets},
		"95th percentile": {"http_req_duration", "p(95)", twoBuckets},
	},
}

// runsOnReceivers has the runs, and the receivers with their data.
type runsOnReceivers struct {
	receivers []*harness.Receiver
	fromMs    int64
	toMs      int64
	results   map[string]*harness.Result // by name of the run
}

// runForDashboards makes three runs, one of them later than the others, which send to all kinds of receivers.
func runForDashboards(t *testing.T) *runsOnReceivers {
	t.Helper()
	stage := &runsOnReceivers{fromMs: time.Now().Add(-5 * time.Second).UnixMilli(), results: map[string]*harness.Result{}}
	target := startTarget(t)
	load := loadFor(9*time.Second, target, "")
	load.Out = nil
	for _, kind := range kinds() {
		receiver := startReceiver(t, kind)
		stage.receivers = append(stage.receivers, receiver)
		load.Out = append(load.Out, "remote-write="+receiver.WriteURL())
	}
	tagged := func(tags ...string) harness.Run {
		run := load
		for _, tag := range tags {
			run.Args = append(run.Args, "--tag", tag)
		}
		return run
	}
	withHistograms := tagged("instance_id=runner-1", "testid="+native)
	withHistograms.Options = map[string]any{"trendAs": "native", "includeTestRunId": true, "testRunId": native}

	first, second := start(t, tagged("testid="+before)), start(t, withHistograms)
	stage.results[before], stage.results[native] = finish(t, first, 0), finish(t, second, 0)
	stage.results[after] = run(t, tagged("testid="+after, "instance=one"))
	stage.toMs = time.Now().Add(6 * time.Second).UnixMilli() // so that the last step is after the end
	return stage
}

func (s *runsOnReceivers) look(dashboard harness.Dashboard, receiver *harness.Receiver, chosen map[string][]string) *harness.View {
	return &harness.View{Dashboard: dashboard, Receiver: receiver, FromMs: s.fromMs, ToMs: s.toMs, Chosen: chosen}
}

func TestDashboards(t *testing.T) {
	t.Parallel()
	dashboards, err := harness.ReadDashboards(filepath.Join(root(t), "deploy/dashboards"))
	if err != nil || len(dashboards) < 6 {
		t.Fatalf("%d dashboards: %v", len(dashboards), err)
	}
	stage := runForDashboards(t)
	for _, receiver := range stage.receivers {
		for _, dashboard := range dashboards {
			if ranges, is := rangesIn[dashboard.File]; is && ranges != receiver.Kind.MakesRanges() {
				continue
			}
			t.Run(fmt.Sprintf("%s on %s", dashboard.File, receiver.Kind), func(t *testing.T) {
				t.Run("with default values", func(t *testing.T) {
					expectSeries(t, stage.look(dashboard, receiver, nil))
				})
				t.Run("with one run", func(t *testing.T) {
					view := stage.look(dashboard, receiver, choices(dashboard.File))
					chooseAll(t, view)
					expectSeries(t, view)
					stage.expectSummary(t, view)
				})
			})
		}
	}
	for _, receiver := range stage.receivers {
		t.Run("comparison of runs on "+string(receiver.Kind), func(t *testing.T) {
			i := slices.IndexFunc(dashboards, func(d harness.Dashboard) bool { return d.File == "comparison.json" })
			expectAlignment(t, stage.look(dashboards[i], receiver, choices(dashboards[i].File)))
		})
	}
	t.Run("vmui", stage.expectVMUI)
	for _, published := range publishedDashboards {
		t.Run(published.number, func(t *testing.T) { stage.expectPublished(t, published) })
	}
}

// chooseAll selects all available values, one by one, of variables without a selection. At least one must be available.
func chooseAll(t *testing.T, view *harness.View) {
	t.Helper()
	for _, variable := range view.Dashboard.Variables {
		if variable.Type != "query" {
			continue
		}
		offered, err := view.Offered(variable)
		if err != nil || len(offered) == 0 {
			t.Fatalf("%s: %v is offered: %v", variable.Name, offered, err)
		}
		chosen, isChosen := view.Chosen[variable.Name]
		switch {
		case isChosen && !slices.Contains(offered, chosen[0]):
			t.Errorf("%s: %v is not among %v", variable.Name, chosen, offered)
		case !isChosen && variable.Multi:
			view.Chosen[variable.Name] = offered
		}
	}
}

// expectSeries expects that each query of each panel returns series.
func expectSeries(t *testing.T, view *harness.View) {
	t.Helper()
	count := 0
	for _, panel := range slices.Concat(view.Dashboard.Panels, view.Dashboard.Annotations) {
		for _, query := range panel.Queries {
			count++
			series, err := view.Ask(query)
			hasPoints := func(series harness.Series) bool { return len(series.Points) > 0 }
			if err != nil || !slices.ContainsFunc(series, hasPoints) {
				t.Errorf("%s: %v of %s: %v", panel.Title, series, query.Expr, err)
			}
		}
	}
	t.Logf("%d queries", count)
	if count < 15 {
		t.Errorf("only %d queries were run", count)
	}
}

// expectVMUI expects that VictoriaMetrics offers all dashboards for its UI, and that each query returns values at each step of
// the run, whether the steps are shorter or longer than a window.
func (s *runsOnReceivers) expectVMUI(t *testing.T) {
	i := slices.IndexFunc(s.receivers, func(r *harness.Receiver) bool { return r.Kind == harness.VictoriaMetrics })
	receiver := s.receivers[i]
	dashboards, err := receiver.VMUIDashboards()
	files, _ := filepath.Glob(filepath.Join(root(t), "deploy/vmui/*.json"))
	if err != nil || len(dashboards) != len(files) || len(files) == 0 {
		t.Fatalf("%d of %d dashboards: %v", len(dashboards), len(files), err)
	}
	for _, dashboard := range dashboards {
		for _, row := range dashboard.Rows {
			for _, panel := range row.Panels {
				for _, expr := range panel.Expr {
					for _, step := range []time.Duration{time.Second, 5 * time.Second} {
						series, err := receiver.QueryRange(expr, s.fromMs, s.toMs, step)
						if err != nil || !slices.ContainsFunc(series, func(of harness.Series) bool { return s.isDrawn(of, step) }) {
							t.Errorf("%s: %s, steps of %s: %v of %s: %v", dashboard.Title, panel.Title, step, series, expr, err)
						}
					}
				}
			}
		}
	}
}

// isDrawn reports whether a series is a line: most steps between its first and its last point have a value.
func (s *runsOnReceivers) isDrawn(of harness.Series, step time.Duration) bool {
	if len(of.Points) < 2 {
		return false
	}
	steps := (of.Last().TimeMs-of.Points[0].TimeMs)/step.Milliseconds() + 1
	return int64(len(of.Points)) > steps/2
}

// expectAlignment expects that two runs, one of them later, are shown with the same start.
func expectAlignment(t *testing.T, view *harness.View) {
	t.Helper()
	is := func(panel harness.Panel) bool { return panel.Title == "Requests per second" }
	panel := view.Dashboard.Panels[slices.IndexFunc(view.Dashboard.Panels, is)]
	var began, ended []int64
	for _, query := range panel.Queries {
		series, err := view.Ask(query)
		if err != nil || len(series) != 1 {
			t.Fatalf("%v, %v", series, err)
		}
		began, ended = append(began, series[0].Points[0].TimeMs), append(ended, series[0].Last().TimeMs)
	}
	const window = 3000
	if apart := began[1] - began[0]; max(apart, -apart) > window {
		t.Errorf("the starts of the runs are shown %d ms apart, their ends at %v", apart, ended)
	}
}

// expectSummary expects the numbers of k6's summary.
func (s *runsOnReceivers) expectSummary(t *testing.T, view *harness.View) {
	t.Helper()
	for title, expected := range inSummary[view.Dashboard.File] {
		is := func(panel harness.Panel) bool { return panel.Title == title && panel.Type == "stat" }
		i := slices.IndexFunc(view.Dashboard.Panels, is)
		if i < 0 {
			t.Errorf("panel %q is missing", title)
			continue
		}
		found, err := view.Ask(view.Dashboard.Panels[i].Queries[0])
		if err != nil || len(found) != 1 {
			t.Errorf("%s: %v, %v", title, found, err)
			continue
		}
		value := s.results[view.Chosen["run"][0]].Summary[expected.metric][expected.name] // 0 if it is not in the summary
		if strings.HasSuffix(expected.metric, "_duration") && expected.name != "count" {
			value /= 1000
		}
		if got := found[0].Last().Value; math.Abs(got-value) > expected.tolerance*value {
			t.Errorf("%s: %v, k6 has %v", title, got, value)
		}
	}
}
