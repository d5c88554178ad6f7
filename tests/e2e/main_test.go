// Package e2e tests the output from end to end: the built k6, common receivers, real time.
//
// Each test has separate receivers, targets and ports, so tests run in parallel; most of their time is waiting.
package e2e

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// shop is the script of most tests: a constant arrival rate, HTTP requests of which some fail, custom metrics of each type.
const shop = "examples/http.js"

// Exit codes of k6.
const (
	thresholdsHaveFailed = 99
	invalidConfiguration = 104
	abortedByASignal     = 105 // or by an output
	scriptThrew          = 107
)

func TestMain(m *testing.M) {
	programs := []string{
		"k6", "k6-dynamic", "debug", "prometheus", "promtool", "victoria-metrics", "vmagent", "mimir", "cortex", "thanos",
	}
	if anotherK6() {
		programs = []string{"k6", "prometheus", "promtool", "victoria-metrics"}
	}
	for _, program := range programs {
		if _, err := harness.Binary(program); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// kinds returns the receivers of most tests: two, or all with RECEIVERS=all (`make test-receivers`).
func kinds() []harness.Kind {
	if allReceivers() {
		return slices.Concat(harness.Kinds, harness.MoreKinds)
	}
	return slices.Clone(harness.Kinds)
}

func allReceivers() bool { return os.Getenv("RECEIVERS") == "all" }

// anotherK6 reports whether the tests run the k6 of `make test-dist` or `make test-k6v1`. Those tests need no other program.
func anotherK6() bool { return os.Getenv("PLATFORM") != "" || os.Getenv("K6_MAJOR") != "" }

// onWindows is true if k6 is a program for Windows, which runs by wine.
var onWindows = strings.HasPrefix(harness.Platform(), "windows_")

// asK6Writes returns an absolute path as k6 logs it.
func asK6Writes(path string) string {
	if onWindows {
		return "Z:" + strings.ReplaceAll(path, "/", `\`)
	}
	return path
}

// onEveryReceiver runs a test for each kind of receiver, in parallel.
func onEveryReceiver(t *testing.T, test func(t *testing.T, receiver *harness.Receiver)) {
	for _, kind := range kinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			test(t, startReceiver(t, kind))
		})
	}
}

func startReceiver(t *testing.T, kind harness.Kind) *harness.Receiver {
	t.Helper()
	if anotherK6() && slices.Contains(harness.MoreKinds, kind) {
		t.Skipf("%s is tried only with this machine's k6", kind)
	}
	receiver, err := harness.StartReceiver(kind, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(receiver.Stop)
	return receiver
}

// startReceiverWith starts one with additional flags.
func startReceiverWith(t *testing.T, kind harness.Kind, flags ...string) *harness.Receiver {
	t.Helper()
	receiver, err := harness.StartReceiverWith(kind, flags...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(receiver.Stop)
	return receiver
}

func startTarget(t *testing.T) *harness.Target {
	t.Helper()
	target := harness.StartTarget()
	t.Cleanup(target.Close)
	return target
}

// startFake starts a fake receiver.
func startFake(t *testing.T, fake harness.Fake) *harness.FakeReceiver {
	t.Helper()
	receiver := harness.StartFakeReceiver(fake)
	t.Cleanup(receiver.Close)
	return receiver
}

// loadFor returns a run of the shop that sends to a write URL.
func loadFor(duration time.Duration, target *harness.Target, writeURL string) harness.Run {
	return harness.Run{
		Script: shop,
		Out:    []string{"remote-write=" + writeURL},
		Env:    map[string]string{"TARGET_URL": target.URL(), "DURATION": duration.String(), "RATE": "20"},
	}
}

// start starts k6, which is stopped after the test.
func start(t *testing.T, run harness.Run) *harness.K6 {
	t.Helper()
	k6, err := harness.StartK6(run)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k6.Stop)
	return k6
}

// finish waits for k6 and expects an exit code.
func finish(t *testing.T, k6 *harness.K6, exitCode int) *harness.Result {
	t.Helper()
	result, err := k6.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if result.ExitCode != exitCode {
		t.Fatalf("k6 ended with %d, not with %d:\n%s\n%s", result.ExitCode, exitCode, result.LogText(), result.Stdout)
	}
	return result
}

// run runs k6 to its end and expects exit code 0.
func run(t *testing.T, run harness.Run) *harness.Result {
	t.Helper()
	return finish(t, start(t, run), 0)
}

// expectSummaryIn expects that the receiver has every number of k6's summary.
func expectSummaryIn(t *testing.T, receiver *harness.Receiver, result *harness.Result) {
	t.Helper()
	if result.Summary["http_reqs"]["count"] == 0 {
		t.Fatalf("k6 made no request:\n%s", result.LogText())
	}
	expectEqual(t, receiver, result.Summary.Measured(), harness.Totals)
	if t.Failed() {
		t.Logf("k6 logged:\n%s", result.LogText())
	}
}

// expectEqual expects that queries return what k6 measured, and returns the comparison.
func expectEqual(
	t *testing.T, receiver *harness.Receiver, measured []harness.Measured, expect func(harness.Measured) []harness.Expectation,
) []harness.Row {
	t.Helper()
	rows, err := harness.Compare(measured, expect, receiver)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range harness.Unequal(rows) {
		t.Error(row)
	}
	return rows
}

// query queries a receiver; an empty result fails the test.
func query(t *testing.T, receiver *harness.Receiver, promql string) []harness.Series {
	t.Helper()
	series, err := receiver.Query(promql)
	if err != nil {
		t.Fatal(err)
	}
	if len(series) == 0 {
		t.Fatalf("%s: no series", promql)
	}
	return series
}

// await waits for a condition, and fails the test if it does not hold in time.
func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	if err := harness.Await(what, 20*time.Second, condition); err != nil {
		t.Fatal(err)
	}
}
