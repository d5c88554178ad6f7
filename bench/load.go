//go:build unix

package main

import (
	"maps"
	"strconv"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// The loads, in the full form and in the quick form, in which a and c20 together last three minutes.

// load is a test for k6.
type load struct {
	name   string
	what   string
	script string
	full   map[string]string // environment of the script
	quick  map[string]string // differences of the quick form
	// urlVariable is the variable for the receiver's URL, if the script configures the output.
	urlVariable string
	repetitions int // for each output; long runs vary less
	hertz       int // of the profile; 0 for the default
	args        []string
}

// By default k6 keeps every value of a trend for the summary and for thresholds, which is most of its memory.
var keepNothing = []string{"--summary-mode", "disabled", "--no-thresholds"}

// All loads but one use k6's defaults. Those that use all cores are last.
var loads = []load{
	{
		name: "a", what: "ten custom metrics, one tag set each", script: "custom.js", repetitions: 5,
		full: map[string]string{"SAMPLES": "10000000"}, quick: map[string]string{"SAMPLES": "5000000"},
	},
	{
		name: "lean", what: "like a, without values kept by k6", script: "custom.js", repetitions: 3, args: keepNothing,
		full: map[string]string{"SAMPLES": "10000000"}, quick: map[string]string{"SAMPLES": "5000000"},
	},
	{
		name: "c20", what: "a counter and a trend with 20 000 tag sets", script: "tags.js", repetitions: 3,
		full:  map[string]string{"SAMPLES": "4000000", "TAG_SETS": "20000", "TREND": "1"},
		quick: map[string]string{"SAMPLES": "2000000"},
	},
	{
		name: "c140", what: "a counter with 140 000 tag sets", script: "tags.js", repetitions: 3,
		full:  map[string]string{"SAMPLES": "4200000", "TAG_SETS": "140000"},
		quick: map[string]string{"SAMPLES": "2100000"},
	},
	{
		name: "u", what: "a counter with 600 000 tag sets, of which this output ships 1 000", script: "tags.js", repetitions: 2,
		full:  map[string]string{"SAMPLES": "600000", "TAG_SETS": "600000", "K6_PROMETHEUS_RW_MAX_SERIES": "1000"},
		quick: map[string]string{"SAMPLES": "300000"},
	},
	{
		name: "d", what: "a trend over nine decades", script: "spread.js", repetitions: 3,
		full: map[string]string{"SAMPLES": "5000000"}, quick: map[string]string{"SAMPLES": "2500000"},
	},
	{
		name: "b", what: "HTTP requests at full speed", script: "http.js", repetitions: 3, hertz: 499,
		full: map[string]string{"DURATION": "120s"}, quick: map[string]string{"DURATION": "15s"},
	},
	{
		name: "e", what: "HTTP requests to two destinations with views", script: "views.js", repetitions: 2, hertz: 499,
		urlVariable: "RECEIVER_URL", full: map[string]string{"DURATION": "60s"}, quick: map[string]string{"DURATION": "15s"},
	},
}

// output is a value of --out.
type output string

const (
	none    output = "none"
	builtIn output = "experimental-prometheus-rw"
	own     output = "remote-write"
)

var outputs = []output{none, builtIn, own}

// pushInterval is the interval of both outputs in the loads, the default of this one. That of the sweeps is shorter, so that there
// are more flushes.
const (
	pushInterval      = 3 * time.Second
	sweepPushInterval = time.Second
)

// run returns the run of the load with an output.
func (l load) run(output output, stage *stage) harness.Run {
	env := map[string]string{}
	maps.Copy(env, l.full)
	if stage.quick {
		maps.Copy(env, l.quick)
	}
	env["TARGET_URL"] = stage.target.URL()
	env["K6_PROMETHEUS_RW_PUSH_INTERVAL"] = pushInterval.String()
	if output == own && l.urlVariable != "" {
		env[l.urlVariable] = stage.receiver.URL()
	} else {
		env["K6_PROMETHEUS_RW_SERVER_URL"] = stage.receiver.URL()
	}
	// Both outputs log the duration of each flush at level "debug".
	args := append([]string{"--verbose"}, l.args...)
	run := harness.Run{Program: profiledK6, Script: scriptPath(l.script), Args: args, Env: env}
	if output != none {
		run.Out = []string{string(output)}
	}
	return run
}

// samplesOf returns the number of samples of a run, or 0 if it depends on k6's speed.
func samplesOf(run harness.Run) int {
	samples, _ := strconv.Atoi(run.Env["SAMPLES"])
	return samples
}
