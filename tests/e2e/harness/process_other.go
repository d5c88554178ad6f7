//go:build unix && !linux

package harness

import "syscall"

// bondToParent: only Linux can bind a child's life to its parent's. Elsewhere Stop is all there is.
func bondToParent(keep bool) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: keep, Setpgid: !keep}
}
