package e2e

// Panics in each stage of the library: k6 continues, the panic is logged once, and unaffected points are sent.

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

func TestK6ContinuesAfterAPanicOfTheLibrary(t *testing.T) {
	t.Parallel()
	for _, fault := range []struct {
		at     string // as in src/fault.rs
		part   string
		file   string
		panics int
		more   bool // at least so many
		whole  bool // the receiver has the total nevertheless
		field  string
	}{
		{at: "push:5..7", part: "call", file: "src/ffi/entry.rs", panics: 2},
		{at: "resample:3..4", part: "resampling thread", file: "src/resample/resampler.rs", panics: 1, field: "samples_dropped"},
		// The batch of the panic is sent again.
		{at: "sender:2..4", part: "sender", file: "src/send/exchange.rs", panics: 2, whole: true},
		{at: "sender:2..1000", part: "sender", file: "src/send/exchange.rs", panics: 3, more: true, field: "points_lost"},
	} {
		t.Run(fault.at, func(t *testing.T) {
			t.Parallel()
			receiver := startReceiver(t, harness.VictoriaMetrics)
			target := startTarget(t)
			load := faulty(t, loadFor(4*time.Second, target, receiver.WriteURL()), fault.at)

			result := run(t, load)

			if served := target.Requests(); served == 0 || served != int(result.Summary["http_reqs"]["count"]) {
				t.Errorf("the target served %d requests, k6 has %v", served, result.Summary["http_reqs"]["count"])
			}
			expectOnePanicIn(t, result, fault.part, fault.file)
			end := result.Log[len(result.Log)-1]
			if panics, _ := end.Fields["panics"].(float64); end.Level != "error" || int(panics) < fault.panics ||
				!fault.more && int(panics) != fault.panics {
				t.Errorf("the last line must count %d panics:\n%s", fault.panics, result.LogText())
			}
			if lost, _ := end.Fields[fault.field].(float64); fault.field != "" && lost == 0 {
				t.Errorf("the last line must have %s:\n%s", fault.field, result.LogText())
			}
			total, found, err := receiver.Number("sum(last_over_time(k6_http_reqs_total[5m]))")
			if err != nil || fault.whole != (found && total == result.Summary["http_reqs"]["count"]) {
				t.Errorf("the receiver has %v of %v requests (%v)", total, result.Summary["http_reqs"]["count"], err)
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

func TestAPanicAtTheEndIsOnlyAnErrorOfTheOutput(t *testing.T) {
	t.Parallel()
	receiver := startReceiver(t, harness.VictoriaMetrics)
	load := faulty(t, loadFor(2*time.Second, startTarget(t), receiver.WriteURL()), "close:1..2")

	result := run(t, load)

	errors := linesOf(result, "error")
	if len(errors) != 1 || !strings.Contains(errors[0].String(), "injected fault at src/ffi/entry.rs:") {
		t.Errorf("expected one error:\n%s", result.LogText())
	}
}

func TestAPanicOfACommandIsItsFailure(t *testing.T) {
	t.Parallel()
	library, err := harness.Binary("debug")
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"LD_LIBRARY_PATH": filepath.Clean(library), "K6RW_PANIC_AT": "command:1..2"}
	result, err := harness.RunCommand(harness.Command{Program: "k6-dynamic", Args: []string{"check"}, Env: env})
	if err != nil {
		t.Fatal(err)
	}
	if result.ExitCode != 1 || result.Stdout != "" || !strings.Contains(result.Stderr, "internal error, please report this: injected fault at src/command/") {
		t.Errorf("exit code %d: %s%s", result.ExitCode, result.Stdout, result.Stderr)
	}
}

func TestACrossedThresholdKeepsItsExitCodeAfterAPanic(t *testing.T) {
	t.Parallel()
	receiver := startReceiver(t, harness.VictoriaMetrics)
	load := faulty(t, loadFor(2*time.Second, startTarget(t), receiver.WriteURL()), "resample:1..2")
	load.Script = "tests/e2e/scripts/crossed_threshold.js"

	expectOnePanicIn(t, finish(t, start(t, load), thresholdsHaveFailed), "resampling thread", "src/resample/resampler.rs")
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

// expectOnePanicIn expects one line with the location, and no text outside the log, such as a stack trace.
func expectOnePanicIn(t *testing.T, result *harness.Result, part, file string) {
	t.Helper()
	logged := 0
	for _, line := range result.Log {
		if line.Level == "" {
			t.Errorf("k6 printed: %s", line.Message)
		}
		if location, _ := line.Fields["location"].(string); strings.HasPrefix(location, file+":") && line.Fields["component"] == part {
			logged++
		}
	}
	if logged != 1 {
		t.Errorf("the panic must be logged once, with component and location:\n%s", result.LogText())
	}
}
