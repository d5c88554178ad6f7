package e2e

// Exemplars end to end: those of a receiver are samples that k6 measured, of requests that the target got, and lead from the
// panels of the dashboards to their traces.

import (
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// tracedRun is a run of examples/traces.js, with what receiver, target and k6's own JSON output have of it.
type tracedRun struct {
	receiver *harness.Receiver
	requests map[string]harness.Traced
	samples  []harness.Sample
	result   *harness.Result
	fromMs   int64
	toMs     int64
}

// window is the pushInterval of these runs.
const window = time.Second

func runTraced(t *testing.T, receiver *harness.Receiver, options map[string]any) *tracedRun {
	t.Helper()
	return runTracedThrough(t, receiver, receiver.WriteURL(), options, func() {})
}

// runTracedThrough sends to another URL than the receiver's. Meanwhile something else happens.
func runTracedThrough(
	t *testing.T, receiver *harness.Receiver, writeURL string, options map[string]any, meanwhile func(),
) *tracedRun {
	t.Helper()
	target, samples := startTarget(t), filepath.Join(t.TempDir(), "samples.json")
	traced := &tracedRun{receiver: receiver, fromMs: time.Now().UnixMilli()}
	load := harness.Run{
		Script:  "examples/traces.js",
		Out:     []string{"remote-write=" + writeURL, "json=" + samples},
		Args:    []string{"--tag", "testid=traced"},
		Env:     map[string]string{"TARGET_URL": target.URL(), "DURATION": "6s"},
		Options: map[string]any{"pushInterval": window.String()},
	}
	maps.Copy(load.Options, options)
	k6 := start(t, load)
	meanwhile()
	traced.result = finish(t, k6, 0)
	traced.toMs = time.Now().Add(window).UnixMilli()
	traced.requests = target.Traces()
	var err error
	if traced.samples, err = harness.ReadSamples(samples); err != nil {
		t.Fatal(err)
	}
	return traced
}

// exemplars returns those of the series that an expression selects.
func (r *tracedRun) exemplars(t *testing.T, promql string) []harness.Exemplar {
	t.Helper()
	found, err := r.receiver.Exemplars(promql, r.fromMs, r.toMs)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestExemplarsAreSamplesOfTracedRequests(t *testing.T) {
	t.Parallel()
	for _, kind := range harness.WithExemplars {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			var flags []string
			if kind == harness.Cortex { // exemplars of native histograms, too
				flags = []string{"-blocks-storage.tsdb.enable-native-histograms=true"}
			}
			traced := runTraced(t, startReceiverWith(t, kind, flags...), map[string]any{"trendAs": "gauges,native"})
			expectSummaryIn(t, traced.receiver, traced.result)
			traced.expectMeasured(t)
			for _, metric := range []string{"k6_http_req_duration", "k6_http_req_waiting"} {
				traced.expectLargest(t, metric)
			}
			traced.expectFailures(t)
			traced.expectOnDashboards(t)
			if warnings := linesOf(traced.result, "warning"); len(warnings) > 0 {
				t.Errorf("warnings: %v", warnings)
			}
		})
	}
}

// expectMeasured expects that each exemplar is a sample with its value and time, and its trace a request that the target got.
func (r *tracedRun) expectMeasured(t *testing.T) {
	t.Helper()
	samples := map[string][]harness.Sample{} // by trace
	for _, sample := range r.samples {
		trace := sample.Metadata["trace_id"]
		samples[trace] = append(samples[trace], sample)
	}
	series := map[string]int{}
	for _, exemplar := range r.exemplars(t, `{__name__=~"k6_.+"}`) {
		series[exemplar.Series.Name]++
		trace := exemplar.Labels["trace_id"]
		if _, got := r.requests[trace]; !got || len(exemplar.Labels) != 1 {
			t.Errorf("the target did not get %v of %s", exemplar.Labels, exemplar.Series.Name)
		}
		is := func(sample harness.Sample) bool { return isSampleOf(exemplar, sample) }
		if !slices.ContainsFunc(samples[trace], is) {
			t.Errorf("k6 has not measured %+v", exemplar)
		}
	}
	for _, name := range []string{
		"k6_http_req_duration_max", "k6_http_req_duration_p95", "k6_http_req_duration_p99", "k6_http_req_duration_count",
		"k6_http_req_duration_seconds", "k6_http_reqs_total", "k6_http_req_failed_total", "k6_checks_total",
	} {
		if series[name] == 0 {
			t.Errorf("%s has no exemplars: %v", name, series)
		}
	}
	t.Logf("exemplars by series: %v", series)
}

// isSampleOf reports whether an exemplar has the value, the time and the labels of a sample.
func isSampleOf(exemplar harness.Exemplar, sample harness.Sample) bool {
	rest, is := strings.CutPrefix(exemplar.Series.Name, "k6_"+sample.Metric)
	if !is || !nameSuffix.MatchString(rest) {
		return false
	}
	for tag, value := range sample.Tags {
		if label, has := exemplar.Series.Labels[tag]; has && label != value {
			return false
		}
	}
	unit := 1.0
	if strings.HasPrefix(sample.Metric, "http_req_") && sample.Metric != "http_req_failed" {
		unit = 1000
	}
	late := exemplar.TimeMs - sample.Time.UnixMilli() // it may have to be after the one before
	return math.Abs(exemplar.Value*unit-sample.Value) <= 1e-9*sample.Value && late >= 0 && late < 200
}

// nameSuffix is what names of series have after the metric's.
var nameSuffix = regexp.MustCompile(`^_(total|rate|count|max|p\d+|seconds)$`)

// expectLargest expects that the largest sample of each window is an exemplar of each series of a trend, and that there are no more
// than one or two exemplars of a window.
func (r *tracedRun) expectLargest(t *testing.T, trend string) {
	t.Helper()
	windows := 0
	for _, largest := range query(t, r.receiver, trend+"_max[5m]") {
		for suffix, count := range map[string]int{"_max": 1, "_p95": 1, "_count": 2, "_seconds": 2} {
			exemplars := r.exemplars(t, trend+suffix+matching(largest.Labels))
			for _, point := range largest.Points {
				windows++
				is := func(exemplar harness.Exemplar) bool {
					// A window may be closed late, and so have samples from after its end.
					apart := point.TimeMs - exemplar.TimeMs
					return exemplar.Value == point.Value && max(apart, -apart) < 2*window.Milliseconds()
				}
				if !slices.ContainsFunc(exemplars, is) {
					t.Errorf("%s%s of %s: no exemplar is the maximum %+v, k6's %v:\n%v",
						trend, suffix, largest.Labels["name"], point, r.measured(point.Value), pointsOf(exemplars))
				}
			}
			if len(exemplars) > count*len(largest.Points) {
				t.Errorf("%s%s%v: %d exemplars of %d windows", trend, suffix, largest.Labels, len(exemplars), len(largest.Points))
			}
		}
	}
	if windows < 40 {
		t.Errorf("%s has only %d windows", trend, windows)
	}
}

// measured returns the samples with a value in seconds.
func (r *tracedRun) measured(value float64) []harness.Sample {
	return slices.DeleteFunc(slices.Clone(r.samples), func(s harness.Sample) bool { return math.Abs(s.Value-value*1000) > 1e-9*s.Value })
}

func pointsOf(exemplars []harness.Exemplar) []harness.Point {
	points := make([]harness.Point, len(exemplars))
	for i, exemplar := range exemplars {
		points[i] = exemplar.Point
	}
	return points
}

// matching returns the selector of a series with these labels.
func matching(labels map[string]string) string {
	var matchers []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		matchers = append(matchers, fmt.Sprintf("%s=%q", name, labels[name]))
	}
	return "{" + strings.Join(matchers, ",") + "}"
}

// expectFailures expects that the exemplars of failures are the requests that failed.
func (r *tracedRun) expectFailures(t *testing.T) {
	t.Helper()
	for _, selector := range []string{
		`k6_http_req_failed_total{condition="nonzero"}`, `k6_checks_total{condition="zero"}`, `k6_http_reqs_total{error_code!=""}`,
	} {
		exemplars := r.exemplars(t, selector)
		if len(exemplars) == 0 {
			t.Errorf("%s has no exemplars", selector)
		}
		for _, exemplar := range exemplars {
			if request := r.requests[exemplar.Labels["trace_id"]]; request.Status != 500 {
				t.Errorf("an exemplar of %s is %s", selector, request)
			}
		}
	}
}

// expectOnDashboards expects that each query of a dashboard that asks for exemplars gets some.
func (r *tracedRun) expectOnDashboards(t *testing.T) {
	t.Helper()
	dashboards, err := harness.ReadDashboards(filepath.Join(root(t), "deploy/dashboards"))
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, dashboard := range dashboards {
		view := &harness.View{
			Dashboard: dashboard, Receiver: r.receiver, FromMs: r.fromMs, ToMs: r.toMs,
			Chosen: map[string][]string{"run": {"traced"}, "window": {window.String()}},
		}
		for _, panel := range dashboard.Panels {
			for _, query := range panel.Queries {
				if !query.Exemplar {
					continue
				}
				asked++
				if found, err := view.Exemplars(query); err != nil || len(found) == 0 {
					t.Errorf("%s, %s: %d exemplars, %v", dashboard.File, panel.Title, len(found), err)
				}
			}
		}
	}
	if asked < 8 {
		t.Errorf("only %d queries ask for exemplars", asked)
	}
}

// A backlog has exemplars of several windows, and a request whose response is lost comes twice.
func TestExemplarsSurviveOutages(t *testing.T) {
	t.Parallel()
	for _, fault := range []harness.Fault{harness.Unavailable, harness.Refuse, harness.LoseAnswer} {
		for _, kind := range []harness.Kind{harness.Prometheus, harness.Mimir, harness.Thanos} {
			t.Run(string(fault)+"/"+string(kind), func(t *testing.T) {
				t.Parallel()
				receiver := startReceiver(t, kind)
				fake := startFake(t, harness.Fake{Upstream: receiver.WriteURL()})
				traced := runTracedThrough(t, receiver, fake.URL(), map[string]any{"trendAs": "gauges,native"}, func() {
					time.Sleep(1500 * time.Millisecond)
					if fake.FailFor(fault, 2500*time.Millisecond) == 0 {
						t.Error("no request failed")
					}
				})
				expectSummaryIn(t, receiver, traced.result)
				traced.expectMeasured(t)
				for _, metric := range []string{"k6_http_req_duration", "k6_http_req_waiting"} {
					traced.expectLargest(t, metric)
				}
			})
		}
	}
}

func TestNothingHasExemplarsWithoutMetadataOrWithTheOptionOff(t *testing.T) {
	t.Parallel()
	receiver := startReceiver(t, harness.Prometheus)
	traced := runTraced(t, receiver, map[string]any{"exemplars": ""})
	run(t, loadFor(2*time.Second, startTarget(t), receiver.WriteURL()))
	if found := traced.exemplars(t, `{__name__=~".+"}`); len(found) > 0 || len(traced.requests) == 0 {
		t.Errorf("%d traced requests have exemplars %v", len(traced.requests), found)
	}
}

// A receiver without storage for exemplars has all the rest, and nothing is logged about it.
func TestReceiversWithoutExemplarsHaveAllElse(t *testing.T) {
	t.Parallel()
	for _, kind := range []harness.Kind{harness.NotEnabled, harness.Prometheus2, harness.VictoriaMetrics} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			var flags []string
			switch kind {
			case harness.NotEnabled:
				flags = []string{"--web.enable-remote-write-receiver"}
			case harness.Prometheus2:
				if _, err := harness.Binary(string(kind)); err != nil {
					t.Skip(err)
				}
			}
			traced := runTraced(t, startReceiverWith(t, kind, flags...), nil)
			expectSummaryIn(t, traced.receiver, traced.result)
			if exemplars := traced.exemplars(t, `{__name__=~"k6_.+"}`); len(exemplars) > 0 {
				t.Errorf("exemplars: %v", exemplars)
			}
			if warnings := linesOf(traced.result, "warning"); len(warnings) > 0 {
				t.Errorf("warnings: %v", warnings)
			}
		})
	}
}
