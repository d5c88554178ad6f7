package harness

// Queries of Grafana dashboards.

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Dashboard is a dashboard's queries and variables.
type Dashboard struct {
	File        string
	UID         string
	Panels      []Panel // without rows, which have no queries
	Annotations []Panel // have queries as panels do
	Variables   []Variable
}

// Panel is a panel with its queries.
type Panel struct {
	Title   string
	Type    string
	Queries []PanelQuery `json:"targets"`
}

// PanelQuery is one query of a panel.
type PanelQuery struct {
	Expr     string
	Instant  bool
	Interval string // the smallest step
	Exemplar bool   // also asks for exemplars
}

// Variable is a variable of a dashboard.
type Variable struct {
	Name       string
	Type       string
	Query      string
	Regex      string
	Sort       int // 0: unsorted; odd: ascending; even: descending
	Multi      bool
	IncludeAll bool
	AllValue   string
	Current    struct{ Value any }
}

// ReadDashboards reads all dashboards of a directory.
func ReadDashboards(dir string) ([]Dashboard, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	var all []Dashboard
	for _, path := range paths {
		dashboard, err := readDashboard(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, dashboard)
	}
	return all, nil
}

func readDashboard(path string) (Dashboard, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Dashboard{}, err
	}
	type panelJSON struct {
		Panel
		Panels []Panel // of a collapsed row
	}
	var file struct {
		UID         string
		Panels      []panelJSON
		Templating  struct{ List []json.RawMessage }
		Annotations struct {
			List []struct {
				Name   string
				Target *PanelQuery
			}
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return Dashboard{}, err
	}
	dashboard := Dashboard{File: filepath.Base(path), UID: file.UID}
	for _, panel := range file.Panels {
		if panel.Type != "row" {
			dashboard.Panels = append(dashboard.Panels, panel.Panel)
		}
		dashboard.Panels = append(dashboard.Panels, panel.Panels...)
	}
	for _, annotation := range file.Annotations.List {
		if annotation.Target != nil {
			panel := Panel{Title: annotation.Name, Type: "annotation", Queries: []PanelQuery{*annotation.Target}}
			dashboard.Annotations = append(dashboard.Annotations, panel)
		}
	}
	for _, raw := range file.Templating.List {
		variable, err := readVariable(raw)
		if err != nil {
			return Dashboard{}, err
		}
		dashboard.Variables = append(dashboard.Variables, variable)
	}
	return dashboard, nil
}

// readVariable reads both forms of a query: a string, and an object with a string.
func readVariable(raw []byte) (Variable, error) {
	var file struct {
		Variable
		Query json.RawMessage
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		return Variable{}, err
	}
	variable := file.Variable
	if file.Query == nil { // for example an ad hoc filter
		return variable, nil
	}
	var object struct{ Query string }
	if json.Unmarshal(file.Query, &object) == nil {
		variable.Query = object.Query
		return variable, nil
	}
	return variable, json.Unmarshal(file.Query, &variable.Query)
}
