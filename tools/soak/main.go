//go:build linux

// Soak test: k6 under a steady load of any duration, while the receiver fails periodically,
// with each fault of the fake receiver. Prints k6's memory, and exits with 0 if it did not grow and the receiver has
// all requests that the target served.
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

// while is the duration of each fault, and of the time without a fault before it.
const while = 5 * time.Second

var troubles = []harness.Fault{harness.Unavailable, harness.Hang, harness.Refuse, harness.LoseAnswer}

func main() {
	duration := flag.Duration("duration", 20*time.Minute, "duration of the test")
	flag.Parse()
	if err := soak(*duration); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func soak(duration time.Duration) error {
	if duration < 8*while {
		return fmt.Errorf("-duration must be at least %s, so that every fault occurs", 8*while)
	}
	receiver, err := harness.StartReceiver(harness.VictoriaMetrics, false)
	if err != nil {
		return err
	}
	defer receiver.Stop()
	proxy := harness.StartFakeReceiver(harness.Fake{Upstream: receiver.WriteURL()})
	defer proxy.Close()
	target := harness.StartTarget()
	defer target.Close()
	k6, err := harness.StartK6(harness.Run{
		Script:  "tools/soak/load.js",
		Out:     []string{"remote-write=" + proxy.URL()},
		Args:    []string{"--summary-mode", "disabled", "--no-thresholds"}, // k6 would keep every value for a summary or thresholds
		Env:     map[string]string{"TARGET_URL": target.URL(), "DURATION": duration.String()},
		Options: map[string]any{"pushInterval": "1s", "timeout": "1s"},
	})
	if err != nil {
		return err
	}
	defer k6.Stop()
	memory := trouble(k6, proxy, target)
	result, err := k6.Wait()
	if err != nil {
		return err
	}
	return judge(result, memory, proxy, receiver, target)
}

// trouble applies the faults in turn until k6 ends, and returns k6's memory after each, in MiB.
func trouble(k6 *harness.K6, proxy *harness.FakeReceiver, target *harness.Target) []int {
	var memory []int
	for i := 0; ; i++ {
		fault := troubles[i%len(troubles)]
		for _, current := range []harness.Fault{harness.Pass, fault} {
			proxy.Set(current)
			if harness.Await("k6's end", while, k6.Ended) == nil {
				proxy.Set(harness.Pass)
				return memory
			}
		}
		if now := resident(k6.PID()); now > 0 {
			memory = append(memory, now)
			fmt.Printf("%-12s %8d requests served, k6 has %d MiB\n", fault, target.Requests(), now)
		}
	}
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

func judge(result *harness.Result, memory []int, proxy *harness.FakeReceiver, receiver *harness.Receiver, target *harness.Target) error {
	fmt.Println(result.LogText())
	if result.ExitCode != 0 {
		return fmt.Errorf("k6 ended with exit code %d", result.ExitCode)
	}
	for _, fault := range troubles {
		fmt.Printf("%d requests with fault: %s\n", proxy.Count(fault), fault)
		if proxy.Count(fault) == 0 {
			return fmt.Errorf("no request with fault: %s", fault)
		}
	}
	served := float64(target.Requests())
	for _, query := range []string{
		"sum(last_over_time(k6_http_reqs_total[1h]))",
		"sum(last_over_time(k6_soak_served_count[1h]))",
	} {
		total, there, err := receiver.Number(query)
		if err != nil {
			return err
		}
		fmt.Printf("%.0f requests served, %.0f at the receiver: %s\n", served, total, query)
		if !there || total != served {
			return fmt.Errorf("the totals differ")
		}
	}
	// After a quarter of the run, memory should no longer grow.
	settled, last := memory[len(memory)/4], memory[len(memory)-1]
	fmt.Printf("k6's memory after a quarter of the run: %d MiB, at its end: %d MiB\n", settled, last)
	if last > settled+settled/4 {
		return fmt.Errorf("memory grows")
	}
	return nil
}
