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
		{harness.VMAgent, "vmagent", false},
		{harness.Mimir, "Mimir", true},
		{harness.Cortex, "Cortex", true},
		{harness.Thanos, "Thanos", false},
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
					if name == "HTTP_HEADERS" {
						_, receiver.Tenant, _ = strings.Cut(value, ":")
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
	program, _, _ := strings.Cut(string(kind), "-2")
	var flags []string
	for _, block := range section {
		for _, command := range block.commands() {
			if written, rest, _ := strings.Cut(command, " "); written == program {
				flags = strings.Fields(strings.ReplaceAll(rest, "'", ""))
			}
		}
	}
	switch kind {
	case harness.Mimir: // the page has no flags that it needs: it has tenants by default
		return startReceiverWith(t, kind, "-auth.multitenancy-enabled=true")
	case harness.Cortex:
		return startReceiverWith(t, kind, append(flags, "-auth.enabled=true")...)
	}
	receiver, err := harness.StartReceiverAs(kind, func(r *harness.Receiver, address string) []string {
		for _, block := range section {
			if block.language == "yaml" {
				if err := os.WriteFile(filepath.Join(r.Dir, "prometheus.yml"), []byte(block.text), 0o600); err != nil {
					t.Error(err)
				}
			}
		}
		arguments := slices.Clone(flags)
		for i, argument := range arguments {
			flag, value, is := strings.Cut(argument, "=")
			switch {
			case is && (value == "prometheus.yml" || strings.HasSuffix(value, "-data")):
				value = filepath.Join(r.Dir, value)
			case strings.HasPrefix(value, "http://localhost"):
				value = strings.Replace(value, "localhost:8428", r.Address("store"), 1)
			default:
				continue
			}
			arguments[i] = flag + "=" + value
		}
		switch kind {
		case harness.VictoriaMetrics, harness.VMAgent:
			return append(arguments, "-httpListenAddr="+address)
		case harness.Thanos:
			return append(arguments, "--remote-write.address="+r.Address("main"), "--grpc-address="+r.Address("grpc"),
				"--http-address="+r.Address("http"), "--receive.capnproto-address="+r.Address("capnproto"))
		default:
			return append(arguments, "--storage.tsdb.path="+filepath.Join(r.Dir, "data"), "--web.listen-address="+address)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(receiver.Stop)
	return receiver
}
