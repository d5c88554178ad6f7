package harness

// A receiver that wants credentials: stands before a real one, and lets nobody in without them.

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
)

// AuthProxy is a running one.
type AuthProxy struct {
	server  *httptest.Server
	passed  atomic.Int64
	refused atomic.Int64
}

// StartGate stands before a receiver, and passes requests whose Authorization is exactly this.
func StartGate(receiver *Receiver, authorization string) (*AuthProxy, error) {
	target, err := url.Parse(receiver.URL)
	if err != nil {
		return nil, err
	}
	authProxy := &AuthProxy{}
	proxy := httputil.NewSingleHostReverseProxy(target)
	authProxy.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != authorization {
			authProxy.refused.Add(1)
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		authProxy.passed.Add(1)
		proxy.ServeHTTP(w, r)
	}))
	return authProxy, nil
}

// URL takes the place of the receiver's write URL.
func (g *AuthProxy) URL() string { return g.server.URL + "/api/v1/write" }

// Passed is how many requests went through, Refused how many did not.
func (g *AuthProxy) Passed() int  { return int(g.passed.Load()) }
func (g *AuthProxy) Refused() int { return int(g.refused.Load()) }

// Close ends it.
func (g *AuthProxy) Close() { g.server.Close() }
