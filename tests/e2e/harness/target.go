package harness

// The HTTP server that scripts load: a small shop. Its responses depend only on the number of requests before, so that two
// runs of the same load get the same responses.

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"
)

// Target is a running shop.
//
//	GET  /           the front page
//	GET  /products   a list of twelve products
//	GET  /search     responds after 2 to 20 ms
//	POST /orders     201, but every tenth order fails with 500
type Target struct {
	server   *httptest.Server
	requests atomic.Int64
	orders   atomic.Int64
}

// StartTarget starts the shop.
func StartTarget() *Target {
	target := &Target{}
	shop := http.NewServeMux()
	shop.HandleFunc("GET /{$}", target.frontPage)
	shop.HandleFunc("GET /products", target.products)
	shop.HandleFunc("GET /search", target.search)
	shop.HandleFunc("POST /orders", target.order)
	target.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		target.requests.Add(1)
		shop.ServeHTTP(w, r)
	}))
	return target
}

// URL returns the shop's URL, for TARGET_URL.
func (t *Target) URL() string { return t.server.URL }

// Requests returns the number of requests so far.
func (t *Target) Requests() int { return int(t.requests.Load()) }

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

func (t *Target) order(w http.ResponseWriter, _ *http.Request) {
	number := t.orders.Add(1)
	if number%10 == 0 {
		http.Error(w, "out of stock", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusCreated)
	fmt.Fprintf(w, `{"order":%d}`, number)
}
