package main

// Variables of dashboards: the run, its instances, the window.

import (
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// variable is a variable of a dashboard.
type variable = cog.Builder[dashboard.VariableModel]

// datasource is the selected data source.
var datasource = common.DataSourceRef{Type: cog.ToPtr("prometheus"), Uid: cog.ToPtr("${datasource}")}

// runVariables select the runs, and the labels that identify them.
func runVariables() []variable {
	return []variable{
		datasourceVariable(),
		runByVariable(),
		several("run", "Run", "Runs to show; several are added up.", `label_values(k6_vus, $run_by)`),
		oneOf("instance_by", "Instance by", "The label that identifies instances of a run.", "instance", "instance_id"),
		several("instance", "Instance", "Instances to show.", `label_values(k6_vus{$run_by=~"$run"}, $instance_by)`),
		windowVariable(),
	}
}

func datasourceVariable() variable {
	return dashboard.NewDatasourceVariableBuilder("datasource").Label("Data source").
		Description("The receiver's data source.").Type("prometheus")
}

func runByVariable() variable {
	return oneOf("run_by", "Run by", "The label that identifies runs: testid of --tag testid=…, "+
		"test_run_id of includeTestRunId, testrun_name of k6-operator.", "testid", "test_run_id", "testrun_name")
}

// windowVariable is the minimum step of a query, from which Grafana derives $__interval and $__rate_interval.
func windowVariable() variable {
	return oneOf("window", "Window", "The output's pushInterval. Rates cover at least four windows.",
		"3s", "1s", "5s", "10s", "15s", "30s", "1m")
}

// oneOf has fixed values; the first is the default.
func oneOf(name, label, description string, values ...string) variable {
	options := make([]dashboard.VariableOption, len(values))
	for i, value := range values {
		options[i] = option(value, value)
		options[i].Selected = cog.ToPtr(i == 0)
	}
	return dashboard.NewCustomVariableBuilder(name).Label(label).Description(description).
		Values(dashboard.StringOrMap{String: cog.ToPtr(strings.Join(values, ","))}).
		Options(options).Current(options[0]).AllowCustomValue(true)
}

// several allows any number of the values of a query; the default is all, including series without the label.
func several(name, label, description, query string) *dashboard.QueryVariableBuilder {
	return found(name, label, description, query).Multi(true).IncludeAll(true).AllValue(".*").Current(option("All", "$__all"))
}

// found allows one of the values of a query.
func found(name, label, description, query string) *dashboard.QueryVariableBuilder {
	return dashboard.NewQueryVariableBuilder(name).Label(label).Description(description).
		Datasource(datasource).
		Query(dashboard.StringOrMap{Map: map[string]any{"query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"}}).
		Definition(query).
		Refresh(dashboard.VariableRefreshOnTimeRangeChanged).
		Sort(dashboard.VariableSortNaturalAsc)
}

func option(text, value string) dashboard.VariableOption {
	return dashboard.VariableOption{
		Text:  dashboard.StringOrArrayOfString{String: &text},
		Value: dashboard.StringOrArrayOfString{String: &value},
	}
}
