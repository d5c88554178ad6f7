//go:build linux

// Soak test: k6 under a steady load of any duration, while the receiver and the network fail periodically with every known
// fault. Prints k6's memory during the run, and exits with 0 if it did not grow and the receiver has every
// request that the target served.
package main

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// while is the duration of each fault, and of the time before it. The output retries a rejected series
// after ten seconds, when the fault has ended.
const while = 8 * time.Second

// calm is the time without faults at the end of the run, in which queued points are sent.
const calm = time.Minute

const window = 200 * time.Millisecond

// marked is the series that is rejected during some faults.
const marked = "k6_soak_marked_total"

// restart is the only fault that is not the proxy's: the receiver is shut down, and restarted later.
const restart harness.Fault = "restart"

var troubles = []harness.Fault{
	harness.Unavailable, harness.Throttle, harness.FailMarked, harness.TooLarge, harness.Hang, harness.LoseAnswer,
	harness.Reset, harness.Refuse, harness.Slow, harness.RejectMarked, harness.WebPage, restart,
}

func main() {
	duration := flag.Duration("duration", 20*time.Minute, "duration of the test")
	kind := flag.String("receiver", string(harness.VictoriaMetrics), "prometheus, victoria-metrics or mimir")
	flag.Parse()
	if err := soak(harness.Kind(*kind), *duration); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

// stage has all processes and servers of the test.
type stage struct {
	receiver *harness.Receiver
	proxy    *harness.FakeReceiver // in front of the receiver
	target   *harness.Target
	k6       *harness.K6
}

func soak(kind harness.Kind, duration time.Duration) error {
	if least := time.Duration(len(troubles))*2*while + calm; duration < least {
		return fmt.Errorf("-duration must be at least %s, so that every fault occurs", least)
	}
	receiver, err := harness.StartReceiver(kind, false)
	if err != nil {
		return err
	}
	defer receiver.Stop()
	proxy := harness.StartFakeReceiver(harness.Fake{
		Upstream: receiver.WriteURL(), Delay: 300 * time.Millisecond, MaxPoints: 40, Marked: marked,
	})
	defer proxy.Close()
	target := harness.StartTarget()
	defer target.Close()
	k6, err := harness.StartK6(harness.Run{
		Script:  "tools/soak/load.js",
		Out:     []string{"remote-write=" + proxy.URL()},
		Args:    []string{"--summary-mode", "disabled", "--no-thresholds"}, // k6 would keep every value for a summary or thresholds
		Env:     map[string]string{"TARGET_URL": target.URL(), "DURATION": duration.String()},
		Options: map[string]any{"pushInterval": window.String(), "timeout": "1s"},
	})
	if err != nil {
		return err
	}
	defer k6.Stop()
	stage := stage{receiver, proxy, target, k6}
	memory, err := stage.trouble(time.Now().Add(duration - calm))
	if err != nil {
		return err
	}
	result, err := k6.Wait()
	if err != nil {
		return err
	}
	return stage.judge(result, memory, duration)
}

// trouble applies the faults in turn until a time, and returns k6's memory after each, in MiB.
func (s stage) trouble(until time.Time) ([]int, error) {
	var memory []int
	for i := 0; time.Now().Add(2 * while).Before(until); i++ {
		fault := troubles[i%len(troubles)]
		time.Sleep(while)
		if err := s.meet(fault); err != nil {
			return nil, err
		}
		if s.k6.Ended() {
			return memory, nil // the result contains the reason
		}
		now := resident(s.k6.PID())
		memory = append(memory, now)
		fmt.Printf("%-13s %8d requests served, k6 has %d MiB\n", fault, s.target.Requests(), now)
	}
	return memory, nil
}

// meet applies a fault for its duration.
func (s stage) meet(fault harness.Fault) error {
	if fault == restart {
		s.receiver.ShutDown()
		time.Sleep(while)
		return s.receiver.Restart()
	}
	s.proxy.FailFor(fault, while)
	return nil
}

// resident returns a process's memory in MiB; 0 if it has ended.
func resident(pid int) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kibibytes, err := strconv.Atoi(strings.Fields(rest + " 0")[0])
	if err != nil {
		return 0
	}
	return kibibytes / 1024
}

func (s stage) judge(result *harness.Result, memory []int, duration time.Duration) error {
	fmt.Println(result.LogText())
	if result.ExitCode != 0 {
		return fmt.Errorf("k6 ended with exit code %d", result.ExitCode)
	}
	for _, fault := range troubles {
		if fault == restart {
			continue
		}
		fmt.Printf("%d requests met: %s\n", s.proxy.Count(fault), fault)
		if s.proxy.Count(fault) == 0 {
			return fmt.Errorf("no request met: %s", fault)
		}
	}
	if err := s.judgeTotals(); err != nil {
		return err
	}
	if err := judgeOutcomes(result.Log, duration); err != nil {
		return err
	}
	// After a quarter of the run, memory should no longer grow.
	settled, last := memory[len(memory)/4], memory[len(memory)-1]
	fmt.Printf("k6's memory after a quarter of the run: %d MiB, at its end: %d MiB\n", settled, last)
	if last > settled+settled/4 {
		return fmt.Errorf("memory grows")
	}
	return nil
}

// judgeTotals expects that the receiver has every request that the target served.
func (s stage) judgeTotals() error {
	served := float64(s.target.Requests())
	for _, name := range []string{"k6_http_reqs_total", "k6_soak_served_count", marked} {
		query := fmt.Sprintf("sum(last_over_time(%s[1h]))", name)
		total, there, err := s.receiver.Number(query)
		if err != nil {
			return err
		}
		fmt.Printf("%.0f requests served, %.0f at the receiver: %s\n", served, total, query)
		if !there || total != served {
			return fmt.Errorf("the totals differ")
		}
	}
	return nil
}

// judgeOutcomes expects, in the output's log, that only points of the marked series were lost.
func judgeOutcomes(log []harness.LogLine, duration time.Duration) error {
	for _, line := range log {
		if series, rejected := line.Fields["series"].(string); rejected && !strings.HasPrefix(series, marked) {
			return fmt.Errorf("a series other than the bad one was dropped: %s", series)
		}
	}
	last := log[len(log)-1]
	for _, outcome := range []string{"points_dropped", "points_in_unsent_file", "points_lost"} {
		if points, some := last.Fields[outcome]; some {
			return fmt.Errorf("%s is %v", outcome, points)
		}
	}
	windows := float64(duration / window)
	if failed, _ := last.Fields["points_failed"].(float64); failed > windows {
		return fmt.Errorf("%.0f points of one bad series failed in %.0f windows", failed, windows)
	}
	return nil
}
