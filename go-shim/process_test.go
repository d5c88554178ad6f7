package remotewrite

// Several outputs of one test: they close together, and one Ctrl-C ends the waiting of all.

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	logtest "github.com/sirupsen/logrus/hooks/test"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.k6.io/k6/v2/metrics"
	"go.k6.io/k6/v2/output"
)

// hangingReceiver answers no request before the test ends.
func hangingReceiver(t *testing.T) string {
	t.Helper()
	ended := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		select {
		case <-ended:
		case <-request.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(ended) })
	return server.URL
}

// outputsOf opens, starts and uses an output for each URL, as k6 does for one test.
func outputsOf(t *testing.T, flushTimeout string, urls ...string) ([]*Output, *logtest.Hook) {
	t.Helper()
	logger, hook := logtest.NewNullLogger()
	script := &url.URL{Scheme: "file", Path: "/script.js"}
	of := series(t, metrics.NewRegistry(), "count", metrics.Counter, nil)
	var outs []*Output
	for _, receiver := range urls {
		out, err := New(output.Params{
			Logger:         logger,
			ConfigArgument: receiver,
			ScriptPath:     script,
			Environment: map[string]string{
				"K6_PROMETHEUS_RW_PUSH_INTERVAL":    "100ms",
				"K6_PROMETHEUS_RW_SELF_METRICS":     "false",
				"K6_PROMETHEUS_RW_FLUSH_TIMEOUT":    flushTimeout,
				"K6_PROMETHEUS_RW_UNSENT_DIRECTORY": "",
			},
		})
		require.NoError(t, err)
		out.SetThresholds(map[string]metrics.Thresholds{"count": metrics.NewThresholds([]string{"count>0"})})
		require.NoError(t, out.Start())
		outs = append(outs, out)
	}
	for _, out := range outs {
		out.AddMetricSamples([]metrics.SampleContainer{metrics.Sample{TimeSeries: of, Time: time.Now(), Value: 1}})
	}
	return outs, hook
}

// stopAll stops outputs one after the other, as k6 does.
func stopAll(t *testing.T, outs []*Output) {
	t.Helper()
	for _, out := range outs {
		assert.NoError(t, out.Stop())
	}
}

// interrupt does what Ctrl-C does.
func interrupt(t *testing.T) {
	t.Helper()
	self, err := os.FindProcess(os.Getpid())
	require.NoError(t, err)
	require.NoError(t, self.Signal(os.Interrupt))
}

// Not in parallel with other tests: the signal is for all outputs of the process.
func TestOneInterruptEndsTheWaitOfAllOutputs(t *testing.T) {
	outs, hook := outputsOf(t, "1h", hangingReceiver(t), hangingReceiver(t))
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		stopAll(t, outs)
	}()
	waiting := func() bool {
		return slices.ContainsFunc(hook.AllEntries(), func(entry *logrus.Entry) bool {
			return entry.Message == "Waiting for the receiver to accept the remaining samples; press Ctrl-C to stop waiting"
		})
	}
	require.Eventually(t, waiting, 10*time.Second, 10*time.Millisecond)
	interrupt(t)
	select {
	case <-stopped:
	case <-time.After(time.Second):
		t.Fatal("an output still waits")
	}
	assert.Len(t, messages(hook, logrus.ErrorLevel), 2, "the last line of each")
}

// Not in parallel with other tests, as the one before.
func TestAnInterruptBeforeTheEndEndsNoWait(t *testing.T) {
	for range 20 {
		r := startReceiver(t)
		outs, hook := outputsOf(t, "30s", r.URL)
		seen := make(chan os.Signal, 1)
		signal.Notify(seen, os.Interrupt)
		interrupt(t)
		<-seen // as k6 does, which then stops the outputs
		stopAll(t, outs)
		signal.Stop(seen)
		require.Empty(t, messages(hook, logrus.ErrorLevel))
	}
}

func TestOutputsOfATestTakeNoLongerThanOneToStop(t *testing.T) {
	t.Parallel()
	outs, _ := outputsOf(t, "2s", hangingReceiver(t), hangingReceiver(t), hangingReceiver(t))
	begin := time.Now()
	stopAll(t, outs)
	assert.Less(t, time.Since(begin), 4*time.Second)
}

func TestOutputsOfATestSendAllThatTheyHave(t *testing.T) {
	t.Parallel()
	first, second := startReceiver(t), startReceiver(t)
	outs, _ := outputsOf(t, "30s", first.URL, second.URL)
	stopAll(t, outs)
	for _, out := range outs {
		require.Error(t, out.Stop(), "a second time")
	}
	for _, values := range []map[string]float64{first.all(), second.all()} {
		assert.InDelta(t, 1, values["__name__=k6_count_total"], 0)
		assert.InDelta(t, 1, values["__name__=k6_threshold_passed,metric=count,threshold=count>0"], 0)
	}
}

func TestAnOutputOfAnotherTestGoesOn(t *testing.T) {
	t.Parallel()
	first, second := startReceiver(t), startReceiver(t)
	ended, _ := outputsOf(t, "30s", first.URL)
	running, _ := outputsOf(t, "30s", second.URL)
	stopAll(t, ended)
	of := series(t, metrics.NewRegistry(), "late", metrics.Counter, nil)
	running[0].AddMetricSamples([]metrics.SampleContainer{metrics.Sample{TimeSeries: of, Time: time.Now(), Value: 1}})
	stopAll(t, running)
	assert.Contains(t, second.all(), "__name__=k6_late_total")
}
