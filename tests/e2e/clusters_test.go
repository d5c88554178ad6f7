package e2e

// Receivers of several instances, of which one is killed and comes back while four runners send a quarter of a test each.

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

func TestAnInstanceOfAClusterThatIsKilledCostsNothing(t *testing.T) {
	t.Parallel()
	clusters := []struct {
		kind        harness.Kind
		replication int
	}{
		{harness.Mimir, 3},
		{harness.Mimir, 1}, // while an instance is away, its series cannot be stored
		{harness.Thanos, 3},
		{harness.Thanos, 1},
	}
	if !allReceivers() {
		clusters = clusters[:1]
	}
	for _, of := range clusters {
		t.Run(fmt.Sprintf("%s, replication %d", of.kind, of.replication), func(t *testing.T) {
			t.Parallel()
			cluster := startCluster(t, of.kind, 3, of.replication)
			target := startTarget(t)
			runners := startRunners(t, target, cluster.Instances)
			awaitPoints(t, cluster.Reader())
			killed := cluster.Instances[2]
			killed.Kill()
			awaitLoad(t, target, 10*time.Second)
			if err := cluster.Restart(killed); err != nil {
				t.Fatal(err)
			}

			expectEqual(t, cluster.Reader(), finishRunners(t, runners), harness.Totals)
			logLoad(t, cluster.Reader())
		})
	}
}

// vmagent confirms what it has not stored yet, so it loses the last second when it is killed. Totals are right after the next
// window, and so are minimum and maximum with `trendWindow: run`.
func TestVMAgentAndItsStoreThatAreKilledCostNoTotals(t *testing.T) {
	t.Parallel()
	if !allReceivers() {
		t.Skip("only with RECEIVERS=all")
	}
	agent, target := startReceiver(t, harness.VMAgent), startTarget(t)
	runners := startRunners(t, target, []*harness.Receiver{agent}, "K6_PROMETHEUS_RW_TREND_WINDOW=run")
	awaitLoad(t, target, 2*time.Second)
	for _, killed := range []*harness.Receiver{agent.Store(), agent} {
		killed.Kill()
		awaitLoad(t, target, 4*time.Second)
		if err := killed.Restart(); err != nil {
			t.Fatal(err)
		}
	}

	expectEqual(t, agent, finishRunners(t, runners), totalsOfTheRun)
	logLoad(t, agent)
}

func TestThanosMergesCopies(t *testing.T) {
	t.Parallel()
	if !allReceivers() {
		t.Skip("only with RECEIVERS=all")
	}
	copies, target := startCluster(t, harness.Thanos, 2, 0), startTarget(t)
	load := loadFor(20*time.Second, target, copies.Instances[0].WriteURL())
	load.Out = append(load.Out, "remote-write="+copies.Instances[1].WriteURL())
	load.Env["K6_PROMETHEUS_RW_PUSH_INTERVAL"] = "1s"
	k6 := start(t, load)
	awaitPoints(t, copies.Reader())
	killed := copies.Instances[1]
	killed.Kill()
	awaitLoad(t, target, 6*time.Second)
	if err := copies.Restart(killed); err != nil {
		t.Fatal(err)
	}

	expectSummaryIn(t, copies.Reader(), finish(t, k6, 0))
}

func startCluster(t *testing.T, kind harness.Kind, instances, replication int, flags ...string) *harness.Cluster {
	t.Helper()
	cluster, err := harness.StartCluster(kind, instances, replication, flags...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Stop)
	return cluster
}

// runnersRate is the number of requests per second that all runners make: each iteration of the shop makes four.
const (
	runnersRate     = 4 * 20
	runnersDuration = 20 * time.Second
)

// startRunners starts four parts of one test, which write to these receivers in turn.
func startRunners(t *testing.T, target *harness.Target, receivers []*harness.Receiver, variables ...string) []*harness.K6 {
	t.Helper()
	runners := make([]*harness.K6, 4)
	for i := range runners {
		load := loadFor(runnersDuration, target, receivers[i%len(receivers)].WriteURL())
		load.Env["K6_PROMETHEUS_RW_PUSH_INTERVAL"] = "1s"
		for _, variable := range variables {
			name, value, _ := strings.Cut(variable, "=")
			load.Env[name] = value
		}
		load.Args = []string{
			"--execution-segment", fmt.Sprintf("%d/4:%d/4", i, i+1), "--execution-segment-sequence", "0,1/4,2/4,3/4,1",
			"--no-thresholds", // of so few requests a runner may fail them
		}
		runners[i] = start(t, load)
	}
	return runners
}

// finishRunners waits for all runners, expects that each has sent all points, and returns what they have measured together.
func finishRunners(t *testing.T, runners []*harness.K6) []harness.Measured {
	t.Helper()
	var measured [][]harness.Measured
	for _, runner := range runners {
		result := finish(t, runner, 0)
		expectAllSent(t, result)
		measured = append(measured, result.Summary.Measured())
	}
	return harness.Together(measured...)
}

// awaitLoad waits until the target got the requests that all runners make in a time.
func awaitLoad(t *testing.T, target *harness.Target, span time.Duration) {
	t.Helper()
	requests := target.Requests() + int(span.Seconds()*runnersRate)
	await(t, "load for "+span.String(), func() bool { return target.Requests() >= requests })
}

// logLoad logs what all runners have sent, for docs/operator.md: by the queries of that page.
func logLoad(t *testing.T, receiver *harness.Receiver) {
	t.Helper()
	for _, of := range []struct {
		what, promql string
		seconds      float64
	}{
		{"series", "sum(last_over_time(k6_remote_write_active_series[5m]))", 1},
		{"samples per second", "sum(last_over_time(k6_remote_write_samples_sent_total[5m]))", runnersDuration.Seconds()},
		{"requests per second", "sum(last_over_time(k6_remote_write_sent_batch_duration_count[5m]))", runnersDuration.Seconds()},
		{"bytes per second", "sum(last_over_time(k6_remote_write_bytes_sent_total[5m]))", runnersDuration.Seconds()},
		{"bytes in the largest queue", "max(last_over_time(k6_remote_write_queue_bytes_max[5m]))", 1},
	} {
		t.Logf("%.1f %s", query(t, receiver, of.promql)[0].Last().Value/of.seconds, of.what)
	}
}
