//go:build unix

package main

// A receiver that takes everything and keeps nothing, so that what it costs is the same for every output.

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
)

type countingReceiver struct {
	server   *httptest.Server
	requests atomic.Int64
	bytes    atomic.Int64
}

func startCountingReceiver() *countingReceiver {
	receiver := &countingReceiver{}
	receiver.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		size, _ := io.Copy(io.Discard, r.Body)
		receiver.bytes.Add(size)
		receiver.requests.Add(1)
		w.WriteHeader(http.StatusNoContent)
	}))
	return receiver
}

func (r *countingReceiver) URL() string   { return r.server.URL + "/api/v1/write" }
func (r *countingReceiver) Requests() int { return int(r.requests.Load()) }
func (r *countingReceiver) Bytes() int    { return int(r.bytes.Load()) }
func (r *countingReceiver) Close()        { r.server.Close() }
