package harness

// What Prometheus says of its rules.

import "encoding/json"

// Rule is one that it evaluates.
type Rule struct {
	Name      string
	Type      string // recording or alerting
	Health    string // ok, err, or unknown before the first evaluation
	LastError string
	Alerts    []Alert
}

// Alert is one that is pending or firing.
type Alert struct {
	State  string
	Labels map[string]string
}

// Rules asks for all rules.
func (r *Receiver) Rules() ([]Rule, error) {
	body, err := r.get("/api/v1/rules")
	if err != nil {
		return nil, err
	}
	var answer struct {
		Data struct{ Groups []struct{ Rules []Rule } }
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, err
	}
	var all []Rule
	for _, group := range answer.Data.Groups {
		all = append(all, group.Rules...)
	}
	return all, nil
}
