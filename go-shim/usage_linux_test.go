package remotewrite

import (
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// pageFaults returns how often this thread needed a new page of memory.
func pageFaults(t *testing.T) int64 {
	t.Helper()
	const thisThread = 1 // RUSAGE_THREAD
	var usage syscall.Rusage
	require.NoError(t, syscall.Getrusage(thisThread, &usage))
	return usage.Minflt
}

// threadTime returns the CPU time of this thread. That of getrusage is counted in ticks of some milliseconds.
func threadTime(t *testing.T) time.Duration {
	t.Helper()
	const clock = 3 // CLOCK_THREAD_CPUTIME_ID
	var now syscall.Timespec
	_, _, failed := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clock, uintptr(unsafe.Pointer(&now)), 0)
	require.Zero(t, failed)
	return time.Duration(now.Nano())
}
