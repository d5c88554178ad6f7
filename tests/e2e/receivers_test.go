package e2e

// Receivers of docs/receivers.md that can run here: started and written to as the page says.

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

const receiversPage = "docs/receivers.md"

func TestReceiversStartedAsOnThePage(t *testing.T) {
	t.Parallel()
	for _, tried := range []struct {
		kind     harness.Kind
		heading  string
		knowsTwo bool // accepts Remote Write 2.0
	}{
		{harness.Prometheus, "Prometheus", true},
		{harness.Prometheus2, "Prometheus", false},
		{harness.VictoriaMetrics, "VictoriaMetrics", false},
		{harness.Mimir, "Mimir", true},
	} {
		t.Run(string(tried.kind), func(t *testing.T) {
			t.Parallel()
			if _, err := harness.Binary(string(tried.kind)); err != nil && tried.kind == harness.Prometheus2 {
				t.Skip(err)
			}
			section := slices.DeleteFunc(blocksIn(t, receiversPage), func(b block) bool { return b.heading != tried.heading })
			receiver := startAsWritten(t, tried.kind, section)
			load := shortLoad(t)
			for _, block := range section {
				for name, value := range block.variables() {
					if strings.HasSuffix(name, "_FILE") {
						value = file(t, "s3cret\n")
					}
					if header, tenant, _ := strings.Cut(value, ":"); header == "X-Scope-OrgID" {
						receiver.Tenant = tenant
					}
					load.Env["K6_PROMETHEUS_RW_"+name] = value
				}
			}
			written := addressOf(t, map[string]string{"SERVER_URL": load.Env["K6_PROMETHEUS_RW_SERVER_URL"]})
			load.Env["K6_PROMETHEUS_RW_SERVER_URL"] = receiver.URL + written.Path
			load.Args = []string{"--verbose"}
			result := run(t, load)

			expectSummaryIn(t, receiver, result)
			fellBack := slices.ContainsFunc(linesOf(result, "debug"), func(line harness.LogLine) bool {
				return line.Message == "Receiver does not support this protocol version, trying the other"
			})
			if fellBack == tried.knowsTwo {
				t.Errorf("fallback to 1.0: %t", fellBack)
			}
		})
	}
}

// startAsWritten starts a receiver with the flags and the configuration file of its section, in a separate directory.
func startAsWritten(t *testing.T, kind harness.Kind, section []block) *harness.Receiver {
	t.Helper()
	if kind == harness.Mimir { // the page has no flags that it needs: it has tenants by default
		return startReceiverWith(t, kind, "-auth.multitenancy-enabled=true")
	}
	receiver, err := harness.StartReceiverAs(kind, func(directory, address string) []string {
		var arguments []string
		for _, block := range section {
			if block.language == "yaml" {
				if err := os.WriteFile(filepath.Join(directory, "prometheus.yml"), []byte(block.text), 0o600); err != nil {
					t.Error(err)
				}
			}
			for _, command := range block.commands() {
				if program, flags, _ := strings.Cut(command, " "); program == "prometheus" || program == "victoria-metrics" {
					arguments = strings.Fields(flags)
				}
			}
		}
		for i, argument := range arguments {
			if flag, path, is := strings.Cut(argument, "="); is && (path == "prometheus.yml" || strings.HasSuffix(path, "-data")) {
				arguments[i] = flag + "=" + filepath.Join(directory, path)
			}
		}
		if kind == harness.VictoriaMetrics {
			return append(arguments, "-httpListenAddr="+address)
		}
		return append(arguments, "--storage.tsdb.path="+filepath.Join(directory, "data"), "--web.listen-address="+address)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(receiver.Stop)
	return receiver
}
