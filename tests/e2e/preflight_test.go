package e2e

// The preflight request: it does not store anything, and if a receiver rejects it, k6 does not start and logs how to fix it.

import (
	"crypto/tls"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// couldNotStart is k6's exit code if an output cannot be created or started.
const couldNotStart = 255

func TestPreflightStoresNothing(t *testing.T) {
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
					t.Errorf("unexpected series %s %v", series.Name, series.Labels)
				}
			}
			last := result.Log[len(result.Log)-1]
			if last.Fields["points"] != last.Fields["points_sent"] {
				t.Errorf("some points are missing: %s", last)
			}
		})
	}
}

func TestAFailedPreflightStopsTheRun(t *testing.T) {
	t.Parallel()
	refused, release, err := harness.Refused()
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
		parts   []string
	}{
		{
			name: "not enabled", url: startReceiver(t, harness.NotEnabled).WriteURL(),
			parts: []string{"status 404", "remote write receiver needs to be enabled", "--web.enable-remote-write-receiver"},
		},
		{
			name: "wrong path", url: startReceiver(t, harness.VictoriaMetrics).URL + "/api/v1/wrong",
			parts: []string{"unsupported path requested", "this path does not accept remote write"},
		},
		{
			name: "connection refused", url: "http://" + refused + "/api/v1/write",
			parts: []string{"Connection refused", "is the receiver running"},
		},
		{
			name: "wrong password", url: secured.WriteURL(),
			options: map[string]any{"caCertificate": authority.CAFile(), "username": "k6", "password": "wrong s3cret"},
			parts:   []string{"status 401", "the request had a user name and a password"},
		},
		{
			name: "unknown issuer", url: unknown.URL(),
			parts: []string{"UnknownIssuer", "`caCertificate` (or, on Linux, SSL_CERT_FILE)"},
		},
	} {
		t.Run(problem.name, func(t *testing.T) {
			t.Parallel()
			target := startTarget(t)
			load := loadFor(time.Second, target, problem.url)
			load.Options = map[string]any{"preflight": true}
			maps.Copy(load.Options, problem.options)
			result := finish(t, start(t, load), couldNotStart)

			for _, part := range append(problem.parts, "preflight", strings.SplitAfter(problem.url, "://")[1]) {
				if !strings.Contains(strings.Join(messagesOf(result), "\n"), part) {
					t.Errorf("%q is missing in:\n%s", part, result.LogText())
				}
			}
			if strings.Contains(result.Stdout+result.Stderr, "s3cret") {
				t.Errorf("the log contains the password:\n%s", result.Stderr)
			}
			if target.Requests() > 0 {
				t.Errorf("the target received %d requests", target.Requests())
			}
		})
	}
}

func TestPreflightReportsAllFailuresTogether(t *testing.T) {
	t.Parallel()
	accepting, disabled := startReceiver(t, harness.Prometheus), startReceiver(t, harness.NotEnabled)
	load := shortLoad(t)
	load.Env["BLOCKS"] = asJSON(t, []map[string]any{
		{"provider": "prometheus", "remoteWriteURL": accepting.WriteURL(), "preflight": true},
		{"provider": "prometheus", "remoteWriteURL": disabled.WriteURL(), "preflight": true},
		{"provider": "prometheus", "remoteWriteURL": accepting.URL + "/api/v1/wrong", "preflight": true},
		{"provider": "prometheus", "remoteWriteURL": disabled.WriteURL()}, // no preflight request: the option is not set
	})
	result := finish(t, start(t, load), couldNotStart)

	text := strings.Join(messagesOf(result), "\n")
	if reported := strings.Count(text, "\n\t- "); reported != 2 || !strings.Contains(text, "\n\t- "+disabled.WriteURL()) ||
		!strings.Contains(text, "\n\t- "+accepting.URL+"/api/v1/wrong") {
		t.Errorf("%d receivers are reported:\n%s", reported, text)
	}
	if stored, err := accepting.Query(`last_over_time({__name__!=""}[5m])`); err != nil || len(stored) > 0 {
		t.Errorf("stored: %v, %v", stored, err)
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
