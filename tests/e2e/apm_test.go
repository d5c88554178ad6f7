package e2e

// The apm blocks of a script: each is a destination, as in k6 Cloud.

import (
	"encoding/base64"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

const apm = "tests/e2e/scripts/apm.js"

// apmStage has two receivers that require different credentials, and a run that sends to both.
type apmStage struct {
	first, second                           *harness.Receiver
	firstAuthenticated, secondAuthenticated *harness.FakeReceiver
	load                                    harness.Run
}

func startAPMStage(t *testing.T) *apmStage {
	t.Helper()
	stage := &apmStage{first: startReceiver(t, harness.Prometheus), second: startReceiver(t, harness.VictoriaMetrics)}
	stage.firstAuthenticated = startAuthenticated(t, stage.first, "Bearer the token")
	stage.secondAuthenticated = startAuthenticated(t, stage.second, "Basic "+base64.StdEncoding.EncodeToString([]byte("me:a:secret")))
	stage.load = harness.Run{Script: apm, Out: []string{"remote-write"}, Env: map[string]string{
		"TARGET_URL": startTarget(t).URL(), "FIRST_URL": stage.firstAuthenticated.URL(), "SECOND_URL": stage.secondAuthenticated.URL(),
	}}
	return stage
}

// startAuthenticated starts a fake receiver that forwards requests to a receiver if they have exactly this Authorization.
func startAuthenticated(t *testing.T, receiver *harness.Receiver, authorization string) *harness.FakeReceiver {
	t.Helper()
	return startFake(t, harness.Fake{Upstream: receiver.WriteURL(), Hook: harness.RequireAuthorization(authorization)})
}

func TestEachBlockReceivesOnlyItsMetrics(t *testing.T) {
	t.Parallel()
	stage := startAPMStage(t)
	result := run(t, stage.load)
	stage.expectAllBlocks(t, result)

	var others, unused []string
	for _, line := range linesOf(result, "warning") {
		if strings.Contains(line.Message, "datadog") {
			others = append(others, line.Message)
		}
		if selector, _ := line.Fields["selector"].(string); selector != "" {
			unused = append(unused, selector)
		}
	}
	if len(others) != 1 || !slices.Equal(unused, []string{"never_comes"}) {
		t.Errorf("expected a warning about datadog and one about never_comes:\n%s", result.LogText())
	}
	if text := result.LogText() + result.Stdout; strings.Contains(text, "the token") || strings.Contains(text, "a:secret") {
		t.Errorf("the log contains a secret:\n%s", text)
	}
}

// expectAllBlocks expects that each receiver has exactly the series of its block in the script.
func (s *apmStage) expectAllBlocks(t *testing.T, result *harness.Result) {
	t.Helper()
	for _, gate := range []*harness.FakeReceiver{s.firstAuthenticated, s.secondAuthenticated} {
		if passed, others := gate.Count(harness.Pass), gate.Count(harness.Unauthorized); passed == 0 || others != 0 {
			t.Errorf("%d requests had the right credentials, %d had wrong ones", passed, others)
		}
	}
	trend := []string{"avg", "count", "max", "med", "min", "p90", "p95", "p99", "sum"}
	expectNames(t, s.first, slices.Concat(
		[]string{
			"k6_data_received_total", "k6_data_sent_total", "k6_http_reqs_total", "k6_iterations_total", "k6_my_gauge", "k6_my_gauge_highest",
			"k6_my_gauge_lowest", "k6_my_rate_rate", "k6_my_rate_total", "k6_vus", "k6_vus_highest", "k6_vus_lowest",
		},
		named("k6_http_req_duration_", trend), named("k6_http_req_sending_", trend),
	))
	expectNames(t, s.second, slices.Concat(
		[]string{"answers", "k6_my_rate_rate", "k6_my_rate_total"}, named("reading_time_", trend),
	))
	id := expectOneRunID(t, s.first)
	if !strings.Contains(result.LogText(), id) {
		t.Errorf("the log does not contain the run's id %s:\n%s", id, result.LogText())
	}

	// Tags that are not kept are removed, except those of the whole test.
	expectLabels(t, s.first, "k6_http_reqs_total", "test_run_id", "testid")
	expectLabels(t, s.first, "k6_my_rate_total", "condition", "test_run_id", "testid")
	expectLabels(t, s.second, "reading_time_count", "method", "testid")
	expectLabels(t, s.second, "answers", "status", "testid")

	// Merged series are added up.
	requests := result.Summary["http_reqs"]["count"]
	iterations := result.Summary["iterations"]["count"]
	failed := result.Summary["my_rate"]["fails"]
	for _, expected := range []struct {
		receiver *harness.Receiver
		promql   string
		value    float64
	}{
		{s.first, `last_over_time(k6_http_reqs_total[5m])`, requests},
		{s.first, `last_over_time(k6_http_req_duration_count[5m])`, requests},
		{s.first, `last_over_time(k6_iterations_total[5m])`, iterations},
		{s.first, `last_over_time(k6_my_rate_total{condition="zero"}[5m])`, failed},
		{s.second, `sum(last_over_time(answers[5m]))`, requests},
		{s.second, `last_over_time(answers{status="500"}[5m])`, failed},
		{s.second, `last_over_time(reading_time_count{method="GET"}[5m])`, requests / 2},
	} {
		if series := query(t, expected.receiver, expected.promql); len(series) != 1 || series[0].Last().Value != expected.value {
			t.Errorf("%s is %v, not %v", expected.promql, series, expected.value)
		}
	}

	expectStep(t, s.first, "k6_iterations_total", 3000)
	expectStep(t, s.second, `answers{status="200"}`, 1000)
}

func named(prefix string, suffixes []string) []string {
	var names []string
	for _, suffix := range suffixes {
		names = append(names, prefix+suffix)
	}
	return names
}

// expectNames expects exactly these metrics, apart from the self metrics.
func expectNames(t *testing.T, receiver *harness.Receiver, expected []string) {
	t.Helper()
	var names []string
	for _, series := range query(t, receiver, `count by (__name__) (last_over_time({testid="abc",__name__!~"k6_remote_write_.*"}[5m]))`) {
		names = append(names, series.Name)
	}
	slices.Sort(names)
	slices.Sort(expected)
	if !slices.Equal(names, expected) {
		t.Errorf("%s has %v, not %v", receiver.Kind, names, expected)
	}
}

func expectLabels(t *testing.T, receiver *harness.Receiver, name string, expected ...string) {
	t.Helper()
	for _, series := range query(t, receiver, "last_over_time("+name+"[5m])") {
		if labels := slices.Sorted(maps.Keys(series.Labels)); !slices.Equal(labels, expected) {
			t.Errorf("%s has labels %v, not %v", name, labels, expected)
		}
	}
}

func expectOneRunID(t *testing.T, receiver *harness.Receiver) string {
	t.Helper()
	series := query(t, receiver, `count by (test_run_id) (last_over_time({testid="abc"}[5m]))`)
	if len(series) != 1 || series[0].Labels["test_run_id"] == "" {
		t.Fatalf("expected one test_run_id: %v", series)
	}
	return series[0].Labels["test_run_id"]
}

// expectStep expects one point at each multiple of a step, and in addition the first zero and the last point.
func expectStep(t *testing.T, receiver *harness.Receiver, selector string, stepMs int64) {
	t.Helper()
	points := query(t, receiver, selector+"[5m]")[0].Points
	if len(points) < 4 {
		t.Fatalf("%s has only %v", selector, points)
	}
	for i, point := range points[1 : len(points)-1] {
		if point.TimeMs%stepMs != 0 || (i > 0 && point.TimeMs-points[i].TimeMs != stepMs) {
			t.Errorf("%s is not every %d ms: %v", selector, stepMs, points)
		}
	}
}

func TestARunFromAnArchiveSendsToItsBlocks(t *testing.T) {
	t.Parallel()
	stage := startAPMStage(t)
	archive := filepath.Join(t.TempDir(), "archive.tar")
	k6Command(t, stage.load.Env, "archive", "--archive-out", archive, apm)
	stage.load.Script = archive
	stage.load.Args = []string{"--env", "K6_CLOUDRUN_TEST_RUN_ID=4711"} // as k6 passes on the id from k6 Cloud
	stage.expectAllBlocks(t, run(t, stage.load))
	if id := expectOneRunID(t, stage.first); id != "4711" {
		t.Errorf("series have the id %s, not that of k6 Cloud", id)
	}
}

func TestOptionsThatAreNotOfThisOutputMayBeAnything(t *testing.T) {
	t.Parallel()
	receiver := startReceiver(t, harness.Prometheus)
	run(t, harness.Run{
		Script: "tests/e2e/scripts/odd_options.js", Out: []string{"remote-write"}, Env: map[string]string{"URL": receiver.WriteURL()},
	})
	if value, found, err := receiver.Number("last_over_time(k6_a_counter_total[5m])"); err != nil || !found || value != 7 {
		t.Errorf("the block's receiver has %v (%t, %v), not 7", value, found, err)
	}
}

func TestInspectShowsTheBlocks(t *testing.T) {
	t.Parallel()
	shown := k6Command(t, map[string]string{"FIRST_URL": "http://first/", "SECOND_URL": "http://second/"}, "inspect", apm)
	for _, part := range []string{`"apm"`, `"http://first/"`, `"remote_write_url": "http://second/"`, `"never_comes"`} {
		if !strings.Contains(shown, part) {
			t.Errorf("%s is missing in:\n%s", part, shown)
		}
	}
}

// k6Command runs a command of k6 that does not run a test, and returns its output.
func k6Command(t *testing.T, env map[string]string, arguments ...string) string {
	t.Helper()
	binary, err := harness.Binary("k6")
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range env {
		arguments = append(arguments, "--env", name+"="+value) // these commands do not read the real environment
	}
	command := exec.Command(binary, arguments...)
	command.Dir = root(t)
	printed, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, printed)
	}
	return string(printed)
}

func TestWithTwoOutputsEachBlockIsSentOnce(t *testing.T) {
	t.Parallel()
	stage := startAPMStage(t)
	extra := []*harness.FakeReceiver{startFake(t, harness.Fake{}), startFake(t, harness.Fake{})}
	stage.load.Out = []string{"remote-write=" + extra[0].URL(), "remote-write=" + extra[1].URL()}
	stage.load.Options = map[string]any{"protocol": "1.0"} // the recorders decode only this
	stage.expectAllBlocks(t, run(t, stage.load))
	for _, recorder := range extra {
		requests, err := recorder.RequestsOf("k6-remote-write")
		if err != nil {
			t.Fatal(err)
		}
		if names := namesIn(requests); !slices.Contains(names, "k6_unlisted_total") || slices.Contains(names, "answers") {
			t.Errorf("a destination of --out must have all metrics, without names from blocks: %v", names)
		}
	}
}

func TestASecondOutputWithoutADestinationIsAnError(t *testing.T) {
	t.Parallel()
	load := harness.Run{Script: apm, Out: []string{"remote-write", "remote-write"}, Env: map[string]string{
		"TARGET_URL": startTarget(t).URL(), "FIRST_URL": "http://127.0.0.1:1/", "SECOND_URL": "http://127.0.0.1:1/",
	}}
	result := finish(t, start(t, load), invalidConfiguration)
	if !strings.Contains(result.LogText(), "more than one --out remote-write without a URL") {
		t.Errorf("k6 logged:\n%s", result.LogText())
	}
}

func TestAnInvalidBlockStopsTheRun(t *testing.T) {
	t.Parallel()
	target := startTarget(t)
	load := harness.Run{Script: apm, Out: []string{"remote-write"}, Env: map[string]string{
		"TARGET_URL": target.URL(), "FIRST_URL": "<Remote Write URL>", "SECOND_URL": "ftp://me:hunter2@host/",
	}}
	result := finish(t, start(t, load), invalidConfiguration)
	for _, part := range []string{
		`invalid url (value hidden) in options.ext.loadimpact.apm[0].remoteWriteURL (script): must be `,
		`invalid url (value hidden) in options.ext.loadimpact.apm[1].remote_write_url (script): must be `,
	} {
		if !strings.Contains(result.LogText(), part) {
			t.Errorf("%q is not in:\n%s", part, result.LogText())
		}
	}
	if target.Requests() != 0 {
		t.Error("the test began")
	}
}

func TestTheBannerHasEveryDestinationAndNoSecret(t *testing.T) {
	t.Parallel()
	stage := startAPMStage(t)
	stage.load.Out = []string{"remote-write=http://you:hunter2@127.0.0.1:1/w?key=hunter2"}
	stage.load.Args = []string{"--duration", "1s", "--quiet=false"}
	stage.load.Options = map[string]any{"flushTimeout": "0s"}
	result := run(t, stage.load)
	banner := "remote-write (http://127.0.0.1:1/w?key=***, every 3s; " + stage.firstAuthenticated.URL() + ", every 3s; " +
		stage.secondAuthenticated.URL() + ", every 1s)"
	if !strings.Contains(result.Stdout, banner) || strings.Contains(result.Stdout+result.LogText(), "hunter2") {
		t.Errorf("the banner must contain %q:\n%s", banner, result.Stdout)
	}
}
