//go:build unix

package main

// Resident memory of a running process, and CPU time of the library's threads, from the kernel.

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const watchInterval = 100 * time.Millisecond

// ownThreads is the prefix of the names of the library's threads.
const ownThreads = "k6rw-"

// watched has the values at each interval, until the process ended.
type watched struct {
	resident []float64                // resident memory in bytes
	threads  map[string]time.Duration // last CPU time of each of the library's threads
	ended    chan struct{}
}

// watch observes a process until it ends. It needs /proc of Linux; elsewhere the result is empty.
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

// look reads the values once, and reports whether the process exists.
func (w *watched) look(process string) bool {
	var size, pages int
	if !scan(filepath.Join(process, "statm"), &size, &pages) || pages == 0 {
		return false // a zombie process has no pages
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

// scan reads the first values of a file.
func scan(path string, numbers ...any) bool {
	text, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	_, err = fmt.Sscan(string(text), numbers...)
	return err == nil
}

// growth returns the growth of memory in bytes per minute, from the third quarter of the run to the last.
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

// ownTime returns the CPU time of the library's threads.
func (w *watched) ownTime() (total time.Duration) {
	<-w.ended
	for _, computed := range w.threads {
		total += computed
	}
	return total
}
