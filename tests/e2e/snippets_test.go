package e2e

// Snippets of the pages: scripts, queries, flags and YAML are valid for k6, the output and the receivers.

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// aMistake is the only invalid option of a run, so that k6 reads all options and then stops.
var aMistake = map[string]string{"K6_PROMETHEUS_RW_PUSH_INTERVAL": "never"}

const mistakeMessage = `: invalid configuration: invalid pushInterval "never" in K6_PROMETHEUS_RW_PUSH_INTERVAL (environment): ` +
	`must be a duration of at least 100ms, such as 3s`

func TestScriptsOfThePagesAreValid(t *testing.T) {
	t.Parallel()
	for i, block := range blocksOf(t, "js") {
		t.Run(fmt.Sprint(block.page, i), func(t *testing.T) {
			t.Parallel()
			script := filepath.Join(t.TempDir(), "script.js")
			if err := os.WriteFile(script, []byte(block.wholeScript()), 0o600); err != nil {
				t.Fatal(err)
			}
			k6Command(t, nil, "inspect", script)
			result := finish(t, start(t, harness.Run{Script: script, Out: []string{"remote-write"}, Env: aMistake}), invalidConfiguration)
			if lines := linesOf(result, "error"); len(lines) != 1 || !strings.HasSuffix(lines[0].Message, mistakeMessage) {
				t.Errorf("k6 logged\n%s\nfor\n%s", result.LogText(), block.text)
			}
		})
	}
}

// wholeScript completes a part of a script on a page: an entry of `metrics`, or a script without its function.
func (b block) wholeScript() string {
	text := b.text
	if strings.HasPrefix(text, "{") {
		text = "export const options = { cloud: { apm: [{ provider: 'prometheus', remoteWriteURL: 'http://localhost/', metrics: [" +
			text + "] }] } };"
	}
	if !strings.Contains(text, "export default") {
		text += "\nexport default function () {}\n"
	}
	return text
}

func TestQueriesOfThePagesAreValid(t *testing.T) {
	t.Parallel()
	receiver := startReceiver(t, harness.Prometheus)
	for _, block := range blocksOf(t, "promql") {
		for _, promql := range block.commands() {
			if _, err := receiver.Query(promql); err != nil {
				t.Errorf("%s: %v", block.page, err)
			}
		}
	}
}

func TestYAMLOfThePagesIsValid(t *testing.T) {
	t.Parallel()
	for _, block := range blocksOf(t, "yaml") {
		for documents := yaml.NewDecoder(strings.NewReader(block.text)); ; {
			var document any
			err := documents.Decode(&document)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v in\n%s", block.page, err, block.text)
			}
		}
	}
}

func TestFlagsOfThePagesExist(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, command := range commandsOf(t) {
		program, flags := flagsOf(command.text)
		if len(flags) == 0 {
			continue
		}
		help := helpOf(t, program)
		for _, flag := range flags {
			if !regexp.MustCompile(`(^|[\s,])` + regexp.QuoteMeta(flag) + `([\s=,]|$)`).MatchString(help) {
				t.Errorf("%s: %s has no %s: %s", command.page, strings.Join(program, " "), flag, command.text)
			}
			checked++
		}
	}
	if checked < 20 {
		t.Errorf("only %d flags were found", checked)
	}
}

// command is a shell command in a block or a code span.
type command struct{ page, text string }

func commandsOf(t *testing.T) []command {
	t.Helper()
	var all []command
	for _, block := range blocksOf(t, "sh") {
		for _, text := range block.commands() {
			all = append(all, command{block.page, text})
		}
	}
	for _, page := range pagesOf(t) {
		for _, span := range codeSpansIn(t, page) {
			all = append(all, command{page, span})
		}
	}
	return all
}

var (
	assignment = regexp.MustCompile(`^[A-Z][A-Z0-9_]*=`)
	subcommand = regexp.MustCompile(`^[a-z][a-z-]*$`)
)

// flagsOf returns a command's program with its subcommands, and its flags, if the program is built here.
func flagsOf(command string) (program, flags []string) {
	words := strings.Fields(command)
	for len(words) > 0 && assignment.MatchString(words[0]) {
		words = words[1:]
	}
	built := []string{"k6", "prometheus", "promtool", "victoria-metrics", "vmagent", "cortex", "thanos"}
	if len(words) == 0 || !slices.Contains(built, path.Base(words[0])) {
		return nil, nil
	}
	program = []string{path.Base(words[0])}
	for words = words[1:]; len(words) > 0 && subcommand.MatchString(words[0]); words = words[1:] {
		program = append(program, words[0])
	}
	for _, word := range words {
		if strings.HasPrefix(word, "-") {
			flag, _, _ := strings.Cut(word, "=")
			flags = append(flags, flag)
		}
	}
	return program, flags
}

func helpOf(t *testing.T, program []string) string {
	t.Helper()
	binary, err := harness.Binary(program[0])
	if err != nil {
		t.Fatal(err)
	}
	help, err := exec.Command(binary, append(program[1:], "--help")...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(help), "[no-]", "")
}

// awaitResult waits until a query returns points that a receiver makes searchable with a delay.
func awaitResult(t *testing.T, what string, condition func() bool) {
	t.Helper()
	if err := harness.Await(what, 20*time.Second, condition); err != nil {
		t.Error(err)
	}
}
