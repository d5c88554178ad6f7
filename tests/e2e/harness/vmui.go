package harness

// Dashboards of vmui, the UI of VictoriaMetrics.

import (
	"encoding/json"
	"fmt"
	"net/url"
	"path/filepath"
	"time"
)

// vmuiDashboards returns the directory of its dashboards.
func vmuiDashboards() string {
	root, _ := Root() // Binary reports the error
	return filepath.Join(root, "deploy/vmui")
}

// vmuiPage returns the path of the page with the dashboards, and a time range.
func vmuiPage(from, to time.Time) string {
	return "/vmui/#/dashboards?" + url.Values{
		"g0.range_input":    {to.Sub(from).Round(time.Second).String()},
		"g0.end_input":      {to.UTC().Format("2006-01-02T15:04:05")},
		"g0.relative_time":  {"none"},
		"g0.step_input":     {"3s"}, // a window
		"legend_hide_stats": {"true"},
	}.Encode()
}

// VMUIDashboard is a dashboard as VictoriaMetrics has read it from its file.
type VMUIDashboard struct {
	Title string
	Rows  []struct {
		Title  string
		Panels []VMUIPanel
	}
}

// VMUIPanel is a panel with its range queries, and the legend of each.
type VMUIPanel struct {
	Title       string
	Description string
	Unit        string
	Expr        []string
	Alias       []string
	Width       int
}

// VMUIDashboards returns the dashboards that a VictoriaMetrics offers.
func (r *Receiver) VMUIDashboards() ([]VMUIDashboard, error) {
	body, err := r.get("/vmui/custom-dashboards")
	if err != nil {
		return nil, err
	}
	var response struct{ DashboardsSettings []VMUIDashboard }
	if err := json.Unmarshal(body, &response); err != nil {
		return nil, fmt.Errorf("dashboards of vmui: %w in %s", err, body)
	}
	return response.DashboardsSettings, nil
}
