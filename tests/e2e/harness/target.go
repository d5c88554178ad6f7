package harness

// The HTTP server that scripts load: a small shop. Its responses depend only on the number of requests before, so that two
// runs of the same load get the same responses.

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Target is a running shop.
//
//	GET  /           the front page
//	GET  /products   a list of twelve products
//	GET  /search     responds after 2 to 20 ms
//	GET  /reports    responds after 5 ms, but every tenth report needs 100 to 290 ms
//	POST /orders     201, but every tenth order fails with 500
//	POST /payments   responds later the more payments run at once, and rejects what is too much with 503
type Target struct {
	server   *httptest.Server
	requests atomic.Int64
	orders   atomic.Int64
	reports  atomic.Int64
	payments atomic.Int64 // that run

	mutex  sync.Mutex
	traces map[string]Traced
}

// Traced is a request with a traceparent, as the shop logs it.
type Traced struct {
	Method, Path string
	Status       int
	Duration     time.Duration
}

// String returns it as a line of a log.
func (t Traced) String() string {
	return fmt.Sprintf("%s %s %d in %s", t.Method, t.Path, t.Status, t.Duration.Round(time.Millisecond))
}

// StartTarget starts the shop.
func StartTarget() *Target {
	target := &Target{traces: map[string]Traced{}}
	shop := http.NewServeMux()
	shop.HandleFunc("GET /{$}", target.frontPage)
	shop.HandleFunc("GET /products", target.products)
	shop.HandleFunc("GET /search", target.search)
	shop.HandleFunc("GET /reports", target.report)
	shop.HandleFunc("POST /orders", target.order)
	shop.HandleFunc("POST /payments", target.pay)
	target.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		target.requests.Add(1)
		target.log(w, r, shop)
	}))
	return target
}

// URL returns the shop's URL, for TARGET_URL.
func (t *Target) URL() string { return t.server.URL }

// Requests returns the number of requests so far.
func (t *Target) Requests() int { return int(t.requests.Load()) }

// Traces returns the logged requests by trace id.
func (t *Target) Traces() map[string]Traced {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return maps.Clone(t.traces)
}

// traceparent matches a valid header of W3C Trace Context, version 00.
var traceparent = regexp.MustCompile(`^00-([0-9a-f]{32})-[0-9a-f]{16}-0[01]$`)

// log serves a request, and logs it if it has a trace.
func (t *Target) log(w http.ResponseWriter, r *http.Request, shop http.Handler) {
	parent := traceparent.FindStringSubmatch(r.Header.Get("traceparent"))
	if parent == nil {
		shop.ServeHTTP(w, r)
		return
	}
	response := &loggedResponse{ResponseWriter: w, status: http.StatusOK}
	start := time.Now()
	shop.ServeHTTP(response, r)
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.traces[parent[1]] = Traced{r.Method, r.URL.Path, response.status, time.Since(start)}
}

// loggedResponse remembers the status.
type loggedResponse struct {
	http.ResponseWriter
	status int
}

func (l *loggedResponse) WriteHeader(status int) {
	l.status = status
	l.ResponseWriter.WriteHeader(status)
}

// Close stops the shop.
func (t *Target) Close() {
	t.server.CloseClientConnections()
	t.server.Close()
}

func (t *Target) frontPage(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprint(w, "<h1>Welcome</h1>")
}

func (t *Target) products(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	products := make([]string, 12)
	for i := range products {
		products[i] = fmt.Sprintf(`{"id":%d,"name":"product %d","price":%d.25}`, i+1, i+1, 3*(i+1))
	}
	fmt.Fprintf(w, "[%s]", strings.Join(products, ","))
}

func (t *Target) search(w http.ResponseWriter, _ *http.Request) {
	time.Sleep(time.Duration(2+t.requests.Load()*7%19) * time.Millisecond)
	fmt.Fprint(w, `{"hits":3}`)
}

func (t *Target) report(w http.ResponseWriter, _ *http.Request) {
	number := t.reports.Add(1)
	wait := 5 * time.Millisecond
	if number%10 == 0 {
		wait = time.Duration(100+number*7%191) * time.Millisecond
	}
	time.Sleep(wait)
	fmt.Fprint(w, `{"rows":12}`)
}

func (t *Target) order(w http.ResponseWriter, _ *http.Request) {
	number := t.orders.Add(1)
	if number%10 == 0 {
		http.Error(w, "out of stock", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusCreated)
	fmt.Fprintf(w, `{"order":%d}`, number)
}

// maxPayments is the number of payments that the shop handles at once.
const maxPayments = 8

func (t *Target) pay(w http.ResponseWriter, _ *http.Request) {
	running := t.payments.Add(1)
	defer t.payments.Add(-1)
	time.Sleep(time.Duration(20+10*running) * time.Millisecond)
	if running > maxPayments {
		http.Error(w, "too many payments", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprint(w, `{"paid":true}`)
}
