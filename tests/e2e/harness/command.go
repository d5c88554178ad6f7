package harness

// A subcommand of the output, such as `k6 x remote-write check`.

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Command configures a subcommand.
type Command struct {
	Program  string            // as in Run
	Args     []string          // what follows `k6 x remote-write`
	Env      map[string]string // as in Run
	Options  map[string]any    // the output's options in k6's JSON configuration
	Terminal int               // columns of a terminal on which the command runs; 0 for none
}

// CommandResult is the result of a subcommand. On a terminal, Stdout has both streams.
type CommandResult struct {
	ExitCode int
	Stdout   string
	Stderr   string
}

// commandTimeout is far more than a command needs.
const commandTimeout = 2 * time.Minute

// RunningCommand is a subcommand that was started.
type RunningCommand struct {
	process        *Process
	dir            string
	stdout, stderr bytes.Buffer
}

// RunCommand runs a subcommand and waits until it ends.
func RunCommand(command Command) (*CommandResult, error) {
	running, err := StartCommand(command)
	if err != nil {
		return nil, err
	}
	return running.Wait()
}

// StartCommand starts a subcommand.
func StartCommand(command Command) (*RunningCommand, error) {
	binary, err := Binary(cmp.Or(command.Program, "k6"))
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "k6-remote-write-command-")
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "config.json")
	data, err := json.Marshal(map[string]any{"collectors": map[string]any{"remote-write": command.Options}})
	if err != nil {
		return nil, fmt.Errorf("k6's configuration: %w", err)
	}
	if err := os.WriteFile(config, data, 0o600); err != nil {
		return nil, err
	}
	args := append([]string{"x", "remote-write", "--config", config}, command.Args...)
	program := exec.Command(binary, args...)
	if command.Terminal > 0 {
		for i, arg := range args {
			args[i] = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
		line := fmt.Sprintf("stty cols %d && exec %s %s", command.Terminal, binary, strings.Join(args, " "))
		program = exec.Command("script", "--quiet", "--return", "--command", line, os.DevNull)
	}
	program.Env = append(environment(command.Env), "K6_NO_USAGE_REPORT=true", "K6_AUTO_EXTENSION_RESOLUTION=false", "TERM=xterm")
	running := &RunningCommand{dir: dir}
	program.Stdout, program.Stderr = &running.stdout, &running.stderr
	if running.process, err = start(program, false); err != nil {
		return nil, err
	}
	return running, nil
}

// Interrupt sends the signal of Ctrl-C.
func (c *RunningCommand) Interrupt() { c.process.signal(os.Interrupt) }

// Wait waits until the subcommand has ended, and returns the result.
func (c *RunningCommand) Wait() (*CommandResult, error) {
	defer os.RemoveAll(c.dir)
	select {
	case <-c.process.ended:
	case <-time.After(commandTimeout):
		c.process.Stop(0)
		return nil, errors.New("the command did not end")
	}
	return &CommandResult{c.process.Wait().ExitCode(), c.stdout.String(), c.stderr.String()}, nil
}
