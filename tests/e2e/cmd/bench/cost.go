//go:build unix

package main

// What runs cost, and what to make of several of them.

import (
	"os"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// output is what follows --out.
type output string

const (
	none    output = "none"
	builtIn output = "experimental-prometheus-rw"
	own     output = "remote-write"
)

var outputs = []output{none, builtIn, own}

// cost is that of one run.
type cost struct {
	cpu      time.Duration // user and system
	memory   int64         // bytes, the most that was resident at any time
	requests int
}

func costOf(state *os.ProcessState, requests int) cost {
	usage := state.SysUsage().(*syscall.Rusage)
	memory := int64(usage.Maxrss)
	if runtime.GOOS != "darwin" {
		memory *= 1024 // only there it comes in bytes
	}
	return cost{cpu: state.UserTime() + state.SystemTime(), memory: memory, requests: requests}
}

// load is a number of samples, and what it cost.
type load struct {
	samples int
	costs   map[output][]cost
}

func newLoad(samples int) *load { return &load{samples: samples, costs: map[output][]cost{}} }

// cpu are the CPU times of all runs with an output, in nanoseconds.
func (l *load) cpu(output output) distribution {
	return distributionOf(l.values(output, cpuTime))
}

// memory is that of all runs with an output, in bytes.
func (l *load) memory(output output) distribution {
	return distributionOf(l.values(output, residentMemory))
}

// cpuPerSample is what an output adds to the run without one that came just before it, in nanoseconds a sample.
func (l *load) cpuPerSample(output output) distribution {
	added := l.above(output, cpuTime)
	for i := range added {
		added[i] /= float64(l.samples)
	}
	return distributionOf(added)
}

// memoryAbove is what an output adds to the run without one that came just before it, in bytes.
func (l *load) memoryAbove(output output) distribution {
	return distributionOf(l.above(output, residentMemory))
}

func cpuTime(cost cost) float64        { return float64(cost.cpu) }
func residentMemory(cost cost) float64 { return float64(cost.memory) }

func (l *load) values(output output, of func(cost) float64) []float64 {
	values := make([]float64, len(l.costs[output]))
	for i, cost := range l.costs[output] {
		values[i] = of(cost)
	}
	return values
}

// above pairs the runs of one repetition: what the machine did meanwhile met both.
func (l *load) above(output output, of func(cost) float64) []float64 {
	values, without := l.values(output, of), l.values(none, of)
	for i := range values {
		values[i] -= without[i]
	}
	return values
}

// distribution is what repetitions say of one number.
type distribution struct{ median, lowest, highest float64 }

func distributionOf(values []float64) distribution {
	slices.Sort(values)
	half := len(values) / 2
	median := values[half]
	if len(values)%2 == 0 {
		median = (values[half-1] + median) / 2
	}
	return distribution{median: median, lowest: values[0], highest: values[len(values)-1]}
}

func megabytes[number int64 | float64](bytes number) float64 { return float64(bytes) / 1e6 }
