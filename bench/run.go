//go:build unix

package main

// A run of k6 and its cost.

import (
	"cmp"
	"fmt"
	"os"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// cost is the cost of a run.
type cost struct {
	wall     time.Duration
	cpu      time.Duration      // user and system
	own      time.Duration      // part of it in the library's threads
	handOver time.Duration      // CPU time of the output where k6 hands over samples, by profile
	behind   time.Duration      // CPU time of the output in its threads and goroutines, by profile
	entries  map[string]float64 // share of k6's CPU time by the output's functions, by profile
	peak     float64            // maximum of resident memory, in bytes
	resident []float64          // resident memory at each interval, in bytes
	growth   float64            // bytes per minute in the second half of the run
	work     int                // samples, or HTTP requests if their number depends on k6's speed
	samples  int                // 0 if the output does not log it
	got      harness.Counts     // counted by the receiver
	flushes  []flush
}

// String formats the cost for progress output.
func (c cost) String() string {
	perWork := func(of time.Duration) float64 { return float64(of) / float64(c.work) }
	return fmt.Sprintf("%6.2f s  %6.2f s CPU  %5.0f MB  %9d done  %4.0f + %.0f ns", c.wall.Seconds(), c.cpu.Seconds(), c.peak/1e6,
		c.work, perWork(c.handOver), perWork(c.behind))
}

// profiledHertz is the default frequency of the profile.
const profiledHertz = 1999

// profile runs k6, measures it, and profiles the output.
func (s *stage) profile(run harness.Run, output output, hertz int) (cost, error) {
	profiler, args := newProfiler(cmp.Or(hertz, profiledHertz))
	run.Args = append(slices.Clone(run.Args), args...)
	cost, err := s.runWith(run, profiler)
	if err != nil {
		return cost, err
	}
	ticks, err := profiler.stop()
	if err != nil || output == none || ticks.total == 0 {
		return cost, err
	}
	share := func(ticksOf float64) time.Duration { return time.Duration(ticksOf / ticks.total * float64(cost.cpu)) }
	cost.handOver, cost.behind = share(ticks.handOver[output]), share(ticks.background[output])
	if cost.behind == 0 {
		cost.behind = cost.own // a profiler that does not see the library's threads
	}
	cost.entries = map[string]float64{}
	for function, count := range ticks.functions[output] {
		cost.entries[function] = count / ticks.total
	}
	return cost, nil
}

// run runs k6 and measures it.
func (s *stage) run(run harness.Run) (cost, error) {
	return s.runWith(run, nil)
}

// runWith is run, and profiles k6 from its start.
func (s *stage) runWith(run harness.Run, profiler profiler) (cost, error) {
	run.Waiting = profiler != nil
	before, servedBefore := s.receiver.Counts(), s.target.Requests()
	started := time.Now()
	k6, err := harness.StartK6(run)
	if err != nil {
		return cost{}, err
	}
	if profiler != nil {
		if err := cmp.Or(profiler.start(k6.PID()), k6.Continue()); err != nil {
			k6.Kill()
			_, _ = k6.Wait()
			return cost{}, err
		}
		started = time.Now()
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
