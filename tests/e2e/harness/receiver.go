package harness

// Prometheus, VictoriaMetrics and Mimir, each with an empty store in a temporary directory and a port that the system chooses.

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// Kind is a program that stores remote-written series and executes PromQL.
type Kind string

const (
	Prometheus      Kind = "prometheus"       // 3, which accepts Remote Write 1.0 and 2.0
	PrometheusOf1   Kind = "prometheus 1.0"   // 3, configured to reject 2.0
	Prometheus2     Kind = "prometheus-2"     // without 2.0; only where apt has it
	NotEnabled      Kind = "not enabled"      // Prometheus with default flags, which does not accept remote write
	VictoriaMetrics Kind = "victoria-metrics" // without 2.0: accepts such requests but stores nothing
	Mimir           Kind = "mimir"            // accepts 1.0 and 2.0, and stores the valid points of a request that it rejects
)

// Kinds are the receivers of most tests.
var Kinds = []Kind{Prometheus, VictoriaMetrics}

// flavour has the differences between the kinds.
type flavour struct {
	program   string
	arguments func(dir, address string) []string
	listening *regexp.Regexp // the log line with the address, since the system chooses the port
	readyPath string
	flushPath string // makes written points searchable immediately; empty where they always are
	uiPath    string // a page to open in a browser
	writePath string // path of the write URL; empty for that of Prometheus
	apiPrefix string // prefix of the paths of Prometheus's query API
}

var flavours = map[Kind]flavour{
	Prometheus: prometheusFlavour("prometheus", enabled,
		"--web.remote-write-receiver.accepted-protobuf-messages=prometheus.WriteRequest",
		"--web.remote-write-receiver.accepted-protobuf-messages=io.prometheus.write.v2.Request"),
	PrometheusOf1: prometheusFlavour("prometheus", enabled,
		"--web.remote-write-receiver.accepted-protobuf-messages=prometheus.WriteRequest"),
	Prometheus2: prometheusFlavour("prometheus-2", enabled),
	NotEnabled:  prometheusFlavour("prometheus"),
	VictoriaMetrics: {
		program: "victoria-metrics",
		arguments: func(dir, address string) []string {
			return []string{
				"-storageDataPath=" + filepath.Join(dir, "data"),
				"-httpListenAddr=" + address,
				"-search.latencyOffset=0s", // by default it hides the last 30 s
			}
		},
		listening: regexp.MustCompile(`started server at http://([^/]+)/`),
		readyPath: "/health",
		flushPath: "/internal/force_flush",
		uiPath:    "/vmui",
	},
	Mimir: {
		program:   "mimir",
		arguments: mimirArguments,
		listening: regexp.MustCompile(`msg="server listening on addresses" http=(\S+)`),
		readyPath: "/ready",
		writePath: "/api/v1/push",
		apiPrefix: "/prometheus",
	},
}

const enabled = "--web.enable-remote-write-receiver"

func prometheusFlavour(program string, more ...string) flavour {
	return flavour{
		program: program,
		arguments: func(dir, address string) []string {
			return append([]string{
				"--config.file=" + filepath.Join(dir, "prometheus.yml"),
				"--storage.tsdb.path=" + filepath.Join(dir, "data"),
				"--web.listen-address=" + address,
			}, more...)
		},
		listening: regexp.MustCompile(`msg="Listening on"(?: component=web)? address=(\S+)`),
		readyPath: "/-/ready",
		// Its UI is not in the Go module, so the page is a response of the API.
		uiPath: "/api/v1/query?query=last_over_time(k6_http_reqs_total[5m])",
	}
}

// mimirArguments returns the arguments of a single process, without tenants, object storage or other instances.
func mimirArguments(dir, address string) []string {
	_, port, _ := strings.Cut(address, ":")
	return []string{
		"-target=distributor,ingester,querier",
		"-auth.multitenancy-enabled=false",
		"-usage-stats.enabled=false",
		"-activity-tracker.filepath=",
		"-common.storage.backend=filesystem",
		"-common.storage.filesystem.dir=" + filepath.Join(dir, "common"),
		"-blocks-storage.tsdb.dir=" + filepath.Join(dir, "tsdb"),
		"-server.http-listen-address=127.0.0.1",
		"-server.http-listen-port=" + port,
		"-server.grpc-listen-address=127.0.0.1",
		"-server.grpc-listen-port=" + freePort(), // its components connect to this port, so it must not be 0
		"-memberlist.bind-addr=127.0.0.1",
		"-memberlist.bind-port=0",
		"-distributor.ring.store=inmemory",
		"-distributor.ring.instance-addr=127.0.0.1",
		"-ingester.ring.store=inmemory",
		"-ingester.ring.instance-addr=127.0.0.1",
		"-ingester.ring.replication-factor=1",
		"-ingester.ring.min-ready-duration=0s",
		"-store-gateway.sharding-ring.store=inmemory",
	}
}

// freePort returns a port on which no program listens. Another program may open it before it is used.
func freePort() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "0"
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return port
}

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
	arguments func(dir, address string) []string
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
	return StartReceiverAs(kind, func(dir, address string) []string {
		return append(flavours[kind].arguments(dir, address), flags...)
	})
}

// StartReceiverAs starts a receiver with another command line than usual.
func StartReceiverAs(kind Kind, arguments func(dir, address string) []string) (*Receiver, error) {
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
	return &Receiver{Kind: kind, Dir: dir, client: http.DefaultClient, arguments: flavour.arguments}, nil
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

	arguments := r.arguments(r.Dir, address)
	if r.secured {
		arguments = append(arguments, "--web.config.file="+r.webConfiguration())
	}
	command := exec.Command(binary, arguments...)
	command.Stdout, command.Stderr = log, log
	if r.process, err = start(command, keep); err != nil {
		return err
	}
	return r.awaitReady(flavour, log.Name())
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
		response, err := r.client.Get(r.URL + flavour.readyPath)
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

// UI returns the URL of a page to open in a browser.
func (r *Receiver) UI() string { return r.URL + flavours[r.Kind].uiPath }

// PID returns its process id.
func (r *Receiver) PID() int { return r.process.PID() }

// Stop stops the receiver and removes its data.
func (r *Receiver) Stop() {
	if r.process != nil {
		r.Thaw() // a frozen process does not handle signals
		r.process.Stop(receiverGrace)
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
	path := flavours[r.Kind].flushPath
	if path == "" {
		return nil
	}
	_, err := r.get(path)
	return err
}
