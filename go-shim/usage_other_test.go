//go:build !linux

package remotewrite

import (
	"testing"
	"time"
)

func pageFaults(t *testing.T) int64 {
	t.Helper()
	t.Skip("measured on Linux only")
	return 0
}

func threadTime(t *testing.T) time.Duration {
	t.Helper()
	t.Skip("measured on Linux only")
	return 0
}
