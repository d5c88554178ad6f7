package e2e

// What docs/authentication.md has for the usual services, word for word, against a stand-in that speaks https, wants a
// client's certificate where there is one, and keeps what it gets.

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

func TestTheUsualServices(t *testing.T) {
	t.Parallel()
	root, err := harness.Root()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "authentication.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, services, _ := strings.Cut(string(page), "## For the usual services")
	blocks := strings.Split(services, "```sh\n")[1:]
	if len(blocks) < 5 {
		t.Fatalf("there are only %d blocks", len(blocks))
	}
	for _, block := range blocks {
		written := map[string]string{}
		for line := range strings.Lines(strings.Split(block, "```")[0]) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			written[strings.TrimPrefix(name, "K6_PROMETHEUS_RW_")] = value
		}
		address, err := url.Parse(written["SERVER_URL"])
		if err != nil {
			t.Fatal(err)
		}
		t.Run(address.Host, func(t *testing.T) {
			t.Parallel()
			expectService(t, address, written)
		})
	}
}

// expectService runs k6 with the variables of a block, with the stand-in's address and with files that are there.
func expectService(t *testing.T, address *url.URL, written map[string]string) {
	authority := newAuthority(t)
	clients := tls.NoClientCert
	if written["CLIENT_CERTIFICATE"] != "" {
		clients = tls.RequireAndVerifyClientCert
	}
	recorder := startTLSRecorder(t, authority, time.Now().Add(time.Hour), clients)
	standIn, err := url.Parse(recorder.URL())
	if err != nil {
		t.Fatal(err)
	}
	path := address.RequestURI()
	address.Host = standIn.Host

	load := shortLoad(t)
	load.Env["AWS_ACCESS_KEY_ID"], load.Env["AWS_SECRET_ACCESS_KEY"] = "AKID", awsSecretKey
	for name, value := range written {
		switch {
		case name == "SERVER_URL":
			value = address.String()
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
	case written["BEARER_TOKEN_FILE"] != "":
		expected = "Bearer s3cret"
	case written["PASSWORD_FILE"] != "":
		expected = "Basic " + base64.StdEncoding.EncodeToString([]byte(written["USERNAME"]+":s3cret"))
	case written["SIGV4_REGION"] != "":
		expectSignature(t, request, "AKID "+written["SIGV4_REGION"]+"/aps")
		expected = request.Header.Get("Authorization")
	}
	if sent := request.Header.Get("Authorization"); sent != expected {
		t.Errorf("sent is %q, not %q", sent, expected)
	}
	for name, value := range written {
		if header, is := strings.CutPrefix(name, "HEADERS_"); is && request.Header.Get(header) != value {
			t.Errorf("%s is %q, not %q", header, request.Header.Get(header), value)
		}
	}
}

// clientFiles are those of a client that an authority knows.
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
