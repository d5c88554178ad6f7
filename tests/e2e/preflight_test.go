package e2e

// Whether a receiver takes metrics, asked before the test: one that does is asked for nothing else, one that does not keeps
// k6 from starting, with a sentence that helps.

import (
	"crypto/tls"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// couldNotStart is what k6 ends with if an output cannot be made or started, and has no exit code of its own for it.
const couldNotStart = 255

func TestPreflightCostsNothing(t *testing.T) {
	t.Parallel()
	for _, kind := range []harness.Kind{harness.Prometheus, harness.PrometheusOf1, harness.Prometheus2, harness.VictoriaMetrics} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			if _, err := harness.Binary("prometheus-2"); err != nil && kind == harness.Prometheus2 {
				t.Skip(err)
			}
			receiver := startReceiver(t, kind)
			load := loadFor(2*time.Second, startTarget(t), receiver.WriteURL())
			load.Env["K6_PROMETHEUS_RW_PREFLIGHT"] = "true"
			result := run(t, load)

			expectSummaryIn(t, receiver, result)
			for _, series := range query(t, receiver, `last_over_time({__name__!=""}[5m])`) {
				if !strings.HasPrefix(series.Name, "k6_") {
					t.Errorf("there is a series %s %v", series.Name, series.Labels)
				}
			}
			last := result.Log[len(result.Log)-1]
			if last.Fields["points"] != last.Fields["points_sent"] {
				t.Errorf("not all points are there: %s", last)
			}
		})
	}
}

func TestPreflightStopsARunWhoseMetricsWouldNotGetThrough(t *testing.T) {
	t.Parallel()
	nobody, release, err := harness.Refused()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	authority := newAuthority(t)
	certificate, key := clientFiles(t, authority)
	secured := startSecured(t, authority, "basic_auth_users:\n  k6: "+ofPassword+"\n", certificate, key)
	unknown := startTLSFake(t, newAuthority(t), time.Now().Add(time.Hour), tls.NoClientCert)
	for _, problem := range []struct {
		name    string
		url     string
		options map[string]any
		says    []string
	}{
		{
			name: "not enabled", url: startReceiver(t, harness.NotEnabled).WriteURL(),
			says: []string{"status 404", "remote write receiver needs to be enabled", "remote write is not enabled: Prometheus accepts it at"},
		},
		{
			name: "wrong path", url: startReceiver(t, harness.VictoriaMetrics).URL + "/api/v1/wrong",
			says: []string{"unsupported path requested", "this path does not accept remote write"},
		},
		{
			name: "nobody", url: "http://" + nobody + "/api/v1/write",
			says: []string{"Connection refused", "is the receiver running"},
		},
		{
			name: "wrong password", url: secured.WriteURL(),
			options: map[string]any{"caCertificate": authority.CAFile(), "username": "k6", "password": "wrong s3cret"},
			says:    []string{"status 401", "the request had a user name and a password"},
		},
		{
			name: "unknown issuer", url: unknown.URL(),
			says: []string{"UnknownIssuer", "`caCertificate` or SSL_CERT_FILE"},
		},
	} {
		t.Run(problem.name, func(t *testing.T) {
			t.Parallel()
			target := startTarget(t)
			load := loadFor(time.Second, target, problem.url)
			load.Options = map[string]any{"preflight": true}
			maps.Copy(load.Options, problem.options)
			result := finish(t, start(t, load), couldNotStart)

			for _, part := range append(problem.says, "preflight", strings.SplitAfter(problem.url, "://")[1]) {
				if !strings.Contains(strings.Join(messagesOf(result), "\n"), part) {
					t.Errorf("%q is not in:\n%s", part, result.LogText())
				}
			}
			if strings.Contains(result.Stdout+result.Stderr, "s3cret") {
				t.Errorf("the password is told:\n%s", result.Stderr)
			}
			if target.Requests() > 0 {
				t.Errorf("%d requests were made", target.Requests())
			}
		})
	}
}

func TestPreflightAsksAllAndTellsAllAtOnce(t *testing.T) {
	t.Parallel()
	taken, disabled := startReceiver(t, harness.Prometheus), startReceiver(t, harness.NotEnabled)
	load := shortLoad(t)
	load.Env["BLOCKS"] = asJSON(t, []map[string]any{
		{"provider": "prometheus", "remoteWriteURL": taken.WriteURL(), "preflight": true},
		{"provider": "prometheus", "remoteWriteURL": disabled.WriteURL(), "preflight": true},
		{"provider": "prometheus", "remoteWriteURL": taken.URL + "/api/v1/wrong", "preflight": true},
		{"provider": "prometheus", "remoteWriteURL": disabled.WriteURL()}, // not asked: nobody wants to know
	})
	result := finish(t, start(t, load), couldNotStart)

	text := strings.Join(messagesOf(result), "\n")
	if told := strings.Count(text, "\n\t- "); told != 2 || !strings.Contains(text, "\n\t- "+disabled.WriteURL()) ||
		!strings.Contains(text, "\n\t- "+taken.URL+"/api/v1/wrong") {
		t.Errorf("%d receivers are told of:\n%s", told, text)
	}
	if stored, err := taken.Query(`last_over_time({__name__!=""}[5m])`); err != nil || len(stored) > 0 {
		t.Errorf("%v is stored, %v", stored, err)
	}
}

func messagesOf(result *harness.Result) []string {
	return slices.Collect(func(yield func(string) bool) {
		for _, line := range result.Log {
			if !yield(line.Message) {
				return
			}
		}
	})
}
