package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// onEachForVMUI runs a test for each panel of vmui's dashboards.
func onEachForVMUI(t *testing.T, test func(t *testing.T, panel vmuiPanel)) {
	for name, builder := range forVMUI() {
		data, err := vmuiFile(builder)
		if err != nil {
			t.Fatal(err)
		}
		var read vmuiDashboard
		if err := json.Unmarshal(data, &read); err != nil {
			t.Fatal(err)
		}
		for _, row := range read.Rows {
			for _, panel := range row.Panels {
				t.Run(name+" "+row.Title+": "+panel.Title, func(t *testing.T) { test(t, panel) })
			}
		}
	}
}

func TestPanelsForVMUIHaveNoVariables(t *testing.T) {
	onEachForVMUI(t, func(t *testing.T, panel vmuiPanel) {
		texts := slices.Concat(panel.Expr, panel.Alias, []string{panel.Title, panel.Description})
		if all := strings.Join(texts, "\n"); strings.Contains(all, "$") {
			t.Error(all)
		}
	})
}

func TestPanelsForVMUIHaveALegendForEachQuery(t *testing.T) {
	onEachForVMUI(t, func(t *testing.T, panel vmuiPanel) {
		if len(panel.Expr) == 0 || len(panel.Expr) != len(panel.Alias) {
			t.Errorf("%d queries, %d legends", len(panel.Expr), len(panel.Alias))
		}
	})
}

func TestSelectionsAreLeftOutForVMUI(t *testing.T) {
	for expr, expected := range map[string]string{
		`k6_vus{$run_by=~"$run", $instance_by=~"$instance"}`:                  `k6_vus`,
		`a{$run_by=~"$run", $instance_by=~"$instance", condition="zero"}`:     `a{condition="zero"}`,
		`a{condition="zero", $run_by=~"$run"}`:                                `a{condition="zero"}`,
		`a{$run_by=~"$run", status=~"4..", name=~"$name"} / b{name=~"$name"}`: `a{status=~"4.."} / b`,
	} {
		if got := withoutSelections(expr); got != expected {
			t.Errorf("%s becomes %s", expr, got)
		}
	}
}

func TestVariablesHaveTheirDefaultsForVMUI(t *testing.T) {
	variables := []dashboard.VariableModel{
		{Name: "run", Current: cog.ToPtr(option("All", "$__all"))},
		{Name: "run_by", Current: cog.ToPtr(option("testid", "testid"))},
	}
	if got := withDefaults(`sum by ($run_by) (rate(${run_by}_total[$__rate_interval])) $unknown`, variables); got !=
		`sum by (testid) (rate(testid_total[9s1i])) $unknown` {
		t.Error(got)
	}
}
