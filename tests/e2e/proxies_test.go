package e2e

// Connections through a proxy that the environment or an option sets, and connections without it.

import (
	"crypto/tls"
	"maps"
	"testing"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

func TestProxies(t *testing.T) {
	t.Parallel()
	for _, route := range []struct {
		name    string
		https   bool
		env     func(http, socks string) map[string]string
		option  func(http, socks string) string
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
				return map[string]string{"HTTP_PROXY": "http://me:secret@" + http, "NO_PROXY": "127.0.0.1"}
			},
		},
		{
			name: "the option over the environment", through: "http",
			env: func(_, socks string) map[string]string {
				return map[string]string{"HTTP_PROXY": "socks5://" + socks, "NO_PROXY": "127.0.0.1"}
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
			load.Options = map[string]any{"url": recorder.URL(), "insecureSkipTLSVerify": true}
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
