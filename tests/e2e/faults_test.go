package e2e

// Receivers in trouble. Whatever a receiver does in the middle of a run, nothing is lost, and k6's user hears of it once.

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

func TestNothingIsLostToAReceiverInTrouble(t *testing.T) {
	t.Parallel()
	for _, trouble := range []struct {
		name  string
		fault harness.Fault
		while time.Duration
		kinds []harness.Kind
	}{
		{"it answers 503 for 5 s", harness.Unavailable, 5 * time.Second, harness.Kinds},
		{"it hangs for 4 s", harness.Hang, 4 * time.Second, []harness.Kind{harness.Prometheus}},
		{"it refuses connections for 4 s", harness.Refuse, 4 * time.Second, []harness.Kind{harness.VictoriaMetrics}},
	} {
		for _, kind := range trouble.kinds {
			t.Run(trouble.name+"/"+string(kind), func(t *testing.T) {
				t.Parallel()
				receiver := startReceiver(t, kind)
				proxy := startFake(t, harness.Fake{Upstream: receiver.WriteURL()})
				load := loadFor(trouble.while+4*time.Second, startTarget(t), proxy.URL())
				load.Env["K6_PROMETHEUS_RW_PUSH_INTERVAL"] = "1s"
				load.Options = map[string]any{"timeout": "1s"}

				k6 := start(t, load)
				await(t, "the first batch", func() bool { return proxy.Count(harness.Pass) > 0 })
				if met := proxy.FailFor(trouble.fault, trouble.while); met == 0 {
					t.Fatal("no request met the fault")
				}
				if k6.Ended() {
					t.Fatal("the run was over before the trouble was")
				}
				result := finish(t, k6, 0)

				expectSummaryIn(t, receiver, result)
				expectAPointInEveryWindow(t, receiver, time.Second)
				expectRefusedBatchesPassedLater(t, proxy)
				expectOneWarningAndOneRecovery(t, result)
				if kind == harness.Prometheus {
					expectNothingRejected(t, receiver)
				}
			})
		}
	}
}

// The first batch is the one that Prometheus cannot take twice: a series' first 0 is older than what it stored with it, so
// it answers 400 to the whole batch. Nothing is lost by that, and the user should not be told so.
func TestAStoredBatchWhoseAnswerGotLostCountsOnce(t *testing.T) {
	t.Parallel()
	onEveryReceiver(t, func(t *testing.T, receiver *harness.Receiver) {
		proxy := startFake(t, harness.Fake{Upstream: receiver.WriteURL()})
		proxy.Set(harness.LoseAnswer)
		load := loadFor(4*time.Second, startTarget(t), proxy.URL())
		load.Env["K6_PROMETHEUS_RW_PUSH_INTERVAL"] = "1s"

		k6 := start(t, load)
		await(t, "a second attempt", func() bool { return proxy.Count(harness.LoseAnswer) > 1 })
		proxy.Set(harness.Pass)
		result := finish(t, k6, 0)

		expectSummaryIn(t, receiver, result)
		if errors := linesOf(result, "error"); len(errors) != 0 {
			t.Errorf("nothing was lost, but k6 logged:\n%s", result.LogText())
		}
	})
}

func TestAReceiverThatIsNotThereCostsTheUserNothingButAWarning(t *testing.T) {
	t.Parallel()
	nobody, release, err := harness.Refused()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	target := startTarget(t)
	load := loadFor(4*time.Second, target, "http://"+nobody+"/api/v1/write")
	load.Env["K6_PROMETHEUS_RW_PUSH_INTERVAL"] = "1s"
	load.Options = map[string]any{"flushTimeout": "1s"}

	result := run(t, load)

	if served := target.Requests(); served == 0 || served != int(result.Summary["http_reqs"]["count"]) {
		t.Errorf("the target served %d requests, k6 says %v", served, result.Summary["http_reqs"]["count"])
	}
	warnings := linesOf(result, "warning")
	if len(warnings) != 1 {
		t.Fatalf("expected one warning, got %d:\n%s", len(warnings), result.LogText())
	}
	end := result.Log[len(result.Log)-1]
	if saved, _ := end.Fields["points_in_unsent_file"].(float64); end.Level != "error" || saved == 0 {
		t.Errorf("the last line should say how many points are in the file:\n%s", result.LogText())
	}
	if early := end.Time.Sub(warnings[0].Time); early < 2*time.Second {
		t.Errorf("the warning came %s before the end, not at the first failure", early)
	}
}

// expectRefusedBatchesPassedLater expects that every batch that met a fault came again, byte for byte, and passed.
func expectRefusedBatchesPassedLater(t *testing.T, proxy *harness.FakeReceiver) {
	t.Helper()
	requests := proxy.Requests()
	for i, failed := range requests {
		if failed.Fault == harness.Pass || failed.Fault == harness.Refuse {
			continue // passed, or never got as far as to have a body
		}
		if !slices.ContainsFunc(requests[i+1:], func(later harness.Request) bool {
			return later.Fault == harness.Pass && bytes.Equal(later.Body, failed.Body)
		}) {
			t.Errorf("request %d of %d (%s, %d bytes) never passed", i+1, len(requests), failed.Fault, len(failed.Body))
		}
	}
}

// expectOneWarningAndOneRecovery expects one line when the trouble begins, one when it is over, and a good end.
func expectOneWarningAndOneRecovery(t *testing.T, result *harness.Result) {
	t.Helper()
	warnings, errors := linesOf(result, "warning"), linesOf(result, "error")
	recoveries := slices.DeleteFunc(linesOf(result, "info"), func(line harness.LogLine) bool {
		return !strings.Contains(line.Message, "reachable again")
	})
	if len(warnings) != 1 || len(errors) != 0 || len(recoveries) != 1 {
		t.Errorf("expected one warning, one recovery and no error:\n%s", result.LogText())
	}
}

func linesOf(result *harness.Result, level string) []harness.LogLine {
	return slices.DeleteFunc(slices.Clone(result.Log), func(line harness.LogLine) bool { return line.Level != level })
}
