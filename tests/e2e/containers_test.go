package e2e

// Versions of the image and the Compose file, which CI's job `image` does not compare.

import (
	"regexp"
	"strconv"
	"testing"
)

func TestTheComposeFileHasThePrometheusOfTheTests(t *testing.T) {
	t.Parallel()
	minor := find(t, read(t, "tools/prometheus/go.mod"), `github.com/prometheus/prometheus v0\.3(\d+)\.`)
	number, err := strconv.Atoi(minor)
	if err != nil {
		t.Fatal(err)
	}
	// Version 0.3xx.y of its Go module is release 3.xx.y.
	expected := "v3." + strconv.Itoa(number) + ".0"
	if image := find(t, read(t, "deploy/compose/compose.yaml"), `image: prom/prometheus:(\S+)`); image != expected {
		t.Errorf("compose.yaml has Prometheus %s, the tests %s", image, expected)
	}
}

func TestTheImageAndTheReleasesAreBuiltWithTheSameRustAndGo(t *testing.T) {
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
