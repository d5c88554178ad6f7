package e2e

// Contents of a release, as built by `make dist`: k6, built from the shim's tagged module without Rust (scripts/k6.sh), and
// the libraries in that module. `make test-dist` tests the release of another platform, and runs other tests of this package with
// its k6.

import (
	"bytes"
	"cmp"
	"debug/elf"
	"debug/pe"
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

// platform is that of the release.
var platform = harness.Platform()

func TestK6FromTheReleasedModuleSendsEveryNumber(t *testing.T) {
	t.Parallel()
	onEveryReceiver(t, func(t *testing.T, receiver *harness.Receiver) {
		load := loadFor(3*time.Second, startTarget(t), receiver.WriteURL())
		load.Program = harness.Released("k6")
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
	if tags := output(t, tag); tags != "go-shim-k6v1/v"+version+"\ngo-shim/v"+version+"\n" {
		t.Errorf("the module's repository has the tags %q; Cargo.toml has %s", tags, version)
	}
}

// The versions of glibc's symbols decide on which systems a program starts.
func TestNoProgramNeedsANewerGlibcThanDocumented(t *testing.T) {
	t.Parallel()
	if !strings.HasPrefix(platform, "linux_") || strings.HasSuffix(platform, "_musl") {
		t.Skipf("programs for %s do not use glibc", platform)
	}
	page := read(t, "docs/distribution.md")
	promised := parseVersion(t, find(t, page, `glibc (2\.\d+) or newer`))
	builder := parseVersion(t, find(t, page, `built on .*, which has glibc (2\.\d+)`))
	if installed := parseVersion(t, find(t, output(t, exec.Command("ldd", "--version")), `(2\.\d+)\n`)); installed > builder {
		t.Skipf("programs built here may need this system's glibc 2.%d; releases are built with 2.%d", installed, builder)
	}
	for _, path := range []string{builtFile(t, "k6"), library(t, "libk6_remote_write.so")} {
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

func TestTheK6ForMuslRunsWithoutLibraries(t *testing.T) {
	t.Parallel()
	if !strings.HasSuffix(platform, "_musl") {
		t.Skip("only the k6 for musl is linked statically")
	}
	program, err := elf.Open(builtFile(t, "k6"))
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	for _, segment := range program.Progs {
		if segment.Type == elf.PT_INTERP || segment.Type == elf.PT_DYNAMIC {
			t.Errorf("the program has a segment %s", segment.Type)
		}
	}
}

// systemDLLs are parts of Windows 10.
var systemDLLs = []string{
	"advapi32.dll", "api-ms-win-core-synch-l1-2-0.dll", "bcrypt.dll", "bcryptprimitives.dll", "crypt32.dll", "kernel32.dll",
	"msvcrt.dll", "ntdll.dll", "userenv.dll", "ws2_32.dll",
}

func TestTheProgramsForWindowsNeedOnlyWindows(t *testing.T) {
	t.Parallel()
	if !strings.HasPrefix(platform, "windows_") {
		t.Skipf("this is the release for %s", platform)
	}
	for _, path := range []string{builtFile(t, "k6.exe"), builtFile(t, archive(t)+"/lib/k6_remote_write.dll")} {
		program, err := pe.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer program.Close()
		symbols, err := program.ImportedSymbols() // "name:library", as ImportedLibraries returns nothing
		if err != nil {
			t.Fatal(err)
		}
		if len(symbols) == 0 {
			t.Errorf("%s imports nothing", path)
		}
		for _, symbol := range symbols {
			if _, dll, _ := strings.Cut(symbol, ":"); !slices.Contains(systemDLLs, strings.ToLower(dll)) {
				t.Errorf("%s imports %s, which is not a part of Windows", filepath.Base(path), symbol)
			}
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
	nm := exec.Command(cmp.Or(os.Getenv("NM"), "nm"), "--extern-only", "--defined-only", library(t, "libk6_remote_write.a"))
	for line := range strings.Lines(output(t, nm)) {
		words := strings.Fields(line)
		if len(words) != 3 {
			continue
		}
		// Without the mark of the libc, and without Rust's own names where the library is many objects.
		name := strings.Replace(words[2], "k6rw_musl_", "k6rw_", 1)
		if !strings.HasPrefix(platform, "windows_") || strings.HasPrefix(name, "k6rw_") {
			shown = append(shown, name)
		}
	}
	slices.Sort(functions)
	slices.Sort(shown)
	if len(functions) == 0 || !slices.Equal(functions, shown) {
		t.Errorf("the header has %v, the library exports %v", functions, shown)
	}
}

// A program with a library for another libc would crash when it starts.
func TestALibraryForAnotherLibcIsNotLinked(t *testing.T) {
	t.Parallel()
	other := map[string]struct{ compiler, undefined string }{
		"linux_amd64":      {"musl-gcc", "gnu_get_libc_version"},
		"linux_amd64_musl": {"gcc", "optreset"},
	}[platform]
	if _, err := exec.LookPath(other.compiler); err != nil {
		t.Skipf("no compiler for another libc than that of %s is installed", platform)
	}
	archive := builtFile(t, archive(t))
	if _, err := os.Stat(archive); err != nil {
		t.Skip("`make dist` builds the library for one libc alone")
	}
	program := filepath.Join(t.TempDir(), "program.c")
	source := "#include <k6_remote_write.h>\nint main(void) { return k6rw_abi_version() != K6RW_ABI_VERSION; }\n"
	if err := os.WriteFile(program, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	link := exec.Command(other.compiler, "-I"+archive+"/include", "-o", program+".out", program, archive+"/lib/libk6_remote_write.a", "-lm")
	printed, err := link.CombinedOutput()
	if err == nil || !strings.Contains(string(printed), "undefined reference to `"+other.undefined+"'") {
		t.Errorf("the linker ended with %v:\n%s", err, printed)
	}
}

func TestABuildForAPlatformNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	check := exec.Command(filepath.Join(root(t), "scripts/toolchain.sh"), "linux_arm64")
	check.Env = append(os.Environ(), "CC=no-such-gcc", "PACKAGES=gcc-aarch64-linux-gnu", "TRIPLE=no-such-target")
	printed, err := check.CombinedOutput()
	expected := "this machine cannot build for linux_arm64; missing:\n" +
		"  no-such-gcc: apt-get install gcc-aarch64-linux-gnu\n  Rust for no-such-target: rustup target add no-such-target\n"
	if err == nil || string(printed) != expected {
		t.Errorf("ended with %v:\n%s", err, printed)
	}
}

func TestTheModuleHasTheCommittedHeader(t *testing.T) {
	t.Parallel()
	copied, err := os.ReadFile(filepath.Join(released(t, "module"), "go-shim/include/k6_remote_write.h"))
	if err != nil {
		t.Fatal(err)
	}
	if string(copied) != read(t, "include/k6_remote_write.h") {
		t.Error("go-shim/include/k6_remote_write.h in the module is another one than include/k6_remote_write.h")
	}
}

func TestBuildPathsAreNotInTheRelease(t *testing.T) {
	t.Parallel()
	home, err := os.UserHomeDir()
	if err != nil {
		t.Fatal(err)
	}
	paths := []string{library(t, "libk6_remote_write.a")}
	for _, pattern := range []string{"k6", "k6.exe", "*/lib/*.so", "*/lib/*.dll"} {
		found, err := filepath.Glob(filepath.Join(root(t), "build/dist", platform, pattern))
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, found...)
	}
	for _, path := range paths {
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

// released returns the path of a program, or of another file, that `make dist` builds. A k6 for another platform is a script that runs
// it.
func released(t *testing.T, name string) string {
	t.Helper()
	path, err := harness.Binary(harness.Released(name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// builtFile returns the path of such a file itself.
func builtFile(t *testing.T, name string) string {
	t.Helper()
	return filepath.Join(root(t), "build/dist", platform, name)
}

// archive returns the name of the release's directory.
func archive(t *testing.T) string {
	t.Helper()
	return "k6-remote-write-" + find(t, read(t, "Cargo.toml"), `(?m)^version = "(.*)"$`) + "-" + platform
}

// library returns the path of a library in the shim for the platform.
func library(t *testing.T, name string) string {
	t.Helper()
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
