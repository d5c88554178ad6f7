package remotewrite

import (
	"math/bits"
	"sync"
	"sync/atomic"

	"go.k6.io/k6/v2/metrics"
)

// seriesIndex finds the library's id of a k6 series. A lookup takes no lock and misses the cache once: k6 interns tag sets, so that
// a series is a pair of pointers, and an entry is 16 bytes.
//
// Series with an id that other series have, too, are not shipped, or differ only in tags that are not: there may be many more than
// are shipped. They are forgotten when they were not seen for a while; registered again, they have the same id.
type seriesIndex struct {
	metrics atomic.Pointer[metricTable]
	adding  sync.Mutex // for a new metric
	newest  atomic.Uint64
}

// metricTable is an open-addressed table of the metrics, of which there are few. It never changes.
type metricTable struct {
	slots []metricSlot // at least one is empty; their number is a power of two
	mask  uint64       // their number less one
}

type metricSlot struct {
	metric *metrics.Metric
	series *metricSeries
}

// shardBits is the number of bits of the hash that select a shard. A shard that grows holds up registrations of its series only,
// for half a millisecond if there are half a million.
const shardBits = 6

// metricSeries has the series of a metric.
type metricSeries [1 << shardBits]shard

// shard has a part of the series of a metric.
type shard struct {
	table    atomic.Pointer[seriesTable]
	changing sync.Mutex
}

// seriesTable is an open-addressed table of ids by tag set. Entries are only added; a table that is full is replaced.
type seriesTable struct {
	slots []seriesSlot // their number is a power of two
	mask  uint64       // their number less one
	shift uint         // of the hash, for the first slot to look at
	count int          // guarded by the shard's mutex
}

type seriesSlot struct {
	tags  atomic.Pointer[metrics.TagSet] // written after entry
	entry atomic.Uint64                  // the id and these flags
}

const (
	// recent is set when a series is seen, and cleared when the table is replaced.
	recent = 1 << 63
	// shared is set if other series have the id.
	shared = 1 << 62
	idBits = shared - 1

	minSlots = 4
	// A table with fewer slots forgets nothing. With so many, all shards of a metric take 1 MiB.
	minForgettingSlots = 1 << 10
	// A table with so many slots forgets all shared series when it is full, even recent ones. All shards take 32 MiB then.
	maxForgettingSlots = 1 << 15
)

func newSeriesIndex() *seriesIndex {
	index := new(seriesIndex)
	index.metrics.Store(&metricTable{slots: make([]metricSlot, minSlots), mask: minSlots - 1})
	return index
}

// hash mixes the address of an interned object. Only equal addresses are equal objects while the index refers to them.
func hash[T any](object *T) uint64 {
	return addressOf(object) * 0x9E3779B97F4A7C15 // 2^64 divided by the golden ratio
}

// find returns the id of a series, and whether the index has it.
func (x *seriesIndex) find(series *metrics.TimeSeries) (seriesID, bool) {
	of := x.metrics.Load().find(series.Metric)
	if of == nil {
		return 0, false
	}
	return of.find(series.Tags)
}

func (t *metricTable) find(metric *metrics.Metric) *metricSeries {
	for i := hash(metric) >> 32; ; i++ {
		slot := &t.slots[i&t.mask]
		if slot.metric == metric || slot.metric == nil {
			return slot.series
		}
	}
}

func (m *metricSeries) find(tags *metrics.TagSet) (seriesID, bool) {
	hash := hash(tags)
	table := m[hash>>(64-shardBits)].table.Load()
	if table == nil {
		return 0, false
	}
	for i := table.first(hash); ; i++ {
		slot := &table.slots[i&table.mask]
		switch slot.tags.Load() {
		case nil:
			return 0, false
		case tags:
			entry := slot.entry.Load()
			if entry&recent == 0 {
				slot.entry.Store(entry | recent)
			}
			return seriesID(entry & idBits), true
		}
	}
}

// noTags stands for a missing tag set, which only an extension can emit.
var noTags = metrics.NewRegistry().RootTagSet()

// add returns the id of a series, and registers it unless another goroutine has done so.
func (x *seriesIndex) add(series metrics.TimeSeries, register func(metrics.TimeSeries) seriesID) seriesID {
	if series.Tags == nil {
		series.Tags = noTags
	}
	of := x.metrics.Load().find(series.Metric)
	if of == nil {
		of = x.addMetric(series.Metric)
	}
	shard := &of[hash(series.Tags)>>(64-shardBits)]
	shard.changing.Lock()
	defer shard.changing.Unlock()
	if id, known := of.find(series.Tags); known {
		return id
	}
	id := register(series)
	entry := uint64(id) | recent
	if !x.isNewest(uint64(id)) {
		entry |= shared
	}
	shard.add(series.Tags, entry)
	return id
}

// isNewest reports whether the id is greater than all before: then no other series has it yet. If two goroutines register series at
// once, one of them may seem to have an id that is shared, and is registered again if it is forgotten.
func (x *seriesIndex) isNewest(id uint64) bool {
	for {
		newest := x.newest.Load()
		if id <= newest {
			return false
		}
		if x.newest.CompareAndSwap(newest, id) {
			return true
		}
	}
}

// addMetric replaces the table of metrics by one that has this metric.
func (x *seriesIndex) addMetric(metric *metrics.Metric) *metricSeries {
	x.adding.Lock()
	defer x.adding.Unlock()
	old := x.metrics.Load()
	if of := old.find(metric); of != nil {
		return of
	}
	added := new(metricSeries)
	all := []metricSlot{{metric, added}}
	for _, slot := range old.slots {
		if slot.metric != nil {
			all = append(all, slot)
		}
	}
	slots := uint64(1) << bits.Len(uint(2*len(all)))
	replaced := &metricTable{slots: make([]metricSlot, slots), mask: slots - 1}
	for _, slot := range all {
		i := hash(slot.metric) >> 32
		for replaced.slots[i&replaced.mask].metric != nil {
			i++
		}
		replaced.slots[i&replaced.mask] = slot
	}
	x.metrics.Store(replaced)
	return added
}

// isEmpty reports whether no series was added.
func (x *seriesIndex) isEmpty() bool {
	for _, slot := range x.metrics.Load().slots {
		if slot.metric != nil {
			return false
		}
	}
	return true
}

// add adds a series that the shard does not have. Its mutex must be held.
func (s *shard) add(tags *metrics.TagSet, entry uint64) {
	table := s.table.Load()
	if table == nil {
		table = newSeriesTable(minSlots)
	} else if (table.count+1)*4 > len(table.slots)*3 {
		table = table.successor()
	}
	table.add(tags, entry)
	s.table.Store(table)
}

func newSeriesTable(slots uint64) *seriesTable {
	return &seriesTable{slots: make([]seriesSlot, slots), mask: slots - 1, shift: uint(64 - bits.Len64(slots-1))}
}

// first returns the first slot to look at.
func (t *seriesTable) first(hash uint64) uint64 { return hash << shardBits >> t.shift }

func (t *seriesTable) add(tags *metrics.TagSet, entry uint64) {
	for i := t.first(hash(tags)); ; i++ {
		slot := &t.slots[i&t.mask]
		if slot.tags.Load() == nil {
			slot.entry.Store(entry)
			slot.tags.Store(tags)
			t.count++
			return
		}
	}
}

// successor returns a table with the entries to keep and free slots. The other entries are forgotten.
func (t *seriesTable) successor() *seriesTable {
	keeps := func(entry uint64) bool {
		return entry&shared == 0 || len(t.slots) < minForgettingSlots || entry&recent != 0 && len(t.slots) < maxForgettingSlots
	}
	kept := uint64(0)
	for i := range t.slots {
		if t.slots[i].tags.Load() != nil && keeps(t.slots[i].entry.Load()) {
			kept++
		}
	}
	slots := t.mask + 1
	if kept*2 > slots {
		slots *= 2
	}
	next := newSeriesTable(slots)
	for i := range t.slots {
		slot := &t.slots[i]
		if tags, entry := slot.tags.Load(), slot.entry.Load(); tags != nil && keeps(entry) {
			next.add(tags, entry&^recent)
		}
	}
	return next
}
