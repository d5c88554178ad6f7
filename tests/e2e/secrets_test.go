package e2e

// Secrets are never logged: k6 with its most verbose log, every kind of credentials, and a receiver that fails in several
// ways and repeats the request in several forms. The output of k6 and its files are searched for secrets, their parts and forms.
// tests/behaviour/secrets.rs has every option, source and form.

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// Secrets with characters that encodings change. No eight characters of one occur elsewhere in a run.
const (
	hiddenText  = `Zq7h"V2  xK&9<mP\w/4R%41tB`
	hiddenOther = `Jn5c+Y8d>L3'sG=f6#Tu@X?q:z`
)

func TestNoSecretIsShown(t *testing.T) {
	t.Parallel()
	secretFile := file(t, hiddenText)
	profile := file(t, "[default]\naws_access_key_id=AKID\naws_secret_access_key="+hiddenText+"\naws_session_token="+hiddenOther)
	inURL := url.UserPassword("me", hiddenText).String()
	kinds := map[string]map[string]any{
		"user name and password": {"credentials": map[string]any{"username": "me", "password": hiddenText}},
		"password in a file":     {"credentials": map[string]any{"username": "me", "passwordFile": secretFile}},
		"token":                  {"credentials": map[string]any{"token": hiddenText}},
		"token in a file":        {"credentials": map[string]any{"tokenFile": secretFile}},
		"headers":                {"headers": map[string]any{"X-Key": hiddenText, "Authorization": "Custom " + hiddenOther}},
		"a signature": {
			"sigV4Region": "us-east-1", "sigV4AccessKey": "AKID", "sigV4SecretKey": hiddenText, "sigV4SessionToken": hiddenOther,
		},
		"a profile": {"sigV4Region": "us-east-1"},
		"the URL":   {},
		"a proxy":   {"proxy": "http://" + inURL + "@127.0.0.1:1"},
	}
	for fault, respond := range faults {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int64
			receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				respond(w, r)
			}))
			t.Cleanup(receiver.Close)
			left := t.TempDir()
			var all []any
			for name, kind := range kinds {
				address := receiver.URL + "/w?key=" + url.QueryEscape(hiddenOther)
				if name == "the URL" {
					address = strings.Replace(address, "//", "//"+inURL+"@", 1)
				}
				block := maps.Clone(kind)
				maps.Copy(block, map[string]any{
					"provider": "prometheus", "remoteWriteURL": address, "flushTimeout": "200ms", "timeout": "200ms", "unsentDirectory": left,
				})
				all = append(all, block)
			}
			load := shortLoad(t)
			load.Env["BLOCKS"] = asJSON(t, all)
			load.Env["AWS_SHARED_CREDENTIALS_FILE"] = profile
			load.Args = []string{"--verbose", "--quiet=false"}
			result := run(t, load)
			if len(linesOf(result, "debug")) == 0 || int(requests.Load()) < len(kinds)-1 {
				t.Errorf("k6 is not verbose, or sent only %d requests:\n%s", requests.Load(), result.LogText())
			}
			expectNothingHidden(t, "stdout", result.Stdout)
			expectNothingHidden(t, "stderr", result.Stderr)
			for _, file := range filesIn(t, left) {
				text, err := remoteWrite(t, "export", file).CombinedOutput()
				if err != nil {
					t.Errorf("%v: %s", err, text)
				}
				expectNothingHidden(t, "the samples of "+file, string(text))
			}
			if files := expectNothingHiddenIn(t, left); files == 0 && fault == "responds with 503" {
				t.Error("there is no file with unsent samples to search")
			}
		})
	}
}

// faults are responses of a failing receiver.
var faults = map[string]http.HandlerFunc{
	"responds with 400": repeating(http.StatusBadRequest, func(text string) string { return text }),
	"responds with 401": repeating(http.StatusUnauthorized, func(text string) string { return fmt.Sprintf("%q", text) }),
	"responds with 403": repeating(http.StatusForbidden, html.EscapeString),
	"responds with 422": repeating(http.StatusUnprocessableEntity, url.QueryEscape),
	"responds with 500": repeating(http.StatusInternalServerError, func(text string) string {
		encoded, _ := json.Marshal(html.EscapeString(text))
		return string(encoded)
	}),
	"responds with 503": repeating(http.StatusServiceUnavailable, func(text string) string {
		encoded, _ := json.Marshal(text)
		return string(encoded)
	}),
	"redirects": func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://127.0.0.1:1/?"+r.URL.RawQuery, http.StatusTemporaryRedirect)
	},
	"closes the connection": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	"does not send HTTP":    func(w http.ResponseWriter, _ *http.Request) { speakGarbage(w) },
}

// repeating responds with the content of the request, encoded.
func repeating(status int, encode func(string) string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		fmt.Fprintf(w, "wrong: %s %s", encode(r.URL.String()), encode(r.URL.Query().Get("key")))
		for name, values := range r.Header {
			value := strings.Join(values, " ")
			fmt.Fprintf(w, " %s=%s %s", name, encode(value), base64.StdEncoding.EncodeToString([]byte(value)))
		}
		if user, password, ok := r.BasicAuth(); ok {
			fmt.Fprintf(w, " %s:%s", user, encode(password))
		}
	}
}

func speakGarbage(w http.ResponseWriter) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_, _ = connection.Write([]byte("\x00\xff garbage\r\n\r\n"))
	_ = connection.Close()
}

func TestAnInvalidConfigurationShowsNoSecret(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]map[string]any{
		"a token with a line break":  {"bearerToken": hiddenText + "\n" + hiddenOther},
		"headers not an object":      {"headers": hiddenText},
		"a URL that is none":         {"url": "http//me:" + hiddenText + "@host/?" + hiddenOther},
		"an invalid proxy URL":       {"proxy": "me:" + hiddenText + "@host:1"},
		"incomplete AWS keys":        {"sigV4SecretKey": hiddenText},
		"two kinds at once":          {"sigV4Region": "r", "password": hiddenText, "username": "me", "bearerToken": hiddenOther},
		"a secret instead of a path": {"passwordFile": file(t, hiddenText+"\n"+hiddenOther), "username": "me"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			load := shortLoad(t)
			load.Options, load.Args = options, []string{"--verbose", "--quiet=false"}
			result := finish(t, start(t, load), invalidConfiguration)
			expectNothingHidden(t, "stdout", result.Stdout)
			expectNothingHidden(t, "stderr", result.Stderr)
		})
	}
}

// expectNothingHidden expects no eight characters of a secret, or of a form of it: encoded, or in base64 at any offset.
func expectNothingHidden(t *testing.T, where, text string) {
	t.Helper()
	for _, secret := range []string{hiddenText, hiddenOther} {
		inJSON, err := json.Marshal(secret)
		if err != nil {
			t.Fatal(err)
		}
		forms := []string{
			secret, url.QueryEscape(secret), url.PathEscape(secret), html.EscapeString(secret), fmt.Sprintf("%q", secret), string(inJSON),
			strings.Join(strings.Fields(secret), " "),
		}
		for _, before := range []string{"", "x", "xx"} {
			encoded := base64.RawStdEncoding.EncodeToString([]byte(before + secret))
			forms = append(forms, encoded[len(before)+1:len(encoded)-1]) // without characters that depend on adjacent bytes
		}
		for _, form := range forms {
			for at := range len(form) - 8 + 1 {
				if part := form[at : at+8]; strings.Contains(text, part) {
					t.Errorf("%s shows %s of %s:\n%s", where, part, secret, text)
					return
				}
			}
		}
	}
}

// expectNothingHiddenIn searches all files of a directory, and returns their number.
func expectNothingHiddenIn(t *testing.T, directory string) (files int) {
	t.Helper()
	err := filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		expectNothingHidden(t, path, string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
