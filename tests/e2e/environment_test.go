package e2e

// Where the variables of this output come from: the system, `k6 run -e`, `k6 archive -e`; and those of older outputs.

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

const (
	oneCounter        = "tests/e2e/scripts/one_counter.js"
	serverURL         = "K6_PROMETHEUS_RW_SERVER_URL"
	withoutSystemVars = "--include-system-env-vars=false"
)

func TestVariablesOfTheCommandLineAndOfAnArchiveAreRead(t *testing.T) {
	t.Parallel()
	for _, source := range []struct {
		name     string
		archived bool     // the archive has a URL
		system   bool     // so has the system
		option   bool     // so has -e
		args     []string // other arguments
		expected string   // the one that is used
	}{
		{name: "an option", option: true, expected: "option"},
		{name: "an option without the system's", option: true, args: []string{withoutSystemVars}, expected: "option"},
		{name: "an option over the system's", option: true, system: true, expected: "option"},
		{name: "an option over the system's, which are not included", option: true, system: true, args: []string{withoutSystemVars}, expected: "option"},
		{name: "the system's, which are not included", system: true, args: []string{withoutSystemVars}, expected: "system"},
		{name: "an archive", archived: true, expected: "archive"},
		{name: "an archive without the system's", archived: true, args: []string{withoutSystemVars}, expected: "archive"},
		{name: "the system's over an archive's", archived: true, system: true, expected: "system"},
		{name: "the system's over an archive's, not included", archived: true, system: true, args: []string{withoutSystemVars}, expected: "system"},
		{name: "an option over an archive's and the system's", archived: true, system: true, option: true, expected: "option"},
	} {
		t.Run(source.name, func(t *testing.T) {
			t.Parallel()
			receivers := make(map[string]*harness.FakeReceiver)
			urlOf := func(origin string) string {
				receivers[origin] = startFake(t, harness.Fake{})
				return receivers[origin].URL()
			}
			load := harness.Run{Script: oneCounter, Out: []string{"remote-write"}, Env: map[string]string{}, Args: source.args}
			if source.archived {
				load.Script = filepath.Join(t.TempDir(), "archive.tar")
				k6Command(t, map[string]string{serverURL: urlOf("archive")}, "archive", "--archive-out", load.Script, oneCounter)
			}
			if source.system {
				load.Env[serverURL] = urlOf("system")
			}
			if source.option {
				load.Args = append(load.Args, "-e", serverURL+"="+urlOf("option"))
			}
			result := run(t, load)
			for origin, receiver := range receivers {
				if received := len(receiver.Requests()) > 0; received != (origin == source.expected) {
					t.Errorf("the URL of the %s received requests: %v\n%s", origin, received, result.LogText())
				}
			}
		})
	}
}

func TestVariablesOfAnOlderOutputStopTheRunOrAreAWarning(t *testing.T) {
	t.Parallel()
	receiver := startFake(t, harness.Fake{})
	load := harness.Run{Script: oneCounter, Out: []string{"remote-write"}, Env: map[string]string{
		"K6_PROMETHEUS_REMOTE_URL": receiver.URL(), "K6_PROMETHEUS_USER": "me", "K6_PROMETHEUS_PASSWORD": "hunter2",
		"K6_CA_CERT_FILE": "ca.pem", "K6_PROMETHEUS_FLUSH_PERIOD": "1s", "K6_KEEP_URL_TAG": "true",
	}}
	stopped := finish(t, start(t, load), invalidConfiguration).LogText()
	load.Out = []string{"remote-write=" + receiver.URL()}
	warned := run(t, load).LogText()
	for _, log := range []string{stopped, warned} {
		for _, today := range []string{"SERVER_URL", "USERNAME", "PASSWORD", "CA_CERTIFICATE", "PUSH_INTERVAL", "DROP_TAGS"} {
			if !strings.Contains(log, "set K6_PROMETHEUS_RW_"+today) {
				t.Errorf("%s is missing in:\n%s", today, log)
			}
		}
		if strings.Contains(log, "hunter2") {
			t.Errorf("the log contains a secret:\n%s", log)
		}
	}
}
