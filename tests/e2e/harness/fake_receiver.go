package harness

// A fake receiver with faults. It runs alone, or in front of a real receiver.

import (
	"bytes"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/snappy"
)

// Fault is the handling of a request by a FakeReceiver.
type Fault string

const (
	Pass         Fault = "pass"          // none: the request is accepted
	Unavailable  Fault = "unavailable"   // 503
	Throttle     Fault = "throttle"      // 429 with a Retry-After of a second
	Unauthorized Fault = "unauthorized"  // 401
	WebPage      Fault = "web page"      // 200 with a login page
	Hang         Fault = "hang"          // no response is sent
	Slow         Fault = "slow"          // the request is accepted, after Fake.Delay
	LoseAnswer   Fault = "lose answer"   // as Slow, but the connection breaks before the response
	Reset        Fault = "reset"         // the connection is reset after the request was received
	Refuse       Fault = "refuse"        // the connection is reset before a request can be sent
	TooLarge     Fault = "too large"     // 413 to requests of more than Fake.MaxPoints points
	FailMarked   Fault = "fail marked"   // 500 to requests that contain Fake.Marked
	RejectMarked Fault = "reject marked" // 400 to requests that contain Fake.Marked
)

// Hook chooses the fault of a request, whose body was read.
type Hook func(*http.Request) Fault

// Always returns the hook that chooses the same fault for every request.
func Always(fault Fault) Hook { return func(*http.Request) Fault { return fault } }

// RequireAuthorization returns the hook that passes requests with exactly this Authorization.
func RequireAuthorization(authorization string) Hook {
	return func(r *http.Request) Fault {
		if r.Header.Get("Authorization") != authorization {
			return Unauthorized
		}
		return Pass
	}
}

// Fake configures a FakeReceiver. The zero value accepts and records all requests over plain HTTP.
type Fake struct {
	TLS       *tls.Config // serves HTTPS; without a certificate in it, with one of an unknown CA
	Upstream  string      // write URL of a receiver to which accepted requests are forwarded
	Hook      Hook        // nil means Always(Pass)
	CountOnly bool        // requests are counted but not stored

	Delay     time.Duration // of Slow and LoseAnswer
	MaxPoints int           // of TooLarge
	Marked    string        // a series' name or a label's value, of FailMarked and RejectMarked
}

// Request is a received request. A refused connection has only a fault.
type Request struct {
	Fault  Fault
	Path   string // includes the query
	Host   string
	Header http.Header
	Body   []byte   // compressed
	Series []Series // set by RequestsOf, in the order of the request; a stale marker is a NaN
}

// Counts are totals of the requests that were accepted without an upstream.
type Counts struct{ Requests, Bytes, Points int64 }

// Since returns the difference to earlier counts.
func (c Counts) Since(before Counts) Counts {
	return Counts{c.Requests - before.Requests, c.Bytes - before.Bytes, c.Points - before.Points}
}

// FakeReceiver accepts requests of Remote Write 1.0 and 2.0, responds as Prometheus 3 does, and does not store points.
type FakeReceiver struct {
	fake    Fake
	server  *httptest.Server
	closing chan struct{}

	accepted struct{ requests, bytes, points atomic.Int64 }

	mutex    sync.Mutex
	hook     Hook
	refusing bool
	requests []Request
	idle     map[net.Conn]bool // connections that the client keeps alive; reset when connections are refused
}

// StartFakeReceiver starts a fake receiver.
func StartFakeReceiver(fake Fake) *FakeReceiver {
	receiver := &FakeReceiver{fake: fake, closing: make(chan struct{}), hook: fake.Hook, idle: map[net.Conn]bool{}}
	if receiver.hook == nil {
		receiver.hook = Always(Pass)
	}
	receiver.server = httptest.NewUnstartedServer(receiver)
	receiver.server.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that fail on purpose
	receiver.server.Config.ConnState = receiver.connectionChanged
	if fake.TLS != nil {
		receiver.server.TLS = fake.TLS
		receiver.server.StartTLS()
	} else {
		receiver.server.Start()
	}
	return receiver
}

// URL returns the write URL.
func (f *FakeReceiver) URL() string { return f.server.URL + "/api/v1/write" }

// Close stops the receiver and ends hanging requests.
func (f *FakeReceiver) Close() {
	close(f.closing)
	f.server.CloseClientConnections()
	f.server.Close()
}

// Set applies a fault to all requests from now on.
func (f *FakeReceiver) Set(fault Fault) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.hook, f.refusing = Always(fault), fault == Refuse
	if f.refusing {
		for connection := range f.idle {
			reset(connection)
		}
	}
}

// FailFor applies a fault to all requests for a time, and returns the number of requests that it affected.
func (f *FakeReceiver) FailFor(fault Fault, while time.Duration) int {
	before := f.Count(fault)
	f.Set(fault)
	time.Sleep(while)
	f.Set(Pass)
	return f.Count(fault) - before
}

// Requests returns all requests, in the order in which their faults were chosen.
func (f *FakeReceiver) Requests() []Request {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return slices.Clone(f.requests)
}

// RequestsOf returns the requests, with their series, whose User-Agent has this prefix.
func (f *FakeReceiver) RequestsOf(agent string) ([]Request, error) {
	requests := slices.DeleteFunc(f.Requests(), func(request Request) bool {
		return !strings.HasPrefix(request.Header.Get("User-Agent"), agent)
	})
	for i := range requests {
		var err error
		if requests[i].Series, err = seriesOf(requests[i].Body); err != nil {
			return nil, err
		}
	}
	return requests, nil
}

// Count returns the number of requests with this fault.
func (f *FakeReceiver) Count(fault Fault) int {
	count := 0
	for _, request := range f.Requests() {
		if request.Fault == fault {
			count++
		}
	}
	return count
}

// Counts returns the totals so far.
func (f *FakeReceiver) Counts() Counts {
	return Counts{f.accepted.requests.Load(), f.accepted.bytes.Load(), f.accepted.points.Load()}
}

// ServeHTTP handles a request with the fault that the hook chooses.
func (f *FakeReceiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender has disconnected
	}
	switch f.decide(r, body) {
	case Pass:
		f.accept(w, r, body)
	case Unavailable:
		http.Error(w, "come back later", http.StatusServiceUnavailable)
	case Throttle:
		w.Header().Set("Retry-After", "1")
		http.Error(w, "not so fast", http.StatusTooManyRequests)
	case Unauthorized:
		http.Error(w, "unauthorized", http.StatusUnauthorized)
	case WebPage:
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<html><title>Log in</title></html>")
	case TooLarge:
		http.Error(w, "this is too much", http.StatusRequestEntityTooLarge)
	case FailMarked:
		http.Error(w, "something broke", http.StatusInternalServerError)
	case RejectMarked:
		f.reject(w, r)
	case Hang:
		select {
		case <-r.Context().Done():
		case <-f.closing:
		}
		panic(http.ErrAbortHandler)
	case Slow:
		time.Sleep(f.fake.Delay)
		f.accept(w, r, body)
	case LoseAnswer:
		time.Sleep(f.fake.Delay)
		f.accept(&discardedResponse{header: http.Header{}}, r, body)
		panic(http.ErrAbortHandler)
	case Reset:
		if connection, _, err := w.(http.Hijacker).Hijack(); err == nil {
			reset(connection)
		}
	case Refuse:
		panic(http.ErrAbortHandler)
	}
}

// reject rejects a whole request, as Prometheus does for one bad series in 1.0.
func (f *FakeReceiver) reject(w http.ResponseWriter, r *http.Request) {
	if formOf(r.Header) == version2 {
		reportWritten(w, 0, 0)
	}
	http.Error(w, "this series is bad", http.StatusBadRequest)
}

func (f *FakeReceiver) decide(r *http.Request, body []byte) Fault {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	fault := f.hook(r)
	if !f.concerns(fault, r.Header, body) {
		fault = Pass
	}
	if !f.fake.CountOnly {
		f.requests = append(f.requests, Request{Fault: fault, Path: r.URL.String(), Host: r.Host, Header: r.Header, Body: body})
	}
	return fault
}

// concerns reports whether a fault applies to this request.
func (f *FakeReceiver) concerns(fault Fault, header http.Header, body []byte) bool {
	switch fault {
	case TooLarge:
		samples, histograms, err := formOf(header).points(body)
		return err == nil && samples+histograms > f.fake.MaxPoints
	case FailMarked, RejectMarked:
		message, err := snappy.Decode(nil, body)
		return err == nil && bytes.Contains(message, []byte(f.fake.Marked))
	default:
		return true
	}
}

func (f *FakeReceiver) accept(w http.ResponseWriter, r *http.Request, body []byte) {
	if f.fake.Upstream != "" {
		f.forward(w, r, body)
		return
	}
	form := formOf(r.Header)
	samples, histograms, err := form.points(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f.accepted.requests.Add(1)
	f.accepted.bytes.Add(int64(len(body)))
	f.accepted.points.Add(int64(samples + histograms))
	if form == version2 {
		reportWritten(w, samples, histograms)
	}
	w.WriteHeader(http.StatusNoContent)
}

func reportWritten(w http.ResponseWriter, samples, histograms int) {
	w.Header().Set("X-Prometheus-Remote-Write-Samples-Written", strconv.Itoa(samples))
	w.Header().Set("X-Prometheus-Remote-Write-Histograms-Written", strconv.Itoa(histograms))
	w.Header().Set("X-Prometheus-Remote-Write-Exemplars-Written", "0")
}

// forward sends the unchanged request to the upstream, and returns the upstream's response.
func (f *FakeReceiver) forward(w http.ResponseWriter, r *http.Request, body []byte) {
	request, err := http.NewRequestWithContext(r.Context(), r.Method, f.fake.Upstream, bytes.NewReader(body))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	request.Header = r.Header.Clone()
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer response.Body.Close()
	for name, values := range response.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(response.StatusCode)
	_, _ = io.Copy(w, response.Body)
}

// connectionChanged resets new connections while they are refused, and records idle ones.
func (f *FakeReceiver) connectionChanged(connection net.Conn, state http.ConnState) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	delete(f.idle, connection)
	switch state {
	case http.StateNew:
		if f.refusing {
			f.requests = append(f.requests, Request{Fault: Refuse})
			reset(connection)
		}
	case http.StateIdle:
		f.idle[connection] = true
	}
}

// reset closes a connection so that the peer gets an error and not an end of file.
func reset(connection net.Conn) {
	if tcp, is := connection.(*net.TCPConn); is {
		_ = tcp.SetLinger(0)
	}
	_ = connection.Close()
}

// discardedResponse accepts a response that is not sent.
type discardedResponse struct{ header http.Header }

func (d *discardedResponse) Header() http.Header            { return d.header }
func (d *discardedResponse) Write(data []byte) (int, error) { return len(data), nil }
func (d *discardedResponse) WriteHeader(int)                {}
