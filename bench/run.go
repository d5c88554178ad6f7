//go:build unix

package main

// A run of k6 and its cost.

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// cost is the cost of a run.
type cost struct {
	wall     time.Duration
	cpu      time.Duration  // user and system
	own      time.Duration  // part of it in the library's threads
	peak     float64        // maximum of resident memory, in bytes
	resident []float64      // resident memory at each interval, in bytes
	growth   float64        // bytes per minute in the second half of the run
	work     int            // samples, or HTTP requests if their number depends on k6's speed
	samples  int            // 0 if the output does not log it
	got      harness.Counts // counted by the receiver
	flushes  []flush
}

// String formats the cost for progress output.
func (c cost) String() string {
	return fmt.Sprintf("%6.2f s  %6.2f s CPU  %5.0f MB  %9d done", c.wall.Seconds(), c.cpu.Seconds(), c.peak/1e6, c.work)
}

// run runs k6 and measures it.
func (s *stage) run(run harness.Run) (cost, error) {
	before, servedBefore := s.receiver.Counts(), s.target.Requests()
	started := time.Now()
	k6, err := harness.StartK6(run)
	if err != nil {
		return cost{}, err
	}
	watched := watch(k6.PID())
	result, err := k6.Wait()
	if err != nil {
		return cost{}, err
	}
	cost := costOf(result.State)
	cost.wall = time.Since(started)
	cost.growth, cost.own, cost.resident = watched.growth(), watched.ownTime(), watched.resident
	cost.got = s.receiver.Counts().Since(before)
	if cost.work = samplesOf(run); cost.work == 0 {
		cost.work = s.target.Requests() - servedBefore
	}
	for _, line := range result.Log {
		if samples, is := line.Fields["samples"].(float64); is { // last log line of the output remote-write
			cost.samples = int(samples)
		}
	}
	cost.flushes = flushesIn(result.Log)
	if result.ExitCode != 0 || (len(run.Out) > 0) != (cost.got.Points > 0) {
		return cost, fmt.Errorf("exit code %d, %d points:\n%s", result.ExitCode, cost.got.Points, result.LogText())
	}
	return cost, nil
}

func costOf(state *os.ProcessState) cost {
	usage := state.SysUsage().(*syscall.Rusage)
	peak := float64(usage.Maxrss)
	if runtime.GOOS != "darwin" {
		peak *= 1024 // macOS returns bytes, Linux KiB
	}
	return cost{cpu: state.UserTime() + state.SystemTime(), peak: peak}
}
