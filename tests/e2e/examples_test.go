package e2e

// Runs every file in examples/ with the command in its first lines, and checks the results.

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// example is a script, and the expected series after its run.
type example struct {
	file   string
	env    map[string]string  // makes the run short
	listed bool               // sends only the metrics that it lists
	totals map[string]float64 // values of queries
	many   []string           // queries with a value above 0
	none   []string           // queries without results
}

var examples = []example{
	{
		file:   "apm.js",
		env:    map[string]string{"DURATION": "3s"},
		listed: true,
		many: []string{
			`sum(last_over_time(k6_my_rate_total{condition="nonzero"}[5m]))`,
			`last_over_time(k6_my_gauge{test_run_id!=""}[5m])`,
			`sum(last_over_time(k6_http_reqs_total{test_run_id!=""}[5m]))`,
			`last_over_time(orders_by_status{status="201"}[5m])`,
		},
		none: []string{`last_over_time(k6_unlisted_total[5m])`, `last_over_time(k6_http_reqs_total{status!=""}[5m])`},
	},
	{
		file: "http.js",
		env:  map[string]string{"DURATION": "3s"},
		many: []string{
			`sum(last_over_time(k6_http_reqs_total{group="::buy",status="201"}[5m]))`,
			`sum(last_over_time(k6_orders_accepted_total{condition="zero"}[5m]))`,
		},
	},
	{
		file: "metrics.js",
		totals: map[string]float64{
			`sum(last_over_time(k6_drinks_sold_total[5m]))`:                              199,
			`sum(last_over_time(k6_drinks_sold_total{drink="tea"}[5m]))`:                 99,
			`min(min_over_time(k6_drinks_left_lowest[5m]))`:                              901,
			`max(max_over_time(k6_drinks_left_highest[5m]))`:                             1000,
			`sum(last_over_time(k6_paid_by_card_total{condition="nonzero"}[5m]))`:        75,
			`sum(last_over_time(k6_price_count[5m]))`:                                    100,
			`sum(last_over_time(k6_price_sum[5m]))`:                                      298.5,
			`max(max_over_time(k6_waiting_time_max[5m]))`:                                1.685,
			`count(count by (__name__) (last_over_time({__name__=~"k6_price_.+"}[5m])))`: 9,
		},
	},
	{
		file: "scenarios.js",
		env:  map[string]string{"STEP": "1"},
		totals: map[string]float64{
			`count(count by (scenario) (last_over_time(k6_iterations_total[5m])))`: 3,
		},
		many: []string{
			`sum(last_over_time(k6_http_reqs_total{scenario="browse"}[5m]))`,
			`sum(last_over_time(k6_http_reqs_total{scenario="buy",team="checkout"}[5m]))`,
			`sum(last_over_time(k6_http_reqs_total{scenario="sale"}[5m]))`,
		},
	},
	{
		file: "tags.js",
		env:  map[string]string{"DURATION": "3s"},
		totals: map[string]float64{
			`count(last_over_time(k6_http_reqs_total{name=~".*/search.*"}[5m]))`: 1,
			`count(last_over_time(k6_http_reqs_total{team="shop"}[5m]))`:         1,
		},
		many: []string{`sum(last_over_time(k6_http_reqs_total{testid="tags",team="shop"}[5m]))`},
		none: []string{`last_over_time({session!=""}[5m])`, `last_over_time({order!=""}[5m])`},
	},
	{
		file: "traces.js",
		env:  map[string]string{"DURATION": "3s"},
		many: []string{
			`sum(last_over_time(k6_http_reqs_total{name=~".*/reports"}[5m]))`,
			`sum(last_over_time(k6_checks_total{check="order is accepted",condition="zero"}[5m]))`,
		},
		none: []string{`last_over_time({trace_id!=""}[5m])`},
	},
}

// elsewhere has the directories that other tests run.
var elsewhere = map[string]string{"c": "docs_test.go"}

func TestExamplesSendTheExpectedSeries(t *testing.T) {
	t.Parallel()
	for _, example := range examples {
		t.Run(example.file, func(t *testing.T) {
			t.Parallel()
			for _, kind := range harness.Kinds {
				t.Run(string(kind), func(t *testing.T) {
					t.Parallel()
					example.expectIn(t, startReceiver(t, kind))
				})
			}
		})
	}
}

func (e example) expectIn(t *testing.T, receiver *harness.Receiver) {
	load := e.load(t, receiver)
	load.Env["TARGET_URL"] = startTarget(t).URL()
	maps.Copy(load.Env, e.env)
	result := run(t, load)

	if !e.listed {
		expectEqual(t, receiver, result.Summary.Measured(), harness.Totals)
	}
	for promql, expected := range e.totals {
		if found := query(t, receiver, promql); len(found) != 1 || found[0].Last().Value != expected {
			t.Errorf("%s is %v, not %v", promql, found, expected)
		}
	}
	for _, promql := range e.many {
		if found := query(t, receiver, promql); found[0].Last().Value <= 0 {
			t.Errorf("%s is %v", promql, found)
		}
	}
	for _, promql := range e.none {
		if found, err := receiver.Query(promql); err != nil || len(found) > 0 {
			t.Errorf("%s returns %v, %v", promql, found, err)
		}
	}
}

// load returns the run of the command in the example's first lines, with the receiver instead of the one on localhost.
func (e example) load(t *testing.T, receiver *harness.Receiver) harness.Run {
	t.Helper()
	path := filepath.Join("examples", e.file)
	load := harness.Run{Script: path, Env: map[string]string{"REMOTE_WRITE_URL": receiver.WriteURL()}}
	for line := range strings.Lines(read(t, path)) {
		comment, is := strings.CutPrefix(line, "//")
		if !is {
			break
		}
		before, after, is := strings.Cut(comment, "k6 run ")
		if !is {
			continue
		}
		for _, variable := range strings.Fields(before) {
			name, value, _ := strings.Cut(variable, "=")
			load.Env[name] = value
		}
		load.Args = strings.Fields(strings.ReplaceAll(after, localReceiver, receiver.URL))
	}
	last := len(load.Args) - 1
	if last < 0 || load.Args[last] != path {
		t.Fatalf("%s does not start with a comment with the command that runs it: %v", path, load.Args)
	}
	load.Args = load.Args[:last]
	return load
}

// localReceiver is the receiver's URL in the documentation.
const localReceiver = "http://localhost:9090"

func TestEveryExampleIsRun(t *testing.T) {
	t.Parallel()
	for _, entry := range entriesOf(t, "examples") {
		_, known := elsewhere[entry]
		if !known && !slices.ContainsFunc(examples, func(e example) bool { return e.file == entry }) {
			t.Errorf("examples/%s is not tested: add it to the table", entry)
		}
	}
}

func entriesOf(t *testing.T, directory string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(root(t), directory))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}
