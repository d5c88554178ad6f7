package harness

// A receiver that takes everything, keeps each request as it came, and stores nothing.

import (
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"

	prompb "buf.build/gen/go/prometheus/prometheus/protocolbuffers/go"
	"github.com/klauspost/compress/snappy"
	"google.golang.org/protobuf/proto"
)

// Recorded is one request, decoded by Go's own packages.
type Recorded struct {
	Path   string // with its query
	Host   string
	Header http.Header
	Body   []byte   // compressed
	Series []Series // in the order of the request; a stale marker is a NaN
}

// Recorder is a running one.
type Recorder struct {
	server   *httptest.Server
	mutex    sync.Mutex
	requests []Recorded
	failure  error
}

// StartRecorder listens by plain http.
func StartRecorder() *Recorder {
	recorder := newRecorder()
	recorder.server.Start()
	return recorder
}

// StartTLSRecorder listens by https; without another, with a certificate that nobody has reason to trust.
func StartTLSRecorder(config *tls.Config) *Recorder {
	recorder := newRecorder()
	recorder.server.TLS = config
	recorder.server.StartTLS()
	return recorder
}

func newRecorder() *Recorder {
	recorder := &Recorder{}
	recorder.server = httptest.NewUnstartedServer(recorder)
	recorder.server.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that are meant to fail
	return recorder
}

// URL takes the place of a receiver's write URL.
func (r *Recorder) URL() string { return r.server.URL + "/api/v1/write" }

// Close ends it.
func (r *Recorder) Close() { r.server.Close() }

// Requests are all that came from programs whose User-Agent begins like this.
func (r *Recorder) Requests(agent string) ([]Recorded, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return slices.DeleteFunc(slices.Clone(r.requests), func(request Recorded) bool {
		return !strings.HasPrefix(request.Header.Get("User-Agent"), agent)
	}), r.failure
}

// ServeHTTP takes a request.
func (r *Recorder) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	var series []Series
	if err == nil {
		series, err = decode(body)
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if err != nil {
		r.failure = err
	}
	r.requests = append(r.requests, Recorded{
		Path: request.URL.String(), Host: request.Host, Header: request.Header, Body: body, Series: series,
	})
	w.WriteHeader(http.StatusNoContent)
}

func decode(compressed []byte) ([]Series, error) {
	raw, err := snappy.Decode(nil, compressed)
	if err != nil {
		return nil, err
	}
	var message prompb.WriteRequest
	if err := proto.Unmarshal(raw, &message); err != nil {
		return nil, err
	}
	var all []Series
	for _, sent := range message.GetTimeseries() {
		series := Series{Labels: map[string]string{}}
		for _, label := range sent.GetLabels() {
			series.Labels[label.GetName()] = label.GetValue()
		}
		series.Name = series.Labels["__name__"]
		delete(series.Labels, "__name__")
		for _, sample := range sent.GetSamples() {
			series.Points = append(series.Points, Point{TimeMs: sample.GetTimestamp(), Value: sample.GetValue()})
		}
		all = append(all, series)
	}
	return all, nil
}
