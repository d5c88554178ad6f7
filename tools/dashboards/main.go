// Command dashboards writes Grafana's dashboards to deploy/dashboards.
//
//	main.go        the list of dashboards, and their JSON
//	variable.go    variables of dashboards
//	query.go       queries of panels
//	panel.go       kinds of panels
//	board.go       a dashboard of rows of panels
//	overview.go    one dashboard, as in each of the other files
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// all has the dashboards by file name.
func all() map[string]*dashboard.DashboardBuilder {
	return map[string]*dashboard.DashboardBuilder{
		"overview.json":                          overview(),
		"http.json":                              httpInDepth(),
		"native-histograms.json":                 histograms(nativeHistograms),
		"native-histograms-victoriametrics.json": histograms(vmrangeHistograms),
		"comparison.json":                        comparison(),
		"output-health.json":                     outputHealth(),
	}
}

// file returns the content of a dashboard's file.
func file(builder *dashboard.DashboardBuilder) ([]byte, error) {
	built, err := builder.Build()
	if err != nil {
		return nil, err
	}
	numberPanels(&built)
	showLinks(&built)
	data, err := json.MarshalIndent(built, "", "  ")
	return append(data, '\n'), err
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: dashboards <directory>")
		os.Exit(2)
	}
	for name, builder := range all() {
		data, err := file(builder)
		if err == nil {
			err = os.WriteFile(filepath.Join(os.Args[1], name), data, 0o644)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
			os.Exit(1)
		}
	}
}
