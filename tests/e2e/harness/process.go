package harness

// Children that never outlive this program. The kernel ends them when this program dies, however it dies (on Linux);
// Stop ends them in good order. Each has a process group of its own, so Ctrl-C in a terminal reaches this program alone,
// which decides who stops when: a receiver has to stay up until k6 has shipped its last window.

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// Process is a running child, or one that has ended.
type Process struct {
	command *exec.Cmd
	ended   chan struct{}
}

// start runs a command. With keep it survives this program.
func start(command *exec.Cmd, keep bool) (*Process, error) {
	command.SysProcAttr = bondToParent(keep)
	command.WaitDelay = 5 * time.Second
	if err := onParentThread(command.Start); err != nil {
		return nil, err
	}
	process := &Process{command: command, ended: make(chan struct{})}
	go func() {
		_ = command.Wait() // the outcome is in ProcessState
		close(process.ended)
	}()
	return process, nil
}

// PID is the child's process id.
func (p *Process) PID() int { return p.command.Process.Pid }

// Ended says whether the child is gone.
func (p *Process) Ended() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// Wait returns the child's last state once it is gone.
func (p *Process) Wait() *os.ProcessState {
	<-p.ended
	return p.command.ProcessState
}

// Stop asks the child to end and, when it does not within the grace, ends it. The child is gone when Stop returns.
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

// parentThread takes what must run on one thread that lives as long as this program.
var parentThread = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread() // and never unlocks
		for do := range work {
			do()
		}
	}()
	return work
})

// onParentThread starts a child. On Linux a child's death signal comes when the thread that started it ends, and the Go
// runtime ends threads as it likes; so all children are started by one that it cannot end.
func onParentThread(startChild func() error) error {
	result := make(chan error)
	parentThread() <- func() { result <- startChild() }
	return <-result
}
