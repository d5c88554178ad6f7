package harness

// Child processes that do not outlive this program. On Linux the kernel kills them when this program ends for any reason;
// Stop ends them gracefully. Each has a separate process group, so that Ctrl-C in a terminal reaches only this program,
// which stops them in order: a receiver must run until k6 has sent its last window.

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Process is a child process, which may have ended.
type Process struct {
	command *exec.Cmd
	ended   chan struct{}
}

// lastEnd is the time in nanoseconds at which the last child ended: until the next one, nothing is written.
var lastEnd atomic.Int64

// start starts a command. With keep it survives this program.
func start(command *exec.Cmd, keep bool) (*Process, error) {
	command.SysProcAttr = bondToParent(keep)
	command.WaitDelay = 5 * time.Second
	if err := onParentThread(command.Start); err != nil {
		return nil, err
	}
	process := &Process{command: command, ended: make(chan struct{})}
	go func() {
		_ = command.Wait() // the outcome is in ProcessState
		lastEnd.Store(time.Now().UnixNano())
		close(process.ended)
	}()
	return process, nil
}

// PID returns the child's process id.
func (p *Process) PID() int { return p.command.Process.Pid }

// Ended reports whether the child has ended.
func (p *Process) Ended() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// Wait waits until the child has ended, and returns its state.
func (p *Process) Wait() *os.ProcessState {
	<-p.ended
	return p.command.ProcessState
}

// Stop asks the child to end and kills it after the grace period. The child has ended when Stop returns.
func (p *Process) Stop(grace time.Duration) {
	p.signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(grace):
		p.signal(syscall.SIGKILL)
		<-p.ended
	}
}

func (p *Process) signal(signal os.Signal) {
	if err := p.command.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		_ = p.command.Process.Kill()
	}
}

// parentThread receives functions that must run on a thread that exists as long as this program.
var parentThread = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread() // never unlocked
		for do := range work {
			do()
		}
	}()
	return work
})

// onParentThread starts a child. On Linux a child gets its death signal when the thread that started it ends, and the Go
// runtime may end threads at any time; so all children are started by a thread that it cannot end.
func onParentThread(startChild func() error) error {
	result := make(chan error)
	parentThread() <- func() { result <- startChild() }
	return <-result
}
