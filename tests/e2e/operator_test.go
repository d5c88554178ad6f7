package e2e

// Distributed runs: deploy/k6-operator as the operator runs it, with local processes instead of pods.

import (
	"fmt"
	"maps"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// operatorExample is the content of deploy/k6-operator.
type operatorExample struct {
	run    harness.TestRun
	script struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   struct{ Name string }
		Data       map[string]string
	}
	receiver struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   struct{ Name string }
		Type       string
		StringData map[string]string `yaml:"stringData"`
	}
}

// readExample reads the files strictly: fields that Kubernetes or the operator does not know are errors.
func readExample(t *testing.T) *operatorExample {
	t.Helper()
	example := new(operatorExample)
	for name, into := range map[string]any{"testrun": &example.run, "script": &example.script, "receiver": &example.receiver} {
		decoder := yaml.NewDecoder(strings.NewReader(read(t, "deploy/k6-operator/"+name+".yaml")))
		decoder.KnownFields(true)
		if err := decoder.Decode(into); err != nil {
			t.Fatalf("%s.yaml: %v", name, err)
		}
	}
	return example
}

// runner returns runner `index` of the example as the operator starts it, with another receiver and target.
func (e *operatorExample) runner(t *testing.T, index int, target *harness.Target, writeURL string) harness.Run {
	t.Helper()
	script := filepath.Join(t.TempDir(), e.run.Spec.Script.ConfigMap.File)
	if err := os.WriteFile(script, []byte(e.script.Data[filepath.Base(script)]), 0o600); err != nil {
		t.Fatal(err)
	}
	environment := maps.Clone(e.receiver.StringData)
	for _, variable := range e.run.Spec.Runner.Env {
		environment[variable.Name] = variable.Value
	}
	environment["TARGET_URL"], environment["K6_PROMETHEUS_RW_SERVER_URL"] = target.URL(), writeURL
	return harness.Run{Script: script, Args: e.run.Arguments(index), Env: environment}
}

func TestTheOperatorsExampleIsComplete(t *testing.T) {
	t.Parallel()
	example := readExample(t)
	for _, resource := range [][2]string{
		{"k6.io/v1alpha1/TestRun", example.run.APIVersion + "/" + example.run.Kind},
		{"v1/ConfigMap", example.script.APIVersion + "/" + example.script.Kind},
		{"v1/Secret", example.receiver.APIVersion + "/" + example.receiver.Kind},
		{example.script.Metadata.Name, example.run.Spec.Script.ConfigMap.Name},
		{example.receiver.Metadata.Name, example.run.Spec.Runner.EnvFrom[0].SecretRef.Name},
		{"post", example.run.Spec.Cleanup},
	} {
		if resource[0] != resource[1] {
			t.Errorf("%q must be %q", resource[1], resource[0])
		}
	}
	if _, found := example.script.Data[example.run.Spec.Script.ConfigMap.File]; !found {
		t.Errorf("the ConfigMap has no %s", example.run.Spec.Script.ConfigMap.File)
	}
	for variable := range example.receiver.StringData {
		if !strings.HasPrefix(variable, "K6_PROMETHEUS_RW_") {
			t.Errorf("%s is not a variable of the output", variable)
		}
	}
	if address, err := url.Parse(example.receiver.StringData["K6_PROMETHEUS_RW_SERVER_URL"]); err != nil || address.Path != "/api/v1/write" {
		t.Errorf("the receiver's URL is %v, %v", address, err)
	}
}

func TestTheOperatorsRunnersAddUp(t *testing.T) {
	t.Parallel()
	receiver, target, example := startReceiver(t, harness.Prometheus), startTarget(t), readExample(t)
	runners := make([]*harness.K6, example.run.Spec.Parallelism)
	for i := range runners {
		load := example.runner(t, i+1, target, receiver.WriteURL())
		load.Env["K6_PROMETHEUS_RW_PUSH_INTERVAL"] = "1s"
		load.Env["DURATION"], load.Env["RATE"] = "5s", "80"
		runners[i] = start(t, load)
	}
	// All runners are paused for some windows.
	addresses := make([]string, len(runners))
	await(t, "all runners to listen", func() bool {
		for i, runner := range runners {
			addresses[i], _ = runner.RESTAddress()
		}
		return !slices.Contains(addresses, "")
	})
	await(t, "three windows of each while it is paused", func() bool {
		waiting, err := receiver.Query(`count_over_time(k6_vus_max[5m]) >= 3`)
		return err == nil && len(waiting) == len(runners)
	})
	if requests, err := receiver.Query("last_over_time(k6_http_reqs_total[5m])"); err != nil || len(requests) > 0 || target.Requests() > 0 {
		t.Fatalf("paused runners make requests: %v, %v", requests, err)
	}
	resumed := time.Now()
	for _, address := range addresses {
		if err := harness.Resume(address); err != nil {
			t.Fatal(err)
		}
	}
	var measured [][]harness.Measured
	for _, runner := range runners {
		measured = append(measured, finish(t, runner, 0).Summary.Measured())
	}

	rows := expectEqual(t, receiver, harness.Together(measured...), harness.Totals)
	t.Logf("%d numbers:\n%s", len(rows), harness.Table(rows))
	all := fmt.Sprintf(`k6_http_reqs_total{testid="shop-1",testrun_name=%q}`, example.run.Metadata.Name)
	for question, expected := range map[string]float64{
		"sum(last_over_time(" + all + "[5m]))":                                  float64(target.Requests()),
		"count(count by (instance_id) (last_over_time(" + all + "[5m])))":       float64(len(runners)),
		"count(count by (testrun_name) (last_over_time(k6_vus[5m])))":           1,
		"count(last_over_time(k6_remote_write_run_info[5m]))":                   float64(len(runners)),
		"count(last_over_time(k6_remote_write_run_end_time_seconds[5m]))":       float64(len(runners)),
		"sum(last_over_time(k6_threshold_passed[5m]))":                          float64(len(runners)),
		`count(last_over_time({__name__=~"k6_.+",instance=~".+"}[5m]))`:         0, // the operator's instance_id is sufficient
		`count(last_over_time({__name__=~"k6_.+",instance_id=""}[5m]))`:         0,
		"sum(last_over_time(k6_remote_write_samples_failed_total[5m]))":         0,
		"max(last_over_time(k6_http_reqs_total{url=~\".+\"}[5m])) or vector(0)": 0,
	} {
		value, found, err := receiver.Number(question)
		if err != nil || value != expected || !found && expected != 0 {
			t.Errorf("%s is %v (%t, %v), not %v", question, value, found, err, expected)
		}
	}
	for _, series := range query(t, receiver, "last_over_time(k6_remote_write_run_start_time_seconds[5m])") {
		if began := secondsAsTime(series.Last().Value); began.Before(resumed.Truncate(time.Millisecond)) {
			t.Errorf("instance %s started at %s, before it was resumed at %s", series.Labels["instance_id"], began, resumed)
		}
	}
	expectIncreases(t, receiver, "k6_http_reqs_total", float64(target.Requests()))
	expectNothingRejected(t, receiver)
}

// expectIncreases compares the sum of increase() of all instances, each at its end: with a first point of 0, it does not
// extrapolate there.
func expectIncreases(t *testing.T, receiver *harness.Receiver, counter string, expected float64) {
	t.Helper()
	ends := map[string]int64{}
	for _, series := range query(t, receiver, counter+"[5m]") {
		instance := series.Labels["instance_id"]
		ends[instance] = max(ends[instance], series.Last().TimeMs)
	}
	increased := 0.0
	for instance, endMs := range ends {
		increased += increase(t, receiver, fmt.Sprintf("%s{instance_id=%q}", counter, instance), "5m", endMs)
	}
	if math.Abs(increased-expected) > 1e-9*expected {
		t.Errorf("increase() over %d instances is %v of %v", len(ends), increased, expected)
	}
}

// cost is what one runner sends, the last two in each window.
type cost struct{ series, requests, bytes float64 }

// Measures the cost of one runner in docs/configuration.md: `go test -run TestCostOfARunner -v .`
func TestCostOfARunner(t *testing.T) {
	t.Parallel()
	const defaults, half, fewStats = "defaults", "trendStats", "p(95),max,count,sum"
	var mutex sync.Mutex
	costs := map[string]cost{}
	t.Run("of one runner", func(t *testing.T) {
		for name, variables := range map[string]map[string]string{
			defaults:         {},
			half:             {"TREND_STATS": fewStats},
			"dropTags":       {"DROP_TAGS": "url,name,group,method,status,proto,expected_response"},
			"trendAs native": {"TREND_AS": "native"},
			"metrics":        {"METRICS": "http_req_failed,checks"},
			"metrics, trendStats, dropTags": {
				"METRICS": "http_req_failed,checks", "TREND_STATS": fewStats,
				"DROP_TAGS": "url,name,group,method,status,proto,expected_response",
			},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				of := costOf(t, variables)
				mutex.Lock()
				defer mutex.Unlock()
				costs[name] = of
			})
		}
	})
	t.Log("one runner of the example, each window:")
	for name, of := range costs {
		t.Logf("%-32s %4.0f series, %.1f requests, %5.0f bytes", name, of.series, of.requests, of.bytes)
		if all := costs[defaults]; name != defaults && (of.series >= all.series || of.bytes >= all.bytes) {
			t.Errorf("%s costs %v, all defaults cost %v", name, of, all)
		}
		if name == half && of.series > 0.55*costs[defaults].series {
			t.Errorf("%s does not halve the series: %v", name, of)
		}
	}
}

// costOf runs one runner of the example with additional variables.
func costOf(t *testing.T, variables map[string]string) cost {
	t.Helper()
	receiver := startReceiver(t, harness.Prometheus)
	load := readExample(t).runner(t, 2, startTarget(t), receiver.WriteURL())
	load.Args = slices.DeleteFunc(load.Args, func(argument string) bool { return argument == "--paused" })
	load.Env["K6_PROMETHEUS_RW_PUSH_INTERVAL"], load.Env["DURATION"] = "1s", "8s"
	for variable, value := range variables {
		load.Env["K6_PROMETHEUS_RW_"+variable] = value
	}
	run(t, load)

	// A window in the middle, which has neither zeros nor stale markers.
	middleMs := lastPointMs(t, receiver)/1000*1000 - 2000
	number := func(promql string) float64 {
		t.Helper()
		value, found, err := receiver.NumberAt(promql, middleMs)
		if err != nil || !found {
			t.Fatalf("%s: %v, %v", promql, found, err)
		}
		return value
	}
	const sent = "k6_remote_write_sent_batch_duration"
	return cost{
		series:   number(`count(last_over_time({__name__=~"k6_.+"}[1s]))`),
		requests: number("sum(increase("+sent+"_count[4s])) or histogram_count(sum(increase("+sent+"_seconds[4s])))") / 4,
		bytes:    number("sum(increase(k6_remote_write_bytes_sent_total[4s]))") / 4,
	}
}
