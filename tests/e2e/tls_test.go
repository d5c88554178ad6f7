package e2e

// HTTPS from k6 to a receiver: with a private CA, with keys in every format, and with invalid certificates.

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// Both outputs present the same certificate, for every format of its key; k6's own output supports only the system's CAs.
func TestMutualTLSWithKeysInEveryFormat(t *testing.T) {
	t.Parallel()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der := func(der []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	for _, form := range []struct {
		name, label string
		key         crypto.Signer
		der         []byte
	}{
		{"ECDSA in PKCS#8", "PRIVATE KEY", ec, der(x509.MarshalPKCS8PrivateKey(ec))},
		{"ECDSA in SEC 1", "EC PRIVATE KEY", ec, der(x509.MarshalECPrivateKey(ec))},
		{"RSA in PKCS#8", "PRIVATE KEY", rsaKey, der(x509.MarshalPKCS8PrivateKey(rsaKey))},
		{"RSA in PKCS#1", "RSA PRIVATE KEY", rsaKey, x509.MarshalPKCS1PrivateKey(rsaKey)},
	} {
		t.Run(form.name, func(t *testing.T) {
			t.Parallel()
			authority := newAuthority(t)
			certificate, key, err := authority.ClientFiles(form.key.Public(), form.label, form.der)
			if err != nil {
				t.Fatal(err)
			}
			recorder := startTLSFake(t, authority, time.Now().Add(time.Hour), tls.RequireAndVerifyClientCert)
			load := shortLoad(t)
			load.Out = append(load.Out, "experimental-prometheus-rw")
			load.Env["SSL_CERT_FILE"] = authority.CAFile()
			load.Env["K6_PROMETHEUS_RW_SERVER_URL"] = recorder.URL()
			load.Env["K6_PROMETHEUS_RW_CLIENT_CERTIFICATE"] = certificate
			load.Env["K6_PROMETHEUS_RW_CLIENT_CERTIFICATE_KEY"] = key
			result := run(t, load)
			for _, agent := range []string{ours, builtin} {
				if len(requestsOf(t, recorder, agent)) == 0 {
					t.Errorf("no request of %s succeeded:\n%s", agent, result.LogText())
				}
			}
		})
	}
}

func TestAPrivateCA(t *testing.T) {
	t.Parallel()
	authority := newAuthority(t)
	recorder := startTLSFake(t, authority, time.Now().Add(time.Hour), tls.NoClientCert)
	load := shortLoad(t)
	load.Options = map[string]any{"url": recorder.URL(), "caCertificate": authority.CAFile()}
	if result := run(t, load); len(requestsOf(t, recorder, ours)) == 0 {
		t.Errorf("no request was received:\n%s", result.LogText())
	}
}

// As `openssl req -x509` makes it: the certificate is its own CA. Go and curl accept it where it is trusted itself.
func TestASelfSignedCertificateIsTrusted(t *testing.T) {
	t.Parallel()
	authority := newAuthority(t)
	own, file, err := authority.Own()
	if err != nil {
		t.Fatal(err)
	}
	for name, trust := range map[string]func(load *harness.Run){
		"caCertificate": func(load *harness.Run) { load.Options["caCertificate"] = file },
		"SSL_CERT_FILE": func(load *harness.Run) { load.Env["SSL_CERT_FILE"] = file },
		"SSL_CERT_DIR":  func(load *harness.Run) { load.Env["SSL_CERT_DIR"] = filepath.Dir(file) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if onWindows && name != "caCertificate" {
				t.Skip("these variables are for systems whose trusted CAs are files")
			}
			recorder := startFake(t, harness.Fake{TLS: &tls.Config{Certificates: []tls.Certificate{own}}})
			load := shortLoad(t)
			load.Options = map[string]any{"url": recorder.URL()}
			trust(&load)
			if result := run(t, load); len(requestsOf(t, recorder, ours)) == 0 {
				t.Errorf("no request was received:\n%s", result.LogText())
			}
		})
	}
}

// As in a container with only k6: HTTPS fails with a message about how to fix it, and HTTP works.
func TestASystemWithoutCAs(t *testing.T) {
	t.Parallel()
	if onWindows {
		t.Skip("Windows has trusted CAs always")
	}
	recorder := startFake(t, harness.Fake{})
	load := shortLoad(t)
	load.Env["SSL_CERT_FILE"], load.Env["SSL_CERT_DIR"] = "/nowhere", "/nowhere"
	load.Options = map[string]any{"url": recorder.URL()}
	if result := run(t, load); len(requestsOf(t, recorder, ours)) == 0 {
		t.Errorf("no request was received:\n%s", result.LogText())
	}
	load.Options["url"] = "https://127.0.0.1:1/"
	result := finish(t, start(t, load), invalidConfiguration)
	for _, part := range []string{"no trusted CA certificates", "caCertificate", "SSL_CERT_FILE"} {
		if !strings.Contains(result.LogText(), part) {
			t.Errorf("%q is not in:\n%s", part, result.LogText())
		}
	}
}

func TestCertificateErrorsAreLogged(t *testing.T) {
	t.Parallel()
	for _, problem := range []struct {
		name    string
		until   time.Duration // from now
		clients tls.ClientAuthType
		options func(authority *harness.Authority) map[string]any
		error   string
		hint    string
	}{
		{
			name: "an unknown issuer", until: time.Hour,
			options: func(*harness.Authority) map[string]any { return map[string]any{} },
			error:   "UnknownIssuer", hint: "caCertificate",
		},
		{
			name: "expired", until: -time.Hour,
			options: func(a *harness.Authority) map[string]any { return map[string]any{"caCertificate": a.CAFile()} },
			error:   "certificate expired", hint: "clock",
		},
		{
			name: "another name", until: time.Hour,
			options: func(a *harness.Authority) map[string]any {
				return map[string]any{"caCertificate": a.CAFile(), "tlsServerName": "receiver.test"}
			},
			error: "not valid for name", hint: "tlsServerName",
		},
		{
			name: "missing client certificate", until: time.Hour, clients: tls.RequireAndVerifyClientCert,
			options: func(a *harness.Authority) map[string]any { return map[string]any{"caCertificate": a.CAFile()} },
			error:   "CertificateRequired", hint: "clientCertificate",
		},
	} {
		t.Run(problem.name, func(t *testing.T) {
			t.Parallel()
			authority := newAuthority(t)
			recorder := startTLSFake(t, authority, time.Now().Add(problem.until), problem.clients)
			load := shortLoad(t)
			load.Options = problem.options(authority)
			load.Options["url"], load.Options["flushTimeout"] = recorder.URL(), "500ms"
			result := run(t, load)
			warnings := linesOf(result, "warning")
			if len(warnings) != 1 {
				t.Fatalf("expected one warning:\n%s", result.LogText())
			}
			if message, _ := warnings[0].Fields["error"].(string); !strings.Contains(message, problem.error) {
				t.Errorf("%q is not in %q", problem.error, message)
			}
			if hint, _ := warnings[0].Fields["hint"].(string); !strings.Contains(hint, problem.hint) {
				t.Errorf("%q is not in %q", problem.hint, hint)
			}
		})
	}
}

func TestAnInvalidCertificateFileStopsTheRun(t *testing.T) {
	t.Parallel()
	broken := file(t, "# ours\n-----BEGIN CERTIFICATE-----\nMIIB?\n-----END CERTIFICATE-----\n")
	load := shortLoad(t)
	load.Options = map[string]any{"url": "https://127.0.0.1:1/", "caCertificate": broken}
	result := finish(t, start(t, load), invalidConfiguration)
	if expected := "caCertificate: " + broken + ", line 3: invalid base64"; !strings.Contains(result.LogText(), expected) {
		t.Errorf("%q is not in:\n%s", expected, result.LogText())
	}
}

func newAuthority(t *testing.T) *harness.Authority {
	t.Helper()
	authority, err := harness.NewAuthority(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return authority
}

// startTLSFake starts a fake receiver with a certificate of an authority, which it also trusts for clients.
func startTLSFake(
	t *testing.T, authority *harness.Authority, until time.Time, clients tls.ClientAuthType,
) *harness.FakeReceiver {
	t.Helper()
	certificate, err := authority.Server(until)
	if err != nil {
		t.Fatal(err)
	}
	return startFake(t, harness.Fake{TLS: &tls.Config{
		Certificates: []tls.Certificate{certificate}, ClientAuth: clients, ClientCAs: authority.Pool,
	}})
}
