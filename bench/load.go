//go:build unix

package main

import (
	"maps"
	"strconv"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// The loads: what k6 is made to do, in full and in the short form that ends in three minutes for all of them.

// load is one way to use k6.
type load struct {
	name   string
	what   string
	script string
	full   map[string]string // the script's environment
	short  map[string]string // what the short form has in its place
	// urlVariable is where the script reads the receiver's URL from, if the output has it from the script.
	urlVariable string
	repetitions int // of each output: long runs vary less
	args        []string
}

// k6 keeps every value of a trend for a summary or for thresholds, which is most of its memory.
var keepNothing = []string{"--summary-mode", "disabled", "--no-thresholds"}

// All but one run with k6's own settings. Those that use all cores come last.
var loads = []load{
	{
		name: "a", what: "ten custom metrics, one tag set each", script: "custom.js", repetitions: 5,
		full: map[string]string{"SAMPLES": "10000000"}, short: map[string]string{"SAMPLES": "1000000"},
	},
	{
		name: "lean", what: "as a, and k6 itself keeps nothing", script: "custom.js", repetitions: 3, args: keepNothing,
		full: map[string]string{"SAMPLES": "10000000"}, short: map[string]string{"SAMPLES": "1000000"},
	},
	{
		name: "c20", what: "a counter with 20 000 tag sets", script: "tags.js", repetitions: 3,
		full:  map[string]string{"SAMPLES": "4000000", "TAG_SETS": "20000"},
		short: map[string]string{"SAMPLES": "400000"},
	},
	{
		name: "c140", what: "a counter with 140 000 tag sets", script: "tags.js", repetitions: 3,
		full:  map[string]string{"SAMPLES": "4200000", "TAG_SETS": "140000"},
		short: map[string]string{"SAMPLES": "420000"},
	},
	{
		name: "d", what: "a trend over nine decades", script: "spread.js", repetitions: 3,
		full: map[string]string{"SAMPLES": "5000000"}, short: map[string]string{"SAMPLES": "500000"},
	},
	{
		name: "b", what: "HTTP requests as fast as they go", script: "http.js", repetitions: 2,
		full: map[string]string{"DURATION": "120s"}, short: map[string]string{"DURATION": "5s"},
	},
	{
		name: "e", what: "HTTP requests to two destinations with views", script: "views.js", repetitions: 2,
		urlVariable: "RECEIVER_URL", full: map[string]string{"DURATION": "60s"}, short: map[string]string{"DURATION": "5s"},
	},
}

// output is what follows --out.
type output string

const (
	none    output = "none"
	builtIn output = "experimental-prometheus-rw"
	own     output = "remote-write"
)

var outputs = []output{none, builtIn, own}

// pushInterval is that of both outputs in all runs.
const pushInterval = time.Second

// run is a run of the load with an output.
func (l load) run(output output, stage *stage) harness.Run {
	env := map[string]string{}
	maps.Copy(env, l.full)
	if stage.short {
		maps.Copy(env, l.short)
	}
	env["TARGET_URL"] = stage.target.URL()
	env["K6_PROMETHEUS_RW_PUSH_INTERVAL"] = pushInterval.String()
	if output == own && l.urlVariable != "" {
		env[l.urlVariable] = stage.receiver.URL()
	} else {
		env["K6_PROMETHEUS_RW_SERVER_URL"] = stage.receiver.URL()
	}
	run := harness.Run{Script: scriptPath(l.script), Args: l.args, Env: env}
	if output != none {
		run.Out = []string{string(output)}
	}
	return run
}

// samples is how many the load has, or 0 where that depends on how fast k6 is.
func samplesOf(run harness.Run) int {
	samples, _ := strconv.Atoi(run.Env["SAMPLES"])
	return samples
}
