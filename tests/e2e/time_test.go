package e2e

// Times of points: at the windows of the clock, from a first zero to a stale marker. These tests use only Prometheus, because
// it returns the points as they are stored.

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

func TestPointsAreOnMultiplesOfTheWindow(t *testing.T) {
	t.Parallel()
	for _, window := range []struct {
		name   string
		env    string // the push interval; empty for the default
		length time.Duration
	}{
		{"by default every 3 s", "", 3 * time.Second},
		{"1 s", "1s", time.Second},
	} {
		t.Run(window.name, func(t *testing.T) {
			t.Parallel()
			receiver := startReceiver(t, harness.Prometheus)
			load := loadFor(8*time.Second, startTarget(t), receiver.WriteURL())
			if window.env != "" {
				load.Env["K6_PROMETHEUS_RW_PUSH_INTERVAL"] = window.env
			}
			run(t, load)

			expectAPointInEveryWindow(t, receiver, window.length)
		})
	}
}

func TestIncreaseIncludesTheFirstWindow(t *testing.T) {
	t.Parallel()
	receiver := startReceiver(t, harness.Prometheus)
	result := run(t, loadFor(7*time.Second, startTarget(t), receiver.WriteURL()))

	// At the time of the last point, with a first point of 0, increase() does not extrapolate.
	total := increase(t, receiver, "k6_http_reqs_total", "5m", lastPointMs(t, receiver))
	if expected := result.Summary["http_reqs"]["count"]; total != expected {
		t.Errorf("increase() is %v of %v requests", total, expected)
	}
}

func TestIncreaseOfHistogramsIncludesTheFirstWindow(t *testing.T) {
	t.Parallel()
	receiver := startReceiver(t, harness.Prometheus)
	load := loadFor(7*time.Second, startTarget(t), receiver.WriteURL())
	load.Env["K6_PROMETHEUS_RW_TREND_AS"] = "native,classic"
	requests := run(t, load).Summary["http_reqs"]["count"]

	for _, promql := range []string{
		"histogram_count(sum(increase(k6_http_req_duration_seconds[5m])))",
		"sum(increase(k6_http_req_duration_seconds_count[5m]))",
		`sum(increase(k6_http_req_duration_seconds_bucket{le="+Inf"}[5m]))`,
	} {
		total, _, err := receiver.NumberAt(promql, lastPointMs(t, receiver))
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(total-requests) > 1e-9*requests {
			t.Errorf("%s is %v of %v requests", promql, total, requests)
		}
	}
}

func TestSeriesEndWithTheRun(t *testing.T) {
	t.Parallel()
	for _, markers := range []struct {
		name  string
		env   string
		stale bool
	}{
		{"by default", "", true},
		{"unless stale markers are turned off", "false", false},
	} {
		t.Run(markers.name, func(t *testing.T) {
			t.Parallel()
			receiver := startReceiver(t, harness.Prometheus)
			load := loadFor(2*time.Second, startTarget(t), receiver.WriteURL())
			if markers.env != "" {
				load.Env["K6_PROMETHEUS_RW_STALE_MARKERS"] = markers.env
			}
			expectSummaryIn(t, receiver, run(t, load))

			for _, name := range []string{"k6_http_reqs_total", "k6_vus", "k6_checks_rate", "k6_http_req_duration_p95"} {
				lasting, err := receiver.Query(name)
				if err != nil {
					t.Fatal(err)
				}
				if stale := len(lasting) == 0; stale != markers.stale {
					t.Errorf("%s is stale after the run: %t, expected: %t", name, stale, markers.stale)
				}
				query(t, receiver, fmt.Sprintf("last_over_time(%s[5m])", name))
			}
		})
	}
}

func TestConsecutiveRunsAreSeparate(t *testing.T) {
	t.Parallel()
	onEveryReceiver(t, expectSeparateRuns)
}

func expectSeparateRuns(t *testing.T, receiver *harness.Receiver) {
	target := startTarget(t)
	load := loadFor(3*time.Second, target, receiver.WriteURL())
	load.Env["K6_PROMETHEUS_RW_TREND_AS"] = "gauges,native"

	first := run(t, load).Summary["http_reqs"]["count"]
	firstEndMs := lastPointMs(t, receiver)
	second := run(t, load).Summary["http_reqs"]["count"]
	secondEndMs := lastPointMs(t, receiver)

	// A range excludes its left boundary: this one has all points of the second run and none of the first. Thanos adds up what
	// was before a reset, so for it the second run does not begin with 0.
	sinceFirst := fmt.Sprintf("%dms", secondEndMs-firstEndMs)
	for _, total := range []struct {
		of       string
		window   string
		endMs    int64
		expected float64
	}{
		{"the first run", "5m", firstEndMs, first},
		{"the second run", sinceFirst, secondEndMs, second},
		{"both runs", "5m", secondEndMs, first + second},
	} {
		if total.of == "the second run" && receiver.Kind == harness.Thanos {
			continue
		}
		for _, promql := range []string{
			"sum(increase(k6_http_reqs_total[%s]))",
			"histogram_count(sum(increase(k6_http_req_duration_seconds[%s])))",
		} {
			if strings.HasPrefix(promql, "histogram") && receiver.Kind.MakesRanges() {
				continue
			}
			value, _, err := receiver.NumberAt(fmt.Sprintf(promql, total.window), total.endMs)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(value-total.expected) > 1e-9*total.expected {
				t.Errorf("%s over %s is %v of %v requests", promql, total.of, value, total.expected)
			}
		}
	}
	if receiver.Kind == harness.Prometheus {
		expectNothingRejected(t, receiver)
	}
}

// expectAPointInEveryWindow expects for each series of the requests a first 0, then a point at every multiple of the window,
// and a last point at the end of the run.
func expectAPointInEveryWindow(t *testing.T, receiver *harness.Receiver, window time.Duration) {
	t.Helper()
	windowMs := window.Milliseconds()
	for _, series := range query(t, receiver, `k6_http_reqs_total[5m]`) {
		if len(series.Points) < 4 {
			t.Fatalf("%v: too few points: %v", series.Labels, series.Points)
		}
		if first := series.Points[0]; first.Value != 0 {
			t.Errorf("%v starts with %v, not with 0", series.Labels, first.Value)
		}
		inner := series.Points[1 : len(series.Points)-1]
		for i, point := range inner {
			if point.TimeMs%windowMs != 0 {
				t.Errorf("%v: a point at %d ms, %d ms after a multiple", series.Labels, point.TimeMs, point.TimeMs%windowMs)
			}
			if i > 0 && point.TimeMs-inner[i-1].TimeMs != windowMs {
				t.Errorf("%v: no point between %d ms and %d ms", series.Labels, inner[i-1].TimeMs, point.TimeMs)
			}
		}
		last, now := series.Last().TimeMs, time.Now().UnixMilli()
		if before := last - inner[len(inner)-1].TimeMs; before > windowMs || last > now {
			t.Errorf("%v: the last point is %d ms after the previous one, and %d ms ago", series.Labels, before, now-last)
		}
	}
}

// lastPointMs returns the time of the requests' last points, which is the same for all series.
func lastPointMs(t *testing.T, receiver *harness.Receiver) int64 {
	t.Helper()
	series := query(t, receiver, `k6_http_reqs_total[5m]`)
	last := series[0].Last().TimeMs
	for _, other := range series {
		if other.Last().TimeMs != last {
			t.Fatalf("%v ends at %d ms, %v at %d ms", series[0].Labels, last, other.Labels, other.Last().TimeMs)
		}
	}
	return last
}

func increase(t *testing.T, receiver *harness.Receiver, name, window string, atMs int64) float64 {
	t.Helper()
	total, _, err := receiver.NumberAt(fmt.Sprintf("sum(increase(%s[%s]))", name, window), atMs)
	if err != nil {
		t.Fatal(err)
	}
	return total
}

// expectNothingRejected expects that Prometheus accepted every point of every request.
func expectNothingRejected(t *testing.T, prometheus *harness.Receiver) {
	t.Helper()
	for name, filter := range map[string]func(labels string) bool{
		"prometheus_tsdb_out_of_order_samples_total":               harness.AnyLabels,
		"prometheus_tsdb_too_old_samples_total":                    harness.AnyLabels,
		"prometheus_api_remote_write_invalid_labels_samples_total": harness.AnyLabels,
		"prometheus_http_requests_total": func(labels string) bool {
			return strings.Contains(labels, `handler="/api/v1/write"`) && !strings.Contains(labels, `code="204"`)
		},
	} {
		rejected, err := prometheus.OwnMetric(name, filter)
		if err != nil {
			t.Error(err)
		} else if rejected != 0 {
			t.Errorf("%s is %v, not 0", name, rejected)
		}
	}
}
