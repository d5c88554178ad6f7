//go:build unix

package main

import (
	"fmt"
	"io"
)

// printTable prints medians, with the lowest and the highest run behind them, and what follows from the medians.
func printTable(out io.Writer, small, large *load) {
	fmt.Fprintf(out, "| output | CPU at %[1]s | CPU at %[2]s | ns a sample above none, %[1]s | %[2]s | memory at %[1]s | memory at %[2]s | above none, %[1]s | %[2]s |\n",
		millions(small.samples), millions(large.samples))
	fmt.Fprintln(out, "|---|---|---|---|---|---|---|---|---|")
	for _, output := range outputs {
		fmt.Fprintf(out, "| %s |", output)
		for _, load := range []*load{small, large} {
			cpu := load.cpu(output)
			fmt.Fprintf(out, " %.2f s (%.2f to %.2f) |", cpu.median/1e9, cpu.lowest/1e9, cpu.highest/1e9)
		}
		for _, load := range []*load{small, large} {
			fmt.Fprint(out, above(output, "%.0f", load.cpuPerSample(output)))
		}
		for _, load := range []*load{small, large} {
			memory := load.memory(output)
			fmt.Fprintf(out, " %.0f MB (%.0f to %.0f) |", megabytes(memory.median), megabytes(memory.lowest), megabytes(memory.highest))
		}
		for _, load := range []*load{small, large} {
			fmt.Fprint(out, above(output, "%.0f MB", megabytes(load.memoryAbove(output))))
		}
		fmt.Fprintln(out)
	}
	fmt.Fprintln(out)
	for _, load := range []*load{small, large} {
		fmt.Fprintf(out, "A sample costs %s %.1f times the CPU time that it costs %s (%s samples; medians of %d runs).\n",
			builtIn, load.cpuPerSample(builtIn)/load.cpuPerSample(own), own, millions(load.samples), len(load.costs[own]))
	}
}

// above is a cell that a run without an output leaves empty.
func above(output output, format string, value float64) string {
	if output == none {
		return " |"
	}
	return fmt.Sprintf(" "+format+" |", value)
}

func millions(samples int) string { return fmt.Sprintf("%g M", float64(samples)/1e6) }
