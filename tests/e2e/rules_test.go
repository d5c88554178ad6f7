package e2e

// Recording and alerting rules of deploy/rules/: their tests in promtool, and their evaluation by Prometheus during real runs.

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// ruleFiles returns the paths of deploy/rules/*.yml from the root, and of their tests.
func ruleFiles(t *testing.T) (rules, tests []string) {
	t.Helper()
	files, err := fs.Glob(os.DirFS(root(t)), "deploy/rules/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.yml") {
			tests = append(tests, file)
		} else {
			rules = append(rules, file)
		}
	}
	if len(rules) != 2 || len(tests) != len(rules) {
		t.Fatalf("found rules %v with tests %v", rules, tests)
	}
	return rules, tests
}

func promtool(t *testing.T, arguments ...string) {
	t.Helper()
	program, err := harness.Binary("promtool")
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(program, arguments...)
	command.Dir = root(t)
	if printed, err := command.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", command, err, printed)
	}
}

func TestRulesPassTheirTests(t *testing.T) {
	t.Parallel()
	rules, tests := ruleFiles(t)
	promtool(t, append([]string{"check", "rules", "--lint=all", "--lint-fatal"}, rules...)...)
	promtool(t, append([]string{"test", "rules"}, tests...)...)
}

var (
	ruleName = regexp.MustCompile(`- (?:record|alert): (\S+)`)
	silent   = `alertname: %s, eval_time: \S+, exp_alerts: \[\]`
	firing   = `alertname: %s\n\s+eval_time: \S+\n\s+exp_alerts:\n\s+- exp_labels`
)

// A test with only one outcome does not find errors in the other.
func TestEveryAlertIsTestedFiringAndNotFiring(t *testing.T) {
	t.Parallel()
	rules, tests := ruleFiles(t)
	for i := range rules {
		names, test := read(t, rules[i]), read(t, tests[i])
		for _, rule := range ruleName.FindAllStringSubmatch(names, -1) {
			if strings.Contains(names, "- record: "+rule[1]) {
				if !strings.Contains(test, "expr: "+rule[1]) {
					t.Errorf("%s has no test", rule[1])
				}
				continue
			}
			for _, outcome := range []string{silent, firing} {
				if !regexp.MustCompile(strings.ReplaceAll(outcome, "%s", rule[1])).MatchString(test) {
					t.Errorf("%s has no test that matches %s", rule[1], outcome)
				}
			}
		}
	}
}

func TestTheDocsListEveryDashboardAndRule(t *testing.T) {
	t.Parallel()
	page := read(t, "docs/dashboards.md")
	dashboards, err := harness.ReadDashboards(filepath.Join(root(t), "deploy/dashboards"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dashboard := range dashboards {
		if !strings.Contains(page, "(../deploy/dashboards/"+dashboard.File+")") {
			t.Errorf("%s is not in the docs", dashboard.File)
		}
	}
	rules, _ := ruleFiles(t)
	for _, file := range rules {
		for _, rule := range ruleName.FindAllStringSubmatch(read(t, file), -1) {
			if !strings.Contains(page, "`"+rule[1]+"`") {
				t.Errorf("%s is not in the docs", rule[1])
			}
		}
	}
}

// One run is killed, and another ends with a crossed threshold.
func TestRulesEvaluateRealRuns(t *testing.T) {
	t.Parallel()
	rules, _ := ruleFiles(t)
	for i, file := range rules {
		rules[i] = filepath.Join(root(t), file)
	}
	prometheus, err := harness.StartWithRules(rules...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(prometheus.Stop)
	load := loadFor(40*time.Second, startTarget(t), prometheus.WriteURL())
	load.Script = "tests/e2e/scripts/crossed_threshold.js"
	load.Env["K6_PROMETHEUS_RW_TREND_AS"] = "gauges,native"
	tagged := func(testid string) harness.Run {
		run := load
		run.Args = []string{"--tag", "testid=" + testid}
		return run
	}
	killed, ends := start(t, tagged("killed")), start(t, tagged("ends"))

	recorded := func(rule harness.Rule) bool {
		series, err := prometheus.Query("last_over_time(" + rule.Name + `{testid="ends"}[5m])`)
		return err == nil && len(series) == 1
	}
	for _, rule := range rulesOf(t, prometheus) {
		if rule.Type == "recording" {
			awaitLong(t, rule.Name+" to be recorded", func() bool { return recorded(rule) })
		}
	}
	killed.Kill()
	finish(t, ends, thresholdsHaveFailed)

	awaitLong(t, "the alert of a threshold", func() bool { return firesFor(t, prometheus, "K6ThresholdCrossed", "ends") })
	awaitLong(t, "the alert of silence", func() bool { return firesFor(t, prometheus, "K6RunSilent", "killed") })
	if firesFor(t, prometheus, "K6RunSilent", "ends") || firesFor(t, prometheus, "K6ThresholdCrossed", "killed") {
		t.Error("alerts fire for the wrong run")
	}
	for _, rule := range rulesOf(t, prometheus) {
		if rule.Health != "ok" || rule.LastError != "" {
			t.Errorf("%s is %s: %s", rule.Name, rule.Health, rule.LastError)
		}
	}
}

// awaitLong waits for results of rules, which are evaluated four times a minute and may look back a minute.
func awaitLong(t *testing.T, what string, condition func() bool) {
	t.Helper()
	if err := harness.Await(what, 2*time.Minute, condition); err != nil {
		t.Fatal(err)
	}
}

func rulesOf(t *testing.T, prometheus *harness.Receiver) []harness.Rule {
	t.Helper()
	rules, err := prometheus.Rules()
	if err != nil || len(rules) < 10 {
		t.Fatalf("%v: %v", rules, err)
	}
	return rules
}

func firesFor(t *testing.T, prometheus *harness.Receiver, name, testid string) bool {
	t.Helper()
	for _, rule := range rulesOf(t, prometheus) {
		for _, alert := range rule.Alerts {
			if rule.Name == name && alert.State == "firing" && alert.Labels["testid"] == testid {
				return true
			}
		}
	}
	return false
}
