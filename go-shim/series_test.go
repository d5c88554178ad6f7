package remotewrite

import (
	"maps"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.k6.io/k6/v2/metrics"
)

// newSeries returns a series of the metric with a tag set that nothing else refers to, unlike those of a registry.
func newSeries(metric *metrics.Metric) metrics.TimeSeries {
	return metrics.TimeSeries{Metric: metric, Tags: new(metrics.TagSet)}
}

// always registers all series with the same id.
func always(id seriesID) func(metrics.TimeSeries) seriesID {
	return func(metrics.TimeSeries) seriesID { return id }
}

// slots returns the number of slots of all shards.
func (m *metricSeries) slots() (slots int) {
	for i := range m {
		if table := m[i].table.Load(); table != nil {
			slots += len(table.slots)
		}
	}
	return slots
}

func TestEachSeriesIsRegisteredOnceAndFound(t *testing.T) {
	t.Parallel()
	index := newSeriesIndex()
	var registered seriesID
	register := func(metrics.TimeSeries) seriesID {
		registered++
		return registered
	}
	var all []metrics.TimeSeries
	for range 40 { // more than fit into the first table
		metric := new(metrics.Metric)
		for range 500 {
			all = append(all, newSeries(metric))
		}
	}
	for range 2 {
		for i := range all {
			if _, known := index.find(&all[i]); !known {
				assert.Equal(t, index.add(all[i], register), registered)
			}
		}
	}
	require.Len(t, all, int(registered))
	for i := range all {
		id, known := index.find(&all[i])
		require.True(t, known)
		require.EqualValues(t, i+1, id)
		require.Equal(t, id, index.add(all[i], register))
	}
}

func TestSamplesWithoutTagsAreOfOneSeries(t *testing.T) {
	t.Parallel()
	index := newSeriesIndex()
	metric := new(metrics.Metric)
	for range 100 { // some share a shard with those without tags
		index.add(newSeries(metric), always(1))
	}
	of := metrics.TimeSeries{Metric: metric}
	_, known := index.find(&of)
	require.False(t, known)
	for range 2 {
		assert.EqualValues(t, 2, index.add(of, always(2)))
		assert.Empty(t, maps.Collect(tagsOf(noTags)))
	}
}

func TestGoroutinesRegisterASeriesOnce(t *testing.T) {
	t.Parallel()
	index := newSeriesIndex()
	metric := new(metrics.Metric)
	all := make([]metrics.TimeSeries, 10_000)
	for i := range all {
		all[i] = newSeries(metric)
	}
	var registered atomic.Uint64
	var callers sync.WaitGroup
	for caller := range 8 {
		callers.Go(func() {
			for i := range all {
				of := all[(i*7+caller*13)%len(all)]
				id := index.add(of, func(metrics.TimeSeries) seriesID { return seriesID(registered.Add(1)) })
				found, known := index.find(&of)
				assert.True(t, known)
				assert.Equal(t, id, found)
			}
		})
	}
	callers.Wait()
	assert.EqualValues(t, len(all), registered.Load())
}

func TestSeriesWithASharedIDAreForgottenAndTheirTagSetsFreed(t *testing.T) {
	t.Parallel()
	index := newSeriesIndex()
	metric := new(metrics.Metric)
	own, busy := newSeries(metric), newSeries(metric)
	index.add(own, always(1))
	index.add(busy, always(1))
	var first, last weak.Pointer[metrics.TagSet]
	for i := range 1_000_000 {
		one := newSeries(metric)
		index.add(one, always(1))
		if i == 0 {
			first = weak.Make(one.Tags)
		}
		if i%1000 == 0 {
			_, known := index.find(&busy)
			require.True(t, known, "a series that is seen")
		}
		last = weak.Make(one.Tags)
	}
	_, known := index.find(&own)
	assert.True(t, known, "the only series with a new id")
	assert.LessOrEqual(t, index.metrics.Load().find(metric).slots(), minForgettingSlots<<(shardBits+1), "2 MiB")
	runtime.GC()
	assert.Nil(t, first.Value())
	assert.NotNil(t, last.Value())
	runtime.KeepAlive(index)
}

func TestSharedSeriesAreBoundedEvenIfAllAreSeen(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector makes it slow")
	}
	t.Parallel()
	index := newSeriesIndex()
	metric := new(metrics.Metric)
	all := make([]metrics.TimeSeries, 3_000_000)
	for i := range all {
		all[i] = newSeries(metric)
	}
	for range 2 {
		for i := range all {
			if _, known := index.find(&all[i]); !known {
				index.add(all[i], always(1))
			}
		}
	}
	assert.LessOrEqual(t, index.metrics.Load().find(metric).slots(), maxForgettingSlots<<shardBits, "32 MiB")
}

// An addition to a shard that grows moves the shard's series, and holds up others of that shard alone.
func TestShardsGrowAloneAndAlike(t *testing.T) {
	t.Parallel()
	index := newSeriesIndex()
	metric := new(metrics.Metric)
	var id seriesID
	for range 500_000 {
		index.add(newSeries(metric), func(metrics.TimeSeries) seriesID {
			id++
			return id
		})
	}
	of := index.metrics.Load().find(metric)
	for i := range of {
		assert.LessOrEqual(t, len(of[i].table.Load().slots), 1<<14)
	}
}

// BenchmarkAdd reports the longest addition, too: other goroutines that register series may wait so long.
func BenchmarkAdd(b *testing.B) {
	index := newSeriesIndex()
	metric := new(metrics.Metric)
	var id seriesID
	register := func(metrics.TimeSeries) seriesID {
		id++
		return id
	}
	var longest time.Duration
	for b.Loop() {
		one := newSeries(metric)
		begun := time.Now()
		index.add(one, register)
		longest = max(longest, time.Since(begun))
	}
	b.ReportMetric(float64(longest.Nanoseconds()), "ns-longest")
}
