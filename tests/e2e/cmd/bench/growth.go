//go:build unix

package main

// What a flush takes and what is resident, by the length of the run, the number of series and the samples a second. Both outputs log
// at the level "debug" how long each flush took; the built-in's time has the request to the local receiver in it.

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// flush is when one ended, to the second, and how long it took.
type flush struct {
	at   time.Time
	took time.Duration
}

// tooLong is how the built-in logs a flush that took longer than its interval.
var tooLong = regexp.MustCompile(`but it took (\S+) while flush period`)

// flushesIn finds what both outputs log.
func flushesIn(log []harness.LogLine) []flush {
	var flushes []flush
	for _, line := range log {
		var took time.Duration
		if nanoseconds, is := line.Fields["took"].(float64); is { // the built-in's
			took = time.Duration(nanoseconds)
		} else if words := tooLong.FindStringSubmatch(line.Message); words != nil {
			took, _ = time.ParseDuration(words[1])
		} else if microseconds, is := line.Fields["took_us"].(float64); is {
			took = time.Duration(microseconds) * time.Microsecond
		} else {
			continue
		}
		flushes = append(flushes, flush{line.Time, took})
	}
	return flushes
}

// lateFlush is the median of the last quarter of a run's flushes, in seconds; the very last, at the end of the run, is left out.
func (c cost) lateFlush() float64 {
	flushes := c.flushes[:max(0, len(c.flushes)-1)]
	var late []float64
	for _, flush := range flushes[len(flushes)*3/4:] {
		late = append(late, flush.took.Seconds())
	}
	return distributionOf(late).median
}

// sweep changes one thing from run to run.
type sweep struct {
	title  string
	script string
	env    map[string]string
	varied string // the variable of the script
	unit   string
	values []string
	short  []string
}

var sweeps = []sweep{
	{
		title: "length of the run, HTTP requests as fast as they go", script: "http.js",
		varied: "DURATION", values: []string{"1m", "2m", "4m", "8m"}, short: []string{"3s", "6s"},
	},
	{
		title: "series, each with a sample every second or so", script: "tags.js", env: map[string]string{"SAMPLES": "4000000"},
		varied: "TAG_SETS", unit: " series", values: []string{"1000", "10000", "50000", "100000", "200000"}, short: []string{"1000", "10000"},
	},
	{
		title: "samples a second, ten series", script: "paced.js", env: map[string]string{"DURATION": "20s"},
		varied: "RATE", unit: "00 samples/s", values: []string{"10", "100", "1000", "2000"}, short: []string{"100"},
	},
}

// step is one run of a sweep with one output.
type step struct {
	at   string
	cost cost
}

// grown is what came of a sweep.
type grown struct {
	sweep sweep
	steps map[output][]step
}

// grow runs all sweeps.
func (s *stage) grow() ([]grown, error) {
	var all []grown
	for _, sweep := range sweeps {
		result := grown{sweep: sweep, steps: map[output][]step{}}
		for _, value := range sweep.valuesFor(s.short) {
			for _, output := range []output{builtIn, own} {
				cost, err := s.run(sweep.run(value, output, s))
				if err != nil {
					return nil, fmt.Errorf("%s at %s with %s: %w", sweep.varied, value, output, err)
				}
				result.steps[output] = append(result.steps[output], step{value + sweep.unit, cost})
				fmt.Fprintf(os.Stderr, "%-8s %-6s %-26s %s  flush %.1f ms\n", sweep.varied, value, output, cost, cost.lateFlush()*1e3)
			}
		}
		all = append(all, result)
	}
	return all, nil
}

func (s sweep) valuesFor(short bool) []string {
	if short {
		return s.short
	}
	return s.values
}

func (s sweep) run(value string, output output, stage *stage) harness.Run {
	load := load{script: s.script, full: s.env, short: s.env}
	if load.full == nil {
		load.full, load.short = map[string]string{}, map[string]string{}
	}
	run := load.run(output, stage)
	run.Env[s.varied] = value
	run.Args = append(run.Args, "--verbose")
	if stage.short && s.varied == "TAG_SETS" {
		run.Env["SAMPLES"] = strconv.Itoa(1_000_000)
	}
	return run
}
