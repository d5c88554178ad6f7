package remotewrite

// #cgo CFLAGS: -I${SRCDIR}/include -include k6_remote_write_musl.h
// #cgo noescape k6rw_push_batch
// #cgo nocallback k6rw_push_batch
// #include "k6_remote_write.h"
import "C"

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"os/signal"
	"runtime"
	"time"
	"unsafe"

	"github.com/sirupsen/logrus"
	"go.k6.io/k6/v2/errext"
	"go.k6.io/k6/v2/errext/exitcodes"
	"go.k6.io/k6/v2/metrics"
)

// record is a sample as it crosses the C ABI: 24 bytes, no pointers.
type record = C.k6rw_sample

// seriesID is the library's id of a series. 0 is not an id.
type seriesID = C.uint64_t

// pollMilliseconds is how long a poll of a command's output waits, and so how long an interrupt may.
const pollMilliseconds = 100

// errNoEvent means that there is no event now, errClosed that there will be no more.
var (
	errNoEvent = errors.New("there is no event")
	errClosed  = errors.New("output is closed")
)

// native is an open output of the library. Its methods may be called from any goroutine.
type native struct {
	handle *C.k6rw_output
}

// event is a line for the log.
type event struct {
	Level   level         `json:"level"`
	Message string        `json:"message"`
	Fields  logrus.Fields `json:"fields"`
}

// level is a level of k6's log. At logrus.FatalLevel the library asks to abort the test.
type level logrus.Level

// UnmarshalText reads the name of a level in the report. An unknown level, of a newer library, is information.
func (l *level) UnmarshalText(text []byte) error {
	parsed, err := logrus.ParseLevel(string(text))
	if err != nil {
		parsed = logrus.InfoLevel
	}
	*l = level(parsed)
	return nil
}

// levelOf converts a level of the header. An unknown level, of a newer library, is information.
func levelOf(code C.uint32_t) level {
	switch code {
	case C.K6RW_LEVEL_DEBUG:
		return level(logrus.DebugLevel)
	case C.K6RW_LEVEL_WARN:
		return level(logrus.WarnLevel)
	case C.K6RW_LEVEL_ERROR:
		return level(logrus.ErrorLevel)
	case C.K6RW_LEVEL_FATAL:
		return level(logrus.FatalLevel)
	default:
		return level(logrus.InfoLevel)
	}
}

// checkVersion returns an error unless header and library have the same ABI version.
func checkVersion() error {
	if library := uint32(C.k6rw_abi_version()); library != C.K6RW_ABI_VERSION {
		return fmt.Errorf("the library has ABI version %d, the extension needs %d: rebuild k6 with "+
			"a library and an extension of the same release", library, uint32(C.K6RW_ABI_VERSION))
	}
	return nil
}

// openNative opens an output with this configuration document, which starts the library's threads.
func openNative(document []byte) (*native, error) {
	if err := checkVersion(); err != nil {
		return nil, err
	}
	var opened native
	var failure C.k6rw_error
	first := (*C.char)(unsafe.Pointer(unsafe.SliceData(document)))
	status := C.k6rw_open(first, C.size_t(len(document)), &opened.handle, &failure)
	switch status {
	case C.K6RW_OK:
		return &opened, nil
	case C.K6RW_INVALID_CONFIG:
		return nil, errext.WithExitCodeIfNone(errorOf(&failure), exitcodes.InvalidConfig)
	default:
		return nil, errorOf(&failure)
	}
}

// version returns the version of the library.
func version() string {
	return textOf(C.k6rw_version())
}

func (n *native) description() (string, error) {
	var description C.k6rw_text
	var failure C.k6rw_error
	if C.k6rw_description(n.handle, &description, &failure) != C.K6RW_OK {
		return "", errorOf(&failure)
	}
	return textOf(description), nil
}

// register registers a series and returns its id.
func (n *native) register(metric *metrics.Metric, tags iter.Seq2[string, string]) (seriesID, error) {
	call := registrations.Get().(*registration) //nolint:forcetypeassert // nothing else is put there
	defer call.recycle()
	call.add(metric.Name, "")
	for name, value := range tags {
		call.add(name, value)
	}
	var pinner runtime.Pinner
	defer pinner.Unpin()
	call.point(&pinner)
	call.series = C.k6rw_series{
		metric:      call.texts[0].name,
		metric_type: metricType(metric.Type),
		value_type:  valueType(metric.Contains),
		tags:        unsafe.SliceData(call.texts[1:]),
		tag_count:   C.size_t(len(call.texts[1:])),
	}
	if C.k6rw_register_series(n.handle, &call.series, &call.id, &call.failure) != C.K6RW_OK {
		return 0, errorOf(&call.failure)
	}
	return call.id, nil
}

// push records all samples. The caller may reuse the slice at once. After close it does nothing.
func (n *native) push(records []record) {
	if len(records) > 0 {
		// All ids are valid, so this fails only if the output is closed: the error is not needed.
		C.k6rw_push_batch(n.handle, unsafe.SliceData(records), C.size_t(len(records)), nil)
	}
}

// pollEvent returns the next event, or errNoEvent or errClosed.
func (n *native) pollEvent() (*event, error) {
	var next C.k6rw_event
	var failure C.k6rw_error
	switch C.k6rw_poll_event(n.handle, &next, &failure) {
	case C.K6RW_OK:
	case C.K6RW_NO_EVENT:
		return nil, errNoEvent
	case C.K6RW_CLOSED, C.K6RW_INVALID_HANDLE:
		return nil, errClosed
	default:
		return nil, errorOf(&failure)
	}
	polled := &event{Level: levelOf(next.level), Message: C.GoString(&next.message[0])}
	fields := bytesOf(&next.fields[0], next.fields_len)
	return polled, decode(fields, &polled.Fields)
}

// cancelFlush makes close stop waiting for receivers.
func (n *native) cancelFlush() {
	C.k6rw_cancel_flush(n.handle, nil)
}

// close sends what is queued, frees the output, and returns the last events.
func (n *native) close() ([]event, error) {
	var text C.k6rw_text
	var failure C.k6rw_error
	defer C.k6rw_free(n.handle, nil)
	if C.k6rw_close(n.handle, &text, &failure) != C.K6RW_OK {
		return nil, errorOf(&failure)
	}
	var last struct {
		Events []event `json:"events"`
	}
	err := decode([]byte(textOf(text)), &last)
	return last.Events, err
}

// runNativeCommand runs a command of the library until it ends. An interrupt cancels it, once: the next one ends k6.
func runNativeCommand(document []byte, interrupts chan os.Signal, stdout, stderr io.Writer) error {
	if err := checkVersion(); err != nil {
		return err
	}
	var command *C.k6rw_command
	var failure C.k6rw_error
	first := (*C.char)(unsafe.Pointer(unsafe.SliceData(document)))
	if C.k6rw_command_open(first, C.size_t(len(document)), &command, &failure) != C.K6RW_OK {
		return errext.WithExitCodeIfNone(errorOf(&failure), exitcodes.InvalidConfig)
	}
	defer C.k6rw_command_free(command, nil)
	var chunk C.k6rw_chunk
	for status := C.k6rw_status(C.K6RW_RUNNING); status != C.K6RW_CLOSED; {
		select {
		case <-interrupts:
			signal.Stop(interrupts)
			C.k6rw_command_cancel(command, nil)
		default:
		}
		status = C.k6rw_command_poll(command, pollMilliseconds, &chunk, &failure)
		switch status {
		case C.K6RW_OK:
			stream := stdout
			if chunk.stream == C.K6RW_STREAM_STDERR {
				stream = stderr
			}
			if _, err := stream.Write(bytesOf(&chunk.text[0], chunk.text_len)); err != nil {
				return err
			}
		case C.K6RW_RUNNING, C.K6RW_CLOSED:
		default:
			return errorOf(&failure)
		}
	}
	var code C.uint32_t
	var reason C.k6rw_text
	if C.k6rw_command_exit_code(command, &code, &reason, &failure) != C.K6RW_OK {
		return errorOf(&failure)
	}
	if code == 0 {
		return nil
	}
	return errext.WithExitCodeIfNone(errors.New(textOf(reason)), exitcodes.ExitCode(code))
}

// decode keeps numbers as they are written. json.Unmarshal would make them float64, and the log would have 3e+06 for three
// million.
func decode(text []byte, value any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return decoder.Decode(value)
}

// recordOf returns the record of a sample.
func recordOf(id seriesID, taken time.Time, value float64) record {
	return record{series: id, time_ms: C.int64_t(taken.UnixMilli()), value: C.double(value)}
}

func metricType(t metrics.MetricType) C.uint32_t {
	switch t {
	case metrics.Counter:
		return C.K6RW_METRIC_COUNTER
	case metrics.Gauge:
		return C.K6RW_METRIC_GAUGE
	case metrics.Trend:
		return C.K6RW_METRIC_TREND
	case metrics.Rate:
		return C.K6RW_METRIC_RATE
	}
	return math.MaxUint32 // a new type of k6, which the library rejects
}

func valueType(v metrics.ValueType) C.uint32_t {
	switch v {
	case metrics.Time:
		return C.K6RW_VALUE_TIME
	case metrics.Data:
		return C.K6RW_VALUE_DATA
	default:
		return C.K6RW_VALUE_DEFAULT
	}
}

func errorOf(failure *C.k6rw_error) error {
	return errors.New(C.GoString(&failure.message[0]))
}

func textOf(text C.k6rw_text) string {
	return string(bytesOf(text.data, text.len))
}

// bytesOf returns a copy of bytes of the library.
func bytesOf(first *C.char, count C.size_t) []byte {
	return bytes.Clone(unsafe.Slice((*byte)(unsafe.Pointer(first)), count))
}

// addressOf returns the address of an object, which does not keep the object alive.
func addressOf[T any](object *T) uint64 {
	return uint64(uintptr(unsafe.Pointer(object)))
}
