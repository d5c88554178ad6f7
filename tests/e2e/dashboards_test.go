package e2e

// Every query of every dashboard in deploy/dashboards/ is asked as Grafana asks it, on real receivers, after real runs: by default settings,
// and with native histograms. Each has to answer, also where nothing went wrong and the answer is 0.

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

// The runs that are looked at. A name with characters of regular expressions has to be found, too.
const (
	before = "release 1.1 (main)"
	after  = "release 1.2+fix"
	native = "release 1.1, native"
)

// onlyOn are dashboards for receivers that keep native histograms in one way.
var onlyOn = map[string]harness.Kind{
	"native-histograms.json":                 harness.Prometheus,      // one series with all its buckets, and functions for it
	"native-histograms-victoriametrics.json": harness.VictoriaMetrics, // a series for each bucket
}

// choices are what somebody chooses who looks at one run; what is not in it is everything that is offered.
func choices(file string) map[string][]string {
	switch _, isNative := onlyOn[file]; {
	case isNative:
		return map[string][]string{"run_by": {"test_run_id"}, "run": {native}, "instance_by": {"instance_id"}}
	case file == "comparison.json":
		return map[string][]string{"run_a": {before}, "run_b": {after}}
	default:
		return map[string][]string{"run": {after}}
	}
}

// twoBuckets of a native histogram, each 9.1 % wide: the value of the next rank may lie in the next one.
const twoBuckets = 0.19

// told are panels whose number k6's summary has, too.
var told = map[string]map[string]statistic{
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

// runsOnReceivers are what the dashboards look at.
type runsOnReceivers struct {
	receivers []*harness.Receiver
	fromMs    int64
	toMs      int64
	results   map[string]*harness.Result // by the run's name
}

// runForDashboards has three runs, of which one is later than the others, ship to all kinds of receivers.
func runForDashboards(t *testing.T) *runsOnReceivers {
	t.Helper()
	stage := &runsOnReceivers{fromMs: time.Now().Add(-5 * time.Second).UnixMilli(), results: map[string]*harness.Result{}}
	target := startTarget(t)
	load := loadFor(9*time.Second, target, "")
	load.Out = nil
	for _, kind := range harness.Kinds {
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

	first, beside := start(t, tagged("testid="+before)), start(t, withHistograms)
	stage.results[before], stage.results[native] = finish(t, first, 0), finish(t, beside, 0)
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
			if kind, is := onlyOn[dashboard.File]; is && kind != receiver.Kind {
				continue
			}
			t.Run(fmt.Sprintf("%s on %s", dashboard.File, receiver.Kind), func(t *testing.T) {
				t.Run("as it opens", func(t *testing.T) {
					expectAnswers(t, stage.look(dashboard, receiver, nil))
				})
				t.Run("on one run", func(t *testing.T) {
					view := stage.look(dashboard, receiver, choices(dashboard.File))
					chooseAll(t, view)
					expectAnswers(t, view)
					stage.expectTold(t, view)
				})
			})
		}
	}
	for _, receiver := range stage.receivers {
		t.Run("the runs compared on "+string(receiver.Kind), func(t *testing.T) {
			i := slices.IndexFunc(dashboards, func(d harness.Dashboard) bool { return d.File == "comparison.json" })
			expectAlignment(t, stage.look(dashboards[i], receiver, choices(dashboards[i].File)))
		})
	}
	for _, asked := range publishedDashboards {
		t.Run(asked.number, func(t *testing.T) { stage.expectPublished(t, asked) })
	}
}

// chooseAll chooses whatever is offered, one by one, where it is not chosen yet. Something has to be offered.
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

// expectAnswers expects that each query of each panel has an answer.
func expectAnswers(t *testing.T, view *harness.View) {
	t.Helper()
	asked := 0
	for _, panel := range slices.Concat(view.Dashboard.Panels, view.Dashboard.Annotations) {
		for _, query := range panel.Queries {
			asked++
			series, err := view.Ask(query)
			hasPoints := func(series harness.Series) bool { return len(series.Points) > 0 }
			if err != nil || !slices.ContainsFunc(series, hasPoints) {
				t.Errorf("%s: %v of %s: %v", panel.Title, series, query.Expr, err)
			}
		}
	}
	t.Logf("%d queries", asked)
	if asked < 15 {
		t.Errorf("only %d queries were asked", asked)
	}
}

// expectAlignment expects that two runs, of which one was later, begin together.
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
		t.Errorf("the runs are seen to begin %d ms apart, and to end at %v", apart, ended)
	}
}

// expectTold expects the numbers of k6's summary.
func (s *runsOnReceivers) expectTold(t *testing.T, view *harness.View) {
	t.Helper()
	for title, expected := range told[view.Dashboard.File] {
		is := func(panel harness.Panel) bool { return panel.Title == title && panel.Type == "stat" }
		i := slices.IndexFunc(view.Dashboard.Panels, is)
		if i < 0 {
			t.Errorf("there is no panel %q", title)
			continue
		}
		answer, err := view.Ask(view.Dashboard.Panels[i].Queries[0])
		if err != nil || len(answer) != 1 {
			t.Errorf("%s: %v, %v", title, answer, err)
			continue
		}
		value := s.results[view.Chosen["run"][0]].Summary[expected.metric][expected.name] // 0 when the summary lacks it
		if strings.HasSuffix(expected.metric, "_duration") && expected.name != "count" {
			value /= 1000
		}
		if got := answer[0].Last().Value; math.Abs(got-value) > expected.tolerance*value {
			t.Errorf("%s: %v, k6 says %v", title, got, value)
		}
	}
}
