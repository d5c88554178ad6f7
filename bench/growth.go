//go:build unix

package main

// Duration of a flush and resident memory by the length of the run, the number of series and the samples per second. That of a
// flush of the built-in includes the request to the local receiver.

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// flush is the end of a flush, to the second, and its duration.
type flush struct {
	at   time.Time
	took time.Duration
}

// tooLong matches the built-in's log message for a flush that exceeds its interval.
var tooLong = regexp.MustCompile(`but it took (\S+) while flush period`)

// flushesIn returns the flushes in the log of either output.
func flushesIn(log []harness.LogLine) []flush {
	var flushes []flush
	for _, line := range log {
		var took time.Duration
		if nanoseconds, is := line.Fields["took"].(float64); is { // of the built-in
			took = time.Duration(nanoseconds)
		} else if words := tooLong.FindStringSubmatch(line.Message); words != nil {
			took, _ = time.ParseDuration(words[1])
		} else if microseconds, is := line.Fields["duration_us"].(float64); is {
			took = time.Duration(microseconds) * time.Microsecond
		} else {
			continue
		}
		flushes = append(flushes, flush{line.Time, took})
	}
	return flushes
}

// lateFlush returns the median, in seconds, of the flushes in the last quarter of the given time, without the flush at the
// end of the run.
func (c cost) lateFlush(length time.Duration) float64 {
	var late []float64
	for _, flush := range c.flushes[:max(0, len(c.flushes)-1)] {
		if age := flush.at.Sub(c.flushes[0].at); age >= length*3/4 && age <= length {
			late = append(late, flush.took.Seconds())
		}
	}
	return distributionOf(late).median
}

// peakUntil returns the maximum of resident memory until the given time.
func (c cost) peakUntil(length time.Duration) float64 {
	count := min(int(length/watchInterval), len(c.resident))
	return slices.Max(append(c.resident[:count:count], 0))
}

// sweep varies one variable from run to run.
type sweep struct {
	title  string
	script string
	env    map[string]string
	varied string // variable of the script
	unit   string
	values []string
	quick  []string
}

var sweeps = []sweep{
	{
		title: "series, each with about one sample per second", script: "tags.js", env: map[string]string{"SAMPLES": "4000000"},
		varied: "TAG_SETS", unit: " series", values: []string{"1000", "10000", "50000", "100000", "200000"}, quick: []string{"1000", "10000"},
	},
	{
		title: "samples per second, ten series", script: "paced.js", env: map[string]string{"DURATION": "20s"},
		varied: "RATE", unit: "00 samples/s", values: []string{"10", "100", "1000", "2000"}, quick: []string{"100"},
	},
}

// Lengths, all measured in one run.
var (
	lengths        = []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute}
	lengthsInQuick = []time.Duration{3 * time.Second, 6 * time.Second}
)

// step has the duration of a flush and the resident memory at a step of a sweep.
type step struct {
	at     string
	flush  float64 // seconds
	memory float64 // bytes
}

// grown is the result of a sweep.
type grown struct {
	title string
	steps map[output][]step
	last  map[output]cost // of the last run
}

func newGrown(title string) grown {
	return grown{title: title, steps: map[output][]step{}, last: map[output]cost{}}
}

func (g grown) add(output output, at string, cost cost, length time.Duration) {
	step := step{at, cost.lateFlush(length), cost.peakUntil(length)}
	g.steps[output] = append(g.steps[output], step)
	g.last[output] = cost
	fmt.Fprintf(os.Stderr, "%-26s %-20s flush %.1f ms  %.0f MB\n", output, at, step.flush*1e3, step.memory/1e6)
}

// grow runs all sweeps, that of lengths first.
func (s *stage) grow() ([]grown, error) {
	byLength, err := s.growByLength()
	if err != nil {
		return nil, err
	}
	all := []grown{byLength}
	for _, sweep := range sweeps {
		result := newGrown(sweep.title)
		for _, value := range sweep.valuesFor(s.quick) {
			for _, output := range []output{builtIn, own} {
				cost, err := s.run(sweep.run(value, output, s))
				if err != nil {
					return nil, fmt.Errorf("%s at %s with %s: %w", sweep.varied, value, output, err)
				}
				result.add(output, value+sweep.unit, cost, cost.wall)
			}
		}
		all = append(all, result)
	}
	return all, nil
}

// growByLength makes a run of the maximum length.
func (s *stage) growByLength() (grown, error) {
	lengths := lengths
	if s.quick {
		lengths = lengthsInQuick
	}
	longest := slices.Max(lengths)
	load := sweep{script: "http.js", varied: "DURATION"}
	result := newGrown(fmt.Sprintf("length of the run, HTTP requests at full speed for %v", longest))
	for _, output := range []output{builtIn, own} {
		cost, err := s.run(load.run(longest.String(), output, s))
		if err != nil {
			return grown{}, fmt.Errorf("%v with %s: %w", longest, output, err)
		}
		for _, length := range lengths {
			result.add(output, length.String(), cost, length)
		}
	}
	return result, nil
}

func (s sweep) valuesFor(quick bool) []string {
	if quick {
		return s.quick
	}
	return s.values
}

func (s sweep) run(value string, output output, stage *stage) harness.Run {
	run := load{script: s.script, full: s.env}.run(output, stage)
	run.Env[s.varied] = value
	run.Env["K6_PROMETHEUS_RW_PUSH_INTERVAL"] = sweepPushInterval.String()
	run.Args = append(run.Args, keepNothing...) // k6's own memory would hide that of the outputs
	if stage.quick && s.varied == "TAG_SETS" {
		run.Env["SAMPLES"] = strconv.Itoa(1_000_000)
	}
	return run
}
