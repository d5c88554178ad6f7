//go:build unix

// Benchmark of the cost of outputs. One k6 binary runs each load without an output, with k6's own Prometheus output and with
// this one, alternately and several times, with a receiver that accepts all requests and a target that responds immediately.
// A profile of each run says which part of k6's CPU time is the output's. Times and memory are the kernel's numbers for the k6
// process; those of a run without an output are subtracted.
//
//	main.go      flags, and the selected measurements in order
//	load.go      the loads
//	run.go       a run of k6 and its cost
//	profile.go   CPU time of an output by profile, with perf or k6's own profiler
//	watch.go     resident memory, and CPU time of the library's threads, while k6 runs
//	growth.go    duration of a flush and resident memory by length of the run, number of series and samples per second
//	startup.go   size of the program, and duration of an empty test
//	statistic.go medians and pairs
//	report.go    report in Markdown
//	plot.go      growth.svg
package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

func main() {
	if err := bench(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench() error {
	wanted := flag.String("load", "all", "comma-separated names of the loads to run: "+strings.Join(names(), ", "))
	repetitions := flag.Int("repetitions", 0, "runs of each load with each output; 0 means the default of the load")
	quick := flag.Bool("quick", false, "run smaller loads twice with each output: a and c20 last three minutes")
	write := flag.String("write", "", "directory for results.md, or quick.md, and growth.svg; no files are written if it is empty")
	flag.Parse()
	if *quick && *repetitions == 0 {
		*repetitions = quickRepetitions
	}
	if *repetitions < 0 {
		return errors.New("-repetitions must not be negative")
	}
	chosen, err := choose(*wanted)
	if err != nil {
		return err
	}

	report := newReport(*quick)
	defer report.printTo(os.Stdout)
	stage := newStage(*quick)
	defer stage.close()
	if chosen.startUp {
		starts, err := stage.startUp()
		if err != nil {
			return err
		}
		report.addStartUp(starts)
	}
	for _, load := range chosen.loads {
		costs, err := stage.compare(load, cmp.Or(*repetitions, load.repetitions))
		if err != nil {
			return err
		}
		report.addLoad(load, costs)
	}
	if chosen.growth {
		grown, err := stage.grow()
		if err != nil {
			return err
		}
		report.addGrowth(grown)
	}
	if *write == "" {
		return nil
	}
	return report.writeTo(*write)
}

// quickRepetitions is the number of runs of each load with each output in the quick form.
const quickRepetitions = 2

// choice is the selection of measurements.
type choice struct {
	startUp bool
	loads   []load
	growth  bool
}

// Names of measurements that are not loads.
const startUpName, growthName = "startup", "growth"

// choose parses the flag -load.
func choose(wanted string) (choice, error) {
	if wanted == "all" {
		return choice{startUp: true, loads: loads, growth: true}, nil
	}
	var chosen choice
	for name := range strings.SplitSeq(wanted, ",") {
		at := slices.IndexFunc(loads, func(load load) bool { return load.name == name })
		switch {
		case name == startUpName:
			chosen.startUp = true
		case name == growthName:
			chosen.growth = true
		case at < 0:
			return choice{}, fmt.Errorf("unknown load %q: must be one of %s", name, strings.Join(names(), ", "))
		default:
			chosen.loads = append(chosen.loads, loads[at])
		}
	}
	return chosen, nil
}

func names() []string {
	names := []string{startUpName}
	for _, load := range loads {
		names = append(names, load.name)
	}
	return append(names, growthName)
}

// scriptPath returns the path of a load's script from the repository's root.
func scriptPath(script string) string { return filepath.Join("bench/loads", script) }

// stage has the receiver and the target of all runs.
type stage struct {
	quick    bool
	receiver *harness.FakeReceiver
	target   *harness.Target
}

func newStage(quick bool) *stage {
	return &stage{quick: quick, receiver: harness.StartFakeReceiver(harness.Fake{CountOnly: true}), target: harness.StartTarget()}
}

func (s *stage) close() {
	s.receiver.Close()
	s.target.Close()
}

// compare runs a load with the outputs alternately, so that other activity of the machine affects all of them.
func (s *stage) compare(load load, repetitions int) (map[output][]cost, error) {
	costs := map[output][]cost{}
	for repetition := range repetitions {
		for _, output := range outputs {
			cost, err := s.profile(load.run(output, s), output, load.hertz)
			if err != nil {
				return nil, fmt.Errorf("load %s with %s: %w", load.name, output, err)
			}
			costs[output] = append(costs[output], cost)
			fmt.Fprintf(os.Stderr, "%-5s %d/%d  %-26s %s\n", load.name, repetition+1, repetitions, output, cost)
		}
	}
	return costs, nil
}
