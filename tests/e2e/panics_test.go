package e2e

// The library panics, in each of its rooms: k6 goes on, its user hears of it once, and what can be shipped is.

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

func TestAPanicOfTheLibraryCostsK6Nothing(t *testing.T) {
	t.Parallel()
	for _, fault := range []struct {
		at     string // as src/fault.rs has it
		part   string
		file   string
		panics int
		whole  bool // the receiver knows the total all the same
		says   string
	}{
		{at: "push:5..7", part: "call", file: "src/ffi/entry.rs", panics: 2},
		{at: "resample:3..4", part: "resampling thread", file: "src/resample/mod.rs", panics: 1, says: "samples_dropped"},
		// The batch of the panic is lost, but the points after it have the totals.
		{at: "sender:2..4", part: "sender", file: "src/send/sender.rs", panics: 2, whole: true},
		{at: "sender:2..1000", part: "sender", file: "src/send/sender.rs", panics: 10, says: "points_lost"},
	} {
		t.Run(fault.at, func(t *testing.T) {
			t.Parallel()
			receiver := startReceiver(t, harness.VictoriaMetrics)
			target := startTarget(t)
			load := faulty(t, loadFor(4*time.Second, target, receiver.WriteURL()), fault.at)

			result := run(t, load)

			if served := target.Requests(); served == 0 || served != int(result.Summary["http_reqs"]["count"]) {
				t.Errorf("the target served %d requests, k6 says %v", served, result.Summary["http_reqs"]["count"])
			}
			expectOnePanicIn(t, result, fault.part, fault.file)
			end := result.Log[len(result.Log)-1]
			if panics, _ := end.Fields["panics"].(float64); end.Level != "error" || int(panics) != fault.panics {
				t.Errorf("the last line should count %d panics:\n%s", fault.panics, result.LogText())
			}
			if lost, _ := end.Fields[fault.says].(float64); fault.says != "" && lost == 0 {
				t.Errorf("the last line should have %s:\n%s", fault.says, result.LogText())
			}
			total, there, err := receiver.Number("sum(last_over_time(k6_http_reqs_total[5m]))")
			if err != nil || fault.whole != (there && total == result.Summary["http_reqs"]["count"]) {
				t.Errorf("the receiver says %v of %v requests (%v)", total, result.Summary["http_reqs"]["count"], err)
			}
		})
	}
}

func TestATestDoesNotStartAfterAPanicInThePreflight(t *testing.T) {
	t.Parallel()
	receiver := startReceiver(t, harness.VictoriaMetrics)
	load := faulty(t, loadFor(2*time.Second, startTarget(t), receiver.WriteURL()), "preflight:1..2")
	load.Options["preflight"] = true

	result := finish(t, start(t, load), couldNotStart)

	if !strings.Contains(result.LogText(), "the request was not sent") {
		t.Errorf("expected the cause:\n%s", result.LogText())
	}
}

func TestAPanicAtTheEndIsAnErrorOfTheOutputAlone(t *testing.T) {
	t.Parallel()
	receiver := startReceiver(t, harness.VictoriaMetrics)
	load := faulty(t, loadFor(2*time.Second, startTarget(t), receiver.WriteURL()), "close:1..2")

	result := run(t, load)

	errors := linesOf(result, "error")
	if len(errors) != 1 || !strings.Contains(errors[0].String(), "injected fault at src/ffi/entry.rs:") {
		t.Errorf("expected one error:\n%s", result.LogText())
	}
}

func TestACrossedThresholdKeepsItsExitCodeAfterAPanic(t *testing.T) {
	t.Parallel()
	receiver := startReceiver(t, harness.VictoriaMetrics)
	load := faulty(t, loadFor(2*time.Second, startTarget(t), receiver.WriteURL()), "resample:1..2")
	load.Script = "tests/e2e/scripts/crossed_threshold.js"

	expectOnePanicIn(t, finish(t, start(t, load), thresholdsHaveFailed), "resampling thread", "src/resample/mod.rs")
}

// faulty runs k6 with a debug build of the library, which panics at a point.
func faulty(t *testing.T, load harness.Run, at string) harness.Run {
	t.Helper()
	library, err := harness.Binary("debug")
	if err != nil {
		t.Fatal(err)
	}
	load.Program = "k6-dynamic"
	load.Env["LD_LIBRARY_PATH"] = filepath.Clean(library)
	load.Env["K6RW_PANIC_AT"] = at
	load.Env["K6_PROMETHEUS_RW_PUSH_INTERVAL"] = "250ms"
	load.Options = map[string]any{"flushTimeout": "2s", "unsentDirectory": ""}
	return load
}

// expectOnePanicIn expects one line with the place, and nothing that is no line of the log, such as a stack trace.
func expectOnePanicIn(t *testing.T, result *harness.Result, part, file string) {
	t.Helper()
	told := 0
	for _, line := range result.Log {
		if line.Level == "" {
			t.Errorf("k6 printed: %s", line.Message)
		}
		if place, _ := line.Fields["location"].(string); strings.HasPrefix(place, file+":") && line.Fields["component"] == part {
			told++
		}
	}
	if told != 1 {
		t.Errorf("the panic should be told once, with its part and place:\n%s", result.LogText())
	}
}
