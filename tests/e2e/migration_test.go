package e2e

// What differs from k6's own output, and what k6 does to tags before outputs see them.

import (
	"strings"
	"testing"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

const runTags = "tests/e2e/scripts/run_tags.js"

func TestCountersAndGaugesOfTimesAreSecondsAndKnownAtDebugLevel(t *testing.T) {
	t.Parallel()
	receiver := startReceiver(t, harness.Prometheus)
	load := harness.Run{
		Script: runTags, Out: []string{"remote-write", "experimental-prometheus-rw"}, Args: []string{"--verbose"},
		Env: map[string]string{serverURL: receiver.WriteURL(), "K6_PROMETHEUS_RW_METRIC_PREFIX": "new_"},
	}
	result := run(t, load)
	for question, expected := range map[string]float64{
		"last_over_time(k6_token_age[5m])":     1500,
		"last_over_time(new_token_age[5m])":    1.5,
		"last_over_time(k6_waited_total[5m])":  2500,
		"last_over_time(new_waited_total[5m])": 2.5,
	} {
		if value, found, err := receiver.Number(question); err != nil || !found || value != expected {
			t.Errorf("%s is %v (%t, %v), not %v", question, value, found, err, expected)
		}
	}
	if log := result.LogText(); strings.Contains(log, "Two destinations") || strings.Count(log, "in seconds;") != 2 {
		t.Errorf("expected two lines about times, and no warning of a shared receiver:\n%s", log)
	}
}

func TestTagsOfTheScriptAreDroppedByK6WhereOneIsOnTheCommandLine(t *testing.T) {
	t.Parallel()
	for name, about := range map[string]struct {
		args []string
		team bool
	}{
		"the script's":            {team: true},
		"one on the command line": {args: []string{"--tag", "testid=1"}},
		"both, by k6's feature":   {args: []string{"--tag", "testid=1", "--features", "merge-run-tags"}, team: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			receiver := startReceiver(t, harness.Prometheus)
			result := run(t, harness.Run{Script: runTags, Out: []string{"remote-write=" + receiver.WriteURL()}, Args: about.args})
			found, err := receiver.Query(`last_over_time(k6_waited_total{team="checkout"}[5m])`)
			if err != nil || (len(found) == 1) != about.team {
				t.Errorf("series with the script's tag: %v, %v", found, err)
			}
			if log := result.LogText(); !strings.Contains(log, "iter, vu in systemTags has no effect") {
				t.Errorf("expected a warning about metadata:\n%s", log)
			}
		})
	}
}
