package e2e

// A real Prometheus with a web configuration: passwords and mutual TLS.

import (
	"crypto/tls"
	"fmt"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// ofPassword is the bcrypt hash of thePassword.
const (
	thePassword = "a: secret"
	ofPassword  = "$2a$04$hMbQR1XYGUP.3EfyFOtbk.O9xMCeCMb5jrdBl4osf1AhyqGRqVSZy"
)

func TestASecuredPrometheusReceivesEverything(t *testing.T) {
	t.Parallel()
	for _, by := range []struct {
		name    string
		web     func(clients string) string // additional web configuration
		options func(certificate, key string) map[string]any
		hint    string // logged without these credentials

		version1 bool // the certificate is of X.509 version 1
	}{
		{
			name: "password",
			web:  func(string) string { return "basic_auth_users:\n  k6: " + ofPassword + "\n" },
			options: func(string, string) map[string]any {
				return map[string]any{"username": "k6", "passwordFile": file(t, thePassword+"\n")}
			},
			hint: "check the credentials: the request had no credentials",
		},
		{
			name: "certificate",
			web: func(clients string) string {
				return "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: " + clients + "\n"
			},
			options: func(certificate, key string) map[string]any {
				return map[string]any{"clientCertificate": certificate, "clientCertificateKey": key}
			},
			hint: "the receiver requires a client certificate: set `clientCertificate` and `clientCertificateKey`",
		},
		{
			name: "certificate of version 1", version1: true,
			web: func(clients string) string {
				return "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: " + clients + "\n"
			},
			options: func(certificate, key string) map[string]any {
				return map[string]any{"clientCertificate": certificate, "clientCertificateKey": key}
			},
			hint: "the receiver requires a client certificate: set `clientCertificate` and `clientCertificateKey`",
		},
	} {
		t.Run(by.name, func(t *testing.T) {
			t.Parallel()
			authority := newAuthority(t)
			certificate, key := clientFiles(t, authority)
			if by.version1 {
				if err := authority.ToVersion1(certificate); err != nil {
					t.Fatal(err)
				}
			}
			receiver := startSecured(t, authority, by.web(authority.CAFile()), certificate, key)
			load := loadFor(2*time.Second, startTarget(t), receiver.WriteURL())
			load.Options = by.options(certificate, key)
			load.Options["caCertificate"] = authority.CAFile()
			expectSummaryIn(t, receiver, run(t, load))

			load = shortLoad(t)
			load.Options = map[string]any{"url": receiver.WriteURL(), "caCertificate": authority.CAFile(), "flushTimeout": "1s"}
			result := run(t, load)
			for _, line := range result.Log {
				if line.Fields["hint"] == by.hint {
					return
				}
			}
			t.Errorf("the hint %q is missing:\n%s", by.hint, result.LogText())
		})
	}
}

// startSecured starts a Prometheus with a certificate of an authority. Queries use all credentials.
func startSecured(t *testing.T, authority *harness.Authority, web, certificate, key string) *harness.Receiver {
	t.Helper()
	serverCertificate, serverKey, err := authority.ServerFiles(time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	own, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf("tls_server_config:\n  cert_file: %s\n  key_file: %s\n  min_version: TLS13\n", serverCertificate, serverKey)
	client := &http.Client{Transport: withPassword{&http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: authority.Pool, Certificates: []tls.Certificate{own}},
	}}}
	receiver, err := harness.StartSecured(config+web, client)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(receiver.Stop)
	return receiver
}

// withPassword is a transport that sends the user name and password.
type withPassword struct{ http.RoundTripper }

func (w withPassword) RoundTrip(request *http.Request) (*http.Response, error) {
	with := *request
	with.Header = maps.Clone(request.Header)
	with.SetBasicAuth("k6", thePassword)
	return w.RoundTripper.RoundTrip(&with)
}
