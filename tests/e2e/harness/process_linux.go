package harness

import "syscall"

// bondToParent makes the kernel end the child together with this program, unless it is to be kept.
func bondToParent(keep bool) *syscall.SysProcAttr {
	if keep {
		return &syscall.SysProcAttr{Setsid: true}
	}
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
