// Demo: a receiver, a shop, k6 with the remote-write output, a comparison of the receiver's numbers with k6's, and the trace of the
// slowest request.
//
//	RECEIVER=prometheus   uses Prometheus instead of VictoriaMetrics
//	KEEP=1                keeps the receiver running
//
// Exits with 0 if all numbers are equal, with 1 if one differs or something failed. Ctrl-C stops k6 gracefully and the numbers
// are compared nevertheless; a second Ctrl-C stops everything.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

func main() {
	if err := demonstrate(); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func demonstrate() error {
	interrupts := make(chan os.Signal, 2)
	signal.Notify(interrupts, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)

	kind := harness.VictoriaMetrics
	if wanted := os.Getenv("RECEIVER"); wanted != "" {
		kind = harness.Kind(wanted)
	}
	keep := os.Getenv("KEEP") == "1"

	receiver, err := harness.StartReceiver(kind, keep)
	if err != nil {
		return err
	}
	if keep {
		began := time.Now()
		defer func() {
			fmt.Printf("\n%s keeps running, and shows the run at\n%s\nstop it with: kill %d && rm -r %s\n",
				kind, receiver.UI(began, time.Now()), receiver.PID(), receiver.Dir)
		}()
	} else {
		defer receiver.Stop()
	}
	target := harness.StartTarget()
	defer target.Close()
	fmt.Printf("%s listens at %s, the shop at %s\n", kind, receiver.URL, target.URL())

	result, err := load(harness.Run{
		Script: "examples/http.js",
		Out:    []string{"remote-write=" + receiver.WriteURL()},
		Env:    map[string]string{"TARGET_URL": target.URL()},
		Show:   true,
	}, interrupts)
	if err != nil {
		return err
	}
	if result.Summary == nil {
		return fmt.Errorf("k6 ended with exit code %d and without a summary", result.ExitCode)
	}
	rows, err := harness.Compare(result.Summary.Measured(), harness.Totals, receiver)
	if err != nil {
		return err
	}
	printTable(os.Stdout, kind, rows)
	if unequal := harness.Unequal(rows); len(unequal) > 0 {
		return fmt.Errorf("%d of %d numbers differ", len(unequal), len(rows))
	}
	if result.ExitCode != 0 {
		return fmt.Errorf("the numbers are equal, but k6 ended with exit code %d", result.ExitCode)
	}
	return traceSlowest(target, receiver, interrupts)
}

// load runs k6 and forwards interrupts to it; the second interrupt stops it immediately.
func load(run harness.Run, interrupts <-chan os.Signal) (*harness.Result, error) {
	k6, err := harness.StartK6(run)
	if err != nil {
		return nil, err
	}
	interrupted := make(chan struct{})
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-interrupts:
			k6.Interrupt()
		case <-ended:
			return
		}
		select {
		case <-interrupts:
			close(interrupted)
			k6.Stop()
		case <-ended:
		}
	}()
	result, err := k6.Wait()
	select {
	case <-interrupted:
		return nil, fmt.Errorf("interrupted")
	default:
		return result, err
	}
}
