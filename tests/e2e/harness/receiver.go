package harness

// Prometheus and VictoriaMetrics, each with an empty store in a temporary folder and a port that the system chose.

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"
)

// Kind is a program that stores remote-written series and answers PromQL.
type Kind string

const (
	Prometheus      Kind = "prometheus"
	VictoriaMetrics Kind = "victoria-metrics"
)

// Kinds are all of them.
var Kinds = []Kind{Prometheus, VictoriaMetrics}

// flavour is what differs between the kinds.
type flavour struct {
	arguments func(folder string) []string
	listening *regexp.Regexp // the log line that names the address, since the system chooses the port
	readyPath string
	flushPath string // makes what was written searchable at once; empty where it always is
	uiPath    string // a page for people
}

var flavours = map[Kind]flavour{
	Prometheus: {
		arguments: func(folder string) []string {
			return []string{
				"--config.file=" + filepath.Join(folder, "prometheus.yml"),
				"--storage.tsdb.path=" + filepath.Join(folder, "data"),
				"--web.listen-address=127.0.0.1:0",
				"--web.enable-remote-write-receiver",
			}
		},
		listening: regexp.MustCompile(`msg="Listening on" component=web address=(\S+)`),
		readyPath: "/-/ready",
		// Its own UI is not in the Go module, so people see an answer of the API.
		uiPath: "/api/v1/query?query=last_over_time(k6_http_reqs_total[5m])",
	},
	VictoriaMetrics: {
		arguments: func(folder string) []string {
			return []string{
				"-storageDataPath=" + filepath.Join(folder, "data"),
				"-httpListenAddr=127.0.0.1:0",
				"-search.latencyOffset=0s", // by default it hides the last 30 s
			}
		},
		listening: regexp.MustCompile(`started server at http://([^/]+)/`),
		readyPath: "/health",
		flushPath: "/internal/force_flush",
		uiPath:    "/vmui",
	},
}

const (
	receiverStart = 30 * time.Second
	receiverGrace = 5 * time.Second
)

// Receiver is a running one.
type Receiver struct {
	Kind    Kind
	URL     string // without a path
	Folder  string // holds its data and its log, and goes with it
	process *Process
}

// StartReceiver returns one that is ready to be written to. With keep it survives this program, unless it is stopped.
func StartReceiver(kind Kind, keep bool) (*Receiver, error) {
	flavour, known := flavours[kind]
	if !known {
		return nil, fmt.Errorf("no receiver %q: there are %v", kind, Kinds)
	}
	binary, err := Binary(string(kind))
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "k6-remote-write-"+string(kind)+"-")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(folder, "prometheus.yml"), []byte("scrape_configs: []\n"), 0o600); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(folder, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has its own handle

	command := exec.Command(binary, flavour.arguments(folder)...)
	command.Stdout, command.Stderr = log, log
	process, err := start(command, keep)
	if err != nil {
		return nil, err
	}
	receiver := &Receiver{Kind: kind, Folder: folder, process: process}
	if err := receiver.awaitReady(flavour, log.Name()); err != nil {
		receiver.Stop()
		return nil, err
	}
	return receiver, nil
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
		response, err := http.Get(r.URL + flavour.readyPath)
		if err != nil {
			return r.process.Ended()
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK || r.process.Ended()
	})
	if err == nil && r.process.Ended() {
		err = fmt.Errorf("%s ended at once", r.Kind)
	}
	if err != nil {
		return fmt.Errorf("%w; it said:\n%s", err, log)
	}
	return nil
}

// WriteURL is where remote-write requests go.
func (r *Receiver) WriteURL() string { return r.URL + "/api/v1/write" }

// UI is a page for people.
func (r *Receiver) UI() string { return r.URL + flavours[r.Kind].uiPath }

// PID is its process id.
func (r *Receiver) PID() int { return r.process.PID() }

// Stop ends it and removes its data.
func (r *Receiver) Stop() {
	r.process.Stop(receiverGrace)
	_ = os.RemoveAll(r.Folder)
}

// flush makes everything that was written searchable.
func (r *Receiver) flush() error {
	path := flavours[r.Kind].flushPath
	if path == "" {
		return nil
	}
	_, err := r.get(path)
	return err
}
