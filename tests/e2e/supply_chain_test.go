package e2e

// Audits that must run, and the checksums of a release.

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// program writes an executable shell script.
func program(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
}

// Where the databases should be reachable, as in CI, an audit that cannot run fails; elsewhere it is skipped.
func TestAnAuditThatCannotRunFailsWhereItIsRequired(t *testing.T) {
	t.Parallel()
	for _, unreachable := range []string{"none", "RustSec", "Go"} {
		for _, required := range []string{"", "1"} {
			build := t.TempDir()
			deny, vulncheck := "", ""
			switch unreachable {
			case "RustSec":
				deny = `case "$*" in *"fetch db"*) exit 1;; esac`
			case "Go":
				vulncheck = "exit 1"
			}
			program(t, filepath.Join(build, "cargo-deny/bin/cargo-deny"), deny)
			program(t, filepath.Join(build, "govulncheck"), vulncheck)
			command := exec.Command(filepath.Join(root(t), "scripts/audit.sh"))
			command.Env = append(os.Environ(), "BUILD="+build, "REQUIRE_CHECKS="+required)
			printed, err := command.CombinedOutput()
			if failed := err != nil; failed != (unreachable != "none" && required != "") {
				t.Errorf("database not reachable: %s, required: %q: %v\n%s", unreachable, required, err, printed)
			}
			if skipped := strings.Contains(string(printed), "not reachable"); skipped != (unreachable != "none") {
				t.Errorf("database not reachable: %s: %s", unreachable, printed)
			}
		}
	}
}

// SHA256SUMS has the archives, and all that is compiled in the module.
func TestChecksumsCoverArchivesLibrariesAndHeader(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	files := []string{
		"a.tar.gz", "module/go-shim/include/k6_remote_write.h", "module/go-shim/lib/linux_amd64/libk6_remote_write.a",
		"module/go-shim/lib/linux_arm64/libk6_remote_write.a",
	}
	var expected strings.Builder
	for _, file := range files {
		path := filepath.Join(directory, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&expected, "%x  %s\n", sha256.Sum256([]byte(file)), strings.TrimPrefix(file, "module/"))
	}
	command := exec.Command(filepath.Join(root(t), "scripts/checksums.sh"), "module", "--", "a.tar.gz")
	command.Dir = directory
	if printed := output(t, command); printed != expected.String() {
		t.Errorf("printed:\n%sexpected:\n%s", printed, expected.String())
	}
}
