package e2e

// An invalid configuration stops k6 before the test, with a message about how to fix it.

import (
	"strings"
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

func TestAnInvalidConfigurationStopsTheRunBeforeItStarts(t *testing.T) {
	t.Parallel()
	const aURL = "http or https URL with a host"
	for _, mistake := range []struct {
		name     string
		argument string // of --out, after the output's name
		env      map[string]string
		options  map[string]any
		parts    []string // option, source, allowed values
	}{
		{
			name:     "a URL that does not parse",
			argument: "=http://[::1/api",
			parts:    []string{"url", "--out", aURL},
		},
		{
			name:     "a URL that is not http",
			argument: "=ftp://127.0.0.1/api/v1/write",
			parts:    []string{"url", "--out", aURL},
		},
		{
			name:     "a URL without a host",
			argument: "=http:///api/v1/write",
			parts:    []string{"url", "--out", aURL},
		},
		{
			name:  "a wrong URL in the environment",
			env:   map[string]string{"K6_PROMETHEUS_RW_SERVER_URL": "127.0.0.1:9090"},
			parts: []string{"url", "K6_PROMETHEUS_RW_SERVER_URL", aURL},
		},
		{
			name:  "a URL in the quotes of a compose file",
			env:   map[string]string{"K6_PROMETHEUS_RW_SERVER_URL": `"http://127.0.0.1:9090/api/v1/write"`},
			parts: []string{"url", "K6_PROMETHEUS_RW_SERVER_URL", "the value is in quotes: remove them"},
		},
		{
			name:    "an unknown option",
			options: map[string]any{"pushIntervall": "1s"},
			parts:   []string{"pushIntervall", "JSON", "did you mean pushInterval?"},
		},
		{
			name:  "a push interval that is not a duration",
			env:   map[string]string{"K6_PROMETHEUS_RW_PUSH_INTERVAL": "often"},
			parts: []string{"pushInterval", "K6_PROMETHEUS_RW_PUSH_INTERVAL", "at least 100ms"},
		},
		{
			name:    "a push interval that is too short",
			options: map[string]any{"pushInterval": "10ms"},
			parts:   []string{"pushInterval", "JSON", "at least 100ms"},
		},
		{
			name:    "several at once",
			env:     map[string]string{"K6_PROMETHEUS_RW_STALE_MARKERS": "perhaps"},
			options: map[string]any{"resampleRate": 11},
			parts:   []string{"staleMarkers", "true or false", "resampleRate", "from 1 to 10"},
		},
	} {
		t.Run(mistake.name, func(t *testing.T) {
			t.Parallel()
			target := startTarget(t)
			load := harness.Run{
				Script:  shop,
				Out:     []string{"remote-write" + mistake.argument},
				Env:     map[string]string{"TARGET_URL": target.URL(), "DURATION": "1s"},
				Options: mistake.options,
			}
			for name, value := range mistake.env {
				load.Env[name] = value
			}
			result := finish(t, start(t, load), invalidConfiguration)

			if lines := linesOf(result, "error"); len(lines) != 1 {
				t.Fatalf("expected one error, got %d:\n%s", len(lines), result.LogText())
			} else {
				for _, part := range mistake.parts {
					if !strings.Contains(lines[0].Message, part) {
						t.Errorf("%q is missing in: %s", part, lines[0].Message)
					}
				}
			}
			if served := target.Requests(); served != 0 {
				t.Errorf("the target received %d requests", served)
			}
		})
	}
}

// Each destination has one line with the options that are set and where each was written, without secrets.
func TestTheDebugLogHasTheOptionsThatAreSet(t *testing.T) {
	t.Parallel()
	receiver := startFake(t, harness.Fake{})
	load := loadFor(time.Second, startTarget(t), receiver.URL())
	load.Args = []string{"--verbose"}
	load.Env["K6_PROMETHEUS_RW_TIMEOUT"] = "7s"
	load.Env["K6_PROMETHEUS_RW_BEARER_TOKEN"] = hiddenText
	load.Env["K6_PROMETHEUS_RW_HEADERS_X-Scope-OrgID"] = hiddenOther
	load.Options = map[string]any{"trendStats": []string{"avg", "p(99)"}, "timeout": "6s"}
	result := run(t, load)

	var lines []harness.LogLine
	for _, line := range linesOf(result, "debug") {
		if strings.HasPrefix(line.Message, "Options that are set") {
			lines = append(lines, line)
		}
	}
	if len(lines) != 1 {
		t.Fatalf("expected one line, got %d:\n%s", len(lines), result.LogText())
	}
	for field, expected := range map[string]string{
		"url":         receiver.URL(),
		"url_source":  "the argument of --out",
		"timeout":     "7s from K6_PROMETHEUS_RW_TIMEOUT (environment)",
		"bearerToken": "*** from K6_PROMETHEUS_RW_BEARER_TOKEN (environment)",
		"headers":     "X-Scope-OrgID from K6_PROMETHEUS_RW_HEADERS_X-Scope-OrgID (environment)",
		"trendStats":  `["avg","p(99)"] from collectors."remote-write".trendStats (JSON)`,
	} {
		if lines[0].Fields[field] != expected {
			t.Errorf("%s is %v, not %s", field, lines[0].Fields[field], expected)
		}
	}
	expectNothingHidden(t, "stderr", result.Stderr)
}
