package e2e

// Settings of the pages for common services, unchanged, with a fake receiver that serves HTTPS, requires a client certificate
// where one is configured, and records requests.

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// servicePages are pages with a block of variables for each service, and the minimum number of blocks.
var servicePages = map[string]int{"docs/authentication.md": 4, "docs/receivers.md": 9}

func TestSettingsOfCommonServices(t *testing.T) {
	t.Parallel()
	for page, least := range servicePages {
		tried := 0
		for _, block := range blocksIn(t, page) {
			written := block.variables()
			if written["SERVER_URL"] == "" {
				continue
			}
			tried++
			t.Run(page+"/"+block.heading, func(t *testing.T) {
				t.Parallel()
				expectService(t, addressOf(t, written), written)
			})
		}
		if tried < least {
			t.Errorf("%s has only %d blocks", page, tried)
		}
	}
}

// variables returns the variables of an env file without their common prefix.
func (b block) variables() map[string]string {
	written := map[string]string{}
	for _, line := range b.commands() {
		name, value, _ := strings.Cut(line, "=")
		if option, is := strings.CutPrefix(name, "K6_PROMETHEUS_RW_"); is {
			written[option] = value
		}
	}
	return written
}

func addressOf(t *testing.T, written map[string]string) *url.URL {
	t.Helper()
	address, err := url.Parse(written["SERVER_URL"])
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// expectService runs k6 with the variables of a block, with the fake receiver's address and existing files.
func expectService(t *testing.T, address *url.URL, written map[string]string) {
	authority := newAuthority(t)
	clients := tls.NoClientCert
	if written["CLIENT_CERTIFICATE"] != "" {
		clients = tls.RequireAndVerifyClientCert
	}
	recorder := startTLSFake(t, authority, time.Now().Add(time.Hour), clients)
	standIn, err := url.Parse(recorder.URL())
	if err != nil {
		t.Fatal(err)
	}
	path := address.RequestURI()
	address.Scheme, address.Host = "https", standIn.Host

	load := shortLoad(t)
	load.Env["AWS_ACCESS_KEY_ID"], load.Env["AWS_SECRET_ACCESS_KEY"] = "AKID", awsSecretKey
	for name, value := range written {
		switch {
		case name == "SERVER_URL":
			value = address.String()
		case name == "OAUTH2_TOKEN_URL":
			value = tokenEndpoint(t, authority, value, written["OAUTH2_SCOPES"])
		case strings.HasSuffix(name, "_FILE"):
			value = file(t, "s3cret\n")
		}
		load.Env["K6_PROMETHEUS_RW_"+name] = value
	}
	load.Env["K6_PROMETHEUS_RW_CA_CERTIFICATE"] = authority.CAFile()
	if clients != tls.NoClientCert {
		certificate, key := clientFiles(t, authority)
		load.Env["K6_PROMETHEUS_RW_CLIENT_CERTIFICATE"], load.Env["K6_PROMETHEUS_RW_CLIENT_CERTIFICATE_KEY"] = certificate, key
	}
	result := run(t, load)

	requests := requestsOf(t, recorder, ours)
	if len(requests) == 0 {
		t.Fatalf("nothing came:\n%s", result.LogText())
	}
	request := requests[0]
	if request.Path != path {
		t.Errorf("the path is %q, not %q", request.Path, path)
	}
	var expected string
	switch {
	case written["OAUTH2_TOKEN_URL"] != "":
		expected = "Bearer issued"
	case written["BEARER_TOKEN_FILE"] != "":
		expected = "Bearer s3cret"
	case written["PASSWORD_FILE"] != "":
		expected = "Basic " + base64.StdEncoding.EncodeToString([]byte(written["USERNAME"]+":s3cret"))
	case written["SIGV4_REGION"] != "":
		expectSignature(t, request, "AKID "+written["SIGV4_REGION"]+"/aps")
		expected = request.Header.Get("Authorization")
	}
	if sent := request.Header.Get("Authorization"); sent != expected {
		t.Errorf("the query is %q, not %q", sent, expected)
	}
	for name, value := range written {
		if header, value, _ := strings.Cut(value, ":"); name == "HTTP_HEADERS" && request.Header.Get(header) != value {
			t.Errorf("%s is %q, not %q", header, request.Header.Get(header), value)
		}
	}
}

// tokenEndpoint starts a stand-in for a token endpoint, and returns its URL.
func tokenEndpoint(t *testing.T, authority *harness.Authority, address, scope string) string {
	t.Helper()
	endpoint, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := authority.Server(time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	path := endpoint.Path
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, secret, _ := r.BasicAuth()
		if r.URL.Path != path || r.FormValue("grant_type") != "client_credentials" || r.FormValue("scope") != scope || secret != "s3cret" {
			http.Error(w, `{"error":"invalid_request"}`, http.StatusBadRequest)
			return
		}
		_, _ = io.WriteString(w, `{"token_type":"Bearer","expires_in":3599,"access_token":"issued"}`)
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	server.StartTLS()
	t.Cleanup(server.Close)
	endpoint.Host = server.Listener.Addr().String()
	return endpoint.String()
}

// clientFiles returns the files of a client certificate of an authority.
func clientFiles(t *testing.T, authority *harness.Authority) (certificate, key string) {
	t.Helper()
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		t.Fatal(err)
	}
	certificate, key, err = authority.ClientFiles(signer.Public(), "PRIVATE KEY", der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate, key
}
