//go:build unix

package main

// A receiver that takes everything and keeps nothing, so that what it costs is the same for every output. It counts points, and
// answers to both versions of Remote Write as Prometheus 3 does.

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/klauspost/compress/snappy"
	"google.golang.org/protobuf/encoding/protowire"
)

type countingReceiver struct {
	server *httptest.Server
	received
}

// received is what came in.
type received struct{ requests, bytes, points atomic.Int64 }

// counts are the numbers of it at one time.
type counts struct{ requests, bytes, points int64 }

func startCountingReceiver() *countingReceiver {
	receiver := &countingReceiver{}
	receiver.server = httptest.NewServer(receiver)
	return receiver
}

// ServeHTTP takes a request.
func (r *countingReceiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return // who sent it has gone
	}
	form := formOf(request)
	samples, histograms, err := form.points(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.requests.Add(1)
	r.bytes.Add(int64(len(body)))
	r.points.Add(int64(samples + histograms))
	if form == version2 {
		w.Header().Set("X-Prometheus-Remote-Write-Samples-Written", strconv.Itoa(samples))
		w.Header().Set("X-Prometheus-Remote-Write-Histograms-Written", strconv.Itoa(histograms))
		w.Header().Set("X-Prometheus-Remote-Write-Exemplars-Written", "0")
	}
	w.WriteHeader(http.StatusNoContent)
}

func (r *countingReceiver) URL() string { return r.server.URL + "/api/v1/write" }
func (r *countingReceiver) Close()      { r.server.Close() }

// Counts are those until now.
func (r *countingReceiver) Counts() counts {
	return counts{r.requests.Load(), r.bytes.Load(), r.points.Load()}
}

// since is what came after an earlier count.
func (c counts) since(before counts) counts {
	return counts{c.requests - before.requests, c.bytes - before.bytes, c.points - before.points}
}

// form is where a version's message has its series, and a series its samples and histograms: the numbers of the fields.
type form struct{ series, samples, histograms protowire.Number }

var (
	version1 = form{series: 1, samples: 2, histograms: 4}
	version2 = form{series: 5, samples: 2, histograms: 3}
)

func formOf(request *http.Request) form {
	if strings.Contains(request.Header.Get("Content-Type"), "io.prometheus.write.v2.Request") {
		return version2
	}
	return version1
}

// points counts the samples and the histograms of a body.
func (f form) points(body []byte) (samples, histograms int, err error) {
	message, err := snappy.Decode(nil, body)
	if err != nil {
		return 0, 0, err
	}
	err = eachField(message, func(number protowire.Number, series []byte) error {
		if number != f.series {
			return nil
		}
		return eachField(series, func(number protowire.Number, _ []byte) error {
			switch number {
			case f.samples:
				samples++
			case f.histograms:
				histograms++
			}
			return nil
		})
	})
	return samples, histograms, err
}

// eachField goes through the fields of a message that have a length.
func eachField(message []byte, visit func(number protowire.Number, content []byte) error) error {
	for len(message) > 0 {
		number, kind, tagLength := protowire.ConsumeTag(message)
		if tagLength < 0 {
			return protowire.ParseError(tagLength)
		}
		length := protowire.ConsumeFieldValue(number, kind, message[tagLength:])
		if length < 0 {
			return protowire.ParseError(length)
		}
		if kind == protowire.BytesType {
			content, _ := protowire.ConsumeBytes(message[tagLength:])
			if err := visit(number, content); err != nil {
				return err
			}
		}
		message = message[tagLength+length:]
	}
	return nil
}
