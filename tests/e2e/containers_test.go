package e2e

// Dockerfile and compose.yaml without Docker: what they copy, mount and start is tried with the real programs. What that leaves
// out is in docs/containers.md.

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// service is what compose.yaml says of one container, with all paths and variables resolved.
type service struct {
	Image       string            `json:"image"`
	Command     []string          `json:"command"`
	Environment map[string]string `json:"environment"`
	Volumes     []struct {
		Type   string `json:"type"`
		Source string `json:"source"`
		Target string `json:"target"`
	} `json:"volumes"`
}

// readCompose reads compose.yaml by Compose's own reader.
func readCompose(t *testing.T) map[string]service {
	t.Helper()
	reader, err := harness.Binary("compose-spec")
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(reader, "-format", "json", "compose.yaml")
	command.Dir = filepath.Join(root(t), "deploy/compose")
	var model struct {
		Services map[string]service `json:"services"`
	}
	if err := json.Unmarshal([]byte(output(t, command)), &model); err != nil {
		t.Fatal(err)
	}
	return model.Services
}

// mount lays the service's files out below a folder, as its container has them below its root.
func (s service) mount(t *testing.T, folder string) {
	t.Helper()
	for _, volume := range s.Volumes {
		if volume.Type != "bind" {
			continue // empty at first
		}
		target := filepath.Join(folder, volume.Target)
		info, err := os.Stat(volume.Source)
		switch {
		case err != nil:
			t.Fatalf("compose.yaml mounts what is not there: %v", err)
		case info.IsDir():
			err = os.CopyFS(target, os.DirFS(volume.Source))
		default:
			copyFile(t, volume.Source, target)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// commandBelow is the service's command line, for the folder of mount.
func (s service) commandBelow(folder string) []string {
	command := slices.Clone(s.Command)
	for i, argument := range command {
		for _, volume := range s.Volumes {
			if flag, path, _ := strings.Cut(argument, "="); strings.HasPrefix(path, volume.Target) {
				command[i] = flag + "=" + filepath.Join(folder, path)
			} else if strings.HasPrefix(argument, volume.Target) {
				command[i] = filepath.Join(folder, argument)
			}
		}
	}
	return command
}

// Prometheus with the flags and files of compose.yaml, and k6 with its command and variables, as the image's user, in a folder
// where it may not write.
func TestThePartsOfTheComposeFileWorkTogether(t *testing.T) {
	t.Parallel()
	services := readCompose(t)
	receiver, err := harness.StartReceiverAs(harness.Prometheus, func(folder, address string) []string {
		services["prometheus"].mount(t, folder)
		return append(services["prometheus"].commandBelow(folder), "--web.listen-address="+address)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(receiver.Stop)

	folder, err := os.MkdirTemp("", "k6-remote-write-container-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(folder, "usr/bin/k6")
	copyFile(t, filepath.Join(root(t), imageFile(t, "/usr/bin/k6")), program)
	services["k6"].mount(t, folder)
	k6 := exec.Command(program, services["k6"].commandBelow(folder)...)
	k6.Dir = "/"
	k6.Env = []string{"TARGET_URL=" + receiver.URL, "DURATION=1s"}
	for name, value := range services["k6"].Environment {
		k6.Env = append(k6.Env, name+"="+strings.Replace(value, "http://prometheus:9090", receiver.URL, 1))
	}
	if os.Getuid() == 0 {
		user := imageUser(t)
		k6.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
	}
	if said, err := k6.CombinedOutput(); err != nil || !bytes.Contains(said, []byte("All samples were shipped")) {
		t.Fatalf("%s: %v\n%s", k6, err, said)
	}

	for _, promql := range []string{
		"last_over_time(k6_http_reqs_total[1m])",
		"last_over_time(k6_http_req_duration_p95[1m])",
		"histogram_count(last_over_time(k6_http_req_duration_seconds[1m]))",
	} {
		query(t, receiver, promql)
	}
	log, err := os.ReadFile(filepath.Join(receiver.Folder, "log"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(log) {
		if bytes.Contains(line, []byte("level=WARN")) || bytes.Contains(line, []byte("level=ERROR")) {
			t.Errorf("Prometheus said: %s", line)
		}
	}
}

func TestThePrometheusConfigurationOfTheComposeFileIsValid(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	readCompose(t)["prometheus"].mount(t, folder)
	promtool, err := harness.Binary("promtool")
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(promtool, "check", "config", filepath.Join(folder, "etc/prometheus/prometheus.yml"))
	if said, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
}

func TestTheComposeFileHasThePrometheusThatTheTestsHave(t *testing.T) {
	t.Parallel()
	minor := find(t, read(t, "tools/prometheus/go.mod"), `github.com/prometheus/prometheus v0\.3(\d+)\.`)
	number, err := strconv.Atoi(minor)
	if err != nil {
		t.Fatal(err)
	}
	// Its Go module is 0.3xx.y where its release is 3.xx.y.
	expected := "prom/prometheus:v3." + strconv.Itoa(number) + ".0"
	if image := readCompose(t)["prometheus"].Image; image != expected {
		t.Errorf("compose.yaml has %s, the tests have %s", image, expected)
	}
}

func TestGrafanaFindsWhatIsProvisioned(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	readCompose(t)["grafana"].mount(t, folder)
	provider := read(t, "deploy/compose/grafana/dashboards.yaml")
	dashboards, err := filepath.Glob(filepath.Join(folder, find(t, provider, `path: (\S+)`), "*.json"))
	if err != nil || len(dashboards) == 0 {
		t.Errorf("no dashboards where %s has them: %v", provider, err)
	}
	url := find(t, read(t, "deploy/compose/grafana/datasources.yaml"), `url: (\S+)`)
	if wrote := readCompose(t)["k6"].Environment["K6_PROMETHEUS_RW_SERVER_URL"]; wrote != url+"/api/v1/write" {
		t.Errorf("Grafana reads from %s, k6 writes to %s", url, wrote)
	}
}

func TestOneRustAndOneGoBuildTheImageAndTheReleases(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{`rust:(\S+)`, `(?:golang:|go-version: )([\d.]+)`} {
		versions := map[string][]string{}
		for _, path := range []string{"Dockerfile", ".github/workflows/ci.yml", ".github/workflows/release.yml"} {
			for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(read(t, path), -1) {
				versions[match[1]] = append(versions[match[1]], path)
			}
		}
		if len(versions) != 1 {
			t.Errorf("%s: %v", pattern, versions)
		}
	}
}

// The image is built from what .dockerignore lets through.
func TestTheImageIsBuiltFromAllThatMakeNeeds(t *testing.T) {
	t.Parallel()
	patterns, err := ignorefile.ReadAll(strings.NewReader(read(t, ".dockerignore")))
	if err != nil {
		t.Fatal(err)
	}
	ignored, err := patternmatcher.New(patterns)
	if err != nil {
		t.Fatal(err)
	}
	without := func(name string) bool {
		matches, err := ignored.MatchesOrParentMatches(name)
		if err != nil {
			t.Fatal(err)
		}
		return matches
	}
	for _, built := range []string{".git/HEAD", "target/release/build", "build/k6", "go-shim/lib/linux_amd64/libk6_remote_write.a"} {
		if !without(built) {
			t.Errorf("%s goes to the builder", built)
		}
	}
	context := t.TempDir()
	for _, name := range sources(t) {
		if !without(name) {
			copyFile(t, filepath.Join(root(t), name), filepath.Join(context, name))
		}
	}
	host := find(t, output(t, exec.Command("rustc", "-vV")), `host: (\S+)`)
	for _, arguments := range [][]string{
		{"make", "--dry-run", filepath.Base(imageFile(t, "/usr/bin/k6"))},
		{"cargo", "fetch", "--quiet", "--locked", "--target", host}, // reads what Cargo.toml names
	} {
		command := exec.Command(arguments[0], arguments[1:]...)
		command.Dir = context
		command.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "MAKE") })
		var complaints bytes.Buffer
		command.Stderr = &complaints
		if err := command.Run(); err != nil || complaints.Len() > 0 {
			t.Errorf("%s: %v\n%s", command, err, complaints.String())
		}
	}
}

// imageFile is the repository's file that becomes one of the image's.
func imageFile(t *testing.T, path string) string {
	t.Helper()
	return find(t, read(t, "Dockerfile"), `(?m)^COPY --from=build /src/(\S+) `+path+`$`)
}

// imageUser is who runs k6 in the image.
func imageUser(t *testing.T) uint32 {
	t.Helper()
	user, err := strconv.ParseUint(find(t, read(t, "Dockerfile"), `(?m)^USER (\d+)$`), 10, 32)
	if err != nil || user == 0 {
		t.Fatalf("the image's user is %d: %v", user, err)
	}
	return uint32(user)
}

// copyFile makes what is above it, too.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, content, info.Mode().Perm()); err != nil {
		t.Fatal(err)
	}
}
