package e2e

// What CI's job `image`, which builds the image and runs the Compose file, cannot see: that versions are the same everywhere.

import (
	"regexp"
	"strconv"
	"testing"
)

func TestTheComposeFileHasThePrometheusThatTheTestsHave(t *testing.T) {
	t.Parallel()
	minor := find(t, read(t, "tools/prometheus/go.mod"), `github.com/prometheus/prometheus v0\.3(\d+)\.`)
	number, err := strconv.Atoi(minor)
	if err != nil {
		t.Fatal(err)
	}
	// Its Go module is 0.3xx.y where its release is 3.xx.y.
	expected := "v3." + strconv.Itoa(number) + ".0"
	if image := find(t, read(t, "deploy/compose/compose.yaml"), `image: prom/prometheus:(\S+)`); image != expected {
		t.Errorf("compose.yaml has Prometheus %s, the tests have %s", image, expected)
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
