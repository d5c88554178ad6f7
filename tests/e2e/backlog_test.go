package e2e

// Receivers that are slower than the windows: queued points are merged into one request, and none are lost.

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// onSlowReceivers runs a test for each kind of receiver, since they handle several points of a series differently.
func onSlowReceivers(t *testing.T, test func(t *testing.T, receiver *harness.Receiver)) {
	for _, kind := range filesKinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			test(t, startReceiver(t, kind))
		})
	}
}

// slowLoad returns a load with windows of 100 ms, and a receiver that responds after 300 ms.
func slowLoad(t *testing.T, receiver *harness.Receiver, hook harness.Hook) (*harness.FakeReceiver, harness.Run) {
	t.Helper()
	proxy := startFake(t, harness.Fake{Upstream: receiver.WriteURL(), Delay: 300 * time.Millisecond, Hook: hook})
	load := loadFor(8*time.Second, startTarget(t), proxy.URL())
	load.Env["K6_PROMETHEUS_RW_PUSH_INTERVAL"] = "100ms"
	return proxy, load
}

func TestAReceiverThatIsSlowerThanTheWindowsReceivesEverything(t *testing.T) {
	t.Parallel()
	onSlowReceivers(t, func(t *testing.T, receiver *harness.Receiver) {
		proxy, load := slowLoad(t, receiver, harness.Always(harness.Slow))

		result := run(t, load)

		expectSummaryIn(t, receiver, result)
		expectAPointInEveryWindow(t, receiver, 100*time.Millisecond)
		expectAllSent(t, result)
		expectMerged(t, proxy, harness.Slow)
	})
}

// Each request is stored and sent again. Prometheus responds with 400 to the second one if it has several points of a series.
func TestAMergedRequestWhoseResponseIsLostCountsOnce(t *testing.T) {
	t.Parallel()
	onSlowReceivers(t, func(t *testing.T, receiver *harness.Receiver) {
		requests := 0
		proxy, load := slowLoad(t, receiver, func(*http.Request) harness.Fault {
			if requests++; requests%2 == 1 {
				return harness.LoseAnswer
			}
			return harness.Slow
		})

		result := run(t, load)

		expectSummaryIn(t, receiver, result)
		if !receiver.Kind.MakesRanges() { // VictoriaMetrics stores both copies of a point
			expectAPointInEveryWindow(t, receiver, 100*time.Millisecond)
		}
		expectAllSent(t, result)
		expectMerged(t, proxy, harness.LoseAnswer)
	})
}

// expectMerged expects that a request with several points of a series had this fault.
func expectMerged(t *testing.T, proxy *harness.FakeReceiver, fault harness.Fault) {
	t.Helper()
	if !slices.ContainsFunc(proxy.Requests(), func(request harness.Request) bool {
		points, err := request.MaxPointsOfSeries()
		if err != nil {
			t.Fatal(err)
		}
		return request.Fault == fault && points > 1
	}) {
		t.Errorf("no request of several windows had the fault %s", fault)
	}
}
