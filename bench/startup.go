//go:build unix

package main

// What the output adds to a k6 that does not use it, and to a test that does nothing: bytes of the program, and time.

import (
	"fmt"
	"os"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

const (
	plainK6         = "k6-plain" // as xk6 builds it without an extension
	ownK6           = "k6"
	startups        = 25
	startupsInShort = 3
)

// start is one way to start k6, and what came of it.
type start struct {
	what    string
	program string
	output  output
	size    float64   // bytes of the program
	seconds []float64 // from start to end, a run each
}

// startUp runs a test of one empty iteration in each way, in turn.
func (s *stage) startUp() ([]start, error) {
	starts := []start{
		{what: "plain k6", program: plainK6, output: none},
		{what: "k6 with this output, not used", program: ownK6, output: none},
		{what: "k6 with this output, used", program: ownK6, output: own},
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
	if s.short {
		repetitions = startupsInShort
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
				return nil, fmt.Errorf("%s: exit code %d:\n%s", starts[i].what, result.ExitCode, result.LogText())
			}
			starts[i].seconds = append(starts[i].seconds, time.Since(started).Seconds())
		}
	}
	return starts, nil
}
