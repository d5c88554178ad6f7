package harness

// Grafana's dashboards, as far as they ask for something.

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Dashboard is what of one counts here.
type Dashboard struct {
	File        string
	UID         string
	Panels      []Panel // without rows, which ask for nothing
	Annotations []Panel // ask as panels do
	Variables   []Variable
}

// Panel is a picture with its queries.
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
}

// Variable is one choice at the top of a dashboard.
type Variable struct {
	Name       string
	Type       string
	Query      string
	Regex      string
	Sort       int // 0 as they come; odd ones ascend, even ones descend
	Multi      bool
	IncludeAll bool
	AllValue   string
	Current    struct{ Value any }
}

// ReadDashboards reads all of a directory.
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
		Panels []Panel // of a row that is collapsed
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
			asked := Panel{Title: annotation.Name, Type: "annotation", Queries: []PanelQuery{*annotation.Target}}
			dashboard.Annotations = append(dashboard.Annotations, asked)
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

// readVariable knows both spellings of a query: a text, and an object with a text.
func readVariable(raw []byte) (Variable, error) {
	var file struct {
		Variable
		Query json.RawMessage
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		return Variable{}, err
	}
	variable := file.Variable
	if file.Query == nil { // as of ad hoc filters
		return variable, nil
	}
	var object struct{ Query string }
	if json.Unmarshal(file.Query, &object) == nil {
		variable.Query = object.Query
		return variable, nil
	}
	return variable, json.Unmarshal(file.Query, &variable.Query)
}
