package remotewrite

// #include "k6_remote_write.h"
import "C"

import (
	"iter"
	"runtime"
	"strings"
	"sync"
	"unicode/utf8"
	"unsafe"

	"github.com/mstoykov/atlas"
	"go.k6.io/k6/v2/metrics"
)

// registration is the memory of a call that registers a series, since there may be hundreds of thousands within seconds.
type registration struct {
	bytes   []byte       // of all texts, one after the other
	texts   []C.k6rw_tag // the name of the metric, then the tags; they point to bytes
	series  C.k6rw_series
	id      seriesID
	failure C.k6rw_error
}

var registrations = sync.Pool{New: func() any { return new(registration) }}

// maxKeptBytes is the size of texts whose memory is kept for the next registration.
const maxKeptBytes = 1 << 16

// add adds two texts. They point to nothing yet, since bytes moves while it grows.
func (r *registration) add(name, value string) {
	r.texts = append(r.texts, C.k6rw_tag{name: r.text(name), value: r.text(value)})
}

func (r *registration) text(text string) C.k6rw_text {
	// Scripts can make strings that are not UTF-8. Such a tag must not cost the series.
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	r.bytes = append(r.bytes, text...)
	return C.k6rw_text{len: C.size_t(len(text))}
}

// point sets the pointers of all texts.
func (r *registration) point(pinner *runtime.Pinner) {
	pinner.Pin(unsafe.SliceData(r.texts))
	if len(r.bytes) == 0 {
		return
	}
	first := unsafe.Pointer(unsafe.SliceData(r.bytes))
	pinner.Pin(first)
	offset := C.size_t(0)
	for i := range r.texts {
		for _, text := range []*C.k6rw_text{&r.texts[i].name, &r.texts[i].value} {
			if text.len > 0 {
				text.data = (*C.char)(unsafe.Add(first, offset))
				offset += text.len
			}
		}
	}
}

func (r *registration) recycle() {
	if cap(r.bytes) > maxKeptBytes {
		return
	}
	clear(r.texts)
	r.texts, r.bytes, r.series = r.texts[:0], r.bytes[:0], C.k6rw_series{}
	registrations.Put(r)
}

// tagsOf returns the tags of a set without a map of them.
func tagsOf(tags *metrics.TagSet) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for node := (*atlas.Node)(tags); !node.IsRoot(); {
			previous, name, value := node.Data()
			if !yield(name, value) {
				return
			}
			node = previous
		}
	}
}
