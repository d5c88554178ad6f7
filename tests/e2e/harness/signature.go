package harness

// Verification of AWS signatures, version 4, as AWS's documentation describes them, with Go's standard library only.

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// VerifySignature returns an error if a request is not correctly signed with this secret key.
func VerifySignature(request Request, secretKey string) error {
	const algorithm = "AWS4-HMAC-SHA256"
	scheme, parameters, _ := strings.Cut(request.Header.Get("Authorization"), " ")
	if scheme != algorithm {
		return fmt.Errorf("the algorithm is %q", scheme)
	}
	fields := map[string]string{}
	for parameter := range strings.SplitSeq(parameters, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		fields[name] = value
	}
	_, scope, _ := strings.Cut(fields["Credential"], "/")
	signed := strings.Split(fields["SignedHeaders"], ";")
	for _, name := range []string{"host", "x-amz-date"} {
		if !slices.Contains(signed, name) {
			return fmt.Errorf("%s is not among the signed headers %v", name, signed)
		}
	}
	bodyHash := hexHash(request.Body)
	if sent := request.Header.Get("X-Amz-Content-Sha256"); sent != bodyHash {
		return fmt.Errorf("the body's hash is %s, not %s", bodyHash, sent)
	}
	canonical, err := canonicalRequest(request, signed, bodyHash)
	if err != nil {
		return err
	}
	toSign := strings.Join([]string{algorithm, request.Header.Get("X-Amz-Date"), scope, hexHash([]byte(canonical))}, "\n")
	key := []byte("AWS4" + secretKey)
	for part := range strings.SplitSeq(scope, "/") { // date, region, service, "aws4_request"
		key = keyedHash(key, part)
	}
	if expected := hex.EncodeToString(keyedHash(key, toSign)); expected != fields["Signature"] {
		return fmt.Errorf("the signature of\n%s\nis %s, not %s", canonical, expected, fields["Signature"])
	}
	return nil
}

func canonicalRequest(request Request, signed []string, bodyHash string) (string, error) {
	target, err := url.Parse(request.Path)
	if err != nil {
		return "", err
	}
	var headers strings.Builder
	for _, name := range signed {
		value := strings.Join(request.Header.Values(name), ",")
		if name == "host" {
			value = request.Host
		}
		fmt.Fprintf(&headers, "%s:%s\n", name, strings.Join(strings.Fields(value), " "))
	}
	query := strings.ReplaceAll(target.Query().Encode(), "+", "%20") // Encode sorts
	// The path as it is sent, encoded a second time.
	path := strings.ReplaceAll(target.EscapedPath(), "%", "%25")
	return strings.Join([]string{http.MethodPost, path, query, headers.String(), strings.Join(signed, ";"), bodyHash}, "\n"), nil
}

func hexHash(data []byte) string {
	hash := sha256.Sum256(data)
	return hex.EncodeToString(hash[:])
}

func keyedHash(key []byte, data string) []byte {
	hash := hmac.New(sha256.New, key)
	hash.Write([]byte(data))
	return hash.Sum(nil)
}
