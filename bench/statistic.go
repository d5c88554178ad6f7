//go:build unix

package main

import (
	"fmt"
	"slices"
)

// distribution has the median, minimum and maximum of a number over repetitions.
type distribution struct{ median, lowest, highest float64 }

func distributionOf(values []float64) distribution {
	if len(values) == 0 {
		return distribution{}
	}
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	median := sorted[half]
	if len(sorted)%2 == 0 {
		median = (sorted[half-1] + median) / 2
	}
	return distribution{median: median, lowest: sorted[0], highest: sorted[len(sorted)-1]}
}

// spell formats the median in a unit, with minimum and maximum in parentheses.
func (d distribution) spell(unit float64, format, name string) string {
	return fmt.Sprintf(format+" "+name+" ("+format+" to "+format+")", d.median/unit, d.lowest/unit, d.highest/unit)
}

// of returns the distribution of a number over costs.
func of(costs []cost, number func(cost) float64) distribution {
	values := make([]float64, len(costs))
	for i, cost := range costs {
		values[i] = number(cost)
	}
	return distributionOf(values)
}

// above returns the distribution of the overhead: the difference to the run without an output in the same repetition, which
// other activity of the machine affects similarly.
func above(with, without []cost, number func(cost) float64) distribution {
	values := make([]float64, len(with))
	for i := range with {
		values[i] = number(with[i]) - number(without[i])
	}
	return distributionOf(values)
}

// ratios returns the distribution of the quotients of runs in the same repetition.
func ratios(with, without []cost, number func(cost) float64) distribution {
	values := make([]float64, len(with))
	for i := range with {
		values[i] = number(with[i]) / number(without[i])
	}
	return distributionOf(values)
}

// flushTime returns the median of the durations of flushes in seconds, without the flush at the end of the run.
func flushTime(cost cost) float64 {
	var all []float64
	for _, flush := range cost.flushes[:max(0, len(cost.flushes)-1)] {
		all = append(all, flush.took.Seconds())
	}
	return distributionOf(all).median
}

func handOverOfWork(cost cost) float64 { return float64(cost.handOver) / float64(cost.work) }
func behindOfWork(cost cost) float64   { return float64(cost.behind) / float64(cost.work) }
func profiledOfWork(cost cost) float64 { return handOverOfWork(cost) + behindOfWork(cost) }
func cpuOfWork(cost cost) float64      { return float64(cost.cpu) / float64(cost.work) }
func peak(cost cost) float64           { return cost.peak }
func growth(cost cost) float64         { return cost.growth }
func points(cost cost) float64         { return float64(cost.got.Points) }
func speed(cost cost) float64          { return float64(cost.work) / cost.wall.Seconds() }
func bytesPerPoint(cost cost) float64 {
	return float64(cost.got.Bytes) / float64(cost.got.Points)
}
