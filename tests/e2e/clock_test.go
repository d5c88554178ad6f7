package e2e

// Special cases of time and values: steps of the wall clock, series that end during the run, and values that are not finite.

import (
	"math"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// With the library's clock one hour ahead for two seconds, no samples are lost and no window is empty.
func TestNothingIsLostWhenTheWallClockSteps(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("LD_PRELOAD")
	}
	receiver := startReceiver(t, harness.Prometheus)
	load := loadFor(7*time.Second, startTarget(t), receiver.WriteURL())
	load.Env["K6_PROMETHEUS_RW_PUSH_INTERVAL"] = "1s"
	load.Env["LD_PRELOAD"] = clockStep(t)
	load.Env["CLOCK_STEP_SECONDS"] = "3600"
	load.Env["CLOCK_STEP_FROM_MS"] = "3000"
	load.Env["CLOCK_STEP_UNTIL_MS"] = "5000"
	result := run(t, load)

	expectSummaryIn(t, receiver, result)
	expectAPointInEveryWindow(t, receiver, time.Second)
	expectNothingRejected(t, receiver)
	steps := map[string][]any{}
	for _, line := range result.Log {
		if step, is := line.Fields["step_ms"]; is {
			steps[line.Message] = append(steps[line.Message], step)
		}
	}
	for message, step := range map[string]float64{
		"Wall clock stepped, continuing on the monotonic clock": 3_600_000,
		"Wall clock step was undone":                            -3_600_000,
	} {
		logged := steps[message]
		if len(logged) != 1 || math.Abs(logged[0].(float64)-step) > 10 {
			t.Errorf("%s: %v; expected one line with %v ms\n%s", message, logged, step, result.LogText())
		}
	}
}

// clockStep compiles the library that shifts the clock, and returns its path.
func clockStep(t *testing.T) string {
	t.Helper()
	root, err := harness.Root()
	if err != nil {
		t.Fatal(err)
	}
	library := filepath.Join(t.TempDir(), "clock_step.so")
	source := filepath.Join(root, "tests/e2e/preload/clock_step.c")
	if output, err := exec.Command("cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, source).CombinedOutput(); err != nil {
		t.Fatalf("%s: %s", err, output)
	}
	return library
}

func TestThePercentilesOfAScenarioEndWithIt(t *testing.T) {
	t.Parallel()
	receiver := startReceiver(t, harness.Prometheus)
	k6 := start(t, harness.Run{
		Script: "tests/e2e/scripts/two_scenarios.js",
		Out:    []string{"remote-write=" + receiver.WriteURL()},
		Env:    map[string]string{"DURATION": "25s", "K6_PROMETHEUS_RW_PUSH_INTERVAL": "1s"},
	})
	scenarios := func(metric string) []string {
		all, err := receiver.Query(metric)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, series := range all {
			names = append(names, series.Labels["scenario"])
		}
		slices.Sort(names)
		return names
	}
	both, long := []string{"long", "short"}, []string{"long"}
	await(t, "both scenarios", func() bool { return slices.Equal(scenarios("k6_took_p95"), both) })
	await(t, "the end of the short scenario", func() bool { return slices.Equal(scenarios("k6_took_p95"), long) })
	if count := scenarios("k6_took_count"); !slices.Equal(count, both) {
		t.Errorf("the total is %v, not %v", count, both)
	}
	finish(t, k6, 0)
	expectNothingRejected(t, receiver)
}

func TestAGaugeMayBeInfinite(t *testing.T) {
	t.Parallel()
	onEveryReceiver(t, func(t *testing.T, receiver *harness.Receiver) {
		result := run(t, harness.Run{
			Script: "tests/e2e/scripts/not_finite.js",
			Out:    []string{"remote-write=" + receiver.WriteURL()},
		})
		for name, expected := range map[string]float64{"k6_a_gauge": math.Inf(1), `k6_a_trend_count{kind=""}`: 1} {
			series := query(t, receiver, "last_over_time("+name+"[5m])")
			if value := series[0].Last().Value; len(series) != 1 || value != expected {
				t.Errorf("%s is %v of %d series, not %v", name, value, len(series), expected)
			}
		}
		index := slices.IndexFunc(result.Log, func(line harness.LogLine) bool {
			return line.Message == "Ignoring samples that are NaN or infinite"
		})
		if index < 0 || result.Log[index].Fields["series"] != `a_trend{kind="own",scenario="default"}` {
			t.Errorf("the log does not contain the series:\n%s", result.LogText())
		}
	})
}
