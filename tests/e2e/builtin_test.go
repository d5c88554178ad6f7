package e2e

// k6's own Prometheus output and this one, side by side in one run with one environment: whoever changes from one to the
// other finds the same series, and receivers the same headers. What differs is meant, and is in docs/migrating.md.

import (
	"crypto/tls"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// The User-Agents of the two.
const (
	ours    = "k6-remote-write/"
	builtin = "k6-prometheus-rw-output"
)

// furtherSeries are those that only this output ships.
var furtherSeries = []struct {
	name   *regexp.Regexp
	reason string
}{
	{regexp.MustCompile(`_(avg|count|max|med|min|p90|p95|sum)$`), "by default there are all usual statistics of a trend, not only p(99)"},
	{regexp.MustCompile(`^k6_(a_rate|checks|http_req_failed)_total$`), "a rate has counters too, whose ratio is right for any grouping"},
	{regexp.MustCompile(`_(lowest|highest)$`), "a gauge has its extremes, which one point a window may miss"},
	{regexp.MustCompile(`^k6_dropped_iterations_total$`), "it is there from the start, at 0, so that an alert has something to look at"},
}

// ownHeaders differ between any two HTTP clients, or name the client.
var ownHeaders = []string{"Accept", "Accept-Encoding", "Content-Length", "User-Agent"}

// sideBySide is one environment, or JSON of both, and what it must lead to.
type sideBySide struct {
	name    string
	env     map[string]string // less its prefix
	options map[string]any
	query   string            // of the URL
	tls     uint16            // the latest version that the receiver speaks; 0 for http
	nothing bool              // no request gets through
	headers map[string]string // that both must send, "" for none
	meant   map[string]string // that this output sends, but not k6's own
	check   func(t *testing.T, ours, builtin []harness.Request)
}

func TestTheEnvironmentOfTheBuiltinMeansTheSame(t *testing.T) {
	t.Parallel()
	for _, both := range []sideBySide{
		{name: "nothing but the URL", headers: map[string]string{
			"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf", "X-Prometheus-Remote-Write-Version": "0.1.0",
		}},
		{name: "a URL with a query", query: "?tenant=a%20b&x=1"},
		{
			name:    "headers",
			env:     map[string]string{"HEADERS_X-One": "1, and more", "HTTP_HEADERS": "X-Two:2,X-Three:3"},
			headers: map[string]string{"X-One": "1, and more", "X-Two": "2", "X-Three": "3"},
		},
		{
			name:    "headers of the protocol",
			env:     map[string]string{"HTTP_HEADERS": "Content-Type:text/plain,Content-Encoding:gzip,User-Agent:me"},
			headers: map[string]string{"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"},
		},
		{
			name:    "username and password",
			env:     map[string]string{"USERNAME": "me", "PASSWORD": "secret"},
			headers: map[string]string{"Authorization": "Basic bWU6c2VjcmV0"},
		},
		{
			name:    "username alone",
			env:     map[string]string{"USERNAME": "me", "PASSWORD": ""},
			headers: map[string]string{"Authorization": "Basic bWU6"},
		},
		{
			name:    "empty variables",
			env:     map[string]string{"USERNAME": "", "BEARER_TOKEN": "", "PUSH_INTERVAL": "", "STALE_MARKERS": "", "TLS_MINIMUM_VERSION": ""},
			headers: map[string]string{"Authorization": ""},
		},
		{
			name:    "bearer token",
			env:     map[string]string{"BEARER_TOKEN": "t0ken"},
			headers: map[string]string{"Authorization": "Bearer t0ken"},
		},
		{
			name:    "bearer token and username",
			env:     map[string]string{"BEARER_TOKEN": "t0ken", "USERNAME": "me", "PASSWORD": "secret"},
			headers: map[string]string{"Authorization": "Bearer t0ken"},
		},
		{
			name:    "an Authorization header",
			env:     map[string]string{"HEADERS_Authorization": "Custom x", "USERNAME": "me"},
			headers: map[string]string{"Authorization": "Custom x"},
		},
		{
			name:    "username and further headers", // of which k6's own output forgets the first
			env:     map[string]string{"USERNAME": "me", "PASSWORD": "secret", "HEADERS_X-One": "1"},
			headers: map[string]string{"X-One": "1"},
			meant:   map[string]string{"Authorization": "Basic bWU6c2VjcmV0"},
		},
		{name: "trend stats", env: map[string]string{"TREND_STATS": "avg,p(99.9),med,count"}, check: expectEndings("_p999", "_count")},
		{name: "native histograms", env: map[string]string{"TREND_AS_NATIVE_HISTOGRAM": "true"}, check: expectEndings("_seconds")},
		{name: "push interval", env: map[string]string{"PUSH_INTERVAL": "1s"}, check: expectAPointASecond},
		{name: "stale markers", env: map[string]string{"STALE_MARKERS": "true"}, check: expectStaleMarkers(true)},
		{name: "no stale markers", env: map[string]string{"STALE_MARKERS": "false"}, check: expectStaleMarkers(false)},
		{name: "TLS with an unknown certificate", tls: tls.VersionTLS13, nothing: true},
		{name: "TLS without a look at it", tls: tls.VersionTLS13, env: map[string]string{"INSECURE_SKIP_TLS_VERIFY": "true"}},
		{name: "TLS 1.2, which is too old", tls: tls.VersionTLS12, env: map[string]string{"INSECURE_SKIP_TLS_VERIFY": "true"}, nothing: true},
		{
			name: "TLS 1.2, which will do", tls: tls.VersionTLS12,
			env: map[string]string{"INSECURE_SKIP_TLS_VERIFY": "true", "TLS_MINIMUM_VERSION": "1.2"},
		},
		{
			name: "all in JSON", tls: tls.VersionTLS12,
			options: map[string]any{
				"username": "me", "password": "secret", "insecureSkipTLSVerify": true, "tlsMinVersion": "1.2",
				"pushInterval": "1s", "staleMarkers": true,
			},
			headers: map[string]string{"Authorization": "Basic bWU6c2VjcmV0"},
			check:   expectStaleMarkers(true),
		},
		{
			name:    "headers and a token in JSON",
			options: map[string]any{"headers": map[string]any{"X-One": "1"}, "bearerToken": "t0ken"},
			env:     map[string]string{"HEADERS_X-Two": "2"},
			headers: map[string]string{"Authorization": "Bearer t0ken", "X-One": "1", "X-Two": "2"},
		},
	} {
		t.Run(both.name, func(t *testing.T) {
			t.Parallel()
			both.run(t)
		})
	}
}

func TestTheBuiltinWithTheSameReceiverIsAWarning(t *testing.T) {
	t.Parallel()
	recorder := startFake(t, harness.Fake{})
	for outs, expected := range map[string]int{"experimental-prometheus-rw": 1, "json=/dev/null": 0} {
		load := shortLoad(t)
		load.Out = []string{"remote-write", outs}
		load.Env["K6_PROMETHEUS_RW_SERVER_URL"] = recorder.URL()
		result := run(t, load)
		warnings := slices.DeleteFunc(linesOf(result, "warning"), func(line harness.LogLine) bool {
			return !strings.HasPrefix(line.Message, "Two destinations")
		})
		if len(warnings) != expected {
			t.Fatalf("expected %d warnings with --out %s:\n%s", expected, outs, result.LogText())
		}
		for _, line := range warnings {
			if line.Fields["other_destination"] != "--out "+outs || line.Fields["destination"] != "K6_PROMETHEUS_RW_SERVER_URL (environment)" {
				t.Errorf("expected both destinations: %s", line)
			}
		}
	}
}

func (b *sideBySide) run(t *testing.T) {
	var fake harness.Fake
	if b.tls != 0 {
		fake.TLS = &tls.Config{MaxVersion: b.tls}
	}
	recorder := startFake(t, fake)
	load := harness.Run{
		Script:  "tests/e2e/scripts/every_type.js",
		Out:     []string{"remote-write", "experimental-prometheus-rw"},
		Env:     map[string]string{"TARGET_URL": startTarget(t).URL()},
		Options: map[string]any{"flushTimeout": "1s", "protocol": "1.0", "selfMetrics": false}, // k6's own has neither
		Builtin: map[string]any{},
	}
	for name, value := range b.env {
		load.Env["K6_PROMETHEUS_RW_"+name] = value
	}
	for name, value := range b.options {
		load.Options[name], load.Builtin[name] = value, value
	}
	if b.options == nil {
		load.Env["K6_PROMETHEUS_RW_SERVER_URL"] = recorder.URL() + b.query
	} else {
		load.Options["url"], load.Builtin["url"] = recorder.URL(), recorder.URL()
	}
	result := run(t, load)

	oursSent, builtinSent := requestsOf(t, recorder, ours), requestsOf(t, recorder, builtin)
	if b.nothing {
		if len(oursSent) > 0 || len(builtinSent) > 0 {
			t.Errorf("%d and %d requests came through", len(oursSent), len(builtinSent))
		}
		return
	}
	if len(oursSent) == 0 || len(builtinSent) == 0 {
		t.Fatalf("%d and %d requests came:\n%s", len(oursSent), len(builtinSent), result.LogText())
	}
	expectSameSeries(t, oursSent, builtinSent)
	b.expectHeaders(t, oursSent, builtinSent)
	if b.check != nil {
		b.check(t, oursSent, builtinSent)
	}
}

func requestsOf(t *testing.T, recorder *harness.FakeReceiver, agent string) []harness.Request {
	t.Helper()
	requests, err := recorder.RequestsOf(agent)
	if err != nil {
		t.Fatal(err)
	}
	return requests
}

// expectSameSeries expects every series of the built-in here, and of the others only those that are meant.
func expectSameSeries(t *testing.T, oursSent, builtinSent []harness.Request) {
	t.Helper()
	here, there := seriesIn(oursSent), seriesIn(builtinSent)
	for key := range there {
		if _, both := here[key]; !both {
			t.Errorf("%s is missing", key)
		}
	}
	for key, series := range here {
		_, both := there[key]
		isMeant := slices.ContainsFunc(furtherSeries, func(f struct {
			name   *regexp.Regexp
			reason string
		},
		) bool {
			return f.name.MatchString(series.Name)
		})
		if !both && !isMeant {
			t.Errorf("%s is in no list of what is meant", key)
		}
	}
	if len(there) < 10 {
		t.Errorf("only %d series were compared", len(there))
	}
}

// seriesIn are all series, by name and labels, each with all its points.
func seriesIn(requests []harness.Request) map[string]harness.Series {
	all := map[string]harness.Series{}
	for _, request := range requests {
		for _, series := range request.Series {
			key := fmt.Sprint(series.Name, series.Labels)
			series.Points = append(all[key].Points, series.Points...)
			all[key] = series
		}
	}
	return all
}

func namesIn(requests []harness.Request) []string {
	names := map[string]bool{}
	for _, series := range seriesIn(requests) {
		names[series.Name] = true
	}
	return slices.Sorted(maps.Keys(names))
}

func (b *sideBySide) expectHeaders(t *testing.T, oursSent, builtinSent []harness.Request) {
	t.Helper()
	here, there := oursSent[0], builtinSent[0]
	if here.Path != there.Path || here.Path != "/api/v1/write"+b.query {
		t.Errorf("the paths are %q and %q", here.Path, there.Path)
	}
	for name, value := range b.headers {
		if here.Header.Get(name) != value || there.Header.Get(name) != value {
			t.Errorf("%s is %q and %q, not %q", name, here.Header.Get(name), there.Header.Get(name), value)
		}
	}
	for name, value := range b.meant {
		if here.Header.Get(name) != value || there.Header.Get(name) != "" {
			t.Errorf("%s is %q and %q, not %q here alone", name, here.Header.Get(name), there.Header.Get(name), value)
		}
		here.Header.Del(name)
	}
	for _, name := range ownHeaders {
		here.Header.Del(name)
		there.Header.Del(name)
	}
	if !maps.EqualFunc(here.Header, there.Header, slices.Equal) {
		t.Errorf("headers differ: %v and %v", here.Header, there.Header)
	}
}

// expectEndings expects of both outputs names that end like this.
func expectEndings(endings ...string) func(t *testing.T, oursSent, builtinSent []harness.Request) {
	return func(t *testing.T, oursSent, builtinSent []harness.Request) {
		t.Helper()
		for who, requests := range map[string][]harness.Request{ours: oursSent, builtin: builtinSent} {
			names := namesIn(requests)
			for _, ending := range endings {
				if !slices.ContainsFunc(names, func(name string) bool { return strings.HasSuffix(name, ending) }) {
					t.Errorf("%s has no name that ends in %s: %v", who, ending, names)
				}
			}
		}
	}
}

func expectAPointASecond(t *testing.T, oursSent, builtinSent []harness.Request) {
	t.Helper()
	for who, requests := range map[string][]harness.Request{ours: oursSent, builtin: builtinSent} {
		for _, series := range seriesIn(requests) {
			if points := len(series.Points); strings.HasPrefix(series.Name, "k6_a_counter") && (points < 2 || points > 6) {
				t.Errorf("%s has %d points of a run of 2 s: %v", who, points, series)
			}
		}
	}
}

func expectStaleMarkers(expected bool) func(t *testing.T, oursSent, builtinSent []harness.Request) {
	return func(t *testing.T, oursSent, builtinSent []harness.Request) {
		t.Helper()
		for who, requests := range map[string][]harness.Request{ours: oursSent, builtin: builtinSent} {
			for key, series := range seriesIn(requests) {
				last := series.Points[len(series.Points)-1]
				if isMarker := math.Float64bits(last.Value) == 0x7ff0000000000002; isMarker != expected {
					t.Errorf("%s: %s ends with %v", who, key, last)
				}
			}
		}
	}
}
