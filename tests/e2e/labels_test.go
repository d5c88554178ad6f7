package e2e

// What describes a series comes back from the receiver: k6's tags as labels, and the type and unit of a metric.

import (
	"fmt"
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

func TestTagsComeBackAsLabels(t *testing.T) {
	t.Parallel()
	onEveryReceiver(t, func(t *testing.T, receiver *harness.Receiver) {
		load := loadFor(2*time.Second, startTarget(t), receiver.WriteURL())
		load.Args = []string{"--tag", "testid=abc"}
		result := run(t, load)
		expectSummaryIn(t, receiver, result)

		for _, series := range query(t, receiver, `last_over_time({__name__=~"k6_.+"}[5m])`) {
			if series.Labels["testid"] != "abc" {
				t.Errorf("%v has no testid", series.Labels)
			}
		}
		for _, series := range query(t, receiver, `last_over_time(k6_http_reqs_total[5m])`) {
			if series.Labels["scenario"] != "shop" {
				t.Errorf("%v is not of the scenario", series.Labels)
			}
		}
		for selector, requests := range map[string]float64{
			`group="::browse", method="GET", status="200"`: 3 * result.Summary["iterations"]["count"],
			`group="::buy", method="POST"`:                 result.Summary["iterations"]["count"],
			`group="::buy", status="500"`:                  result.Summary["http_req_failed"]["passes"],
		} {
			total := fmt.Sprintf("sum(last_over_time(k6_http_reqs_total{%s}[5m]))", selector)
			if answer := query(t, receiver, total)[0].Last().Value; answer != requests {
				t.Errorf("%s is %v, not %v", total, answer, requests)
			}
		}
	})
}

// Prometheus keeps nothing of the metadata that Remote Write 1.0 carries, so VictoriaMetrics has to say what came.
func TestTypesAndUnitsArriveAsMetadata(t *testing.T) {
	t.Parallel()
	receiver := startReceiver(t, harness.VictoriaMetrics)
	run(t, loadFor(time.Second, startTarget(t), receiver.WriteURL()))

	told, err := receiver.Metadata()
	if err != nil {
		t.Fatal(err)
	}
	for name, expected := range map[string]harness.Metadata{
		"k6_http_reqs_total":         {Type: "counter"},
		"k6_data_sent_total":         {Type: "counter", Unit: "bytes"},
		"k6_vus":                     {Type: "gauge"},
		"k6_checks_total":            {Type: "counter"},
		"k6_checks_rate":             {Type: "gauge"},
		"k6_http_req_duration_p95":   {Type: "gauge", Unit: "seconds"},
		"k6_http_req_duration_count": {Type: "counter"},
		"k6_http_req_duration_sum":   {Type: "counter", Unit: "seconds"},
		"k6_order_value_avg":         {Type: "gauge"},
	} {
		if len(told[name]) != 1 {
			t.Errorf("%s: expected one entry, got %v", name, told[name])
			continue
		}
		metadata := told[name][0]
		if metadata.Type != expected.Type || metadata.Unit != expected.Unit || metadata.Help == "" {
			t.Errorf("%s: got %+v, expected %+v and a help text", name, metadata, expected)
		}
	}
}
