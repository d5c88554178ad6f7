package remotewrite

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.k6.io/k6/v2/lib"
	"go.k6.io/k6/v2/metrics"
)

func TestMetadataBecomesExemplarsAndCostsNoSample(t *testing.T) {
	t.Parallel()
	for name, tried := range map[string]struct {
		metadata map[string]string
		expected string // of the label trace_id; empty for no exemplar
	}{
		"a trace":                {map[string]string{"trace_id": "abc"}, "abc"},
		"a trace and more":       {map[string]string{"trace_id": "abc", "vu": "1", "iter": "2"}, "abc"},
		"no trace":               {map[string]string{"vu": "1"}, ""},
		"an empty trace":         {map[string]string{"trace_id": ""}, ""},
		"no metadata":            {nil, ""},
		"text that is too long":  {map[string]string{"trace_id": strings.Repeat("ä", 100_000)}, ""},
		"text that is not UTF-8": {map[string]string{"trace_id": "a\xffb"}, "a\uFFFDb"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := startReceiver(t)
			out, _ := newOutput(t, r.URL, lib.Options{})
			of := series(t, metrics.NewRegistry(), "count", metrics.Counter, nil)
			out.AddMetricSamples([]metrics.SampleContainer{
				metrics.Sample{TimeSeries: of, Time: time.Now(), Value: 3, Metadata: tried.metadata},
				metrics.Sample{TimeSeries: of, Time: time.Now().Add(-time.Second), Value: 1},
			})
			require.NoError(t, out.Stop())
			assert.InDelta(t, 4, r.all()["__name__=k6_count_total"], 0)
			var expected []exemplar
			if tried.expected != "" {
				expected = []exemplar{{3, map[string]string{"trace_id": tried.expected}}}
			}
			assert.Equal(t, expected, r.exemplars["__name__=k6_count_total"])
		})
	}
}

func TestTheLastOfTwoSamplesOfAGaugeWithOneTimeCounts(t *testing.T) {
	t.Parallel()
	metadata, now := map[string]string{"trace_id": "abc"}, time.Now()
	for _, of := range [][]map[string]string{{metadata, nil}, {nil, metadata}, {metadata, metadata}} {
		r := startReceiver(t)
		out, _ := newOutput(t, r.URL, lib.Options{})
		gauge := series(t, metrics.NewRegistry(), "gauge", metrics.Gauge, nil)
		out.AddMetricSamples([]metrics.SampleContainer{
			metrics.Sample{TimeSeries: gauge, Time: now, Value: 1, Metadata: of[0]},
			metrics.Sample{TimeSeries: gauge, Time: now, Value: 2, Metadata: of[1]},
		})
		require.NoError(t, out.Stop())
		assert.InDelta(t, 2, r.all()["__name__=k6_gauge"], 0)
	}
}

// More than fit into one call of the library, by number and by length, from many goroutines.
func TestEverySampleKeepsItsOwnMetadata(t *testing.T) {
	t.Parallel()
	r := startReceiver(t)
	out, _ := newOutput(t, r.URL, lib.Options{})
	registry := metrics.NewRegistry()
	const callers, samples = 8, 3*maxExemplars + 1
	var running sync.WaitGroup
	for caller := range callers {
		all := make(metrics.Samples, samples)
		for i := range all {
			of := series(t, registry, "count", metrics.Counter, map[string]string{"of": fmt.Sprint(caller*samples + i)})
			all[i] = metrics.Sample{TimeSeries: of, Time: time.Now(), Value: 1}
			if i%3 > 0 {
				trace := fmt.Sprintf("%0*d", 1+i%100, caller*samples+i)
				all[i].Metadata = map[string]string{"trace_id": trace, "vu": strings.Repeat("v", i)}
			}
		}
		running.Go(func() { out.AddMetricSamples([]metrics.SampleContainer{all}) })
	}
	running.Wait()
	require.NoError(t, out.Stop())
	values := r.all()
	for i := range callers * samples {
		key := fmt.Sprintf("__name__=k6_count_total,of=%d", i)
		require.InDelta(t, 1, values[key], 0)
		if i%samples%3 == 0 {
			require.Empty(t, r.exemplars[key])
			continue
		}
		require.Len(t, r.exemplars[key], 1)
		require.Equal(t, fmt.Sprint(i), strings.TrimLeft(r.exemplars[key][0].labels["trace_id"], "0"))
	}
}
