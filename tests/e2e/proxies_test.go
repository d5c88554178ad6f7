package e2e

// Connections through a proxy that the environment or an option sets, and connections without it.

import (
	"crypto/tls"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// beyondLoopback returns a URL of this machine that is not one of its loopback addresses, for which the environment's proxies do
// not apply.
func beyondLoopback(url string) string { return strings.Replace(url, "127.0.0.1", "0.0.0.0", 1) }

func TestProxies(t *testing.T) {
	t.Parallel()
	for _, route := range []struct {
		name    string
		https   bool
		env     func(http, socks string) map[string]string
		option  func(http, socks string) string
		local   bool   // the receiver has a loopback address
		through string // "http", "tunnel", "socks"; "" means without proxy
	}{
		{
			name: "HTTP_PROXY", through: "http",
			env: func(http, _ string) map[string]string {
				return map[string]string{"HTTP_PROXY": "http://me:secret@" + http}
			},
		},
		{
			name: "HTTPS_PROXY", https: true, through: "tunnel",
			env: func(http, _ string) map[string]string {
				return map[string]string{"HTTPS_PROXY": "http://me:secret@" + http}
			},
		},
		{
			name: "ALL_PROXY of SOCKS", https: true, through: "socks",
			env: func(_, socks string) map[string]string { return map[string]string{"ALL_PROXY": "socks5://" + socks} },
		},
		{
			name: "NO_PROXY",
			env: func(http, _ string) map[string]string {
				return map[string]string{"HTTP_PROXY": "http://me:secret@" + http, "NO_PROXY": "example.com, 0.0.0.0/8"}
			},
		},
		{
			name: "a receiver on this machine", local: true,
			env: func(http, _ string) map[string]string {
				return map[string]string{"HTTP_PROXY": "http://me:secret@" + http, "ALL_PROXY": "http://me:secret@" + http}
			},
		},
		{
			name: "the option, to this machine", local: true, through: "http",
			option: func(http, _ string) string { return "http://me:secret@" + http },
		},
		{
			name: "the option over the environment", through: "http",
			env: func(_, socks string) map[string]string {
				return map[string]string{"HTTP_PROXY": "socks5://" + socks, "NO_PROXY": "0.0.0.0"}
			},
			option: func(http, _ string) string { return "http://me:secret@" + http },
		},
		{
			name: "the option, with https", https: true, through: "tunnel",
			option: func(http, _ string) string { return "http://me:secret@" + http },
		},
		{
			name: "the option, of SOCKS", through: "socks",
			option: func(_, socks string) string { return "socks5h://" + socks },
		},
		{
			name: "the option against the environment's proxy",
			env: func(http, _ string) map[string]string {
				return map[string]string{"HTTP_PROXY": "http://me:secret@" + http}
			},
			option: func(string, string) string { return "direct" },
		},
	} {
		t.Run(route.name, func(t *testing.T) {
			t.Parallel()
			http := harness.StartForwardProxy("secret")
			t.Cleanup(http.Close)
			socks, err := harness.StartSocksProxy()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(socks.Close)
			var fake harness.Fake
			if route.https {
				fake.TLS = &tls.Config{}
			}
			recorder := startFake(t, fake)
			load := shortLoad(t)
			load.Options = map[string]any{"url": beyondLoopback(recorder.URL()), "insecureSkipTLSVerify": true}
			if route.local {
				load.Options["url"] = recorder.URL()
			}
			if route.env != nil {
				maps.Copy(load.Env, route.env(http.Address(), socks.Address()))
			}
			if route.option != nil {
				load.Options["proxy"] = route.option(http.Address(), socks.Address())
			}
			result := run(t, load)
			if len(requestsOf(t, recorder, ours)) == 0 {
				t.Fatalf("nothing came:\n%s", result.LogText())
			}
			passed := map[string]int{"http": http.Passed(), "tunnel": http.Tunnels(), "socks": socks.Tunnels()}
			for which, count := range passed {
				if (count > 0) != (which == route.through) {
					t.Errorf("requests passed %v, not %q", passed, route.through)
				}
			}
		})
	}
}

// A proxy that fails is named, and not the receiver behind it.
func TestAProxyThatFailsIsNamed(t *testing.T) {
	t.Parallel()
	closed := harness.StartForwardProxy("")
	closed.Close()
	demanding := harness.StartForwardProxy("another")
	t.Cleanup(demanding.Close)
	for _, failure := range []struct {
		name, variable, scheme, proxy, error, hint string
	}{
		{"down", "HTTP_PROXY", "http", closed.Address(), "Connection refused", "NO_PROXY"},
		{"down, for https", "HTTPS_PROXY", "https", closed.Address(), "Connection refused", "NO_PROXY"},
		{"another password", "HTTPS_PROXY", "https", demanding.Address(), "status 407", "user name and a password"},
	} {
		t.Run(failure.name, func(t *testing.T) {
			t.Parallel()
			load := shortLoad(t)
			load.Env[failure.variable] = "http://me:hunter2@" + failure.proxy
			load.Options = map[string]any{"url": failure.scheme + "://0.0.0.0:1/", "flushTimeout": "500ms"}
			result := run(t, load)
			if strings.Contains(result.LogText(), "hunter2") {
				t.Errorf("the password is in:\n%s", result.LogText())
			}
			for _, line := range linesOf(result, "warning") {
				message, _ := line.Fields["error"].(string)
				hint, _ := line.Fields["hint"].(string)
				named := "proxy http://" + failure.proxy + " of " + failure.variable
				if strings.HasPrefix(message, named) && strings.Contains(message, failure.error) && strings.Contains(hint, failure.hint) {
					return
				}
			}
			t.Errorf("the proxy is not named in:\n%s", result.LogText())
		})
	}
}

// The name of the receiver is not for an https proxy.
func TestAnHTTPSProxyDoesNotGetTheReceiversName(t *testing.T) {
	t.Parallel()
	authority := newAuthority(t)
	proxy, states := startHTTPSProxy(t, authority)
	receiver := startTLSFake(t, authority, time.Now().Add(time.Hour), tls.NoClientCert)
	load := shortLoad(t)
	load.Options = map[string]any{
		"url": beyondLoopback(receiver.URL()), "proxy": "https://me:secret@" + proxy.Address(), "caCertificate": authority.CAFile(),
		"tlsServerName": harness.ServerName,
	}
	result := run(t, load)
	if len(requestsOf(t, receiver, ours)) == 0 || proxy.Tunnels() == 0 {
		t.Fatalf("nothing came through the proxy:\n%s", result.LogText())
	}
	if state := <-states; state.ServerName != "" {
		t.Errorf("the proxy got the name %q", state.ServerName)
	}
}

// An https proxy would get the client certificate, so this is an error before any connection.
func TestAnHTTPSProxyDoesNotGetTheClientCertificate(t *testing.T) {
	t.Parallel()
	authority := newAuthority(t)
	proxy, states := startHTTPSProxy(t, authority)
	clientCertificate, key := clientFiles(t, authority)
	load := shortLoad(t)
	load.Options = map[string]any{
		"url": "https://0.0.0.0:1/", "proxy": "https://me:secret@" + proxy.Address(), "caCertificate": authority.CAFile(),
		"clientCertificate": clientCertificate, "clientCertificateKey": key,
	}
	result := finish(t, start(t, load), invalidConfiguration)
	if !strings.Contains(result.LogText(), "clientCertificate cannot be used with an https proxy") {
		t.Errorf("the reason is not in:\n%s", result.LogText())
	}
	if len(states) > 0 {
		t.Error("there was a connection to the proxy")
	}
}

// startHTTPSProxy starts a proxy that asks for a client certificate, and returns the states of its handshakes.
func startHTTPSProxy(t *testing.T, authority *harness.Authority) (*harness.ForwardProxy, chan tls.ConnectionState) {
	t.Helper()
	certificate, err := authority.Server(time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	states := make(chan tls.ConnectionState, 100)
	proxy := harness.StartTLSForwardProxy("secret", &tls.Config{
		Certificates: []tls.Certificate{certificate}, ClientAuth: tls.RequestClientCert,
		VerifyConnection: func(state tls.ConnectionState) error {
			states <- state
			return nil
		},
	})
	t.Cleanup(proxy.Close)
	return proxy, states
}
