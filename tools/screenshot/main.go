// Screenshot for the README: a run of examples/scenarios.js in VictoriaMetrics's UI, taken with a headless browser.
//
//	screenshot FILE
package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

const (
	script = "examples/scenarios.js"
	query  = "sum by (scenario) (rate(k6_http_reqs_total[10s]))"
	// Size of the graph and its legend.
	windowSize = "1200,1000"
	// Time for the page's queries and drawing, in the browser's virtual time.
	pageBudget = 15 * time.Second
)

func main() {
	if err := takePicture(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "screenshot:", err)
		os.Exit(1)
	}
}

func takePicture(file string) error {
	browser, err := findBrowser()
	if err != nil {
		return err
	}
	receiver, err := harness.StartReceiver(harness.VictoriaMetrics, false)
	if err != nil {
		return err
	}
	defer receiver.Stop()
	target := harness.StartTarget()
	defer target.Close()

	began := time.Now()
	result, err := harness.RunK6(harness.Run{
		Script: script,
		Out:    []string{"remote-write=" + receiver.WriteURL()},
		Env:    map[string]string{"TARGET_URL": target.URL()},
		Show:   true,
	})
	if err != nil {
		return err
	}
	if result.ExitCode != 0 {
		return fmt.Errorf("k6 ended with exit code %d", result.ExitCode)
	}
	// The first query makes all written points searchable.
	if _, there, err := receiver.Number("sum(last_over_time(k6_http_reqs_total[5m]))"); err != nil || !there {
		return fmt.Errorf("the receiver has no points: %w", err)
	}
	return shoot(browser, graph(receiver, began, time.Now()), file)
}

func findBrowser() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("chromium is not installed: on Debian, apt-get install chromium")
}

// graph returns the URL of the page with the query's graph over a time range.
func graph(receiver *harness.Receiver, from, to time.Time) string {
	return receiver.UI() + "/#/?" + url.Values{
		"g0.expr":          {query},
		"g0.range_input":   {to.Sub(from).Round(time.Second).String()},
		"g0.end_input":     {to.UTC().Format("2006-01-02T15:04:05")},
		"g0.relative_time": {"none"},
		"g0.step_input":    {"1s"},
	}.Encode()
}

func shoot(browser, page, file string) error {
	file, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	profile, err := os.MkdirTemp("", "k6-remote-write-browser-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(profile)
	command := exec.Command(browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
		"--user-data-dir="+profile, "--window-size="+windowSize, "--screenshot="+file,
		fmt.Sprintf("--virtual-time-budget=%d", pageBudget.Milliseconds()), page)
	command.Env = append(os.Environ(), "TZ=UTC") // time zone of the page's parameters
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", browser, err, output)
	}
	fmt.Println(file)
	return nil
}
