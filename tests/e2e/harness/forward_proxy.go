package harness

// Forward proxies: HTTP, with or without a password, and SOCKS 5.

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"sync"
	"sync/atomic"
)

// ForwardProxy is a running HTTP proxy.
type ForwardProxy struct {
	server   *httptest.Server
	password string
	passed   atomic.Int64
	tunnels  atomic.Int64
}

// StartForwardProxy starts an HTTP proxy. If a password is given, it rejects requests without it.
func StartForwardProxy(password string) *ForwardProxy {
	proxy := &ForwardProxy{password: password}
	proxy.server = httptest.NewServer(proxy)
	return proxy
}

// StartTLSForwardProxy starts an HTTP proxy to which connections are encrypted, too.
func StartTLSForwardProxy(password string, config *tls.Config) *ForwardProxy {
	proxy := &ForwardProxy{password: password}
	proxy.server = httptest.NewUnstartedServer(proxy)
	proxy.server.TLS = config
	proxy.server.StartTLS()
	return proxy
}

// Address returns the proxy's host and port.
func (p *ForwardProxy) Address() string { return p.server.Listener.Addr().String() }

// Passed returns the number of plain requests that were forwarded, Tunnels the number of tunnels.
func (p *ForwardProxy) Passed() int  { return int(p.passed.Load()) }
func (p *ForwardProxy) Tunnels() int { return int(p.tunnels.Load()) }

// Close stops the proxy.
func (p *ForwardProxy) Close() {
	p.server.CloseClientConnections()
	p.server.Close()
}

// ServeHTTP forwards a request, or opens a tunnel.
func (p *ForwardProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.password != "" {
		wanted := "Basic " + base64.StdEncoding.EncodeToString([]byte("me:"+p.password))
		if r.Header.Get("Proxy-Authorization") != wanted {
			w.Header().Set("Proxy-Authenticate", "Basic")
			http.Error(w, "unauthorized", http.StatusProxyAuthRequired)
			return
		}
	}
	if r.Method != http.MethodConnect {
		p.passed.Add(1)
		(&httputil.ReverseProxy{Rewrite: func(*httputil.ProxyRequest) {}}).ServeHTTP(w, r)
		return
	}
	upstream, err := net.Dial("tcp", r.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	p.tunnels.Add(1)
	w.WriteHeader(http.StatusOK)
	client, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		_ = upstream.Close()
		return
	}
	join(client, upstream)
}

// SocksProxy is a running SOCKS 5 proxy (RFC 1928) without authentication.
type SocksProxy struct {
	listener net.Listener
	tunnels  atomic.Int64
}

// StartSocksProxy starts a SOCKS 5 proxy.
func StartSocksProxy() (*SocksProxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	proxy := &SocksProxy{listener: listener}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go proxy.serve(client)
		}
	}()
	return proxy, nil
}

// Address returns the proxy's host and port.
func (p *SocksProxy) Address() string { return p.listener.Addr().String() }

// Tunnels returns the number of connections that were made.
func (p *SocksProxy) Tunnels() int { return int(p.tunnels.Load()) }

// Close stops the proxy.
func (p *SocksProxy) Close() { _ = p.listener.Close() }

func (p *SocksProxy) serve(client net.Conn) {
	upstream, err := p.connect(client)
	if err != nil {
		_ = client.Close()
		return
	}
	p.tunnels.Add(1)
	join(client, upstream)
}

func (p *SocksProxy) connect(client net.Conn) (net.Conn, error) {
	greeting := make([]byte, 2)
	if _, err := io.ReadFull(client, greeting); err != nil {
		return nil, err
	}
	if _, err := io.CopyN(io.Discard, client, int64(greeting[1])); err != nil {
		return nil, err
	}
	if _, err := client.Write([]byte{5, 0}); err != nil {
		return nil, err
	}
	head := make([]byte, 4) // version, CONNECT, reserved, type of address
	if _, err := io.ReadFull(client, head); err != nil {
		return nil, err
	}
	host, err := socksHost(client, head[3])
	if err != nil {
		return nil, err
	}
	port := make([]byte, 2)
	if _, err := io.ReadFull(client, port); err != nil {
		return nil, err
	}
	upstream, err := net.Dial("tcp", net.JoinHostPort(host, fmt.Sprint(int(port[0])<<8|int(port[1]))))
	if err != nil {
		return nil, err
	}
	_, err = client.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	return upstream, err
}

func socksHost(client io.Reader, kind byte) (string, error) {
	switch kind {
	case 1: // IPv4
		address := make(net.IP, net.IPv4len)
		_, err := io.ReadFull(client, address)
		return address.String(), err
	case 3: // host name
		length := make([]byte, 1)
		if _, err := io.ReadFull(client, length); err != nil {
			return "", err
		}
		name := make([]byte, length[0])
		_, err := io.ReadFull(client, name)
		return string(name), err
	default:
		return "", errors.New("unknown address type")
	}
}

// join copies in both directions until one side is closed, and closes the other.
func join(a, b net.Conn) {
	var end sync.Once
	closeBoth := func() { _ = a.Close(); _ = b.Close() }
	go func() {
		_, _ = io.Copy(a, b)
		end.Do(closeBoth)
	}()
	_, _ = io.Copy(b, a)
	end.Do(closeBoth)
}
