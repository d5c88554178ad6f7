package e2e

// The unsent file: what a run could not send, sent afterwards by `k6 x remote-write send`, or imported by promtool.

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// unsentRun runs the script with every kind of metric without a receiver, and returns what k6 measured, and the file.
func unsentRun(t *testing.T, options map[string]any) ([]harness.Measured, string) {
	t.Helper()
	directory, summary := t.TempDir(), filepath.Join(t.TempDir(), "summary.json")
	load := withoutReceiver(t, startTarget(t), everyKind, map[string]any{"flushTimeout": "0s", "unsentDirectory": directory})
	maps.Copy(load.Options, options)
	load.Env["SUMMARY"], load.Env["DURATION"] = summary, "4s"
	result := run(t, load)
	measured, err := harness.ReadMeasured(summary)
	if err != nil {
		t.Fatal(err)
	}
	last := result.Log[len(result.Log)-1]
	if last.Fields["points"] != last.Fields["points_in_unsent_file"] {
		t.Errorf("not all points are in the file:\n%s", result.LogText())
	}
	return measured, unsentFile(t, result, directory)
}

// remoteWrite returns the command `k6 x remote-write` with these arguments and without options of the developer.
func remoteWrite(t *testing.T, arguments ...string) *exec.Cmd {
	t.Helper()
	binary, err := harness.Binary("k6")
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(binary, append([]string{"x", "remote-write"}, arguments...)...)
	command.Env = []string{"HOME=" + t.TempDir(), "K6_NO_USAGE_REPORT=true", "K6_AUTO_EXTENSION_RESOLUTION=false"}
	return command
}

// send sends a file, and expects that it is renamed.
func send(t *testing.T, receiver *harness.Receiver, file string, flags ...string) string {
	t.Helper()
	output, err := sendCommand(t, receiver, append(flags, file)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, output)
	}
	sent := strings.TrimSuffix(file, ".unsent") + ".sent"
	if files := filesIn(t, filepath.Dir(file)); len(files) != 1 || files[0] != sent {
		t.Errorf("expected %s, got %v:\n%s", sent, files, output)
	}
	return string(output)
}

func sendCommand(t *testing.T, receiver *harness.Receiver, arguments ...string) *exec.Cmd {
	t.Helper()
	command := remoteWrite(t, append([]string{"send"}, arguments...)...)
	command.Env = append(command.Env, "K6_PROMETHEUS_RW_SERVER_URL="+receiver.WriteURL())
	return command
}

func filesIn(t *testing.T, directory string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(directory, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// filesKinds returns the receivers that differ in what they accept of a point that comes again, or after newer ones.
func filesKinds() []harness.Kind {
	all := []harness.Kind{harness.Prometheus, harness.PrometheusOf1, harness.VictoriaMetrics}
	if !anotherK6() {
		all = append(all, harness.Mimir, harness.Thanos)
	}
	if allReceivers() {
		all = append(all, harness.VMAgent, harness.Cortex)
	}
	return all
}

// onReceiversOfFiles runs a test with each receiver to which files are sent.
func onReceiversOfFiles(t *testing.T, test func(t *testing.T, receiver *harness.Receiver)) {
	for _, kind := range filesKinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			test(t, startReceiver(t, kind))
		})
	}
}

func TestSendDeliversEveryNumberOfTheSummary(t *testing.T) {
	t.Parallel()
	onReceiversOfFiles(t, func(t *testing.T, receiver *harness.Receiver) {
		measured, file := unsentRun(t, nil)
		send(t, receiver, file)
		expectEqual(t, receiver, measured, harness.Totals)
	})
}

func TestSendDeliversHistogramsAndEndsOfSeries(t *testing.T) {
	t.Parallel()
	onReceiversOfFiles(t, func(t *testing.T, receiver *harness.Receiver) {
		measured, file := unsentRun(t, map[string]any{"trendAs": "gauges,native,classic"})
		send(t, receiver, file)
		expectEqual(t, receiver, measured, harness.Totals)
		kind := receiver.Kind
		expectEqual(t, receiver, measured, func(m harness.Measured) []harness.Expectation { return histogramTotals(m, kind) })
		if lasting, err := receiver.Query("k6_http_reqs_total"); err != nil || len(lasting) > 0 && !kind.MakesRanges() {
			t.Errorf("series continue after the run: %v, %v", lasting, err)
		}
	})
}

// The receiver is away when the run ends: what it has stored before and what is sent afterwards make up the run.
func TestARunWhoseReceiverIsAwayAtItsEndIsCompleteAfterSend(t *testing.T) {
	t.Parallel()
	onReceiversOfFiles(t, func(t *testing.T, receiver *harness.Receiver) {
		directory := t.TempDir()
		load := loadFor(10*time.Second, startTarget(t), receiver.WriteURL())
		load.Env["K6_PROMETHEUS_RW_PUSH_INTERVAL"] = "500ms"
		load.Options = map[string]any{"timeout": "1s", "flushTimeout": "1s", "unsentDirectory": directory}
		k6 := start(t, load)
		awaitPoints(t, receiver)
		receiver.ShutDown() // VictoriaMetrics loses the last seconds when it is killed
		result := finish(t, k6, 0)
		file := unsentFile(t, result, directory)
		if err := receiver.Restart(); err != nil {
			t.Fatal(err)
		}
		send(t, receiver, file)
		expectSummaryIn(t, receiver, result)
		expectAPointInEveryWindow(t, receiver, 500*time.Millisecond)
	})
}

func TestASendThatIsKilledContinuesWhereItWas(t *testing.T) {
	t.Parallel()
	onReceiversOfFiles(t, func(t *testing.T, receiver *harness.Receiver) {
		measured, file := unsentRun(t, map[string]any{"maxSamplesPerSend": 200, "trendAs": "gauges,native,classic"})
		proxy := startFake(t, harness.Fake{Upstream: receiver.WriteURL()})
		kills := 0
		for requests := 6; kills < 3; requests += 6 {
			command := remoteWrite(t, "send", "--url", proxy.URL(), file)
			var output bytes.Buffer
			command.Stdout, command.Stderr = &output, &output
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			if err := harness.Await("requests", 20*time.Second, func() bool { return len(proxy.Requests()) >= requests }); err != nil {
				t.Fatalf("%v, but only %d of %d:\n%s", err, len(proxy.Requests()), requests, output.String())
			}
			if err := command.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = command.Wait()
			if _, err := os.Stat(file); err != nil {
				t.Fatalf("the file was sent before it was killed: %v\n%s", err, output.String())
			}
			kills++
		}
		before := len(proxy.Requests())
		output := send(t, receiver, file, "--rest") // the same receiver at another URL
		if !strings.Contains(output, "continues after") || before < 18 {
			t.Errorf("it does not continue after %d requests:\n%s", before, output)
		}
		expectEqual(t, receiver, measured, harness.Totals)
		// VictoriaMetrics keeps both copies of a point that was in flight.
		if !receiver.Kind.MakesRanges() {
			expectAPointInEveryWindow(t, receiver, time.Second)
		}
	})
}

func TestPromtoolImportsAnExportedFile(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]map[string]any{
		"gauges": nil,
		// Classic histograms of promtool's blocks have the name of the native ones.
		"native": {"trendAs": "gauges,native"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			measured, file := unsentRun(t, options)
			receiver := imported(t, file)
			expectEqual(t, receiver, measured, harness.Totals)
			if name == "native" {
				expectEqual(t, receiver, measured, func(m harness.Measured) []harness.Expectation {
					return histogramTotals(m, harness.VictoriaMetrics)[:min(3, len(histogramTotals(m, harness.VictoriaMetrics)))]
				})
			}
		})
	}
}

func TestPromtoolImportsNastyLabelsInUTF8(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	options := map[string]any{"flushTimeout": "0s", "unsentDirectory": directory, "labelNames": "utf8", "trendAs": "gauges,native"}
	load := withoutReceiver(t, startTarget(t), "tests/e2e/scripts/odd_tags.js", options)
	load.Env["DURATION"] = "2s"
	result := run(t, load)
	files := filesIn(t, directory)
	if len(files) != 1 {
		t.Fatalf("no file:\n%s", result.LogText())
	}
	sent := startReceiver(t, harness.Prometheus)
	receiver := imported(t, files[0])
	send(t, sent, files[0])
	for _, promql := range []string{
		`count(last_over_time({__name__=~"k6_.+_total"}[5m]))`,
		`sum(last_over_time({__name__=~"k6_.+_total"}[5m]))`,
	} {
		if a, b := query(t, sent, promql)[0].Last().Value, query(t, receiver, promql)[0].Last().Value; a != b || a == 0 {
			t.Errorf("%s is %v where it was sent, and %v where it was imported", promql, a, b)
		}
	}
}

// imported returns a Prometheus into which promtool has imported a file, after `export`. It is a separate one: a Prometheus with the
// time of the test in its head block would drop that for the imported block.
func imported(t *testing.T, file string) *harness.Receiver {
	t.Helper()
	text := filepath.Join(t.TempDir(), "k6.openmetrics")
	if output, err := remoteWrite(t, "export", "--output", text, file).CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, output)
	}
	receiver := startReceiver(t, harness.Prometheus)
	receiver.ShutDown()
	if err := receiver.Import(text); err != nil {
		t.Fatal(err)
	}
	if err := receiver.Restart(); err != nil {
		t.Fatal(err)
	}
	return receiver
}

func TestUnsentSamplesAreInAFileForEveryEndOfARun(t *testing.T) {
	t.Parallel()
	for _, end := range []struct {
		name     string
		script   string
		exitCode int
		finish   func(t *testing.T, k6 *harness.K6, target *harness.Target)
	}{
		{"by Ctrl-C", shop, abortedByASignal, func(_ *testing.T, k6 *harness.K6, _ *harness.Target) { k6.Interrupt() }},
		{"by SIGTERM", shop, abortedByASignal, func(_ *testing.T, k6 *harness.K6, _ *harness.Target) { k6.Terminate() }},
		{"by a threshold", "tests/e2e/scripts/crossed_threshold_aborts.js", thresholdsHaveFailed, nil},
		{"by a script that throws", "tests/e2e/scripts/throws.js", scriptThrew, nil},
	} {
		t.Run(end.name, func(t *testing.T) {
			t.Parallel()
			if onWindows && end.name == "by SIGTERM" {
				t.Skip("Windows has no SIGTERM: it ends a program at once")
			}
			directory, target := t.TempDir(), startTarget(t)
			k6 := start(t, withoutReceiver(t, target, end.script, map[string]any{"flushTimeout": "1s", "unsentDirectory": directory}))
			if end.finish != nil {
				await(t, "some load", func() bool { return target.Requests() > 100 })
				end.finish(t, k6, target)
			}
			unsentFile(t, finish(t, k6, end.exitCode), directory)
		})
	}
}

func TestADiskThatIsFullKeepsWhatWasWritten(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	load := withoutReceiver(t, startTarget(t), shop, map[string]any{
		"flushTimeout": "0s", "unsentDirectory": directory, "pushInterval": "100ms", "maxSamplesPerSend": 50,
	})
	load.Env["DURATION"] = "4s"
	load.Blocks = 60 // enough for k6's own summary
	result := run(t, load)
	lines := linesOf(result, "error")
	if len(lines) == 0 || lines[0].Message != "Failed to write all unsent samples to a file" ||
		!strings.Contains(lines[0].String(), "File too large") {
		t.Fatalf("expected an error with the cause:\n%s", result.LogText())
	}
	in, _ := lines[0].Fields["points"].(float64)
	lost, _ := lines[0].Fields["points_lost"].(float64)
	if last := result.Log[len(result.Log)-1]; in == 0 || lost == 0 || last.Fields["points"] != in+lost {
		t.Errorf("the points do not add up:\n%s", result.LogText())
	}
	file := filesIn(t, directory)[0]
	receiver := startReceiver(t, harness.Prometheus)
	output, _ := sendCommand(t, receiver, file).CombinedOutput()
	if !regexp.MustCompile(fmt.Sprintf(`sent %.0f points|%.0f of \d+ points were sent`, in, in)).Match(output) {
		t.Errorf("what was written is not sent:\n%s", output)
	}
}

func TestADirectoryThatIsNotWritableIsAMistake(t *testing.T) {
	t.Parallel()
	load := withoutReceiver(t, startTarget(t), shop, map[string]any{"unsentDirectory": "/proc"})
	result := finish(t, start(t, load), invalidConfiguration)
	if text := result.LogText() + result.Stderr; !strings.Contains(text, `invalid unsentDirectory`) || !strings.Contains(text, "must be a directory") {
		t.Errorf("the error does not say what is allowed:\n%s", text)
	}
}

// unsentFile returns the only file in a directory, and expects that the log has the command that sends it.
func unsentFile(t *testing.T, result *harness.Result, directory string) string {
	t.Helper()
	files := filesIn(t, directory)
	if len(files) != 1 || !strings.HasSuffix(files[0], ".unsent") {
		t.Fatalf("expected one file, got %v:\n%s", files, result.LogText())
	}
	// On Windows, a file has the permissions of its directory.
	if info, err := os.Stat(files[0]); !onWindows && (err != nil || info.Mode().Perm() != 0o600) {
		t.Errorf("others may read the file: %v, %v", info, err)
	}
	for _, line := range linesOf(result, "error") {
		command, _ := line.Fields["send"].(string)
		if strings.HasPrefix(command, "k6 x remote-write send --url http://") && strings.HasSuffix(command, " "+asK6Writes(files[0])) {
			return files[0]
		}
	}
	t.Errorf("the log does not have the command that sends %s:\n%s", files[0], result.LogText())
	return files[0]
}
