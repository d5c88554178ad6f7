// Screenshot for the README: a run of examples/scenarios.js on a dashboard of VictoriaMetrics's UI, taken with a headless
// browser while k6 runs.
//
//	screenshot FILE
package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

const (
	script = "examples/scenarios.js"
	// The script has six steps.
	stepSeconds = 40
	testSeconds = 6 * stepSeconds
	// Part of the test that the picture does not show, since the test still runs.
	restSeconds = 10
	// Size of the first four panels of the first dashboard.
	windowSize = "1300,1690"
	// Time for the page's queries and drawing, in the browser's virtual time.
	pageBudget = 15 * time.Second
	// The browser sometimes ends before all panels are drawn.
	attempts = 5
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
	k6, err := harness.StartK6(harness.Run{
		Script: script,
		Out:    []string{"remote-write=" + receiver.WriteURL()},
		Env:    map[string]string{"TARGET_URL": target.URL(), "STEP": strconv.Itoa(stepSeconds)},
		Show:   true,
	})
	if err != nil {
		return err
	}
	time.Sleep((testSeconds - restSeconds) * time.Second)
	failure := shootComplete(browser, receiver.UI(began, time.Now()), file)
	result, err := k6.Wait()
	if err == nil && result.ExitCode != 0 {
		err = fmt.Errorf("k6 ended with exit code %d", result.ExitCode)
	}
	return cmp.Or(failure, err)
}

func findBrowser() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("chromium is not installed: on Debian, apt-get install chromium")
}

// shootComplete takes pictures until one has data in each panel.
func shootComplete(browser, page, file string) error {
	var empty int
	for range attempts {
		content, err := shoot(browser, page, file)
		if err != nil {
			return err
		}
		if empty = emptyPanels(content); empty == 0 {
			fmt.Println(file)
			return nil
		}
	}
	return fmt.Errorf("%d panels are empty after %d attempts", empty, attempts)
}

// emptyPanels returns the number of panels in a page's HTML that show an error, or no series in their legend.
func emptyPanels(page string) int {
	panels := strings.Split(page, `class="vm-predefined-panel"`)[1:]
	empty := 0
	for _, panel := range panels {
		if !strings.Contains(panel, "vm-legend-item") || strings.Contains(panel, "vm-alert") {
			empty++
		}
	}
	return max(empty, 1-len(panels))
}

// shoot takes a picture of a page, and returns its HTML.
func shoot(browser, page, file string) (string, error) {
	file, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	profile, err := os.MkdirTemp("", "k6-remote-write-browser-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(profile)
	command := exec.Command(browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
		"--user-data-dir="+profile, "--window-size="+windowSize, "--dump-dom", "--screenshot="+file,
		fmt.Sprintf("--virtual-time-budget=%d", pageBudget.Milliseconds()), page)
	command.Env = append(os.Environ(), "TZ=UTC") // time zone of the page's parameters
	var failures strings.Builder
	command.Stderr = &failures
	content, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", browser, err, failures.String())
	}
	return string(content), nil
}
