//go:build unix

package main

import (
	"fmt"
	"io"
)

// printTable prints medians, with the lowest and the highest run behind them, and what follows from the medians.
func printTable(out io.Writer, small, large *load) {
	fmt.Fprintln(out, "| samples | output | CPU time | above none, a sample | most memory | above none |")
	fmt.Fprintln(out, "|---|---|---|---|---|---|")
	for _, load := range []*load{small, large} {
		for _, output := range outputs {
			fmt.Fprintf(out, "| %s | `%s` | %s | %s | %s | %s |\n", millions(load.samples), output,
				load.cpu(output).spell(1e9, "%.2f", "s"), above(output, load.cpuPerSample(output).spell(1, "%.0f", "ns")),
				load.memory(output).spell(1e6, "%.0f", "MB"), above(output, load.memoryAbove(output).spell(1e6, "%.0f", "MB")))
		}
	}
	fmt.Fprintln(out)
	for _, load := range []*load{small, large} {
		fmt.Fprintf(out, "A sample costs `%s` %.1f times the CPU time that it costs `%s` (%s samples; medians of %d runs).\n",
			builtIn, load.cpuPerSample(builtIn).median/load.cpuPerSample(own).median, own, millions(load.samples), len(load.costs[own]))
	}
}

// spell is the median in a unit, and in brackets where the repetitions lie.
func (d distribution) spell(unit float64, format, name string) string {
	return fmt.Sprintf(format+" "+name+" ("+format+" to "+format+")", d.median/unit, d.lowest/unit, d.highest/unit)
}

// above is a cell that a run without an output leaves empty.
func above(output output, cell string) string {
	if output == none {
		return ""
	}
	return cell
}

func millions(samples int) string { return fmt.Sprintf("%g M", float64(samples)/1e6) }
