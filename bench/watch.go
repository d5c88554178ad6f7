//go:build unix

package main

// What the kernel knows of a process while it runs: what is resident, and what the library's own threads have computed.

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const watchInterval = 100 * time.Millisecond

// ownThreads is how the names of the library's threads begin.
const ownThreads = "k6rw-"

// watched is what was seen at each interval, until the process ended.
type watched struct {
	resident []float64                // bytes
	threads  map[string]time.Duration // what each of the library's threads has computed at the last look
	ended    chan struct{}
}

// watch looks at a process until it is gone. It needs Linux's /proc; elsewhere it sees nothing.
func watch(pid int) *watched {
	watched := &watched{threads: map[string]time.Duration{}, ended: make(chan struct{})}
	go func() {
		defer close(watched.ended)
		for watched.look(fmt.Sprintf("/proc/%d", pid)) {
			time.Sleep(watchInterval)
		}
	}()
	return watched
}

// look reports whether the process is still there.
func (w *watched) look(process string) bool {
	var size, pages int
	if !scan(filepath.Join(process, "statm"), &size, &pages) || pages == 0 {
		return false // a process that has ended, but was not waited for, has no pages
	}
	w.resident = append(w.resident, float64(pages*os.Getpagesize()))
	threads, _ := filepath.Glob(filepath.Join(process, "task", "*"))
	for _, thread := range threads {
		name, _ := os.ReadFile(filepath.Join(thread, "comm"))
		var computed time.Duration
		if strings.HasPrefix(string(name), ownThreads) && scan(filepath.Join(thread, "schedstat"), &computed) {
			w.threads[thread] = computed
		}
	}
	return true
}

// scan reads the first numbers of a file.
func scan(path string, numbers ...any) bool {
	text, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	_, err = fmt.Sscan(string(text), numbers...)
	return err == nil
}

// growth is by how many bytes a minute memory grew: the third quarter of the run against the last.
func (w *watched) growth() float64 {
	<-w.ended
	quarter := len(w.resident) / 4
	if quarter == 0 {
		return 0
	}
	third, last := w.resident[2*quarter:3*quarter], w.resident[3*quarter:]
	apart := time.Duration(len(third)+len(last)) / 2 * watchInterval
	return (distributionOf(last).median - distributionOf(third).median) / apart.Minutes()
}

// ownTime is what the library's threads have computed.
func (w *watched) ownTime() (total time.Duration) {
	<-w.ended
	for _, computed := range w.threads {
		total += computed
	}
	return total
}
