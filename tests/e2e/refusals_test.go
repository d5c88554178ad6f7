package e2e

// Each receiver's own ways to refuse a whole request: what it accepts later is complete, and the log says what to do.

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// setting is a receiver with flags for a test.
type setting struct {
	kind  harness.Kind
	flags []string
}

// onSettings runs a test for each setting, in parallel; those of harness.MoreKinds only with RECEIVERS=all.
func onSettings(t *testing.T, settings []setting, test func(t *testing.T, receiver *harness.Receiver)) {
	for _, setting := range settings {
		t.Run(string(setting.kind), func(t *testing.T) {
			t.Parallel()
			if slices.Contains(harness.MoreKinds, setting.kind) && !allReceivers() {
				t.Skip("only with RECEIVERS=all")
			}
			test(t, startReceiverWith(t, setting.kind, setting.flags...))
		})
	}
}

func TestNothingIsLostWithALimitOnTheSizeOfRequests(t *testing.T) {
	t.Parallel()
	onSettings(t, []setting{
		{harness.VictoriaMetrics, []string{"-maxInsertRequestSize=20KB"}},
		{harness.VMAgent, []string{"-maxInsertRequestSize=20KB"}},
		{harness.Mimir, []string{"-distributor.max-recv-msg-size=20000"}},
		{harness.Cortex, []string{"-distributor.max-recv-msg-size=20000"}},
		{harness.Thanos, []string{"--receive.limits-config=" + thanosLimits("size_bytes_limit: 20000")}},
	}, expectManySeries)
}

func TestNothingIsLostWithALimitOnTheSeriesOfARequest(t *testing.T) {
	t.Parallel()
	for _, limit := range []string{"series_limit: 100", "samples_limit: 100"} {
		t.Run(limit, func(t *testing.T) {
			t.Parallel()
			onSettings(t, []setting{{harness.Thanos, []string{"--receive.limits-config=" + thanosLimits(limit)}}}, expectManySeries)
		})
	}
}

// thanosLimits returns a configuration of Thanos Receive with a limit on requests.
func thanosLimits(limit string) string { return "write: {default: {request: {" + limit + "}}}" }

// expectManySeries expects that a receiver that limits requests has all 2000 series, all complete.
func expectManySeries(t *testing.T, receiver *harness.Receiver) {
	load := loadFor(5*time.Second, startTarget(t), receiver.WriteURL())
	load.Script = manySeries
	load.Env["SERIES"] = "2000"

	result := run(t, load)

	iterations := result.Summary["iterations"]["count"]
	all := query(t, receiver, "last_over_time(k6_many_total[5m])")
	if len(all) != 2000 {
		t.Errorf("%d series are stored, not 2000", len(all))
	}
	for _, series := range all {
		if series.Last().Value != iterations {
			t.Errorf("%v is %v, not %v", series.Labels, series.Last().Value, iterations)
		}
	}
	expectSummaryBut(t, receiver, result)
	expectAllSent(t, result)
}

// Mimir and Cortex answer 429; vmagent reads slowly.
func TestALimitOnSamplesPerSecondDelaysPointsAndLosesNone(t *testing.T) {
	t.Parallel()
	limited := []string{"-distributor.ingestion-rate-limit=350", "-distributor.ingestion-burst-size=900"} // of about 440 a second
	onSettings(t, []setting{
		{harness.Mimir, limited}, {harness.Cortex, limited}, {harness.VMAgent, []string{"-maxIngestionRate=400"}},
	}, func(t *testing.T, receiver *harness.Receiver) {
		load := loadFor(6*time.Second, startTarget(t), receiver.WriteURL())
		load.Env["K6_PROMETHEUS_RW_PUSH_INTERVAL"] = "1s"
		load.Options = map[string]any{"flushTimeout": "1m"} // Mimir's Retry-After is some seconds
		if receiver.Kind == harness.Cortex {
			load.Options["maxSamplesPerSend"] = 800 // it does not say that a request is larger than its burst
		}
		result := run(t, load)

		expectSummaryIn(t, receiver, result)
		expectAPointInEveryWindow(t, receiver, time.Second)
		expectAllSent(t, result)
		if receiver.Kind != harness.VMAgent {
			expectWarning(t, result, "rate limit", "raise its limit, or send fewer series")
		}
	})
}

// Thanos Receive asks a Prometheus for the series of a tenant, every 15 s, and answers 429 above the limit.
func TestALimitOnActiveSeriesThatIsRaisedDuringTheRunLosesNothing(t *testing.T) {
	t.Parallel()
	if !allReceivers() {
		t.Skip("only with RECEIVERS=all")
	}
	var series atomic.Int64
	series.Store(1000)
	prometheus := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		result := fmt.Sprintf(`{"metric":{"tenant":"default-tenant"},"value":[%d,"%d"]}`, time.Now().Unix(), series.Load())
		fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[%s]}}`, result)
	}))
	t.Cleanup(prometheus.Close)
	limits := fmt.Sprintf("write: {global: {meta_monitoring_url: %q}, default: {head_series_limit: 100}}", prometheus.URL)
	receiver, err := harness.StartReceiverAs(harness.Thanos, func(r *harness.Receiver, address string) []string {
		ring := fmt.Sprintf(`[{"endpoints": [%q]}]`, r.Address("grpc")) // without one it has no such limit
		return append(r.Usual(address), "--receive.limits-config="+limits, "--receive.hashrings="+ring,
			"--receive.local-endpoint="+r.Address("grpc"))
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(receiver.Stop)
	load := loadFor(24*time.Second, startTarget(t), receiver.WriteURL())
	k6 := start(t, load)
	series.Store(10)
	result := finish(t, k6, 0)

	expectSummaryIn(t, receiver, result)
	expectAPointInEveryWindow(t, receiver, 3*time.Second)
	expectAllSent(t, result)
	expectWarning(t, result, "above active series limit", "raise its limit, or send fewer series")
}

// Without its queue on disk, a vmagent answers 429 as long as its store is away.
func TestARelayWithoutAQueuePassesItsStoresAbsenceOn(t *testing.T) {
	t.Parallel()
	onSettings(t, []setting{{harness.VMAgent, []string{"-remoteWrite.disableOnDiskQueue=true", "-remoteWrite.retryMaxInterval=1s"}}},
		func(t *testing.T, receiver *harness.Receiver) {
			load := loadFor(14*time.Second, startTarget(t), receiver.WriteURL())
			load.Env["K6_PROMETHEUS_RW_PUSH_INTERVAL"] = "200ms"
			k6 := start(t, load)
			time.Sleep(3 * time.Second)
			receiver.Store().ShutDown()
			time.Sleep(6 * time.Second)
			if err := receiver.Store().Restart(); err != nil {
				t.Fatal(err)
			}
			result := finish(t, k6, 0)

			expectSummaryIn(t, receiver, result)
			expectAllSent(t, result)
		})
}

func TestAMissingTenantIsNamed(t *testing.T) {
	t.Parallel()
	onSettings(t, []setting{
		{harness.Mimir, []string{"-auth.multitenancy-enabled=true"}}, {harness.Cortex, []string{"-auth.enabled=true"}},
	}, func(t *testing.T, receiver *harness.Receiver) {
		receiver.Tenant = "other-tenant"
		load := loadFor(3*time.Second, startTarget(t), receiver.WriteURL())
		expectNothingStored(t, receiver, run(t, load), "no org id", "X-Scope-OrgID")
	})
}

func TestPointsOfAnotherTimeAreRefusedWithAHintAboutClocks(t *testing.T) {
	t.Parallel()
	library := clockStep(t)
	future := []setting{
		{harness.Prometheus, nil}, {harness.PrometheusOf1, nil}, {harness.Mimir, nil}, {harness.Cortex, nil},
		{harness.Thanos, []string{"--tsdb.too-far-in-future.time-window=10m"}},
	}
	past := slices.Clone(future)
	for _, clock := range []struct {
		name     string
		ahead    time.Duration
		settings []setting
	}{
		{"an hour ahead", time.Hour, future}, {"three hours behind", -3 * time.Hour, past},
	} {
		t.Run(clock.name, func(t *testing.T) {
			t.Parallel()
			onSettings(t, clock.settings, func(t *testing.T, receiver *harness.Receiver) {
				// Points are too old if others are much newer.
				present := harness.Series{Name: "other", Points: []harness.Point{{TimeMs: time.Now().UnixMilli(), Value: 1}}}
				if err := receiver.Write(present); err != nil {
					t.Fatal(err)
				}
				load := loadFor(5*time.Second, startTarget(t), receiver.WriteURL())
				maps.Copy(load.Env, clockAhead(library, clock.ahead))
				expectNothingStored(t, receiver, run(t, load), "", "check the clocks of both machines")
			})
		})
	}
}

// clockAhead returns variables for a library clock that is ahead from the start.
func clockAhead(library string, ahead time.Duration) map[string]string {
	return map[string]string{
		"LD_PRELOAD": library, "CLOCK_STEP_SECONDS": strconv.Itoa(int(ahead.Seconds())), "CLOCK_STEP_UNTIL_MS": "600000",
	}
}

// What is documented of VictoriaMetrics: it responds with a success, so the output cannot say it.
func TestVictoriaMetricsDropsPointsThatAreDaysAheadWithoutAnError(t *testing.T) {
	t.Parallel()
	receiver := startReceiver(t, harness.VictoriaMetrics)
	const ahead = 72 * time.Hour
	load := loadFor(2*time.Second, startTarget(t), receiver.WriteURL())
	maps.Copy(load.Env, clockAhead(clockStep(t), ahead))
	expectAllSent(t, run(t, load))
	stored, err := receiver.QueryAt(`{__name__=~"k6_.+"}[5m]`, time.Now().Add(ahead+time.Minute).UnixMilli())
	if err != nil || len(stored) > 0 {
		t.Errorf("it stores %d series, %v", len(stored), err)
	}
}

// expectNothingStored expects that all points failed, with this message and hint.
func expectNothingStored(t *testing.T, receiver *harness.Receiver, result *harness.Result, message, hint string) {
	t.Helper()
	expectPointsFailed(t, result, message, hint)
	lines := linesOfOutput(result)
	if last := lines[len(lines)-1]; last.Fields["points_failed"] != last.Fields["points"] {
		t.Errorf("not all points failed:\n%s", result.LogText())
	}
	now := time.Now()
	for _, at := range []time.Time{now, now.Add(time.Hour), now.Add(-3 * time.Hour)} {
		if stored, err := receiver.QueryAt(`{__name__=~"k6_.+"}[5m]`, at.Add(time.Minute).UnixMilli()); err != nil || len(stored) > 0 {
			t.Errorf("%d series are stored, %v", len(stored), err)
		}
	}
}

// expectWarning expects warnings about the receiver, each with its message and a hint.
func expectWarning(t *testing.T, result *harness.Result, message, hint string) {
	t.Helper()
	warnings := slices.DeleteFunc(linesOf(result, "warning"), func(line harness.LogLine) bool { return line.Fields["error"] == nil })
	if len(warnings) == 0 || slices.ContainsFunc(warnings, func(line harness.LogLine) bool {
		return !strings.Contains(line.String(), message) || !strings.Contains(fmt.Sprint(line.Fields["hint"]), hint)
	}) {
		t.Errorf("expected warnings with %q and the hint %q:\n%s", message, hint, result.LogText())
	}
}
