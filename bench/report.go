//go:build unix

package main

// The report in Markdown: medians, each with minimum and maximum.

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

type report struct {
	name  string // of its file, and of the target of the Makefile
	text  bytes.Buffer
	grown []grown
}

func newReport(quick bool) *report {
	report := &report{name: "bench"}
	if quick {
		report.name = "bench-quick"
	}
	fmt.Fprintf(&report.text, "Medians, with the minimum and maximum over all runs. Both outputs push every %v, in the sweeps every %v. The CPU time of an output "+
		"is its share of the ticks of a profile: with its code on the stack, or in its threads. Profiles by %s. %s.\n",
		pushInterval, sweepPushInterval, profilerName(), machine())
	return report
}

func (r *report) printTo(out io.Writer) { _, _ = out.Write(r.text.Bytes()) }

// addLoad adds the tables of a load and the comparison of the outputs.
func (r *report) addLoad(load load, costs map[output][]cost) {
	perSample := samplesPerWork(costs[own])
	fmt.Fprintf(&r.text, "\n## Load %s: %s, %d runs with each output\n\n", load.name, load.what, len(costs[own]))
	fmt.Fprintln(&r.text, "| CPU time of the output per sample | where k6 hands over | in own threads | together | difference of runs |")
	fmt.Fprintln(&r.text, "|---|---|---|---|---|")
	for _, output := range []output{builtIn, own} {
		runs := costs[output]
		fmt.Fprintf(&r.text, "| `%s` | %s | %s | %s | %s |\n", output,
			of(runs, handOverOfWork).spell(perSample, "%.0f", "ns"), of(runs, behindOfWork).spell(perSample, "%.0f", "ns"),
			of(runs, profiledOfWork).spell(perSample, "%.0f", "ns"),
			above(runs, costs[none], cpuOfWork).spell(perSample, "%.0f", "ns"))
	}
	fmt.Fprintln(&r.text, "\n| output | CPU time | peak memory | memory overhead | growth per minute | flush | samples/s, or requests/s | of those without an output | points | bytes per point |")
	fmt.Fprintln(&r.text, "|---|---|---|---|---|---|---|---|---|---|")
	for _, output := range outputs {
		runs := costs[output]
		memoryCell, flushCell, ratioCell, pointsCell, bytesCell := "", "", "", "", ""
		if output != none {
			memoryCell = above(runs, costs[none], peak).spell(1e6, "%.0f", "MB")
			flushCell = of(runs, flushTime).spell(1e-3, "%.2f", "ms")
			ratioCell = ratios(runs, costs[none], speed).spell(1e-2, "%.0f", "percent")
			pointsCell = fmt.Sprintf("%.1f k", of(runs, points).median/1e3)
			bytesCell = fmt.Sprintf("%.1f", of(runs, bytesPerPoint).median)
		}
		fmt.Fprintf(&r.text, "| `%s` | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", output,
			of(runs, func(c cost) float64 { return c.cpu.Seconds() }).spell(1, "%.2f", "s"), of(runs, peak).spell(1e6, "%.0f", "MB"),
			memoryCell, of(runs, growth).spell(1e6, "%.1f", "MB"), flushCell, of(runs, speed).spell(1e3, "%.1f", "k"),
			ratioCell, pointsCell, bytesCell)
	}
	fmt.Fprintf(&r.text, "\nA sample costs `%s` %.1f times the CPU time that it costs `%s`, by profile.\n", builtIn,
		of(costs[builtIn], profiledOfWork).median/of(costs[own], profiledOfWork).median, own)
	r.addEntries(costs[own], perSample)
}

// maxEntries is the number of profile entries in the report.
const maxEntries = 10

// addEntries adds the functions of this output that take the most CPU time, on average over the runs.
func (r *report) addEntries(runs []cost, perSample float64) {
	perWork := map[string]float64{}
	for _, run := range runs {
		for function, share := range run.entries {
			perWork[function] += share * cpuOfWork(run) / float64(len(runs))
		}
	}
	functions := slices.SortedFunc(maps.Keys(perWork), func(a, b string) int { return cmp.Compare(perWork[b], perWork[a]) })
	fmt.Fprintf(&r.text, "\n| `%s`: function | per sample |\n|---|---|\n", own)
	for _, function := range functions[:min(maxEntries, len(functions))] {
		fmt.Fprintf(&r.text, "| `%s` | %.1f ns |\n", function, perWork[function]/perSample)
	}
}

// addStartUp adds the size of k6 and the duration of an empty test.
func (r *report) addStartUp(starts []start) {
	plain := starts[0]
	fmt.Fprintf(&r.text, "\n## Size, and a test of one empty iteration, %d times\n\n", len(plain.seconds))
	fmt.Fprintln(&r.text, "| | program | size overhead | duration | time overhead |\n|---|---|---|---|---|")
	for i, start := range starts {
		sizeCell, longerCell := "", ""
		if i > 0 {
			longer := make([]float64, len(start.seconds))
			for j := range longer {
				longer[j] = start.seconds[j] - plain.seconds[j]
			}
			sizeCell = fmt.Sprintf("%.1f MB", (start.size-plain.size)/1e6)
			longerCell = distributionOf(longer).spell(1e-3, "%.0f", "ms")
		}
		fmt.Fprintf(&r.text, "| %s | %.1f MB | %s | %s | %s |\n", start.name, start.size/1e6, sizeCell,
			distributionOf(start.seconds).spell(1e-3, "%.0f", "ms"), longerCell)
	}
}

// samplesPerWork returns the number of samples per unit of work: 1, or more for an HTTP request.
func samplesPerWork(costs []cost) float64 {
	return of(costs, func(c cost) float64 { return float64(c.samples) / float64(c.work) }).median
}

// addGrowth adds a table for each sweep.
func (r *report) addGrowth(all []grown) {
	r.grown = all
	for _, grown := range all {
		fmt.Fprintf(&r.text, "\n## By %s\n\n", grown.title)
		fmt.Fprintf(&r.text, "| | flush, `%[1]s` | `%[2]s` | peak memory, `%[1]s` | `%[2]s` |\n|---|---|---|---|---|\n", builtIn, own)
		for i, step := range grown.steps[own] {
			other := grown.steps[builtIn][i]
			fmt.Fprintf(&r.text, "| %s | %.2f ms | %.2f ms | %.0f MB | %.0f MB |\n", step.at,
				other.flush*1e3, step.flush*1e3, other.memory/1e6, step.memory/1e6)
		}
	}
}

// writeTo writes results.md, or quick.md, and growth.svg if growth was measured.
func (r *report) writeTo(directory string) error {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	head := fmt.Sprintf("# Results of `make %s`\n\nWritten by the command; do not edit.\n\n", r.name)
	file := map[string]string{"bench": "results.md", "bench-quick": "quick.md"}[r.name]
	if err := os.WriteFile(filepath.Join(directory, file), append([]byte(head), r.text.Bytes()...), 0o644); err != nil {
		return err
	}
	if r.grown == nil {
		return nil
	}
	return plotGrowth(r.grown[0], filepath.Join(directory, "growth.svg"))
}

// machine describes the machine of the measurement.
func machine() string {
	model := "an unknown processor"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	system, _ := exec.Command("uname", "-sr").Output()
	return fmt.Sprintf("%d cores of %s, %s, %s, %s", runtime.NumCPU(), model, strings.TrimSpace(string(system)),
		runtime.Version(), time.Now().Format(time.DateOnly))
}
