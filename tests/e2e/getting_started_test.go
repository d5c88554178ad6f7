package e2e

// Runs the commands of step-by-step pages unchanged, and compares their output with the output on the page.

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// prepared matches commands that make has run, or whose result the tests provide.
var prepared = regexp.MustCompile(`^(git clone|cd|make|cargo build|build/victoria-metrics) ?`)

// varying matches the parts of the commands' output that differ between runs.
var varying = regexp.MustCompile(
	`@\[[\d.]+\]|time="[^"]+"|\b(active_series|bytes_sent|points|points_sent|queue_bytes_max|requests|samples|sent_batch_duration_max_ms)=\d+|[\d.]+/s|✓ address .*|within \d+ ms`)

// localVictoriaMetrics is its address in the pages.
const localVictoriaMetrics = "localhost:8428"

func TestGettingStarted(t *testing.T) {
	t.Parallel()
	receiver := startReceiver(t, harness.VictoriaMetrics)
	follow(t, receiver, "docs/getting-started.md")
}

func TestTheCProgramOfThePage(t *testing.T) {
	t.Parallel()
	strict := exec.Command("cc", "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-Iinclude", "examples/c/load.c")
	strict.Dir = root(t)
	if warnings, err := strict.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, warnings)
	}
	receiver := startReceiver(t, harness.VictoriaMetrics)
	follow(t, receiver, "docs/abi.md")

	page, err := os.Stat(filepath.Join(root(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	reads := query(t, receiver, `sum(last_over_time(load_reads_total{file="README.md"}[5m]))`)[0].Last().Value
	if reads < 100 {
		t.Errorf("only %v reads", reads)
	}
	for promql, expected := range map[string]float64{
		`sum(last_over_time(load_read_bytes_total[5m]))`:                     reads * float64(page.Size()),
		`sum(last_over_time(load_read_time_count[5m]))`:                      reads,
		`sum(last_over_time(load_reads_failed_total{condition="zero"}[5m]))`: reads,
	} {
		if value := query(t, receiver, promql)[0].Last().Value; value != expected {
			t.Errorf("%s is %v, not %v", promql, value, expected)
		}
	}
	if slowest := query(t, receiver, `max(max_over_time(load_read_time_max[5m]))`)[0].Last().Value; slowest <= 0 || slowest > 3 {
		t.Errorf("the slowest read lasted %v s", slowest)
	}
}

// follow runs the commands of a page, with a receiver of the test.
func follow(t *testing.T, receiver *harness.Receiver, page string) {
	t.Helper()
	blocks := blocksIn(t, page)
	count := 0
	for i, block := range blocks {
		if block.language != "sh" || len(block.variables()) == len(block.commands()) {
			continue
		}
		shown := ""
		if i+1 < len(blocks) && blocks[i+1].language == "text" {
			shown = blocks[i+1].text
		}
		for _, command := range block.commands() {
			if prepared.MatchString(command) {
				continue
			}
			count++
			runCommand(t, receiver, command, shown)
		}
	}
	if count < 3 {
		t.Errorf("%s has only %d commands", page, count)
	}
}

// runCommand runs a command, which must print what the page shows. Queries are repeated, since VictoriaMetrics finds new
// points only after a while.
func runCommand(t *testing.T, receiver *harness.Receiver, command, shown string) {
	t.Helper()
	printed, ended := runInShell(t, receiver, command)
	if strings.Contains(command, "promtool query") {
		awaitResult(t, command, func() bool {
			if firstMissing(receiver, printed, shown) == "" {
				return true
			}
			printed, ended = runInShell(t, receiver, command)
			return false
		})
	}
	if line := firstMissing(receiver, printed, shown); line != "" {
		t.Errorf("%s does not print\n%s\nbut\n%s", command, line, printed)
	}
	if isInvalid := strings.Contains(shown, "invalid configuration"); (ended != nil) != isInvalid {
		t.Errorf("%s: %v\n%s", command, ended, printed)
	}
}

// firstMissing returns the first line that the page shows and the command did not print. It ignores varying parts.
func firstMissing(receiver *harness.Receiver, printed, shown string) string {
	same := func(text string) string {
		text = varying.ReplaceAllString(strings.TrimSpace(text), "$1…")
		return strings.ReplaceAll(text, strings.TrimPrefix(receiver.URL, "http://"), localVictoriaMetrics)
	}
	printed = same(printed)
	for line := range strings.Lines(shown) {
		if !strings.Contains(printed, same(line)) {
			return line
		}
	}
	return ""
}

// runInShell runs a command of a page in the repository's root directory.
func runInShell(t *testing.T, receiver *harness.Receiver, command string) (printed string, ended error) {
	t.Helper()
	k6, err := harness.Binary("k6")
	if err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(t.TempDir(), "script.js")
	if err := os.WriteFile(own, []byte("export default function () {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	address := strings.TrimPrefix(receiver.URL, "http://")
	line := strings.NewReplacer(
		localVictoriaMetrics, address, "build/", filepath.Dir(k6)+"/", " script.js", " "+own,
	).Replace(command)
	shell := exec.Command("sh", "-c", line)
	shell.Dir = root(t)
	shell.Env = append(os.Environ(), "K6_PROMETHEUS_RW_SERVER_URL="+receiver.WriteURL(), "K6_NO_USAGE_REPORT=true",
		"K6_AUTO_EXTENSION_RESOLUTION=false", "NO_COLOR=1")
	output, err := shell.CombinedOutput()
	return string(output), err
}
