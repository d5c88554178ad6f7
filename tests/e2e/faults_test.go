package e2e

// Receivers that fail during a run: nothing is lost, and the failure is logged once.

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

func TestNothingIsLostWhenAReceiverFails(t *testing.T) {
	t.Parallel()
	for _, failure := range []struct {
		name     string
		fault    harness.Fault
		duration time.Duration
		kinds    []harness.Kind
	}{
		{"it responds with 503 for 5 s", harness.Unavailable, 5 * time.Second, harness.Kinds},
		{"it hangs for 4 s", harness.Hang, 4 * time.Second, []harness.Kind{harness.Prometheus}},
		{"it refuses connections for 4 s", harness.Refuse, 4 * time.Second, []harness.Kind{harness.VictoriaMetrics}},
	} {
		for _, kind := range failure.kinds {
			t.Run(failure.name+"/"+string(kind), func(t *testing.T) {
				t.Parallel()
				receiver := startReceiver(t, kind)
				proxy := startFake(t, harness.Fake{Upstream: receiver.WriteURL()})
				load := loadFor(failure.duration+4*time.Second, startTarget(t), proxy.URL())
				load.Env["K6_PROMETHEUS_RW_PUSH_INTERVAL"] = "1s"
				load.Options = map[string]any{"timeout": "1s"}

				k6 := start(t, load)
				await(t, "the first batch", func() bool { return proxy.Count(harness.Pass) > 0 })
				if met := proxy.FailFor(failure.fault, failure.duration); met == 0 {
					t.Fatal("no request met the fault")
				}
				if k6.Ended() {
					t.Fatal("the run ended before the failure did")
				}
				result := finish(t, k6, 0)

				expectSummaryIn(t, receiver, result)
				expectAPointInEveryWindow(t, receiver, time.Second)
				expectFailedBatchesPassedLater(t, proxy)
				expectOneWarningAndOneRecovery(t, result)
				if kind == harness.Prometheus {
					expectNothingRejected(t, receiver)
				}
			})
		}
	}
}

// Points that fail during an outage are not rejected, although the receiver has accepted others before it.
func TestNothingIsLostWhenAReceiverFailsBetweenTheRequestsOfAWindow(t *testing.T) {
	t.Parallel()
	for _, fault := range []harness.Fault{harness.Unavailable, harness.LoseAnswer} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			receiver := startReceiver(t, harness.Prometheus)
			requests, end := 0, time.Time{}
			proxy := startFake(t, harness.Fake{Upstream: receiver.WriteURL(), Hook: func(*http.Request) harness.Fault {
				// The fifth of the eight requests of a window.
				if requests++; requests == 5 {
					end = time.Now().Add(8 * time.Second)
				}
				if time.Now().Before(end) {
					return fault
				}
				return harness.Pass
			}})
			load := loadFor(12*time.Second, startTarget(t), proxy.URL())
			load.Options = map[string]any{"maxBytesPerSend": 10_000}

			result := run(t, load)

			if proxy.Count(fault) == 0 {
				t.Fatal("no request met the fault")
			}
			expectSummaryIn(t, receiver, result)
			expectAPointInEveryWindow(t, receiver, 3*time.Second)
			expectAllSent(t, result)
		})
	}
}

// The first batch is the one that Prometheus does not accept twice: a series' first 0 is older than the points stored with it,
// so it rejects the whole batch with status 400. Nothing is lost by that, so no loss is logged.
func TestAStoredBatchWhoseResponseIsLostCountsOnce(t *testing.T) {
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
			t.Errorf("k6 logged without a loss:\n%s", result.LogText())
		}
	})
}

func TestAnAbsentReceiverCausesOnlyAWarning(t *testing.T) {
	t.Parallel()
	address, release, err := harness.Refused()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	target := startTarget(t)
	load := loadFor(4*time.Second, target, "http://"+address+"/api/v1/write")
	load.Env["K6_PROMETHEUS_RW_PUSH_INTERVAL"] = "1s"
	load.Options = map[string]any{"flushTimeout": "1s"}

	result := run(t, load)

	if served := target.Requests(); served == 0 || served != int(result.Summary["http_reqs"]["count"]) {
		t.Errorf("the target served %d requests, k6 has %v", served, result.Summary["http_reqs"]["count"])
	}
	warnings := linesOf(result, "warning")
	if len(warnings) != 1 {
		t.Fatalf("expected one warning, got %d:\n%s", len(warnings), result.LogText())
	}
	end := result.Log[len(result.Log)-1]
	if saved, _ := end.Fields["points_in_unsent_file"].(float64); end.Level != "error" || saved == 0 {
		t.Errorf("the last line must have the number of points in the file:\n%s", result.LogText())
	}
	if early := end.Time.Sub(warnings[0].Time); early < 2*time.Second {
		t.Errorf("the warning was logged %s before the end, not at the first failure", early)
	}
}

// expectFailedBatchesPassedLater expects that every batch with a fault was sent again with the same bytes, and passed.
func expectFailedBatchesPassedLater(t *testing.T, proxy *harness.FakeReceiver) {
	t.Helper()
	requests := proxy.Requests()
	for i, failed := range requests {
		if failed.Fault == harness.Pass || failed.Fault == harness.Refuse {
			continue // passed, or has no body
		}
		if !slices.ContainsFunc(requests[i+1:], func(later harness.Request) bool {
			return later.Fault == harness.Pass && bytes.Equal(later.Body, failed.Body)
		}) {
			t.Errorf("request %d of %d (%s, %d bytes) did not pass later", i+1, len(requests), failed.Fault, len(failed.Body))
		}
	}
}

// expectOneWarningAndOneRecovery expects one line at the first failure, one at the recovery, and no error.
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
