package remotewrite

import (
	"syscall"
	"testing"

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
