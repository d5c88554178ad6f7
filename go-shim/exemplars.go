package remotewrite

// #cgo noescape k6rw_push_exemplars
// #cgo nocallback k6rw_push_exemplars
// #include "k6_remote_write.h"
import "C"

import (
	"encoding/json"
	"errors"
	"runtime"
	"strings"
	"unicode/utf8"
	"unsafe"

	"go.k6.io/k6/v2/metrics"
)

// A call hands over at most so many samples with metadata, and about so much text. One text is cut at maxMetadataBytes: what is
// longer fits into no exemplar.
const (
	maxExemplars     = 512
	maxExemplarBytes = 1 << 16
	maxMetadataBytes = 1 << 10
)

// exemplars is the memory of a call that hands over samples with metadata. Most runs have none.
type exemplars struct {
	bytes   []byte       // of all texts, one after the other
	texts   []C.k6rw_tag // the metadata of all samples; they point to bytes
	samples []C.k6rw_exemplar
}

// exemplarNames returns the names of the metadata that the library makes exemplars of.
func (n *native) exemplarNames() ([]string, error) {
	var names C.k6rw_text
	var failure C.k6rw_error
	if C.k6rw_exemplar_names(n.handle, &names, &failure) != C.K6RW_OK {
		return nil, errorOf(&failure)
	}
	var list []string
	if err := json.Unmarshal([]byte(textOf(names)), &list); err != nil {
		return nil, errors.New("the library returned an invalid list of exemplar names")
	}
	return list, nil
}

// mayBeExemplar reports whether a sample may become an exemplar. Those of gauges do not, and keep their order: the last of two
// with one time is the value of the gauge.
func mayBeExemplar(sample *metrics.Sample) bool {
	return len(sample.Metadata) > 0 && sample.Metric.Type != metrics.Gauge
}

// add adds a sample if its metadata has one of these names, and reports whether it has.
func (e *exemplars) add(names []string, id seriesID, sample *metrics.Sample) bool {
	before := len(e.texts)
	for _, name := range names {
		if value := sample.Metadata[name]; value != "" {
			e.texts = append(e.texts, C.k6rw_tag{name: e.text(name), value: e.text(value)})
		}
	}
	added := len(e.texts) - before
	if added > 0 {
		e.samples = append(e.samples, C.k6rw_exemplar{
			sample:         recordOf(id, sample.Time, sample.Value),
			metadata_count: C.size_t(added),
		})
	}
	return added > 0
}

func (e *exemplars) text(text string) C.k6rw_text {
	text = text[:min(len(text), maxMetadataBytes)]
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	e.bytes = append(e.bytes, text...)
	return C.k6rw_text{len: C.size_t(len(text))}
}

func (e *exemplars) isFull() bool {
	return len(e.samples) >= maxExemplars || len(e.bytes) >= maxExemplarBytes
}

// pushExemplars records all samples and empties the memory. After close it does nothing else.
func (n *native) pushExemplars(e *exemplars) {
	if len(e.samples) > 0 {
		var pinner runtime.Pinner
		defer pinner.Unpin()
		e.point(&pinner)
		// As for push, the error is not needed.
		C.k6rw_push_exemplars(n.handle, unsafe.SliceData(e.samples), C.size_t(len(e.samples)), nil)
	}
	clear(e.texts)
	clear(e.samples)
	e.bytes, e.texts, e.samples = e.bytes[:0], e.texts[:0], e.samples[:0]
}

// point sets the pointers of all texts and samples. Before, the memory may move.
func (e *exemplars) point(pinner *runtime.Pinner) {
	firstByte, firstText := unsafe.SliceData(e.bytes), unsafe.SliceData(e.texts)
	pinner.Pin(firstByte)
	pinner.Pin(firstText)
	offset := C.size_t(0)
	for i := range e.texts {
		for _, text := range []*C.k6rw_text{&e.texts[i].name, &e.texts[i].value} {
			text.data = (*C.char)(unsafe.Add(unsafe.Pointer(firstByte), offset))
			offset += text.len
		}
	}
	next := 0
	for i := range e.samples {
		e.samples[i].metadata = &e.texts[next]
		next += int(e.samples[i].metadata_count)
	}
}
