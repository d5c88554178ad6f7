//go:build unix

package main

// CPU time of an output by profile: the share of the ticks of a run with the output's code on the stack or in its threads, of
// the CPU time of k6. The difference of two runs of k6 varies by more than an output costs; this does not.

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/pprof/profile"
)

// ticks has the ticks of a profile by the output whose code ran.
type ticks struct {
	total      float64
	handOver   map[output]float64            // in AddMetricSamples
	background map[output]float64            // in the output's threads and goroutines
	functions  map[output]map[string]float64 // both, by the function that ran
}

func newTicks() *ticks {
	return &ticks{
		handOver: map[output]float64{}, background: map[output]float64{},
		functions: map[output]map[string]float64{builtIn: {}, own: {}},
	}
}

// frame is a function on a stack and the file that contains it.
type frame struct{ function, file string }

// add adds ticks with a stack, the function that ran first.
func (t *ticks) add(thread string, stack []frame, count float64) {
	t.total += count
	of, parts := t.attribute(thread, stack)
	if of == none {
		return
	}
	parts[of] += count
	t.functions[of][stack[0].function] += count
}

// attribute returns the output to which a stack belongs, and the part of its CPU time.
func (t *ticks) attribute(thread string, stack []frame) (output, map[output]float64) {
	if len(stack) == 0 {
		return none, nil
	}
	if strings.HasPrefix(thread, ownThreads) {
		return own, t.background
	}
	of := none
	for _, frame := range stack {
		switch {
		case strings.Contains(frame.function, "SampleBuffer).AddMetricSamples"): // k6's own outputs embed it
			return builtIn, t.handOver
		case strings.Contains(frame.function, "/go-shim.(*Output).AddMetricSamples"):
			return own, t.handOver
		case strings.Contains(frame.function, "/go-shim."):
			of = own
		case strings.Contains(frame.function, "/prometheusrw/"):
			of = builtIn
		case strings.Contains(frame.function, "k6_remote_write"), strings.Contains(frame.function, "k6rw_"),
			strings.HasPrefix(filepath.Base(frame.file), "libc."):
			// The library has no frame pointers, so the stack may end here. Nothing else in k6 uses libc.
			return own, t.handOver
		}
	}
	return of, t.background
}

// profiler profiles one run of k6.
type profiler interface {
	// start starts to profile the process, which waits to become k6, and all threads that it will have.
	start(pid int) error
	// stop returns the ticks of a process that has ended.
	stop() (*ticks, error)
}

// newProfiler returns perf, or k6's own profiler if perf is missing or not permitted. It also returns additional arguments of k6.
func newProfiler(hertz int) (profiler, []string) {
	if perfWorks() {
		return &perf{hertz: hertz}, nil
	}
	address := freeAddress()
	return &pprof{address: address}, []string{"--address", address, "--profiling-enabled"}
}

// profilerName describes how ticks are taken.
func profilerName() string {
	if perfWorks() {
		return "perf"
	}
	return "k6's profiler (100 Hz; perf is missing or not permitted)"
}

var perfWorks = sync.OnceValue(func() bool {
	return exec.Command("perf", "record", "-e", "cpu-clock", "-g", "-o", os.DevNull, "--", "true").Run() == nil
})

// perf is perf of Linux. It sees all threads.
type perf struct {
	hertz   int
	command *exec.Cmd
	output  bytes.Buffer
	// directory has the profile and no symbols: perf would keep those of each k6 and find them by its build ID, which is Go's and
	// the same for another library.
	directory string
	control   []*os.File // open until perf has ended
}

func (p *perf) start(pid int) error {
	var err error
	if p.directory, err = os.MkdirTemp("", "k6-remote-write-*.perf"); err != nil {
		return err
	}
	p.command = p.perf("record", "--no-buildid-cache", "-F", strconv.Itoa(p.hertz), "-e", "cpu-clock", "-g",
		"-p", strconv.Itoa(pid), "-o", p.file())
	p.command.Stdout, p.command.Stderr = &p.output, &p.output
	return p.enable()
}

func (p *perf) perf(args ...string) *exec.Cmd {
	return exec.Command("perf", slices.Concat([]string{"--buildid-dir", p.directory}, args)...)
}

func (p *perf) file() string { return filepath.Join(p.directory, "profile") }

// enable starts perf, and returns when it has enabled its events: it would miss threads and their names that come before.
func (p *perf) enable() error {
	commands, sent, err := os.Pipe()
	if err != nil {
		return err
	}
	acknowledged, answers, err := os.Pipe()
	if err != nil {
		return err
	}
	p.control = []*os.File{sent, acknowledged}
	p.command.ExtraFiles = []*os.File{commands, answers} // as descriptors 3 and 4
	p.command.Args = append(p.command.Args, "--delay=-1", "--control=fd:3,4")
	err = p.command.Start()
	_, _ = commands.Close(), answers.Close()
	if err != nil {
		return err
	}
	if _, err := io.WriteString(sent, "enable\n"); err != nil {
		return err
	}
	if answer, err := bufio.NewReader(acknowledged).ReadString('\n'); err != nil {
		return fmt.Errorf("perf record does not start: %q %w: %s", answer, err, &p.output)
	}
	return nil
}

func (p *perf) stop() (*ticks, error) {
	defer os.RemoveAll(p.directory)
	defer func() {
		for _, pipe := range p.control {
			_ = pipe.Close()
		}
	}()
	if err := p.command.Wait(); err != nil { // it ends with k6
		return nil, fmt.Errorf("perf record: %w: %s", err, &p.output)
	}
	script := p.perf("script", "-i", p.file(), "--no-inline", "-F", "comm,ip,sym,dso")
	text, err := script.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := script.Start(); err != nil {
		return nil, err
	}
	ticks := readScript(text)
	if err := script.Wait(); err != nil {
		return nil, fmt.Errorf("perf script: %w", err)
	}
	return ticks, nil
}

// readScript reads the text of `perf script`: for each tick the thread, then lines with address, function and file, then an
// empty line.
func readScript(text io.Reader) *ticks {
	ticks := newTicks()
	lines := bufio.NewScanner(text)
	thread, stack := "", []frame(nil)
	for lines.Scan() {
		line := lines.Text()
		switch {
		case line == "":
			if thread != "" {
				ticks.add(thread, stack, 1)
			}
			thread, stack = "", stack[:0]
		case thread == "":
			thread = strings.TrimSpace(line)
		default:
			_, function, _ := strings.Cut(strings.TrimSpace(line), " ")
			file := ""
			if at := strings.LastIndex(function, " ("); at >= 0 {
				function, file = function[:at], strings.Trim(function[at:], " ()")
			}
			stack = append(stack, frame{function, file})
		}
	}
	return ticks
}

// pprof is k6's own profiler, which does not see the library's threads.
type pprof struct {
	address string
	ticks   *ticks
	reading sync.WaitGroup
}

func (p *pprof) start(int) error {
	p.ticks = newTicks()
	p.reading.Go(p.read)
	return nil
}

func (p *pprof) stop() (*ticks, error) {
	p.reading.Wait()
	return p.ticks, nil
}

// read reads profiles of a second until k6 has ended, since a profile that k6 does not outlive is lost.
func (p *pprof) read() {
	listens := time.Now().Add(5 * time.Second)
	for {
		response, err := http.Get("http://" + p.address + "/debug/pprof/profile?seconds=1")
		if err != nil {
			if p.ticks.total == 0 && time.Now().Before(listens) {
				time.Sleep(10 * time.Millisecond)
				continue
			}
			return
		}
		one, err := profile.Parse(response.Body)
		_ = response.Body.Close()
		if err != nil {
			return
		}
		for _, sample := range one.Sample {
			var stack []frame
			for _, location := range sample.Location {
				for _, line := range location.Line {
					stack = append(stack, frame{function: line.Function.Name})
				}
			}
			p.ticks.add("", stack, float64(sample.Value[0]))
		}
	}
}

// freeAddress returns a local address on which nothing listens.
func freeAddress() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "127.0.0.1:6565"
	}
	defer listener.Close()
	return listener.Addr().String()
}
