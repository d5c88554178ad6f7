package e2e

// AWS without keys: roles of a pod, a task, an instance or a profile, against stand-ins of AWS's services.

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// awsServices stands in for STS, the container endpoint of ECS and EKS, and the metadata service of EC2. Each set of keys that
// it gives has its number in the access key.
type awsServices struct {
	*httptest.Server
	valid time.Duration // of keys

	mutex  sync.Mutex
	issued int
	log    []string
}

const (
	podToken     = "p0d~t0ken.of+EKS/=="
	sessionToken = "session/t0ken+=="
	roleARN      = "arn:aws:iam::123456789012:role/k6"
)

func startAWS(t *testing.T, valid time.Duration) *awsServices {
	t.Helper()
	services := &awsServices{valid: valid}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{$}", services.sts)
	mux.HandleFunc("GET /v1/credentials", services.container)
	mux.HandleFunc("PUT /latest/api/token", func(w http.ResponseWriter, r *http.Request) {
		services.note("IMDS token")
		w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "21600")
		_, _ = io.WriteString(w, "imds-t0ken")
	})
	mux.HandleFunc("GET /latest/meta-data/iam/{path...}", services.instance)
	services.Server = httptest.NewServer(mux)
	t.Cleanup(services.Close)
	return services
}

func (s *awsServices) note(what string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.log = append(s.log, what)
}

func (s *awsServices) seen() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return strings.Join(s.log, "\n")
}

// issue returns the next access key, and when the keys end.
func (s *awsServices) issue() (accessKey, end string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.issued++
	return fmt.Sprintf("ASIA%d", s.issued), time.Now().Add(s.valid).UTC().Format(time.RFC3339)
}

func (s *awsServices) sts(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	action := r.PostForm.Get("Action")
	s.note(action + " " + r.PostForm.Get("RoleArn"))
	if token := r.PostForm.Get("WebIdentityToken"); action == "AssumeRoleWithWebIdentity" && token != podToken {
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprintf(w, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>`+
			`<Code>AccessDenied</Code><Message>Not authorized to perform sts:AssumeRoleWithWebIdentity with %s</Message></Error></ErrorResponse>`,
			token)
		return
	}
	accessKey, end := s.issue()
	_, _ = fmt.Fprintf(w, `<%[1]sResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><%[1]sResult><Credentials>`+
		`<AccessKeyId>%[2]s</AccessKeyId><SecretAccessKey>%[3]s</SecretAccessKey><SessionToken>%[4]s</SessionToken>`+
		`<Expiration>%[5]s</Expiration></Credentials></%[1]sResult></%[1]sResponse>`, action, accessKey, awsSecretKey, sessionToken, end)
}

func (s *awsServices) container(w http.ResponseWriter, r *http.Request) {
	s.note("container")
	if r.Header.Get("Authorization") != podToken {
		http.Error(w, "no token", http.StatusUnauthorized)
		return
	}
	s.keys(w)
}

func (s *awsServices) instance(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-Aws-Ec2-Metadata-Token") != "imds-t0ken" {
		http.Error(w, "IMDSv1 is off", http.StatusUnauthorized)
		return
	}
	s.note("IMDS " + r.PathValue("path"))
	if strings.TrimSuffix(r.PathValue("path"), "/") == "security-credentials" {
		_, _ = io.WriteString(w, "k6-role")
		return
	}
	s.keys(w)
}

func (s *awsServices) keys(w http.ResponseWriter) {
	accessKey, end := s.issue()
	_ = json.NewEncoder(w).Encode(map[string]string{
		"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": time.Now().UTC().Format(time.RFC3339),
		"AccessKeyId": accessKey, "SecretAccessKey": awsSecretKey, "Token": sessionToken, "Expiration": end,
	})
}

// identities are the ways to be someone on AWS.
func identities(t *testing.T, services *awsServices) map[string]struct {
	env  map[string]string
	seen string
} {
	t.Helper()
	token := file(t, podToken)
	config := file(t, fmt.Sprintf("[profile load]\nrole_arn = %s\nsource_profile = base\nregion = eu-west-1\n"+
		"[profile irsa]\nrole_arn = %s\nweb_identity_token_file = %s\n", roleARN, roleARN, token))
	keys := file(t, "[base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = "+awsSecretKey+"\n")
	return map[string]struct {
		env  map[string]string
		seen string
	}{
		"web identity, as of EKS with IRSA": {
			map[string]string{"AWS_ROLE_ARN": roleARN, "AWS_WEB_IDENTITY_TOKEN_FILE": token, "AWS_ENDPOINT_URL_STS": services.URL},
			"AssumeRoleWithWebIdentity " + roleARN,
		},
		"EKS Pod Identity": {
			map[string]string{
				"AWS_CONTAINER_CREDENTIALS_FULL_URI":     services.URL + "/v1/credentials",
				"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": token,
			},
			"container",
		},
		"ECS": {
			map[string]string{
				"AWS_CONTAINER_CREDENTIALS_FULL_URI": services.URL + "/v1/credentials", "AWS_CONTAINER_AUTHORIZATION_TOKEN": podToken,
			},
			"container",
		},
		"an instance profile": {
			map[string]string{"AWS_EC2_METADATA_SERVICE_ENDPOINT": services.URL},
			"IMDS token\nIMDS security-credentials/\nIMDS security-credentials/k6-role",
		},
		"a profile that assumes a role": {
			map[string]string{
				"AWS_PROFILE": "load", "AWS_CONFIG_FILE": config, "AWS_SHARED_CREDENTIALS_FILE": keys, "AWS_ENDPOINT_URL_STS": services.URL,
			},
			"AssumeRole " + roleARN,
		},
		"a profile with a web identity": {
			map[string]string{"K6_PROMETHEUS_RW_SIGV4_PROFILE": "irsa", "AWS_CONFIG_FILE": config, "AWS_ENDPOINT_URL_STS": services.URL},
			"AssumeRoleWithWebIdentity " + roleARN,
		},
	}
}

// awsLoad returns a run that signs its requests, without keys of its own.
func awsLoad(t *testing.T, recorder *harness.FakeReceiver, env map[string]string) harness.Run {
	t.Helper()
	load := shortLoad(t)
	load.Env["AWS_CONFIG_FILE"] = "/nowhere"
	load.Env["K6_PROMETHEUS_RW_SERVER_URL"] = recorder.URL()
	load.Env["K6_PROMETHEUS_RW_SIGV4_REGION"] = "eu-west-1"
	maps.Copy(load.Env, env)
	return load
}

func TestEveryIdentityOfAWSSignsRequests(t *testing.T) {
	t.Parallel()
	for name := range identities(t, startAWS(t, time.Hour)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			services := startAWS(t, time.Hour)
			identity := identities(t, services)[name]
			recorder := startFake(t, harness.Fake{})
			result := run(t, awsLoad(t, recorder, identity.env))
			requests := requestsOf(t, recorder, ours)
			if len(requests) == 0 {
				t.Fatalf("nothing came; AWS saw %q:\n%s", services.seen(), result.LogText())
			}
			for _, request := range requests {
				expectSignature(t, request, "ASIA1 eu-west-1/aps")
				if token := request.Header.Get("X-Amz-Security-Token"); token != sessionToken {
					t.Errorf("session token %q", token)
				}
			}
			if seen := services.seen(); seen != identity.seen {
				t.Errorf("AWS saw %q, not %q", seen, identity.seen)
			}
		})
	}
}

// Keys that end soon are fetched again, and so are those that the receiver rejects.
func TestKeysOfARoleAreRenewed(t *testing.T) {
	t.Parallel()
	for name, renewal := range map[string]struct {
		valid time.Duration
		hook  func(*http.Request) harness.Fault
	}{
		"before their end": {valid: 2 * time.Second},
		"when they are rejected": {valid: time.Hour, hook: func(r *http.Request) harness.Fault {
			if strings.Contains(r.Header.Get("Authorization"), "Credential=ASIA1/") {
				return harness.Unauthorized
			}
			return harness.Pass
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			services := startAWS(t, renewal.valid)
			recorder := startFake(t, harness.Fake{Hook: renewal.hook})
			load := awsLoad(t, recorder, identities(t, services)["ECS"].env)
			load.Env["DURATION"], load.Env["K6_PROMETHEUS_RW_PUSH_INTERVAL"] = "3s", "200ms"
			result := run(t, load)
			if lines := append(linesOf(result, "warning"), linesOf(result, "error")...); len(lines) > 0 {
				t.Errorf("problems are logged:\n%s", result.LogText())
			}
			requests := requestsOf(t, recorder, ours)
			expectSignature(t, requests[len(requests)-1], fmt.Sprintf("ASIA%d eu-west-1/aps", services.issued))
			if services.issued < 2 {
				t.Errorf("keys were fetched %d times", services.issued)
			}
		})
	}
}

// An identity that is missing or rejected costs no sample while it may come, and the log says what to do, without tokens.
func TestAnIdentityThatFailsIsExplained(t *testing.T) {
	t.Parallel()
	services := startAWS(t, time.Hour)
	hidden := file(t, "hunter2~+/==")
	sso := file(t, "[profile sso]\nsso_session = x\nsso_account_id = 1\nsso_role_name = r\n[sso-session x]\n"+
		"sso_region = eu-west-1\nsso_start_url = https://x.awsapps.com/start\n")
	for name, failure := range map[string]struct {
		env         map[string]string
		error, hint string
	}{
		"a role that does not trust the token": {
			map[string]string{"AWS_ROLE_ARN": roleARN, "AWS_WEB_IDENTITY_TOKEN_FILE": hidden, "AWS_ENDPOINT_URL_STS": services.URL},
			"AccessDenied", "trust policy",
		},
		"a profile whose role does not trust the token": {
			map[string]string{"AWS_PROFILE": "load", "AWS_CONFIG_FILE": file(t, fmt.Sprintf(
				"[profile load]\nrole_arn = %s\nweb_identity_token_file = %s\n", roleARN, hidden)), "AWS_ENDPOINT_URL_STS": services.URL},
			"AccessDenied", "trust policy",
		},
		"none at all": {
			map[string]string{"AWS_EC2_METADATA_DISABLED": "true"}, "no AWS keys", "give this machine or pod a role",
		},
		"a metadata service that is down": {
			map[string]string{"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1"}, "no AWS keys", "hop limit",
		},
		"single sign-on": {
			map[string]string{"AWS_PROFILE": "sso", "AWS_CONFIG_FILE": sso}, "sso", "aws configure export-credentials",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			load := awsLoad(t, startFake(t, harness.Fake{}), failure.env)
			load.Env["DURATION"], load.Env["K6_PROMETHEUS_RW_FLUSH_TIMEOUT"] = "4s", "4s"
			begin := time.Now()
			result := run(t, load)
			if took := time.Since(begin); took > 30*time.Second {
				t.Errorf("k6 took %s", took)
			}
			if strings.Contains(result.LogText(), "hunter2") {
				t.Errorf("the token is in:\n%s", result.LogText())
			}
			for _, line := range linesOf(result, "warning") {
				message, _ := line.Fields["error"].(string)
				hint, _ := line.Fields["hint"].(string)
				if strings.Contains(message, failure.error) && strings.Contains(hint, failure.hint) {
					return
				}
			}
			t.Errorf("%q with the hint %q is not in:\n%s", failure.error, failure.hint, result.LogText())
		})
	}
}

func TestAProfileThatIsNowhereStopsTheRun(t *testing.T) {
	t.Parallel()
	load := awsLoad(t, startFake(t, harness.Fake{}), map[string]string{"K6_PROMETHEUS_RW_SIGV4_PROFILE": "gone"})
	directory := t.TempDir()
	load.Env["AWS_SHARED_CREDENTIALS_FILE"] = filepath.Join(directory, "credentials")
	if err := os.WriteFile(load.Env["AWS_SHARED_CREDENTIALS_FILE"], []byte("[other]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	result := finish(t, start(t, load), invalidConfiguration)
	if expected := `profile "gone" not found`; !strings.Contains(result.LogText(), expected) {
		t.Errorf("%s is not in:\n%s", expected, result.LogText())
	}
}
