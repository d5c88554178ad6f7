package main

// Tests of units and thresholds: those of the values that k6's metrics have in the receiver.

import (
	"regexp"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// unitsOfQueries has patterns of queries, and the unit of the values that they return. The first one that matches counts.
var unitsOfQueries = []struct {
	query *regexp.Regexp
	units []string
}{
	{regexp.MustCompile(`condition=.*/|histogram_(fraction|share)`), []string{units.PercentUnit}},
	{regexp.MustCompile(`queue_bytes_max`), []string{units.BytesIEC}},
	{regexp.MustCompile(`(bytes|data)_\w+_total.* / `), []string{units.BytesSI}},
	{regexp.MustCompile(`rate\(k6_(\w+_bytes|data)_\w+_total`), []string{units.BytesPerSecondSI}},
	{regexp.MustCompile(`k6_data_\w+_total`), []string{units.BytesSI}},
	{regexp.MustCompile(`histogram_(quantile|avg)`), []string{units.Seconds}},
	{regexp.MustCompile(`_(duration|blocked|connecting|tls_handshaking|sending|waiting|receiving)_(p\d+|max|min|avg|med)\b`), []string{units.Seconds}},
	{regexp.MustCompile(`_sum\b.* / .*_count\b`), []string{units.Seconds}},
	{regexp.MustCompile(`\brate\(k6_(http_reqs_total|\w+_batch_duration_count)`), []string{units.RequestsPerSecond}},
	{regexp.MustCompile(`\brate\(`), []string{units.OpsPerSecond, units.CountsPerSecond}},
	{regexp.MustCompile(`increase\(`), []string{units.Seconds}}, // a heatmap: the unit of its buckets
	{regexp.MustCompile(`.`), []string{units.Short}},
}

func TestUnitsAreThoseOfTheMetrics(t *testing.T) {
	onEach(t, func(t *testing.T, read dashboard.Dashboard) {
		for _, panel := range panelsOf(read) {
			if panel.Type == "table" { // has a unit for each column
				continue
			}
			for _, target := range panel.Targets {
				query := target.(*prometheus.Dataquery)
				if text(query.LegendFormat) == "change" { // of two runs, with its own unit
					continue
				}
				expectUnit(t, panel, query.Expr)
			}
		}
	})
}

func expectUnit(t *testing.T, panel dashboard.Panel, expr string) {
	t.Helper()
	unit := text(panel.FieldConfig.Defaults.Unit)
	for _, of := range unitsOfQueries {
		if !of.query.MatchString(expr) {
			continue
		}
		for _, expected := range of.units {
			if unit == expected {
				return
			}
		}
		t.Errorf("panel %q has the unit %q, not one of %q: %s", text(panel.Title), unit, of.units, expr)
		return
	}
}

// A share is shown in percent, so its thresholds are between 0 and 1, and any threshold is above the one before.
func TestThresholdsRise(t *testing.T) {
	onEach(t, func(t *testing.T, read dashboard.Dashboard) {
		for _, panel := range panelsOf(read) {
			of := panel.FieldConfig.Defaults
			if of.Thresholds == nil {
				continue
			}
			for i, step := range of.Thresholds.Steps {
				if first := step.Value == nil; first != (i == 0) {
					t.Fatalf("panel %q: threshold %d has a bound: %t", text(panel.Title), i, !first)
				}
				if i == 0 {
					continue
				}
				if text(of.Unit) == units.PercentUnit && (*step.Value <= 0 || *step.Value >= 1) {
					t.Errorf("panel %q: a threshold at %v", text(panel.Title), *step.Value)
				}
				if i > 1 && *step.Value <= *of.Thresholds.Steps[i-1].Value {
					t.Errorf("panel %q: thresholds do not rise", text(panel.Title))
				}
			}
		}
	})
}
