//go:build unix

package main

// What is resident while a process runs.

import (
	"fmt"
	"os"
	"time"
)

const memoryInterval = 100 * time.Millisecond

// memory is what was resident at each interval, until the process ended.
type memory struct {
	resident []float64
	ended    chan struct{}
}

// watchMemory looks at a process until it is gone. It needs Linux's /proc; elsewhere it sees nothing.
func watchMemory(pid int) *memory {
	memory := &memory{ended: make(chan struct{})}
	go func() {
		defer close(memory.ended)
		for {
			statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
			if err != nil {
				return
			}
			var size, pages int
			if _, err := fmt.Sscan(string(statm), &size, &pages); err != nil || pages == 0 {
				return // a process that has ended, but was not waited for, has no pages
			}
			memory.resident = append(memory.resident, float64(pages*os.Getpagesize()))
			time.Sleep(memoryInterval)
		}
	}()
	return memory
}

// growth is by how many bytes a minute memory grew: the third quarter of the run against the last.
func (m *memory) growth() float64 {
	<-m.ended
	quarter := len(m.resident) / 4
	if quarter == 0 {
		return 0
	}
	third, last := m.resident[2*quarter:3*quarter], m.resident[3*quarter:]
	apart := time.Duration(len(third)+len(last)) / 2 * memoryInterval
	return (distributionOf(last).median - distributionOf(third).median) / apart.Minutes()
}
