//go:build unix

// The benchmark: what an output costs k6, in CPU time a sample and in memory. One k6 binary runs one load without an output,
// with k6's own Prometheus output and with this one, in turn and several times over, against a receiver that takes
// everything. What a run without an output takes is subtracted; all numbers are the kernel's for the k6 process.
//
// Prints a Markdown table.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

const samplesPerIteration = 10_000 // as in load.js

func main() {
	repetitions := flag.Int("repetitions", 5, "how often each output runs each load")
	samples := flag.Int("samples", 2_000_000, "samples of the smaller load; the larger one has twice as many")
	flag.Parse()
	if err := bench(*repetitions, *samples); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(repetitions, samples int) error {
	if repetitions < 1 || samples < samplesPerIteration || samples%samplesPerIteration != 0 {
		return fmt.Errorf("-repetitions is at least 1, -samples a multiple of %d", samplesPerIteration)
	}
	receiver := startCountingReceiver()
	defer receiver.Close()

	small, large := newLoad(samples), newLoad(2*samples)
	for repetition := range repetitions {
		for _, load := range []*load{small, large} {
			// The outputs alternate, so that whatever else the machine does meets all of them.
			for _, output := range outputs {
				cost, err := measure(output, load.samples, receiver)
				if err != nil {
					return err
				}
				load.costs[output] = append(load.costs[output], cost)
				fmt.Fprintf(os.Stderr, "%d/%d  %-26s %9d samples  %6.2f s CPU  %4.0f MB  %d requests\n",
					repetition+1, repetitions, output, load.samples, cost.cpu.Seconds(), megabytes(cost.memory), cost.requests)
			}
		}
	}
	printTable(os.Stdout, small, large)
	return nil
}

// measure runs one load with one output.
func measure(output output, samples int, receiver *countingReceiver) (cost, error) {
	run := harness.Run{
		Script: "tests/e2e/cmd/bench/load.js",
		Args:   []string{"--summary-mode", "disabled"}, // its values of trends would grow with the run
		Env: map[string]string{
			"SAMPLES":                        fmt.Sprint(samples),
			"K6_PROMETHEUS_RW_SERVER_URL":    receiver.URL(),
			"K6_PROMETHEUS_RW_PUSH_INTERVAL": "1s",
		},
	}
	if output != none {
		run.Out = []string{string(output)}
	}
	before := receiver.Requests()
	result, err := harness.RunK6(run)
	if err != nil {
		return cost{}, err
	}
	requests := receiver.Requests() - before
	if result.ExitCode != 0 || (output != none) != (requests > 0) {
		return cost{}, fmt.Errorf("%s: exit code %d, %d requests:\n%s", output, result.ExitCode, requests, result.LogText())
	}
	return costOf(result.State, requests), nil
}
