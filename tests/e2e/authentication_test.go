package e2e

// Authentication: every kind of credentials, from every source, from k6 to a receiver.

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// blocks is a script with the apm blocks of BLOCKS.
const blocks = "tests/e2e/scripts/blocks.js"

// kind is a kind of credentials from each of three sources, and the expected headers.
type kind struct {
	name    string
	env     map[string]string // without its prefix
	options map[string]any
	block   map[string]any
	aws     map[string]string // AWS variables, set for every source
	headers map[string]string
	signed  string // region and service of a signature
}

const awsSecretKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

func TestEveryKindOfCredentialsFromEverySource(t *testing.T) {
	t.Parallel()
	user, password := file(t, "me\n"), file(t, "pass word:1\n")
	token := file(t, "t0ken.in.file\n")
	profiles := file(t, "[load]\naws_access_key_id=AKIDPROFILE\naws_secret_access_key="+awsSecretKey+"\n")
	basic := map[string]string{"Authorization": "Basic bWU6cGFzcyB3b3JkOjE="}
	for _, kind := range []kind{
		{
			name:    "user name and password",
			env:     map[string]string{"USERNAME": "me", "PASSWORD": "pass word:1"},
			options: map[string]any{"username": "me", "password": "pass word:1"},
			block:   map[string]any{"credentials": map[string]any{"username": "me", "password": "pass word:1"}},
			headers: basic,
		},
		{
			name:    "user name and password in files",
			env:     map[string]string{"USERNAME_FILE": user, "PASSWORD_FILE": password},
			options: map[string]any{"usernameFile": user, "passwordFile": password},
			block:   map[string]any{"credentials": map[string]any{"usernameFile": user, "passwordFile": password}},
			headers: basic,
		},
		{
			name:    "token and headers",
			env:     map[string]string{"BEARER_TOKEN": "t0ken", "HTTP_HEADERS": "X-Scope-OrgID:load,X-Key:a:b"},
			options: map[string]any{"bearerToken": "t0ken", "headers": map[string]any{"X-Scope-OrgID": "load", "X-Key": "a:b"}},
			block: map[string]any{
				"credentials": map[string]any{"token": "t0ken"}, "headers": map[string]any{"X-Scope-OrgID": "load", "X-Key": "a:b"},
			},
			headers: map[string]string{"Authorization": "Bearer t0ken", "X-Scope-OrgID": "load", "X-Key": "a:b"},
		},
		{
			name:    "token in a file",
			env:     map[string]string{"BEARER_TOKEN_FILE": token},
			options: map[string]any{"bearerTokenFile": token},
			block:   map[string]any{"credentials": map[string]any{"tokenFile": token}},
			headers: map[string]string{"Authorization": "Bearer t0ken.in.file"},
		},
		{
			name:    "signature",
			env:     map[string]string{"SIGV4_REGION": "us-east-1", "SIGV4_ACCESS_KEY": "AKID", "SIGV4_SECRET_KEY": awsSecretKey},
			options: map[string]any{"sigV4Region": "us-east-1", "sigV4AccessKey": "AKID", "sigV4SecretKey": awsSecretKey},
			block:   map[string]any{"sigV4Region": "us-east-1", "sigV4AccessKey": "AKID", "sigV4SecretKey": awsSecretKey},
			signed:  "AKID us-east-1/aps",
		},
		{
			name: "signature with temporary keys, for another service",
			env: map[string]string{
				"SIGV4_REGION": "eu-west-1", "SIGV4_ACCESS_KEY": "AKID", "SIGV4_SECRET_KEY": awsSecretKey,
				"SIGV4_SESSION_TOKEN": "temp==", "SIGV4_SERVICE": "execute-api",
			},
			options: map[string]any{
				"sigV4Region": "eu-west-1", "sigV4AccessKey": "AKID", "sigV4SecretKey": awsSecretKey,
				"sigV4SessionToken": "temp==", "sigV4Service": "execute-api",
			},
			block: map[string]any{
				"sigV4Region": "eu-west-1", "sigV4AccessKey": "AKID", "sigV4SecretKey": awsSecretKey,
				"sigV4SessionToken": "temp==", "sigV4Service": "execute-api",
			},
			headers: map[string]string{"X-Amz-Security-Token": "temp=="},
			signed:  "AKID eu-west-1/execute-api",
		},
		{
			name:    "signature with the environment's keys",
			env:     map[string]string{"SIGV4_SERVICE": "aps"},
			options: map[string]any{"sigV4Service": "aps"},
			block:   map[string]any{"sigV4Service": "aps"},
			aws: map[string]string{
				"AWS_REGION": "eu-west-2", "AWS_ACCESS_KEY_ID": "AKIDENV", "AWS_SECRET_ACCESS_KEY": awsSecretKey,
				"AWS_SESSION_TOKEN": "temp==",
			},
			headers: map[string]string{"X-Amz-Security-Token": "temp=="},
			signed:  "AKIDENV eu-west-2/aps",
		},
		{
			name:    "signature with the keys of a profile",
			env:     map[string]string{"SIGV4_REGION": "eu-west-3", "SIGV4_PROFILE": "load"},
			options: map[string]any{"sigV4Region": "eu-west-3", "sigV4Profile": "load"},
			block:   map[string]any{"sigV4Region": "eu-west-3", "sigV4Profile": "load"},
			aws:     map[string]string{"AWS_SHARED_CREDENTIALS_FILE": profiles},
			signed:  "AKIDPROFILE eu-west-3/aps",
		},
	} {
		for spelling, spell := range map[string]func(load *harness.Run, url string){
			"environment": func(load *harness.Run, url string) {
				load.Env["K6_PROMETHEUS_RW_SERVER_URL"] = url
				for name, value := range kind.env {
					load.Env["K6_PROMETHEUS_RW_"+name] = value
				}
			},
			"JSON": func(load *harness.Run, url string) {
				load.Options = maps.Clone(kind.options)
				load.Options["url"] = url
			},
			"script": func(load *harness.Run, url string) {
				block := maps.Clone(kind.block)
				block["provider"], block["remoteWriteURL"] = "prometheus", url
				load.Env["BLOCKS"] = asJSON(t, []any{block})
			},
		} {
			t.Run(kind.name+"/"+spelling, func(t *testing.T) {
				t.Parallel()
				recorder := startFake(t, harness.Fake{})
				load := shortLoad(t)
				maps.Copy(load.Env, kind.aws)
				spell(&load, recorder.URL()+"/a%20b?x=1&y=a%2Bb")
				result := run(t, load)
				kind.expectIn(t, requestsOf(t, recorder, ours), result)
			})
		}
	}
}

func (k *kind) expectIn(t *testing.T, requests []harness.Request, result *harness.Result) {
	t.Helper()
	if len(requests) == 0 {
		t.Fatalf("nothing came:\n%s", result.LogText())
	}
	for _, request := range requests {
		for name, value := range k.headers {
			if sent := request.Header.Values(name); len(sent) != 1 || sent[0] != value {
				t.Errorf("%s is %q, not %q", name, sent, value)
			}
		}
		if k.signed != "" {
			expectSignature(t, request, k.signed)
		}
	}
}

// expectSignature expects a valid signature of an access key for a region and a service.
func expectSignature(t *testing.T, request harness.Request, of string) {
	t.Helper()
	if err := harness.VerifySignature(request, awsSecretKey); err != nil {
		t.Error(err)
	}
	accessKey, scope, _ := strings.Cut(of, " ")
	date := request.Header.Get("X-Amz-Date")[:len("20060102")]
	credential := "Credential=" + accessKey + "/" + date + "/" + scope + "/aws4_request,"
	if authorization := request.Header.Get("Authorization"); !strings.Contains(authorization, credential) {
		t.Errorf("%s is missing in %s", credential, authorization)
	}
}

// Both outputs sign the same requests in one run, and both signatures are valid.
func TestTheBuiltinOutputSignsAlike(t *testing.T) {
	t.Parallel()
	recorder := startFake(t, harness.Fake{})
	load := shortLoad(t)
	load.Out = append(load.Out, "experimental-prometheus-rw")
	for name, value := range map[string]string{
		"SERVER_URL": recorder.URL(), "SIGV4_REGION": "us-east-1", "SIGV4_ACCESS_KEY": "AKID", "SIGV4_SECRET_KEY": awsSecretKey,
	} {
		load.Env["K6_PROMETHEUS_RW_"+name] = value
	}
	result := run(t, load)
	for _, agent := range []string{ours, builtin} {
		requests := requestsOf(t, recorder, agent)
		if len(requests) == 0 {
			t.Fatalf("%s sent nothing:\n%s", agent, result.LogText())
		}
		for _, request := range requests {
			expectSignature(t, request, "AKID us-east-1/aps")
		}
	}
}

// As in Kubernetes: the file is a link to a link, and the latter is replaced.
func TestATokenIsReadAgainWhenItChanges(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	turnTo := func(version, token string) {
		t.Helper()
		for _, err := range []error{
			os.Mkdir(filepath.Join(directory, version), 0o700),
			os.WriteFile(filepath.Join(directory, version, "token"), []byte(token), 0o600),
			os.Symlink(version, filepath.Join(directory, "..data.new")),
			os.Rename(filepath.Join(directory, "..data.new"), filepath.Join(directory, "..data")),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	turnTo("1", "one")
	if err := os.Symlink("..data/token", filepath.Join(directory, "token")); err != nil {
		t.Fatal(err)
	}
	recorder := startFake(t, harness.Fake{})
	load := shortLoad(t)
	load.Env["DURATION"] = "1m"
	load.Options = map[string]any{
		"url": recorder.URL(), "bearerTokenFile": filepath.Join(directory, "token"), "pushInterval": "100ms",
	}
	k6 := start(t, load)
	came := func(token string) func() bool {
		return func() bool {
			requests := requestsOf(t, recorder, ours)
			return len(requests) > 0 && requests[len(requests)-1].Header.Get("Authorization") == "Bearer "+token
		}
	}
	await(t, "the first token", came("one"))
	turnTo("2", "two\n")
	await(t, "the second token", came("two"))
	k6.Interrupt()
	finish(t, k6, abortedByASignal)
}

func TestAMissingFileStopsTheRun(t *testing.T) {
	t.Parallel()
	load := shortLoad(t)
	gone := filepath.Join(t.TempDir(), "token")
	load.Env["K6_PROMETHEUS_RW_BEARER_TOKEN_FILE"] = gone
	result := finish(t, start(t, load), invalidConfiguration)
	if expected := "bearerTokenFile: " + gone + ": cannot read the file"; !strings.Contains(result.LogText(), expected) {
		t.Errorf("%q is not in:\n%s", expected, result.LogText())
	}
}

// shortLoad returns a run of a second without a destination.
func shortLoad(t *testing.T) harness.Run {
	t.Helper()
	return harness.Run{
		Script: blocks,
		Out:    []string{"remote-write"},
		Env: map[string]string{
			"TARGET_URL": startTarget(t).URL(), "DURATION": "1s",
			// Ignores the developer's own keys.
			"AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
		},
	}
}

// file writes a file with this text, and returns its path.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
