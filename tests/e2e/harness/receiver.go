package harness

// Real receivers, each with an empty store in a temporary directory and ports that no other program uses.

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	receiverStart = 30 * time.Second
	receiverGrace = 5 * time.Second
)

// Receiver is a running receiver.
type Receiver struct {
	Kind    Kind
	URL     string // without a path
	Dir     string // has its data and log; removed by Stop
	Tenant  string // tenant whose data is queried; empty without tenants
	client  *http.Client
	secured bool
	process *Process
	// arguments returns its command line.
	arguments func(r *Receiver, address string) []string
	addresses map[string]string // of its additional sockets, by name
	reader    *Receiver         // the program that is queried, if it is another one
	relayed   float64           // samples of the relay that have reached the reader
	settled   int64             // the last end of a process before they did
}

// StartReceiver starts a receiver and waits until it is ready. With keep it survives this program, unless it is stopped.
func StartReceiver(kind Kind, keep bool) (*Receiver, error) {
	receiver, err := newReceiver(kind)
	if err != nil {
		return nil, err
	}
	return receiver.started(keep)
}

// StartWithRules starts a Prometheus that evaluates the rules of files.
func StartWithRules(files ...string) (*Receiver, error) {
	receiver, err := newReceiver(Prometheus)
	if err != nil {
		return nil, err
	}
	configuration, err := json.Marshal(map[string]any{"rule_files": files}) // JSON is YAML
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(receiver.Dir, "prometheus.yml"), configuration, 0o600); err != nil {
		return nil, err
	}
	return receiver.started(false)
}

// StartSecured starts a Prometheus with a web configuration: HTTPS, and the credentials that it requires. Queries use the
// given client.
func StartSecured(webConfiguration string, client *http.Client) (*Receiver, error) {
	receiver, err := newReceiver(Prometheus)
	if err != nil {
		return nil, err
	}
	receiver.client, receiver.secured = client, true
	if err := os.WriteFile(receiver.webConfiguration(), []byte(webConfiguration), 0o600); err != nil {
		return nil, err
	}
	return receiver.started(false)
}

// StartReceiverWith starts a receiver with additional flags.
func StartReceiverWith(kind Kind, flags ...string) (*Receiver, error) {
	receiver, err := newReceiver(kind)
	if err != nil {
		return nil, err
	}
	usual := receiver.arguments
	receiver.arguments = func(r *Receiver, address string) []string { return append(usual(r, address), flags...) }
	return receiver.started(false)
}

// Usual returns the usual command line of its kind.
func (r *Receiver) Usual(address string) []string { return flavours[r.Kind].arguments(r, address) }

// StartReceiverAs starts a receiver with another command line than usual. Additional sockets listen where Address says.
func StartReceiverAs(kind Kind, arguments func(r *Receiver, address string) []string) (*Receiver, error) {
	receiver, err := newReceiver(kind)
	if err != nil {
		return nil, err
	}
	receiver.arguments = arguments
	return receiver.started(false)
}

func newReceiver(kind Kind) (*Receiver, error) {
	flavour, known := flavours[kind]
	if !known {
		return nil, fmt.Errorf("unknown receiver %q: must be one of %v", kind, Kinds)
	}
	dir, err := os.MkdirTemp("", "k6-remote-write-"+flavour.program+"-")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte("scrape_configs: []\n"), 0o600); err != nil {
		return nil, err
	}
	return &Receiver{
		Kind: kind, Dir: dir, client: http.DefaultClient, arguments: flavour.arguments, addresses: map[string]string{},
	}, nil
}

// Address returns the address of an additional socket, which stays the same: of a protocol, or of the program behind a relay.
func (r *Receiver) Address(name string) string {
	if r.addresses[name] == "" {
		r.addresses[name] = "127.0.0.1:" + freePort()
	}
	return r.addresses[name]
}

func (r *Receiver) started(keep bool) (*Receiver, error) {
	if err := r.start("127.0.0.1:0", keep); err != nil {
		r.Stop()
		return nil, err
	}
	return r, nil
}

func (r *Receiver) webConfiguration() string { return filepath.Join(r.Dir, "web.yml") }

// start starts the program with its directory and waits until it is ready.
func (r *Receiver) start(address string, keep bool) error {
	flavour := flavours[r.Kind]
	binary, err := Binary(flavour.program)
	if err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(r.Dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close() // the child has a separate handle

	arguments := r.arguments(r, address)
	if r.secured {
		arguments = append(arguments, "--web.config.file="+r.webConfiguration())
	}
	command := exec.Command(binary, arguments...)
	command.Stdout, command.Stderr = log, log
	if r.process, err = start(command, keep); err != nil {
		return err
	}
	if err := r.awaitReady(flavour, log.Name()); err != nil || flavour.reader == "" {
		return err
	}
	return r.startReader(keep)
}

func (r *Receiver) awaitReady(flavour flavour, logPath string) error {
	var log []byte
	err := Await(fmt.Sprintf("%s to be ready", r.Kind), receiverStart, func() bool {
		log, _ = os.ReadFile(logPath)
		address := flavour.listening.FindSubmatch(log)
		if address == nil {
			return r.process.Ended()
		}
		r.URL = "http://" + string(address[1])
		if r.secured {
			r.URL = "https://" + string(address[1])
		}
		ready := r.URL
		if flavour.readyAt != "" {
			ready = "http://" + r.Address(flavour.readyAt)
		}
		response, err := r.client.Get(ready + flavour.readyPath)
		if err != nil {
			return r.process.Ended()
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK || r.process.Ended()
	})
	if err == nil && r.process.Ended() {
		err = fmt.Errorf("%s ended before it was ready", r.Kind)
	}
	if err != nil {
		return fmt.Errorf("%w; its log:\n%s", err, log)
	}
	return nil
}

// WriteURL returns the URL for remote-write requests.
func (r *Receiver) WriteURL() string {
	return r.URL + cmp.Or(flavours[r.Kind].writePath, "/api/v1/write")
}

// UI returns the URL of a page that shows a time range in a browser.
func (r *Receiver) UI(from, to time.Time) string {
	queried := r.queried()
	if page := flavours[queried.Kind].page; page != nil {
		return queried.URL + page(from, to)
	}
	return queried.URL
}

// PID returns its process id.
func (r *Receiver) PID() int { return r.process.PID() }

// Stop stops the receiver and removes its data.
func (r *Receiver) Stop() {
	if r.process != nil {
		r.Thaw() // a frozen process does not handle signals
		r.process.Stop(receiverGrace)
	}
	if r.reader != nil {
		r.reader.Stop()
	}
	_ = os.RemoveAll(r.Dir)
}

// ShutDown stops the receiver gracefully and keeps its data.
func (r *Receiver) ShutDown() { r.process.Stop(receiverGrace) }

// Kill ends the receiver immediately, as a crash would.
func (r *Receiver) Kill() {
	r.process.signal(syscall.SIGKILL)
	r.process.Wait()
}

// Restart starts the receiver again with the same address and data.
func (r *Receiver) Restart() error { return r.start(strings.TrimPrefix(r.URL, "http://"), false) }

// Freeze suspends the process until Thaw.
func (r *Receiver) Freeze() { r.process.signal(syscall.SIGSTOP) }

// Thaw resumes the process.
func (r *Receiver) Thaw() { r.process.signal(syscall.SIGCONT) }

// Import imports a file of OpenMetrics text into a Prometheus that was shut down, with the command of docs/delivery.md.
func (r *Receiver) Import(file string) error {
	promtool, err := Binary("promtool")
	if err != nil {
		return err
	}
	command := exec.Command(promtool, "tsdb", "create-blocks-from", "openmetrics", file, filepath.Join(r.Dir, "data"))
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", command, err, output)
	}
	return nil
}

// flush makes all written points searchable.
func (r *Receiver) flush() error {
	if r.Kind == VMAgent {
		if err := r.awaitRelay(); err != nil {
			return err
		}
	}
	path := flavours[r.queried().Kind].flushPath
	if path == "" {
		return nil
	}
	_, err := r.queried().get(path)
	return err
}
