package harness

// A run of k6, from the command line to the exit code.

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Run configures a run of k6.
type Run struct {
	Program string            // name in the directory of built programs; "k6" if empty
	Script  string            // path from the repository's root
	Out     []string          // values of --out
	Args    []string          // additional arguments of `k6 run`
	Env     map[string]string // added to this program's environment, without variables that configure k6 or a proxy
	Options map[string]any    // the output's options in k6's JSON configuration
	Builtin map[string]any    // options of k6's own Prometheus output
	Blocks  int               // limit of `ulimit -f` for the size of a file; 0 for no limit
	Show    bool              // k6 prints to the terminal; its log is not captured
	Waiting bool              // the process waits before it becomes k6, until Continue is called
}

// K6 is a running k6 process.
type K6 struct {
	process *Process
	run     Run
	dir     string
	stdin   io.WriteCloser // if it waits
	stdout  bytes.Buffer
	stderr  bytes.Buffer
}

// Result is the result of a run.
type Result struct {
	ExitCode int
	Summary  Summary // nil if the test did not start
	Log      []LogLine
	Stdout   string
	Stderr   string           // the source of Log
	State    *os.ProcessState // has its CPU time and memory use
}

// LogText returns the whole log as text.
func (r Result) LogText() string {
	lines := make([]string, len(r.Log))
	for i, line := range r.Log {
		lines[i] = line.String()
	}
	return strings.Join(lines, "\n")
}

// RunK6 runs k6 and waits until it ends.
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
	if run.Blocks > 0 || run.Waiting {
		first := ""
		if run.Blocks > 0 {
			first += fmt.Sprintf("ulimit -f %d && ", run.Blocks)
		}
		if run.Waiting {
			first += "read _ && "
		}
		command = exec.Command("sh", append([]string{"-c", first + `exec "$0" "$@"`, binary}, k6.arguments()...)...)
	}
	if run.Waiting {
		if k6.stdin, err = command.StdinPipe(); err != nil {
			return nil, err
		}
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

// Interrupt sends the signal of Ctrl-C.
func (k *K6) Interrupt() { k.process.signal(os.Interrupt) }

// Terminate sends the signal with which container runtimes stop a program.
func (k *K6) Terminate() { k.process.signal(syscall.SIGTERM) }

// Continue lets a process that waits become k6.
func (k *K6) Continue() error {
	defer k.stdin.Close()
	_, err := io.WriteString(k.stdin, "\n")
	return err
}

// Kill ends k6 immediately, as a crash would.
func (k *K6) Kill() { k.process.signal(syscall.SIGKILL) }

// PID returns k6's process id.
func (k *K6) PID() int { return k.process.PID() }

// Ended reports whether k6 has ended.
func (k *K6) Ended() bool { return k.process.Ended() }

// Stop ends k6 without waiting for its test; Wait still has to be called.
func (k *K6) Stop() { k.process.Stop(time.Second) }

// Wait waits until k6 has ended, and returns the result.
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

// writeConfiguration writes a configuration file even if there is nothing to configure, so that a developer's own file is
// not used.
func (k *K6) writeConfiguration() error {
	// Unsent samples are removed with the run's directory, unless the test sets another.
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

// environment returns this program's environment without variables that would change a run, and with those of the run.
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
