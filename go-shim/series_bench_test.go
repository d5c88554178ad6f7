package remotewrite

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	logtest "github.com/sirupsen/logrus/hooks/test"
	"github.com/stretchr/testify/require"
	"go.k6.io/k6/v2/metrics"
	"go.k6.io/k6/v2/output"
)

// BenchmarkManySeries hands over one sample of each of 200 000 new series, and closes the output, whose receiver responds at once.
// It reports the time of a series, the longest time that it held up the goroutine that hands it over and one that hands over samples
// of a known series meanwhile, and the time of closing.
func BenchmarkManySeries(b *testing.B) {
	const count = 200_000
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	defer server.Close()
	var registering, closing time.Duration
	var longest, longestOfKnown maxDuration
	rounds := 0
	for b.Loop() {
		logger, _ := logtest.NewNullLogger()
		out, err := New(output.Params{
			Logger: logger, ConfigArgument: server.URL,
			Environment: map[string]string{"K6_PROMETHEUS_RW_PROTOCOL": "1.0"}, // this receiver confirms nothing
		})
		require.NoError(b, err)
		registry := metrics.NewRegistry()
		metric := registry.MustNewMetric("many_series", metrics.Counter)
		one := func(id int) []metrics.SampleContainer {
			of := metrics.TimeSeries{Metric: metric, Tags: registry.RootTagSet().With("id", strconv.Itoa(id))}
			return []metrics.SampleContainer{metrics.Sample{TimeSeries: of, Time: time.Now(), Value: 1}}
		}
		all := make([][]metrics.SampleContainer, count)
		for id := range all {
			all[id] = one(id)
		}
		known := one(-1)
		out.AddMetricSamples(known)
		var done atomic.Bool
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for !done.Load() {
				longestOfKnown.measure(func() { out.AddMetricSamples(known) })
				time.Sleep(100 * time.Microsecond)
			}
		}()
		begun := time.Now()
		for _, containers := range all {
			longest.measure(func() { out.AddMetricSamples(containers) })
		}
		registering += time.Since(begun)
		done.Store(true)
		<-ended
		begun = time.Now()
		require.NoError(b, out.Stop())
		closing += time.Since(begun)
		rounds++
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(registering.Nanoseconds())/float64(rounds*count), "ns/series")
	b.ReportMetric(float64(longest.Microseconds()), "us-longest")
	b.ReportMetric(float64(longest.long)/float64(rounds), "over-1ms")
	b.ReportMetric(float64(longestOfKnown.Microseconds()), "us-longest-of-known")
	b.ReportMetric(float64(closing.Milliseconds())/float64(rounds), "ms-close")
}

// maxDuration is the longest of some durations, and the number of those over a millisecond. On a busy machine most of these are waits
// for a processor.
type maxDuration struct {
	time.Duration
	long int
}

func (m *maxDuration) measure(call func()) {
	begun := time.Now()
	call()
	took := time.Since(begun)
	m.Duration = max(m.Duration, took)
	if took > time.Millisecond {
		m.long++
	}
}
