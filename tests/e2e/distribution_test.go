package e2e

// Contents of a release, as built by `make dist`: k6, built from the shim's tagged module without Rust (scripts/k6.sh), and
// the libraries in that module.

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

const releasedK6 = "dist/k6"

func TestK6FromTheReleasedModuleSendsEveryNumber(t *testing.T) {
	t.Parallel()
	onEveryReceiver(t, func(t *testing.T, receiver *harness.Receiver) {
		load := loadFor(3*time.Second, startTarget(t), receiver.WriteURL())
		load.Program = releasedK6
		expectSummaryIn(t, receiver, run(t, load))
	})
}

func TestAllVersionsAreThatOfCargo(t *testing.T) {
	t.Parallel()
	version := find(t, read(t, "Cargo.toml"), `(?m)^version = "(.*)"$`)
	stdout := output(t, exec.Command(released(t, "k6"), "version"))
	if module := find(t, stdout, `/go-shim (\S+), remote-write \[output\]`); module != "v"+version {
		t.Errorf("k6 reports version %s of the extension; Cargo.toml has %s", module, version)
	}
	tag := exec.Command("git", "tag")
	tag.Dir = released(t, "module")
	if tags := output(t, tag); tags != "go-shim/v"+version+"\n" {
		t.Errorf("the module's repository has the tags %q; Cargo.toml has %s", tags, version)
	}
}

// The versions of glibc's symbols decide on which systems a program starts.
func TestNoProgramNeedsANewerGlibcThanDocumented(t *testing.T) {
	t.Parallel()
	page := read(t, "docs/distribution.md")
	promised := parseVersion(t, find(t, page, `glibc (2\.\d+) or newer`))
	builder := parseVersion(t, find(t, page, `built on .*, which has glibc (2\.\d+)`))
	if installed := parseVersion(t, find(t, output(t, exec.Command("ldd", "--version")), `(2\.\d+)\n`)); installed > builder {
		t.Skipf("programs built here may need this system's glibc 2.%d; releases are built with 2.%d", installed, builder)
	}
	for _, path := range []string{released(t, "k6"), library(t, "libk6_remote_write.so")} {
		program, err := elf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer program.Close()
		symbols, err := program.ImportedSymbols()
		if err != nil {
			t.Fatal(err)
		}
		newest := 0
		for _, symbol := range symbols {
			if version, is := strings.CutPrefix(symbol.Version, "GLIBC_"); is && strings.HasPrefix(version, "2.") {
				newest = max(newest, parseVersion(t, version))
				if parseVersion(t, version) > promised {
					t.Errorf("%s needs %s of glibc %s", filepath.Base(path), symbol.Name, version)
				}
			}
		}
		if newest == 0 {
			t.Errorf("%s has no symbol of glibc: wrong file?", path)
		}
		expectOnlySystemLibraries(t, program)
	}
}

func expectOnlySystemLibraries(t *testing.T, program *elf.File) {
	t.Helper()
	libraries, err := program.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	for _, library := range libraries {
		if !slices.Contains([]string{"libc.so.6", "libm.so.6", "libgcc_s.so.1"}, library) &&
			!strings.HasPrefix(library, "ld-linux-") {
			t.Errorf("the program loads %s, which is not on every system", library)
		}
	}
}

func TestTheStaticLibraryExportsOnlyTheFunctionsOfTheHeader(t *testing.T) {
	t.Parallel()
	var functions []string
	for _, match := range regexp.MustCompile(`(?m)^[a-z].*\b(k6rw_\w+)\(`).FindAllStringSubmatch(read(t, "include/k6_remote_write.h"), -1) {
		functions = append(functions, match[1])
	}
	var shown []string
	for line := range strings.Lines(output(t, exec.Command("nm", "--extern-only", "--defined-only", library(t, "libk6_remote_write.a")))) {
		if words := strings.Fields(line); len(words) == 3 {
			shown = append(shown, words[2])
		}
	}
	slices.Sort(functions)
	slices.Sort(shown)
	if len(functions) == 0 || !slices.Equal(functions, shown) {
		t.Errorf("the header has %v, the library exports %v", functions, shown)
	}
}

func TestTheModuleHasTheCommittedHeader(t *testing.T) {
	t.Parallel()
	copied := read(t, "build/dist/module/go-shim/include/k6_remote_write.h")
	if copied != read(t, "include/k6_remote_write.h") {
		t.Error("go-shim/include/k6_remote_write.h in the module is another one than include/k6_remote_write.h")
	}
}

func TestBuildPathsAreNotInTheRelease(t *testing.T) {
	t.Parallel()
	home, err := os.UserHomeDir()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{released(t, "k6"), library(t, "libk6_remote_write.a"), library(t, "libk6_remote_write.so")} {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, directory := range []string{root(t), filepath.Join(home, ".cargo")} {
			if at := bytes.Index(content, []byte(directory)); at >= 0 {
				t.Errorf("%s contains %q", filepath.Base(path), content[at:min(len(content), at+120)])
			}
		}
	}
}

// released returns the path of a file that `make dist` builds.
func released(t *testing.T, name string) string {
	t.Helper()
	path, err := harness.Binary(filepath.Join("dist", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// library returns the path of a library in the shim for this platform.
func library(t *testing.T, name string) string {
	t.Helper()
	platform := strings.ReplaceAll(strings.TrimSpace(output(t, exec.Command("go", "env", "GOOS", "GOARCH"))), "\n", "_")
	return filepath.Join(root(t), "go-shim/lib", platform, name)
}

func output(t *testing.T, command *exec.Cmd) string {
	t.Helper()
	stdout, err := command.Output()
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", command, err))
	}
	return string(stdout)
}

// find returns the group of a pattern, which must match.
func find(t *testing.T, text, pattern string) string {
	t.Helper()
	match := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if match == nil {
		t.Fatalf("no %s in:\n%s", pattern, text)
	}
	return match[1]
}

// parseVersion returns y of 2.y or 2.y.z.
func parseVersion(t *testing.T, version string) int {
	t.Helper()
	minor, err := strconv.Atoi(strings.Split(version, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	return minor
}
