//go:build unix

package main

// Cost of the output for a k6 that does not use it, and for an empty test: program size and time.

import (
	"fmt"
	"os"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

const (
	plainK6         = "k6-plain" // built by xk6 without an extension
	ownK6           = "k6"
	profiledK6      = "k6-symbols" // the same as k6, for all other measurements
	startups        = 25
	startupsInQuick = 3
)

// start is a program with an output, and its measurements.
type start struct {
	name    string
	program string
	output  output
	size    float64   // size of the program in bytes
	seconds []float64 // duration of each run
}

// startUp runs a test of one empty iteration with each program and output, alternately.
func (s *stage) startUp() ([]start, error) {
	starts := []start{
		{name: "plain k6", program: plainK6, output: none},
		{name: "k6 with this output, not used", program: ownK6, output: none},
		{name: "k6 with this output, used", program: ownK6, output: own},
	}
	for i := range starts {
		path, err := harness.Binary(starts[i].program)
		if err != nil {
			return nil, err
		}
		program, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		starts[i].size = float64(program.Size())
	}
	idle := load{script: "idle.js"}
	repetitions := startups
	if s.quick {
		repetitions = startupsInQuick
	}
	for range repetitions {
		for i := range starts {
			run := idle.run(starts[i].output, s)
			run.Program = starts[i].program
			started := time.Now()
			result, err := harness.RunK6(run)
			if err != nil {
				return nil, err
			}
			if result.ExitCode != 0 {
				return nil, fmt.Errorf("%s: exit code %d:\n%s", starts[i].name, result.ExitCode, result.LogText())
			}
			starts[i].seconds = append(starts[i].seconds, time.Since(started).Seconds())
		}
	}
	return starts, nil
}
