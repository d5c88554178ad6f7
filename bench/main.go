//go:build unix

// The benchmark: what an output costs k6. One k6 binary runs each load without an output, with k6's own Prometheus output and with
// this one, in turn and several times over, against a receiver that takes everything and a target that answers at once. What a run
// without an output takes is subtracted; times and memory are the kernel's for the k6 process.
//
//	main.go      what was asked for, one load after the other
//	load.go      the loads
//	run.go       one run of k6, and what it cost
//	watch.go     what is resident while k6 runs, and what the library's threads compute
//	growth.go    what a flush takes and what is resident, by length of run and by number of series
//	startup.go   size of the program, and time of a test that does nothing
//	statistic.go medians and pairs
//	report.go    Markdown
//	plot.go      the picture
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
	wanted := flag.String("load", "all", "the loads to run, by name and with commas between: "+strings.Join(names(), ", "))
	repetitions := flag.Int("repetitions", 0, "how often each output runs each load; 0 for the load's own number")
	short := flag.Bool("short", false, "small loads, once: a look in three minutes, not a measurement")
	write := flag.String("write", "", "a directory for results.md and growth.svg; without it, nothing is written")
	flag.Parse()
	if *short {
		*repetitions = 1
	}
	if *repetitions < 0 {
		return errors.New("-repetitions is negative: 0 and more are allowed")
	}
	chosen, err := choose(*wanted)
	if err != nil {
		return err
	}

	report := newReport()
	defer report.printTo(os.Stdout)
	stage := newStage(*short)
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

// choice is what to measure.
type choice struct {
	startUp bool
	loads   []load
	growth  bool
}

// The names of what is not a load.
const startUpName, growthName = "startup", "growth"

// choose finds what was asked for.
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
			return choice{}, fmt.Errorf("no load %q: there are %s", name, strings.Join(names(), ", "))
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

// scriptPath is where a load's script is, from the repository's root.
func scriptPath(script string) string { return filepath.Join("bench/loads", script) }

// stage is what all runs share.
type stage struct {
	short    bool
	receiver *harness.FakeReceiver
	target   *harness.Target
}

func newStage(short bool) *stage {
	return &stage{short: short, receiver: harness.StartFakeReceiver(harness.Fake{CountOnly: true}), target: harness.StartTarget()}
}

func (s *stage) close() {
	s.receiver.Close()
	s.target.Close()
}

// compare runs a load with each output in turn, so that whatever else the machine does meets all of them.
func (s *stage) compare(load load, repetitions int) (map[output][]cost, error) {
	costs := map[output][]cost{}
	for repetition := range repetitions {
		for _, output := range outputs {
			cost, err := s.run(load.run(output, s))
			if err != nil {
				return nil, fmt.Errorf("load %s with %s: %w", load.name, output, err)
			}
			costs[output] = append(costs[output], cost)
			fmt.Fprintf(os.Stderr, "%-5s %d/%d  %-26s %s\n", load.name, repetition+1, repetitions, output, cost)
		}
	}
	return costs, nil
}
