package harness

// State of Prometheus's rules.

import "encoding/json"

// Rule is a rule that Prometheus evaluates.
type Rule struct {
	Name      string
	Type      string // recording or alerting
	Health    string // ok, err, or unknown before the first evaluation
	LastError string
	Alerts    []Alert
}

// Alert is a pending or firing alert.
type Alert struct {
	State  string
	Labels map[string]string
}

// Rules returns all rules.
func (r *Receiver) Rules() ([]Rule, error) {
	body, err := r.get("/api/v1/rules")
	if err != nil {
		return nil, err
	}
	var response struct {
		Data struct{ Groups []struct{ Rules []Rule } }
	}
	if err := json.Unmarshal(body, &response); err != nil {
		return nil, err
	}
	var all []Rule
	for _, group := range response.Data.Groups {
		all = append(all, group.Rules...)
	}
	return all, nil
}
