package e2e

// Commands as k6's documentation, k6-operator's and public articles have them, with `-o remote-write` in place of their output:
// each sends its numbers to a real receiver.

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// publishedCommand is a command line, of which the test replaces the receiver's URL and the script.
type publishedCommand struct {
	name    string
	command string         // VARIABLE=value … k6 run …, without the quotes of a shell
	file    map[string]any // options in the file of --config
	header  string         // a header that the receiver requires
	value   string         // its value
	kind    harness.Kind   // Prometheus if empty
	series  []string       // selectors of series that come of it
	absent  []string       // and of some that do not
	warning string         // part of the only warning, if there is one
}

// receiverURLs are the URLs in these commands.
var receiverURLs = []string{
	"http://localhost:9090/api/v1/write",
	"http://prometheus:9090/api/v1/write",
	"http://kube-prometheus-stack-prometheus.monitoring.svc.cluster.local:9090/api/v1/write",
	"http://mimir:9009/api/v1/push",
	"https://prometheus-prod-13-prod-us-east-0.grafana.net/api/prom/push",
}

func basic(username, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(username+":"+password))
}

var publishedCommands = []publishedCommand{
	// k6's documentation, "Prometheus remote write".
	{
		name:    "trend stats",
		command: "K6_PROMETHEUS_RW_SERVER_URL=http://localhost:9090/api/v1/write k6 run -o remote-write script.js",
		series:  []string{"k6_http_req_duration_p99"},
	},
	{
		name: "basic authentication",
		command: "K6_PROMETHEUS_RW_SERVER_URL=http://localhost:9090/api/v1/write K6_PROMETHEUS_RW_USERNAME=USERNAME " +
			"K6_PROMETHEUS_RW_PASSWORD=PASSWORD k6 run -o remote-write script.js",
		header: "Authorization", value: basic("USERNAME", "PASSWORD"),
	},
	{
		name: "chosen trend stats",
		command: "K6_PROMETHEUS_RW_SERVER_URL=http://localhost:9090/api/v1/write K6_PROMETHEUS_RW_TREND_STATS=p(95),p(99),min,max " +
			"k6 run -o remote-write --tag testid=<SET-HERE-A-UNIQUE-ID> script.js",
		series: []string{`k6_http_req_duration_p95{testid="<SET-HERE-A-UNIQUE-ID>"}`, "k6_http_req_duration_min"},
		absent: []string{"k6_http_req_duration_avg"},
	},
	{
		name: "native histograms",
		command: "K6_PROMETHEUS_RW_SERVER_URL=http://localhost:9090/api/v1/write K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM=true " +
			"k6 run -o remote-write script.js",
		series: []string{"k6_http_req_duration_seconds"}, absent: []string{"k6_http_req_duration_p99"},
	},
	{
		name: "native histograms with basic authentication",
		command: "K6_PROMETHEUS_RW_SERVER_URL=http://localhost:9090/api/v1/write K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM=true " +
			"K6_PROMETHEUS_RW_USERNAME=USERNAME K6_PROMETHEUS_RW_PASSWORD=PASSWORD k6 run -o remote-write script.js",
		header: "Authorization", value: basic("USERNAME", "PASSWORD"), series: []string{"k6_http_req_duration_seconds"},
	},
	{
		name: "labels",
		command: "K6_PROMETHEUS_RW_SERVER_URL=http://localhost:9090/api/v1/write " +
			"K6_PROMETHEUS_RW_LABELS=environment=production,server=srv1 k6 run -o remote-write script.js",
		series: []string{`k6_http_reqs_total{environment="production",server="srv1"}`},
	},
	{
		name:    "labels in a file",
		command: "K6_PROMETHEUS_RW_SERVER_URL=http://localhost:9090/api/v1/write k6 run -o remote-write script.js",
		file:    map[string]any{"labels": map[string]any{"environment": "production", "server": "srv1"}},
		series:  []string{`k6_http_reqs_total{environment="production",server="srv1"}`},
	},
	{
		name: "a header, minimum TLS version and stale markers",
		command: "K6_PROMETHEUS_RW_SERVER_URL=http://localhost:9090/api/v1/write " +
			"K6_PROMETHEUS_RW_HEADERS_CUSTOM-HEADER-KEY=custom-header-value K6_PROMETHEUS_RW_TLS_MINIMUM_VERSION=1.2 " +
			"K6_PROMETHEUS_RW_STALE_MARKERS=true K6_PROMETHEUS_RW_INSECURE_SKIP_TLS_VERIFY=false K6_PROMETHEUS_RW_PUSH_INTERVAL=5s " +
			"k6 run -o remote-write script.js",
		header: "Custom-Header-Key", value: "custom-header-value",
	},
	// k6's documentation, "Grafana Cloud Prometheus".
	{
		name: "Grafana Cloud",
		command: "K6_PROMETHEUS_RW_USERNAME=1212056 K6_PROMETHEUS_RW_PASSWORD=glc_token " +
			"K6_PROMETHEUS_RW_SERVER_URL=https://prometheus-prod-13-prod-us-east-0.grafana.net/api/prom/push " +
			"k6 run -o remote-write script.js",
		header: "Authorization", value: basic("1212056", "glc_token"),
	},
	// The compose file of the extension before k6's own output.
	{
		name: "compose",
		command: "K6_PROMETHEUS_RW_SERVER_URL=http://prometheus:9090/api/v1/write K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM=true " +
			"K6_OUT=remote-write k6 run script.js",
		series: []string{"k6_http_req_duration_seconds"},
	},
	// Articles about tenants of Mimir, in the spellings that they have.
	{
		name: "a tenant by its variable",
		command: "K6_PROMETHEUS_RW_SERVER_URL=http://mimir:9009/api/v1/push K6_PROMETHEUS_RW_HEADERS_X-Scope-OrgID=demo " +
			"k6 run -o remote-write script.js",
		header: "X-Scope-OrgID", value: "demo", kind: harness.Mimir,
	},
	{
		name: "a tenant by the variable that a shell exports",
		command: "K6_PROMETHEUS_RW_SERVER_URL=http://mimir:9009/api/v1/push K6_PROMETHEUS_RW_HEADERS_X_SCOPE_ORGID=demo " +
			"k6 run -o remote-write script.js",
		header: "X-Scope-OrgID", value: "demo", kind: harness.Mimir,
	},
	{
		name: "a tenant in the list of headers",
		command: "K6_PROMETHEUS_RW_SERVER_URL=http://mimir:9009/api/v1/push K6_PROMETHEUS_RW_HTTP_HEADERS=X-Scope-OrgID:demo " +
			"k6 run -o remote-write script.js",
		header: "X-Scope-OrgID", value: "demo", kind: harness.Mimir,
	},
	// Articles and repositories.
	{
		name: "flags behind the script",
		command: "K6_PROMETHEUS_RW_SERVER_URL=http://localhost:9090/api/v1/write K6_PROMETHEUS_RW_TREND_STATS=min,max,p(95),p(99) " +
			"k6 run script.js --tag testid=202511251200 -o remote-write -o csv=/dev/null",
		series: []string{`k6_http_req_duration_p99{testid="202511251200"}`},
	},
	{
		name:    "the URL behind --out",
		command: "k6 run --out remote-write=http://localhost:9090/api/v1/write script.js",
		series:  []string{"k6_http_req_duration_p99"},
	},
	{
		name:    "options behind --out, as k6's other outputs have them",
		command: "k6 run --out remote-write=url=http://localhost:9090/api/v1/write,username=foo,password=bar script.js",
		header:  "Authorization", value: basic("foo", "bar"),
	},
	{
		name: "variables by -e",
		command: "k6 run -e K6_PROMETHEUS_RW_SERVER_URL=http://localhost:9090/api/v1/write -e K6_PROMETHEUS_RW_TREND_STATS=p(95) " +
			"-o remote-write script.js",
		series: []string{"k6_http_req_duration_p95"}, absent: []string{"k6_http_req_duration_p99"},
	},
	{
		name: "both forms of trends are set",
		command: "K6_PROMETHEUS_RW_SERVER_URL=http://prometheus:9090/api/v1/write K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM=true " +
			"K6_PROMETHEUS_RW_TREND_STATS=p(95),p(99),min,max k6 run -o remote-write script.js",
		series: []string{"k6_http_req_duration_seconds"}, warning: "trends have no statistics",
	},
}

func TestPublishedCommandsSendToARealReceiver(t *testing.T) {
	t.Parallel()
	for _, published := range publishedCommands {
		t.Run(published.name, func(t *testing.T) {
			t.Parallel()
			receiver := startReceiver(t, cmp.Or(published.kind, harness.Prometheus))
			writeURL := receiver.WriteURL()
			if published.header != "" {
				writeURL = startFake(t, harness.Fake{Upstream: writeURL, Hook: requireHeader(published.header, published.value)}).URL()
			}
			result := run(t, published.load(startTarget(t).URL(), writeURL))
			published.expect(t, receiver, result)
		})
	}
}

// requireHeader returns the hook that passes requests with exactly this header.
func requireHeader(name, value string) harness.Hook {
	return func(r *http.Request) harness.Fault {
		if r.Header.Get(name) != value {
			return harness.Unauthorized
		}
		return harness.Pass
	}
}

// load returns the run of the command.
func (p *publishedCommand) load(target, writeURL string) harness.Run {
	command := p.command
	for _, published := range receiverURLs {
		command = strings.ReplaceAll(command, published, writeURL)
	}
	variables, arguments, _ := strings.Cut(" "+command, " k6 run ")
	load := harness.Run{
		Script:  shop,
		Options: p.file,
		Env:     map[string]string{"TARGET_URL": target, "DURATION": "1s", "RATE": "20"},
	}
	for _, variable := range strings.Fields(variables) {
		name, value, _ := strings.Cut(variable, "=")
		load.Env[name] = value
	}
	for _, argument := range strings.Fields(arguments) {
		if argument != "script.js" {
			load.Args = append(load.Args, argument)
		}
	}
	return load
}

func (p *publishedCommand) expect(t *testing.T, receiver *harness.Receiver, result *harness.Result) {
	t.Helper()
	sent, _, err := receiver.Number("sum(last_over_time(k6_http_reqs_total[5m]))")
	if err != nil || sent == 0 || sent != result.Summary["http_reqs"]["count"] {
		t.Errorf("the receiver has %v of %v requests: %v", sent, result.Summary["http_reqs"]["count"], err)
	}
	for _, series := range p.series {
		query(t, receiver, "last_over_time("+series+"[5m])")
	}
	for _, series := range p.absent {
		if found, err := receiver.Query("last_over_time(" + series + "[5m])"); err != nil || len(found) > 0 {
			t.Errorf("%s: %d series, %v", series, len(found), err)
		}
	}
	for _, line := range linesOf(result, "warning") {
		if line.Fields["output"] == "remote-write" && (p.warning == "" || !strings.Contains(line.Message, p.warning)) {
			t.Errorf("an unexpected warning: %s", line)
		}
	}
	if p.warning != "" && !strings.Contains(result.LogText(), p.warning) {
		t.Errorf("%q is missing in:\n%s", p.warning, result.LogText())
	}
}

// The resource of k6-operator's documentation, with arguments as published ones have them.
func TestThePublishedArgumentsOfATestRunAreThoseOfThisOutput(t *testing.T) {
	t.Parallel()
	receiver, target := startReceiver(t, harness.Prometheus), startTarget(t)
	var testRun harness.TestRun
	testRun.Metadata.Name, testRun.Spec.Parallelism = "k6-runner", 2
	testRun.Spec.Arguments = "--out remote-write --tag testid=load-42 --tag namespace=platform"
	total := 0.0
	for index := 1; index <= testRun.Spec.Parallelism; index++ {
		command := publishedCommand{command: "K6_PROMETHEUS_RW_SERVER_URL=" +
			"http://kube-prometheus-stack-prometheus.monitoring.svc.cluster.local:9090/api/v1/write " +
			"K6_PROMETHEUS_RW_TREND_STATS=p(90),p(95),max K6_PROMETHEUS_RW_PUSH_INTERVAL=15s K6_NO_USAGE_REPORT=true k6 run script.js"}
		load := command.load(target.URL(), receiver.WriteURL())
		for _, argument := range testRun.Arguments(index) {
			if argument != "--paused" {
				load.Args = append(load.Args, argument)
			}
		}
		total += run(t, load).Summary["http_reqs"]["count"]
	}
	const reqs = `k6_http_reqs_total{testid="load-42",namespace="platform",testrun_name="k6-runner"}`
	sent, _, err := receiver.Number("sum(last_over_time(" + reqs + "[5m]))")
	if err != nil || sent != total || total == 0 {
		t.Errorf("the receiver has %v of %v requests: %v", sent, total, err)
	}
	if instances := query(t, receiver, fmt.Sprintf("count by (instance_id) (last_over_time(%s[5m]))", reqs)); len(instances) != 2 {
		t.Errorf("expected two instances: %v", instances)
	}
}
