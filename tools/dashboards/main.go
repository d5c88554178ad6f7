// Command dashboards writes the dashboards of Grafana and of vmui to deploy/dashboards and deploy/vmui.
//
//	main.go        the list of dashboards, and their JSON
//	vmui.go        what vmui has of them
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
	return indented(built)
}

func indented(value any) ([]byte, error) {
	data, err := json.MarshalIndent(value, "", "  ")
	return append(data, '\n'), err
}

// files returns the content of all files, by their path in deploy/.
func files() (map[string][]byte, error) {
	contents := map[string][]byte{}
	for _, kind := range []struct {
		directory string
		boards    map[string]*dashboard.DashboardBuilder
		content   func(*dashboard.DashboardBuilder) ([]byte, error)
	}{
		{"dashboards", all(), file},
		{"vmui", forVMUI(), vmuiFile},
	} {
		for name, builder := range kind.boards {
			data, err := kind.content(builder)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			contents[filepath.Join(kind.directory, name)] = data
		}
	}
	return contents, nil
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: dashboards <directory>")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(directory string) error {
	contents, err := files()
	if err != nil {
		return err
	}
	for path, data := range contents {
		if err := os.WriteFile(filepath.Join(directory, path), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
