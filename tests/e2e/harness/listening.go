package harness

// The port of a child that lets the system choose one, on Linux.

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// RESTAddress returns the address of k6's REST API once k6 listens. It is the only socket on which k6 listens.
func (k *K6) RESTAddress() (string, error) {
	inodes, err := socketsOf(k.PID())
	if err != nil {
		return "", err
	}
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return "", err
	}
	const listens = "0A"
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line)
		if len(fields) < 10 || fields[3] != listens || !inodes[fields[9]] {
			continue
		}
		_, hexPort, _ := strings.Cut(fields[1], ":")
		port, err := strconv.ParseUint(hexPort, 16, 16)
		return fmt.Sprintf("127.0.0.1:%d", port), err
	}
	return "", fmt.Errorf("k6 is not listening yet")
}

// socketsOf returns the inodes of a process's sockets.
func socketsOf(pid int) (map[string]bool, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		return nil, err
	}
	inodes := map[string]bool{}
	for _, file := range files {
		target, _ := os.Readlink(file) // empty if it was closed meanwhile
		if inode, is := strings.CutPrefix(target, "socket:["); is {
			inodes[strings.TrimSuffix(inode, "]")] = true
		}
	}
	return inodes, nil
}
