package remotewrite

// Resources that an output uses, and several outputs in one process.

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	logtest "github.com/sirupsen/logrus/hooks/test"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.k6.io/k6/v2/lib"
	"go.k6.io/k6/v2/metrics"
	"go.k6.io/k6/v2/output"
)

// usage is the use of limited resources.
type usage struct {
	goroutines, threads, files int
	memory                     int // resident, in KiB
}

// used measures this process. Linux only.
func used(t *testing.T) usage {
	t.Helper()
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Skip("the system has no /proc: ", err)
	}
	files, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	runtime.GC()
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	memory, err := strconv.Atoi(strings.Fields(rest)[0])
	require.NoError(t, err)
	return usage{runtime.NumGoroutine(), len(threads), len(files), memory}
}

// live opens, uses and stops an output.
func live(t *testing.T, url string, of metrics.TimeSeries) {
	t.Helper()
	logger, _ := logtest.NewNullLogger()
	out, err := New(output.Params{Logger: logger, ConfigArgument: url})
	require.NoError(t, err)
	require.NoError(t, out.Start())
	out.AddMetricSamples([]metrics.SampleContainer{metrics.Sample{TimeSeries: of, Time: time.Now(), Value: 1}})
	require.NoError(t, out.Stop())
}

// Not in parallel with other tests: their resources would count.
func TestAThousandOutputsLeaveNothingBehind(t *testing.T) {
	r := startReceiver(t)
	of := series(t, metrics.NewRegistry(), "count", metrics.Counter, nil)
	for range 200 { // until everything that is made once is there
		live(t, r.URL, of)
	}
	before := used(t)
	for range 1000 {
		live(t, r.URL, of)
	}
	after := used(t)
	t.Logf("before %+v, after %+v", before, after)
	// The receiver is in this process too, and its connections end a little later.
	assert.LessOrEqual(t, after.goroutines, before.goroutines+5)
	assert.LessOrEqual(t, after.threads, before.threads+5)
	assert.LessOrEqual(t, after.files, before.files+5)
	if !raceDetector {
		assert.LessOrEqual(t, after.memory, before.memory+4096, "4 KiB an output, or less")
	}
}

func TestOutputsInOneProcessDoNotMixTheirSamples(t *testing.T) {
	t.Parallel()
	of := series(t, metrics.NewRegistry(), "count", metrics.Counter, nil)
	var callers sync.WaitGroup
	for i := range 8 {
		r := startReceiver(t)
		out, hook := newOutput(t, r.URL, lib.Options{})
		callers.Go(func() {
			assert.NoError(t, out.Start())
			for range 100 {
				out.AddMetricSamples([]metrics.SampleContainer{metrics.Sample{TimeSeries: of, Value: float64(i)}})
			}
			assert.NoError(t, out.Stop())
			assert.Equal(t, map[string]float64{"__name__=k6_count_total": float64(100 * i)}, r.all())
			assert.EqualValues(t, "100", hook.LastEntry().Data["samples"])
		})
	}
	callers.Wait()
}

func TestTwoHundredGoroutinesRegisterAndPushAtOnce(t *testing.T) {
	t.Parallel()
	r := startReceiver(t)
	out, _ := newOutput(t, r.URL, lib.Options{})
	require.NoError(t, out.Start())
	registry := metrics.NewRegistry()
	var all []metrics.TimeSeries
	for i := range 500 {
		all = append(all, series(t, registry, "count", metrics.Counter, map[string]string{"i": fmt.Sprint(i)}))
	}
	var callers sync.WaitGroup
	for caller := range 200 {
		callers.Go(func() {
			for i := range all {
				// Each in a different order, so that goroutines register the same series at once.
				of := all[(i*7+caller*13)%len(all)]
				out.AddMetricSamples([]metrics.SampleContainer{metrics.Sample{TimeSeries: of, Value: 1}})
			}
		})
	}
	callers.Wait()
	require.NoError(t, out.Stop())
	values := r.all()
	require.Len(t, values, len(all))
	for name, value := range values {
		assert.InDelta(t, 200, value, 0, name)
	}
}

// failing is another output, which fails to start.
type failing struct{ output.Output }

func (failing) Start() error { return errors.New("no") }

// k6's manager stops the outputs that it has started. An output after the one that failed is neither started nor stopped.
func TestAnotherOutputThatFailsToStartStopsThisOneCleanly(t *testing.T) {
	t.Parallel()
	r := startReceiver(t)
	first, hook := newOutput(t, r.URL, lib.Options{})
	last, _ := newOutput(t, r.URL, lib.Options{})
	logger, _ := logtest.NewNullLogger()
	manager := output.NewManager([]output.Output{first, failing{}, last}, logger, func(error) {})

	_, _, err := manager.Start(make(chan metrics.SampleContainer))

	require.EqualError(t, err, "no")
	assert.EqualValues(t, "0", hook.LastEntry().Data["samples"], "its last line")
	_, err = first.library.pollEvent()
	require.ErrorIs(t, err, errClosed)
	require.NoError(t, last.Stop(), "an output that was never started")
}

func TestSeriesThatAreNotShippedAreForgotten(t *testing.T) {
	t.Parallel()
	const all = 150_000
	for option, value := range map[string]string{"MAX_SERIES": "1000", "DROP_TAGS": "id", "METRICS": "other"} {
		r := startReceiver(t)
		logger, hook := logtest.NewNullLogger()
		out, err := New(output.Params{
			Logger: logger, ConfigArgument: r.URL, Environment: map[string]string{"K6_PROMETHEUS_RW_" + option: value},
		})
		require.NoError(t, err)
		registry := metrics.NewRegistry()
		metric, err := registry.NewMetric("count", metrics.Counter)
		require.NoError(t, err)
		of := func(id int) metrics.Sample {
			tags := registry.RootTagSet().With("id", strconv.Itoa(id))
			return metrics.Sample{TimeSeries: metrics.TimeSeries{Metric: metric, Tags: tags}, Value: 1}
		}
		for id := range all {
			out.AddMetricSamples([]metrics.SampleContainer{of(id)})
		}
		for id := range all / 10 { // those that were forgotten first
			out.AddMetricSamples([]metrics.SampleContainer{of(id)})
		}
		slots := out.series.metrics.Load().find(metric).slots()
		require.NoError(t, out.Stop())
		assert.LessOrEqual(t, slots, minForgettingSlots<<(shardBits+1), option)
		assert.EqualValues(t, strconv.Itoa(all+all/10), hook.LastEntry().Data["samples"], option)
	}
}

func TestAStopKeepsAllSamplesThatWereAddedBefore(t *testing.T) {
	t.Parallel()
	r := startReceiver(t)
	out, hook := newOutput(t, r.URL, lib.Options{})
	require.NoError(t, out.Start())
	of := series(t, metrics.NewRegistry(), "count", metrics.Counter, nil)
	one := []metrics.SampleContainer{metrics.Sample{TimeSeries: of, Value: 1}}
	started := make(chan struct{}, 8)
	stopped := make(chan struct{})
	var callers sync.WaitGroup
	for range cap(started) {
		callers.Go(func() {
			out.AddMetricSamples(one)
			started <- struct{}{}
			for {
				select {
				case <-stopped:
					return
				default:
					out.AddMetricSamples(one)
				}
			}
		})
	}
	for range cap(started) {
		<-started
	}
	require.NoError(t, out.Stop())
	close(stopped)
	callers.Wait()
	samples, err := strconv.ParseFloat(fmt.Sprint(hook.LastEntry().Data["samples"]), 64)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, samples, float64(cap(started)))
	assert.InDelta(t, samples, r.all()["__name__=k6_count_total"], 0)
}
