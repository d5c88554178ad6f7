package e2e

// Delivery to real receivers: the protocol version, and no loss when a receiver is killed, frozen or absent.

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

const (
	typeOf1 = "application/x-protobuf"
	typeOf2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request"
)

func TestTheProtocolVersionIsDetected(t *testing.T) {
	t.Parallel()
	for _, receiver := range []struct {
		kind harness.Kind
		gets string
	}{
		{harness.Prometheus, typeOf2},
		{harness.PrometheusOf1, typeOf1},
		{harness.Prometheus2, typeOf1},
		{harness.VictoriaMetrics, typeOf1},
		{harness.VMAgent, typeOf1},
		{harness.Mimir, typeOf2},
		{harness.Cortex, typeOf1},
		{harness.Thanos, typeOf1},
	} {
		t.Run(string(receiver.kind), func(t *testing.T) {
			t.Parallel()
			if slices.Contains(harness.MoreKinds, receiver.kind) && !allReceivers() {
				t.Skip("only with RECEIVERS=all")
			}
			if _, err := harness.Binary("prometheus-2"); err != nil && receiver.kind == harness.Prometheus2 {
				t.Skip("Prometheus 2 is not installed: `make receivers` installs it where apt is available")
			}
			store := startReceiver(t, receiver.kind)
			proxy := startFake(t, harness.Fake{Upstream: store.WriteURL()})
			load := loadFor(5*time.Second, startTarget(t), proxy.URL())
			load.Env["K6_PROMETHEUS_RW_PUSH_INTERVAL"] = "1s"
			result := run(t, load)

			requests := proxy.Requests()
			if is := requests[0].Header.Get("Content-Type"); is != typeOf2 {
				t.Errorf("the first request is %s", is)
			}
			for i, request := range requests[1:] {
				if is := request.Header.Get("Content-Type"); is != receiver.gets {
					t.Errorf("request %d is %s", i+2, is)
				}
			}
			expectSummaryIn(t, store, result)
			expectAPointInEveryWindow(t, store, time.Second)
			if lines := append(linesOf(result, "warning"), linesOf(result, "error")...); len(lines) != 0 {
				t.Errorf("k6 logged without a failure:\n%s", result.LogText())
			}
		})
	}
}

// onBothProtocols runs a test for each version, with a Prometheus that accepts both.
func onBothProtocols(t *testing.T, test func(t *testing.T, receiver *harness.Receiver, load harness.Run)) {
	for _, protocol := range []string{"1.0", "2.0"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			receiver := startReceiver(t, harness.Prometheus)
			load := loadFor(14*time.Second, startTarget(t), receiver.WriteURL())
			load.Env["K6_PROMETHEUS_RW_PUSH_INTERVAL"] = "1s"
			load.Options = map[string]any{"timeout": "1s", "protocol": protocol}
			test(t, receiver, load)
		})
	}
}

// awaitPoints waits until the receiver has stored something of the run.
func awaitPoints(t *testing.T, receiver *harness.Receiver) {
	t.Helper()
	await(t, "the first points", func() bool {
		_, found, err := receiver.Number("sum(k6_http_reqs_total)")
		return err == nil && found
	})
}

func TestAReceiverThatIsKilledAndRestartedHasEveryWindow(t *testing.T) {
	t.Parallel()
	onBothProtocols(t, func(t *testing.T, receiver *harness.Receiver, load harness.Run) {
		k6 := start(t, load)
		awaitPoints(t, receiver)
		receiver.Kill()
		time.Sleep(3 * time.Second) // during which sends fail
		if err := receiver.Restart(); err != nil {
			t.Fatal(err)
		}
		result := finish(t, k6, 0)

		expectAnOutageWithoutLoss(t, receiver, result)
	})
}

// A relay keeps what it has accepted on its disk; what VictoriaMetrics had only in memory it loses when it is killed.
func TestAReceiverThatIsRestartedHasEveryWindow(t *testing.T) {
	t.Parallel()
	onEveryReceiver(t, func(t *testing.T, receiver *harness.Receiver) {
		load := loadFor(12*time.Second, startTarget(t), receiver.WriteURL())
		load.Env["K6_PROMETHEUS_RW_PUSH_INTERVAL"] = "1s"
		load.Options = map[string]any{"timeout": "1s"}
		k6 := start(t, load)
		time.Sleep(4 * time.Second)
		receiver.ShutDown()
		time.Sleep(2 * time.Second)
		if err := receiver.Restart(); err != nil {
			t.Fatal(err)
		}
		result := finish(t, k6, 0)

		expectAnOutageWithoutLoss(t, receiver, result)
	})
}

// expectAnOutageWithoutLoss requires every number and window of 1 s, and one warning and one recovery in the log.
func expectAnOutageWithoutLoss(t *testing.T, receiver *harness.Receiver, result *harness.Result) {
	t.Helper()
	expectSummaryIn(t, receiver, result)
	expectAPointInEveryWindow(t, receiver, time.Second)
	expectOneWarningAndOneRecovery(t, result)
}

func TestAReceiverThatFreezesHasEveryWindow(t *testing.T) {
	t.Parallel()
	onBothProtocols(t, func(t *testing.T, receiver *harness.Receiver, load harness.Run) {
		k6 := start(t, load)
		awaitPoints(t, receiver)
		receiver.Freeze()
		time.Sleep(10 * time.Second) // during which no response comes
		receiver.Thaw()
		result := finish(t, k6, 0)

		expectAnOutageWithoutLoss(t, receiver, result)
	})
}

func TestASecondCtrlCStopsTheWaitWithoutLoss(t *testing.T) {
	t.Parallel()
	directory, target := t.TempDir(), startTarget(t)
	k6 := start(t, withoutReceiver(t, target, shop, map[string]any{"flushTimeout": "1h", "unsentDirectory": directory}))
	await(t, "some load", func() bool { return target.Requests() > 100 })
	k6.Interrupt()
	awaitQuiet(t, target)
	begin := time.Now()
	k6.Interrupt()
	unsentFile(t, finish(t, k6, abortedByASignal), directory)
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("the run ended after %s", took)
	}
}

func TestOneCtrlCStopsTheWaitOfTwoOutputs(t *testing.T) {
	t.Parallel()
	directory, target := t.TempDir(), startTarget(t)
	load := withoutReceiver(t, target, shop, map[string]any{"flushTimeout": "1h", "unsentDirectory": directory})
	load.Out = append(load.Out, strings.Replace(load.Out[0], "/api/v1/write", "/second", 1))
	k6 := start(t, load)
	await(t, "some load", func() bool { return target.Requests() > 100 })
	k6.Interrupt()
	awaitQuiet(t, target)
	begin := time.Now()
	k6.Interrupt()
	result := finish(t, k6, abortedByASignal)
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("the run ended after %s", took)
	}
	if files, err := filepath.Glob(filepath.Join(directory, "*")); err != nil || len(files) != 2 {
		t.Errorf("expected a file of each output, got %v (%v):\n%s", files, err, result.LogText())
	}
}

func TestTwoOutputsWaitTogether(t *testing.T) {
	t.Parallel()
	target := startTarget(t)
	load := withoutReceiver(t, target, shop, map[string]any{"flushTimeout": "8s", "unsentDirectory": ""})
	load.Out = append(load.Out, strings.Replace(load.Out[0], "/api/v1/write", "/second", 1))
	load.Env["DURATION"] = "2s"
	k6 := start(t, load)
	await(t, "some load", func() bool { return target.Requests() > 100 })
	awaitQuiet(t, target)
	begin := time.Now()
	finish(t, k6, 0)
	if took := time.Since(begin); took > 12*time.Second {
		t.Errorf("the run ended after %s", took)
	}
}

func TestAbortOnFailureStopsTheTest(t *testing.T) {
	t.Parallel()
	load := withoutReceiver(t, startTarget(t), shop, map[string]any{"flushTimeout": "0s", "abortOnFailure": "2s"})
	begin := time.Now()
	result := finish(t, start(t, load), abortedByASignal)
	if took := time.Since(begin); took < 2*time.Second || took > 30*time.Second {
		t.Errorf("the test ended after %s", took)
	}
	if !strings.Contains(result.LogText(), "abortOnFailure") {
		t.Errorf("the log must contain the reason:\n%s", result.LogText())
	}
}

// withoutReceiver returns a run of a minute whose receiver refuses connections.
func withoutReceiver(t *testing.T, target *harness.Target, script string, options map[string]any) harness.Run {
	t.Helper()
	address, release, err := harness.Refused()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	load := loadFor(time.Minute, target, "http://"+address+"/api/v1/write")
	load.Env["K6_PROMETHEUS_RW_PUSH_INTERVAL"] = "1s"
	load.Script = script
	load.Options = options
	return load
}

// awaitQuiet waits until there was no request for a second: the load has ended, and the output sends its last points.
func awaitQuiet(t *testing.T, target *harness.Target) {
	t.Helper()
	last, since := target.Requests(), time.Now()
	await(t, "the end of the load", func() bool {
		if now := target.Requests(); now != last {
			last, since = now, time.Now()
		}
		return time.Since(since) > time.Second
	})
}
