package harness

// One run of k6, from the command line to the exit code.

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Run says what k6 is to do.
type Run struct {
	Program string            // another k6 in the directory of built programs than "k6"
	Script  string            // path from the repository's root
	Out     []string          // each becomes an --out
	Args    []string          // additional arguments of `k6 run`
	Env     map[string]string // beside the environment of this program, less what would configure k6 or a proxy
	Options map[string]any    // the output's part of k6's JSON configuration
	Builtin map[string]any    // that of k6's own Prometheus output
	Blocks  int               // what `ulimit -f` allows for a file; 0 for no limit
	Show    bool              // k6 speaks to the terminal; its log is not captured
}

// K6 is a run under way.
type K6 struct {
	process *Process
	run     Run
	dir     string
	stdout  bytes.Buffer
	stderr  bytes.Buffer
}

// Result is what came of a run.
type Result struct {
	ExitCode int
	Summary  Summary // nil when the test never started
	Log      []LogLine
	Stdout   string
	Stderr   string           // where Log is from
	State    *os.ProcessState // how long it computed, and how much memory it took
}

// LogText is the whole log for a message.
func (r Result) LogText() string {
	lines := make([]string, len(r.Log))
	for i, line := range r.Log {
		lines[i] = line.String()
	}
	return strings.Join(lines, "\n")
}

// RunK6 runs k6 to its end.
func RunK6(run Run) (*Result, error) {
	k6, err := StartK6(run)
	if err != nil {
		return nil, err
	}
	return k6.Wait()
}

// StartK6 starts a run.
func StartK6(run Run) (*K6, error) {
	binary, err := Binary(cmp.Or(run.Program, "k6"))
	if err != nil {
		return nil, err
	}
	root, err := Root()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "k6-remote-write-run-")
	if err != nil {
		return nil, err
	}
	k6 := &K6{run: run, dir: dir}
	if err := k6.writeConfiguration(); err != nil {
		return nil, err
	}
	command := exec.Command(binary, k6.arguments()...)
	if run.Blocks > 0 {
		limited := fmt.Sprintf(`ulimit -f %d && exec "$0" "$@"`, run.Blocks)
		command = exec.Command("sh", append([]string{"-c", limited, binary}, k6.arguments()...)...)
	}
	command.Dir = root
	command.Env = environment(run.Env)
	if run.Show {
		command.Stdout, command.Stderr = os.Stdout, os.Stderr
	} else {
		command.Stdout, command.Stderr = &k6.stdout, &k6.stderr
	}
	if k6.process, err = start(command, false); err != nil {
		return nil, err
	}
	return k6, nil
}

// Interrupt does what Ctrl-C does.
func (k *K6) Interrupt() { k.process.signal(os.Interrupt) }

// Terminate does what container runtimes do to end a program.
func (k *K6) Terminate() { k.process.signal(syscall.SIGTERM) }

// Kill ends k6 as a crash would.
func (k *K6) Kill() { k.process.signal(syscall.SIGKILL) }

// PID is k6's process id.
func (k *K6) PID() int { return k.process.PID() }

// Ended says whether k6 is gone.
func (k *K6) Ended() bool { return k.process.Ended() }

// Stop ends k6 without waiting for its test; Wait still has to be called.
func (k *K6) Stop() { k.process.Stop(time.Second) }

// Wait returns the result once k6 is gone.
func (k *K6) Wait() (*Result, error) {
	defer os.RemoveAll(k.dir)
	state := k.process.Wait()
	result := &Result{
		ExitCode: state.ExitCode(),
		Log:      readLog(k.stderr.Bytes()),
		Stdout:   k.stdout.String(),
		Stderr:   k.stderr.String(),
		State:    state,
	}
	summary, err := readSummary(k.summaryPath())
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	result.Summary = summary
	return result, nil
}

func (k *K6) summaryPath() string       { return filepath.Join(k.dir, "summary.json") }
func (k *K6) configurationPath() string { return filepath.Join(k.dir, "config.json") }

func (k *K6) arguments() []string {
	arguments := []string{
		"run",
		"--no-usage-report",
		"--config", k.configurationPath(),
		"--summary-export", k.summaryPath(),
		"--summary-trend-stats", summaryTrendStats,
	}
	if !k.run.Show {
		arguments = append(arguments, "--quiet", "--log-format", "json")
	}
	for _, out := range k.run.Out {
		arguments = append(arguments, "--out", out)
	}
	arguments = append(arguments, k.run.Args...)
	return append(arguments, k.run.Script)
}

// writeConfiguration makes a configuration file even when there is nothing to configure, so that a developer's own one
// has no say.
func (k *K6) writeConfiguration() error {
	// What a run leaves over goes with its directory, unless the test wants it elsewhere.
	options := map[string]any{"unsentDirectory": k.dir}
	maps.Copy(options, k.run.Options)
	collectors := map[string]any{"remote-write": options}
	if k.run.Builtin != nil {
		collectors["experimental-prometheus-rw"] = k.run.Builtin
	}
	data, err := json.Marshal(map[string]any{"collectors": collectors})
	if err != nil {
		return fmt.Errorf("k6's configuration: %w", err)
	}
	return os.WriteFile(k.configurationPath(), data, 0o600)
}

// environment is this program's, less what would change a run, and with what the run asks for.
func environment(own map[string]string) []string {
	var all []string
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "K6_") || strings.HasSuffix(strings.ToLower(name), "_proxy") {
			continue
		}
		all = append(all, variable)
	}
	for name, value := range own {
		all = append(all, name+"="+value)
	}
	return all
}
