package e2e

// `k6 x remote-write check`: what it finds at receivers that accept metrics and at those that do not, and how it looks.

import (
	"crypto/tls"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// check runs the command with these options and arguments.
func check(t *testing.T, command harness.Command) *harness.CommandResult {
	t.Helper()
	command.Args = append([]string{"check"}, command.Args...)
	result, err := harness.RunCommand(command)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestACheckOfAReceiverThatAcceptsMetrics(t *testing.T) {
	t.Parallel()
	for kind, found := range map[harness.Kind][]string{
		harness.Prometheus:      {"Remote Write 2.0", "native histograms accepted"},
		harness.PrometheusOf1:   {"Remote Write 1.0", "native histograms not rejected"},
		harness.Prometheus2:     {"Remote Write 1.0", "native histograms"},
		harness.VictoriaMetrics: {"Remote Write 1.0", "native histograms not rejected"},
		harness.Mimir:           {"Remote Write 2.0", "native histograms accepted"},
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			if _, err := harness.Binary("prometheus-2"); err != nil && kind == harness.Prometheus2 {
				t.Skip(err)
			}
			receiver := startReceiver(t, kind)
			result := check(t, harness.Command{Args: []string{receiver.WriteURL()}})

			if result.ExitCode != 0 || result.Stderr != "" {
				t.Errorf("exit code %d, %s", result.ExitCode, result.Stderr)
			}
			for _, part := range append(found, "✓ sample", "✓ clock", "· credentials  no credentials", "· proxy        none",
				"✓ address      127.0.0.1 is 127.0.0.1, port ", "· TLS          none", "k6 run --out remote-write="+receiver.WriteURL()) {
				if !strings.Contains(result.Stdout, part) {
					t.Errorf("%q is missing in:\n%s", part, result.Stdout)
				}
			}
			for _, series := range query(t, receiver, `last_over_time({__name__!=""}[5m])`) {
				if !strings.HasPrefix(series.Name, "k6_remote_write_check") {
					t.Errorf("unexpected series %s %v", series.Name, series.Labels)
				}
			}
			if stored := query(t, receiver, `last_over_time(k6_remote_write_check[5m])`); stored[0].Points[0].Value != 1 {
				t.Errorf("stored: %v", stored)
			}
			// VictoriaMetrics gets no stale markers.
			if open, err := receiver.Query(`k6_remote_write_check`); err != nil || len(open) > 0 && kind != harness.VictoriaMetrics {
				t.Errorf("the series did not end: %v, %v", open, err)
			}
		})
	}
}

// A problem is a receiver that does not accept metrics, and what the check says about it.
type problem struct {
	name    string
	url     string
	env     map[string]string
	options map[string]any
	parts   []string
}

// problems returns one problem of each kind. The secrets in it are "hunter2".
func problems(t *testing.T) []problem {
	t.Helper()
	refused, release, err := harness.Refused()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	authority := newAuthority(t)
	certificate, key := clientFiles(t, authority)
	secured := startSecured(t, authority, "basic_auth_users:\n  k6: "+ofPassword+"\n", certificate, key)
	tenants := startReceiverWith(t, harness.Mimir, "-auth.multitenancy-enabled=true")
	accepting := startReceiver(t, harness.Prometheus)
	untrusted := startTLSFake(t, newAuthority(t), time.Now().Add(time.Hour), tls.NoClientCert)
	page := startFake(t, harness.Fake{Hook: harness.Always(harness.WebPage)})
	return []problem{
		{
			name: "a wrong path", url: accepting.URL + "/api/v1/wrong",
			parts: []string{"✗ request", "status 404", "→ wrong path"},
		},
		{
			name: "remote write is not enabled", url: startReceiver(t, harness.NotEnabled).WriteURL(),
			parts: []string{"✗ request", "status 404", "--web.enable-remote-write-receiver"},
		},
		{
			name: "a wrong path of VictoriaMetrics", url: startReceiver(t, harness.VictoriaMetrics).URL + "/api/v1/wrong",
			parts: []string{"✗ request", "unsupported path requested", "accept it at /api/v1/write"},
		},
		{
			name: "a wrong port", url: "http://" + refused + "/api/v1/write",
			parts: []string{"✗ request", "Connection refused", "is the receiver running on this port?"},
		},
		{
			name: "wrong credentials", url: secured.WriteURL(),
			options: map[string]any{"caCertificate": authority.CAFile(), "username": "k6", "password": "hunter2"},
			parts: []string{
				"· credentials  a user name and a password", "✗ request", "status 401", "check the credentials",
				"password=*** from", "! TLS          1.3, certificate for",
			},
		},
		{
			name: "a token in place of a password", url: secured.WriteURL(),
			options: map[string]any{"caCertificate": authority.CAFile()},
			env:     map[string]string{"K6_PROMETHEUS_RW_BEARER_TOKEN": "hunter2"},
			parts:   []string{"· credentials  a bearer token", "✗ request", "status 401"},
		},
		{
			name: "an untrusted certificate", url: untrusted.URL(),
			parts: []string{"✗ request", "UnknownIssuer", "in the environment K6_PROMETHEUS_RW_CA_CERTIFICATE", "· TLS          certificate for", "issued by", "valid until"},
		},
		{
			name: "a web page", url: page.URL(),
			parts: []string{"✗ request", "status 200: web page", "a web page answered instead of a receiver"},
		},
		{
			name: "a proxy that is down", url: "http://receiver.example.com/api/v1/write",
			env:   map[string]string{"HTTP_PROXY": "http://me:hunter2@" + refused},
			parts: []string{"· proxy        http://" + refused + " of HTTP_PROXY", "✗ request", "Connection refused", "the proxy cannot be reached"},
		},
		{
			name: "no tenant", url: tenants.WriteURL(),
			parts: []string{"✗ request", "status 401: no org id", "X-Scope-OrgID"},
		},
		{
			name: "a host that does not exist", url: "http://receiver.invalid/api/v1/write",
			parts: []string{"✗ address", "unknown host name"},
		},
		{
			name: "an option that is not valid", url: "http://h/", options: map[string]any{"timeout": "soon"},
			parts: []string{"✗ options      invalid timeout \"soon\" in", "must be a duration"},
		},
	}
}

func TestACheckOfAReceiverThatRejectsMetrics(t *testing.T) {
	t.Parallel()
	for _, problem := range problems(t) {
		t.Run(problem.name, func(t *testing.T) {
			t.Parallel()
			command := harness.Command{Args: []string{problem.url}, Env: problem.env, Options: problem.options}
			result := check(t, command)

			all := result.Stdout + result.Stderr
			if result.ExitCode != 1 {
				t.Errorf("exit code %d", result.ExitCode)
			}
			for _, part := range problem.parts {
				// Lines are broken between words.
				if !strings.Contains(all, part) && !strings.Contains(strings.Join(strings.Fields(all), " "), part) {
					t.Errorf("%q is missing in:\n%s", part, all)
				}
			}
			command.Args = append(command.Args, "--json")
			asJSON := check(t, command)
			var document struct {
				OK *bool
			}
			if err := json.Unmarshal([]byte(asJSON.Stdout), &document); err != nil || document.OK == nil || *document.OK {
				t.Errorf("%v: %s", err, asJSON.Stdout)
			}
			if asJSON.ExitCode != 1 {
				t.Errorf("exit code with --json: %d", asJSON.ExitCode)
			}
			if all += asJSON.Stdout + asJSON.Stderr; strings.Contains(all, "hunter2") {
				t.Errorf("a secret is shown:\n%s", all)
			}
		})
	}
}

func TestACheckWithATenantAndCredentials(t *testing.T) {
	t.Parallel()
	tenants := startReceiverWith(t, harness.Mimir, "-auth.multitenancy-enabled=true")
	env := map[string]string{"K6_PROMETHEUS_RW_HTTP_HEADERS": "X-Scope-OrgID:team", "K6_PROMETHEUS_RW_SERVER_URL": tenants.WriteURL()}
	result := check(t, harness.Command{Env: env})
	if result.ExitCode != 0 || !strings.Contains(result.Stdout, "k6 run --out remote-write script.js") {
		t.Errorf("exit code %d:\n%s%s", result.ExitCode, result.Stdout, result.Stderr)
	}

	authority := newAuthority(t)
	certificate, key := clientFiles(t, authority)
	secured := startSecured(t, authority, "basic_auth_users:\n  k6: "+ofPassword+"\n", certificate, key)
	options := map[string]any{"url": secured.WriteURL(), "caCertificate": authority.CAFile(), "username": "k6", "password": thePassword}
	result = check(t, harness.Command{Options: options})
	if result.ExitCode != 0 || !strings.Contains(result.Stdout, "! TLS          1.3, certificate for") || strings.Contains(result.Stdout, thePassword) {
		t.Errorf("exit code %d:\n%s%s", result.ExitCode, result.Stdout, result.Stderr)
	}
}

// The escape sequences of colors, and the one that k6 adds to each line.
var escapes = regexp.MustCompile("\x1b\\[[0-9;]*[mK]")

func TestACheckOnATerminalHasColorsAndFits80Columns(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("script"); err != nil {
		t.Skip(err)
	}
	for _, problem := range append(problems(t), problem{name: "none", url: startReceiver(t, harness.Prometheus).WriteURL()}) {
		for _, color := range []bool{true, false} {
			env := maps.Clone(problem.env)
			if env == nil {
				env = map[string]string{}
			}
			if !color {
				env["NO_COLOR"] = ""
			}
			result := check(t, harness.Command{Args: []string{problem.url}, Env: env, Options: problem.options, Terminal: 80})
			// The last line is of k6's log.
			text := strings.TrimRight(result.Stdout, "\r\n")
			text, log := text[:strings.LastIndex(text, "\n")+1], text[strings.LastIndex(text, "\n")+1:]
			if os.Getenv("SHOW") != "" {
				t.Logf("%s\n%s", problem.name, result.Stdout)
			}
			if hasColor := strings.Contains(text, "\x1b[3"); hasColor != color {
				t.Errorf("%s: colors: %v, expected %v:\n%s", problem.name, hasColor, color, result.Stdout)
			}
			for line := range strings.Lines(escapes.ReplaceAllString(text, "")) {
				line = strings.TrimRight(line, "\r\n")
				// A path or URL that needs a line of its own is not broken.
				longest := slices.MaxFunc(append(strings.Fields(line), ""), func(a, b string) int { return len(a) - len(b) })
				if utf8.RuneCountInString(line) > 80 && len(longest) < 50 {
					t.Errorf("%s: longer than 80 columns: %q", problem.name, line)
				}
			}
			if !color && strings.Contains(log, "\x1b[3") {
				t.Errorf("%s: the log has colors", problem.name)
			}
		}
	}
}

// A check must not wait longer than an attempt of a run.
func TestACheckOfASilentReceiverEndsAtTheTimeout(t *testing.T) {
	t.Parallel()
	silent := startFake(t, harness.Fake{Hook: harness.Always(harness.Hang)})
	begin := time.Now()
	result := check(t, harness.Command{Args: []string{silent.URL()}, Options: map[string]any{"timeout": "1s"}})
	if took := time.Since(begin); result.ExitCode != 1 || !strings.Contains(result.Stdout, "no response within the timeout") || took > 20*time.Second {
		t.Errorf("exit code %d after %s:\n%s", result.ExitCode, took, result.Stdout)
	}
}

func TestACheckEndsAtCtrlC(t *testing.T) {
	t.Parallel()
	silent := startFake(t, harness.Fake{Hook: harness.Always(harness.Hang)})
	command, err := harness.StartCommand(harness.Command{Args: []string{"check", silent.URL()}})
	if err != nil {
		t.Fatal(err)
	}
	await(t, "the request", func() bool { return len(silent.Requests()) > 0 })
	command.Interrupt()
	result, err := command.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if result.ExitCode != 1 || !strings.Contains(result.Stderr, "check interrupted") {
		t.Errorf("exit code %d: %s", result.ExitCode, result.Stderr)
	}
}

func TestACheckFindsWhatOnlySamplesShow(t *testing.T) {
	t.Parallel()
	for _, rejection := range []struct {
		name, marked string
		options      map[string]any
		exitCode     int
		part         string
	}{
		{"samples", "k6_remote_write_check", nil, 1, "✗ sample       status 400"},
		{"histograms", "k6_remote_write_check_histogram", nil, 0, "· histograms   native histograms rejected, which these options do not send"},
		{"histograms that are sent", "k6_remote_write_check_histogram", map[string]any{"trendAs": "native"}, 1, "✗ histograms   status 400"},
	} {
		t.Run(rejection.name, func(t *testing.T) {
			t.Parallel()
			receiver := startFake(t, harness.Fake{Hook: harness.Always(harness.RejectMarked), Marked: rejection.marked})
			result := check(t, harness.Command{Args: []string{receiver.URL()}, Options: rejection.options})
			if text := strings.Join(strings.Fields(result.Stdout), " "); result.ExitCode != rejection.exitCode ||
				!strings.Contains(text, strings.Join(strings.Fields(rejection.part), " ")) {
				t.Errorf("exit code %d:\n%s", result.ExitCode, result.Stdout)
			}
		})
	}
}
