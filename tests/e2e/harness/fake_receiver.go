package harness

// A receiver with faults: stands before a real one, and passes requests on or does what a receiver in trouble does.

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// Fault is how a request fares.
type Fault string

const (
	Pass        Fault = "pass"        // goes to the receiver and its answer comes back
	Unavailable Fault = "unavailable" // 503, and the receiver never sees it
	Hang        Fault = "hang"        // is never answered, and the receiver never sees it
	LoseAnswer  Fault = "lose answer" // the receiver stores it, but the connection breaks before the answer
	Refuse      Fault = "refuse"      // the connection is reset before a request can be sent
)

// Request is one that came, and how it fared. Refused connections have no body.
type Request struct {
	Fate Fault
	Type string // its Content-Type
	Body []byte
}

// Proxy is a running one.
type Proxy struct {
	upstream string
	server   *http.Server
	listener net.Listener
	closing  chan struct{}

	mutex    sync.Mutex
	fault    Fault
	requests []Request
	idle     map[net.Conn]bool // kept alive by the client, to be reset when connections are refused
}

// StartProxy stands before the write URL of a receiver, and passes everything until it is told otherwise.
func StartProxy(writeURL string) (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	proxy := &Proxy{
		upstream: writeURL,
		listener: listener,
		closing:  make(chan struct{}),
		fault:    Pass,
		idle:     map[net.Conn]bool{},
	}
	proxy.server = &http.Server{Handler: proxy, ConnState: proxy.connectionChanged}
	go proxy.server.Serve(listener)
	return proxy, nil
}

// URL takes the place of the receiver's write URL.
func (p *Proxy) URL() string { return "http://" + p.listener.Addr().String() + "/api/v1/write" }

// Set decides the fate of all requests from now on.
func (p *Proxy) Set(fault Fault) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.fault = fault
	if fault == Refuse {
		for connection := range p.idle {
			reset(connection)
		}
	}
}

// FailFor lets all requests meet a fault for a while, and says how many did.
func (p *Proxy) FailFor(fault Fault, while time.Duration) int {
	before := p.Count(fault)
	p.Set(fault)
	time.Sleep(while)
	p.Set(Pass)
	return p.Count(fault) - before
}

// Requests are all that came, in the order in which their fate was decided.
func (p *Proxy) Requests() []Request {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return append([]Request(nil), p.requests...)
}

// Count says how many requests met a fate.
func (p *Proxy) Count(fate Fault) int {
	count := 0
	for _, request := range p.Requests() {
		if request.Fate == fate {
			count++
		}
	}
	return count
}

// Close ends the proxy and lets go of requests that hang.
func (p *Proxy) Close() {
	close(p.closing)
	_ = p.server.Close()
}

// ServeHTTP lets a request meet its fate.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	switch p.decide(r.Header.Get("Content-Type"), body) {
	case Pass:
		p.forward(w, r, body)
	case Unavailable:
		http.Error(w, "come back later", http.StatusServiceUnavailable)
	case Hang:
		select {
		case <-r.Context().Done():
		case <-p.closing:
		}
		panic(http.ErrAbortHandler)
	case LoseAnswer:
		p.forward(&discardedAnswer{header: http.Header{}}, r, body)
		panic(http.ErrAbortHandler)
	case Refuse:
		panic(http.ErrAbortHandler)
	}
}

func (p *Proxy) decide(contentType string, body []byte) Fault {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.requests = append(p.requests, Request{Fate: p.fault, Type: contentType, Body: body})
	return p.fault
}

// forward sends a request as it came, and gives back what the receiver answers.
func (p *Proxy) forward(w http.ResponseWriter, r *http.Request, body []byte) {
	request, err := http.NewRequestWithContext(r.Context(), r.Method, p.upstream, bytes.NewReader(body))
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

// connectionChanged resets new connections while they are refused, and knows the idle ones.
func (p *Proxy) connectionChanged(connection net.Conn, state http.ConnState) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	delete(p.idle, connection)
	switch state {
	case http.StateNew:
		if p.fault == Refuse {
			p.requests = append(p.requests, Request{Fate: Refuse})
			reset(connection)
		}
	case http.StateIdle:
		p.idle[connection] = true
	}
}

// reset closes a connection so that the other side gets an error, not an end.
func reset(connection net.Conn) {
	if tcp, is := connection.(*net.TCPConn); is {
		_ = tcp.SetLinger(0)
	}
	_ = connection.Close()
}

// discardedAnswer takes an answer that nobody will get.
type discardedAnswer struct{ header http.Header }

func (d *discardedAnswer) Header() http.Header            { return d.header }
func (d *discardedAnswer) Write(data []byte) (int, error) { return len(data), nil }
func (d *discardedAnswer) WriteHeader(int)                {}
