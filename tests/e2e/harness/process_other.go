//go:build unix && !linux

package harness

import "syscall"

// bondToParent does nothing: only Linux can end a child with its parent. Elsewhere only Stop ends it.
func bondToParent(keep bool) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: keep, Setpgid: !keep}
}
