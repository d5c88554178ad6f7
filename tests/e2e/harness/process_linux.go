package harness

import "syscall"

// bondToParent makes the kernel kill the child when this program ends, unless keep is set.
func bondToParent(keep bool) *syscall.SysProcAttr {
	if keep {
		return &syscall.SysProcAttr{Setsid: true}
	}
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
