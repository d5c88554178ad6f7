package harness

// The kinds of receivers: their programs, flags and addresses.

import (
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// Kind is a program that stores remote-written series, and one that executes PromQL over them.
type Kind string

const (
	Prometheus      Kind = "prometheus"       // 3, which accepts Remote Write 1.0 and 2.0
	PrometheusOf1   Kind = "prometheus 1.0"   // 3, configured to reject 2.0
	Prometheus2     Kind = "prometheus-2"     // without 2.0; only where apt has it
	NotEnabled      Kind = "not enabled"      // Prometheus with default flags, which does not accept remote write
	VictoriaMetrics Kind = "victoria-metrics" // without 2.0: accepts such requests but stores nothing
	VMAgent         Kind = "vmagent"          // relays to a VictoriaMetrics, and stores on disk what that does not accept
	Mimir           Kind = "mimir"            // accepts 1.0 and 2.0, and stores the valid points of a request that it rejects
	Cortex          Kind = "cortex"           // as Mimir, without 2.0 unless a flag enables it
	Thanos          Kind = "thanos"           // Receive, and Query to read

	thanosQuery Kind = "thanos query"
)

// Kinds are the receivers of most tests.
var Kinds = []Kind{Prometheus, VictoriaMetrics}

// MoreKinds are the receivers of fewer tests, since not all machines have them built.
var MoreKinds = []Kind{VMAgent, Mimir, Cortex, Thanos}

// MakesRanges reports whether it makes a native histogram a series for each bucket, with the label vmrange.
func (k Kind) MakesRanges() bool { return k == VictoriaMetrics || k == VMAgent }

// WithExemplars are the receivers that store exemplars, with the flags that enable them.
var WithExemplars = []Kind{Prometheus, PrometheusOf1, Mimir, Cortex, Thanos}

// flavour has the differences between the kinds.
type flavour struct {
	program   string
	arguments func(r *Receiver, address string) []string
	listening *regexp.Regexp // the log line with the address, since the system chooses the port
	readyPath string
	readyAt   string                          // name of the address of readyPath, if it is not that for requests
	flushPath string                          // makes written points searchable immediately; empty where they always are
	page      func(from, to time.Time) string // path and parameters of a page that shows a time range in a browser
	writePath string                          // path of the write URL; empty for that of Prometheus
	apiPrefix string                          // prefix of the paths of Prometheus's query API
	tenant    string                          // header with the tenant
	adds      []string                        // labels that it adds to all series
	reader    Kind                            // the program that is queried, if it is another one
}

var flavours = map[Kind]flavour{
	Prometheus: prometheusFlavour("prometheus", enabled, withExemplars,
		"--web.remote-write-receiver.accepted-protobuf-messages=prometheus.WriteRequest",
		"--web.remote-write-receiver.accepted-protobuf-messages=io.prometheus.write.v2.Request"),
	PrometheusOf1: prometheusFlavour("prometheus", enabled, withExemplars,
		"--web.remote-write-receiver.accepted-protobuf-messages=prometheus.WriteRequest"),
	Prometheus2: prometheusFlavour("prometheus-2", enabled),
	NotEnabled:  prometheusFlavour("prometheus"),
	VictoriaMetrics: {
		program: "victoria-metrics",
		arguments: func(r *Receiver, address string) []string {
			return []string{
				"-storageDataPath=" + filepath.Join(r.Dir, "data"),
				"-httpListenAddr=" + address,
				"-search.latencyOffset=0s", // by default it hides the last 30 s
				"-vmui.customDashboardsPath=" + vmuiDashboards(),
			}
		},
		listening: regexp.MustCompile(`started server at http://([^/]+)/`),
		readyPath: "/health",
		flushPath: "/internal/force_flush",
		page:      vmuiPage,
	},
	VMAgent: {
		program: "vmagent",
		arguments: func(r *Receiver, address string) []string {
			return []string{
				"-httpListenAddr=" + address,
				"-remoteWrite.url=http://" + r.Address("store") + "/api/v1/write",
				"-remoteWrite.tmpDataPath=" + filepath.Join(r.Dir, "queue"),
			}
		},
		listening: regexp.MustCompile(`started server at http://([^/]+)/`),
		readyPath: "/health",
		reader:    VictoriaMetrics,
	},
	Mimir: {
		program:   "mimir",
		arguments: mimirArguments,
		listening: regexp.MustCompile(`msg="server listening on addresses" http=(\S+)`),
		readyPath: "/ready",
		writePath: "/api/v1/push",
		apiPrefix: "/prometheus",
		tenant:    "X-Scope-OrgID",
	},
	Cortex: {
		program:   "cortex",
		arguments: cortexArguments,
		listening: regexp.MustCompile(`http=(\S+) grpc=\S+ msg="server listening on addresses"`),
		readyPath: "/ready",
		writePath: "/api/v1/push",
		apiPrefix: "/prometheus",
		tenant:    "X-Scope-OrgID",
	},
	Thanos: {
		program: "thanos",
		arguments: func(r *Receiver, address string) []string {
			return []string{
				"receive",
				"--remote-write.address=" + r.fixed(address),
				"--grpc-address=" + r.Address("grpc"),
				"--http-address=" + r.Address("http"),
				"--receive.capnproto-address=" + r.Address("capnproto"),
				"--tsdb.path=" + filepath.Join(r.Dir, "data"),
				`--label=receive="k6"`,
				"--tsdb.max-exemplars=100000",
			}
		},
		listening: regexp.MustCompile(`msg="Serving plain HTTP" address=(\S+)`),
		readyPath: "/-/ready",
		readyAt:   "http",
		writePath: "/api/v1/receive",
		tenant:    "THANOS-TENANT",
		adds:      []string{"receive", "tenant_id"},
		reader:    thanosQuery,
	},
	thanosQuery: {
		program: "thanos",
		arguments: func(r *Receiver, address string) []string {
			return []string{
				"query",
				"--http-address=" + r.fixed(address),
				"--grpc-address=" + r.Address("grpc"),
				"--endpoint=" + r.Address("store"),
			}
		},
		listening: regexp.MustCompile(`msg="Listening on" address=(\S+)`),
		readyPath: "/-/ready", // after it has found the store
	},
}

// Flags of Prometheus.
const (
	enabled       = "--web.enable-remote-write-receiver"
	withExemplars = "--enable-feature=exemplar-storage"
)

func prometheusFlavour(program string, more ...string) flavour {
	return flavour{
		program: program,
		arguments: func(r *Receiver, address string) []string {
			return append([]string{
				"--config.file=" + filepath.Join(r.Dir, "prometheus.yml"),
				"--storage.tsdb.path=" + filepath.Join(r.Dir, "data"),
				"--web.listen-address=" + address,
			}, more...)
		},
		listening: regexp.MustCompile(`msg="Listening on"(?: component=web)? address=(\S+)`),
		readyPath: "/-/ready",
		// Its UI is not in the Go module, so the page is a response of the API.
		page: func(_, to time.Time) string {
			return "/api/v1/query?query=last_over_time(k6_http_reqs_total[5m])&time=" + seconds(to.UnixMilli())
		},
	}
}

// mimirArguments returns the arguments of a single process, without tenants, object storage or other instances.
func mimirArguments(r *Receiver, address string) []string {
	_, port, _ := strings.Cut(address, ":")
	_, grpc, _ := strings.Cut(r.Address("grpc"), ":") // its components connect to this port, so it must not be 0
	return []string{
		"-target=distributor,ingester,querier",
		"-auth.multitenancy-enabled=false",
		"-usage-stats.enabled=false",
		"-activity-tracker.filepath=",
		"-common.storage.backend=filesystem",
		"-common.storage.filesystem.dir=" + filepath.Join(r.Dir, "common"),
		"-blocks-storage.tsdb.dir=" + filepath.Join(r.Dir, "tsdb"),
		"-server.http-listen-address=127.0.0.1",
		"-server.http-listen-port=" + port,
		"-server.grpc-listen-address=127.0.0.1",
		"-server.grpc-listen-port=" + grpc,
		"-memberlist.bind-addr=127.0.0.1",
		"-memberlist.bind-port=0",
		"-distributor.ring.store=inmemory",
		"-distributor.ring.instance-addr=127.0.0.1",
		"-ingester.ring.store=inmemory",
		"-ingester.ring.instance-addr=127.0.0.1",
		"-ingester.ring.replication-factor=1",
		"-ingester.ring.min-ready-duration=0s",
		"-store-gateway.sharding-ring.store=inmemory",
		"-ingester.max-global-exemplars-per-user=100000",
	}
}

// cortexArguments returns the arguments of a single process, without tenants, object storage or other instances.
func cortexArguments(r *Receiver, address string) []string {
	_, port, _ := strings.Cut(address, ":")
	_, grpc, _ := strings.Cut(r.Address("grpc"), ":")
	return []string{
		"-target=distributor,ingester,querier",
		"-auth.enabled=false",
		"-blocks-storage.tsdb.enable-native-histograms=true",
		"-server.http-listen-address=127.0.0.1",
		"-server.http-listen-port=" + port,
		"-server.grpc-listen-address=127.0.0.1",
		"-server.grpc-listen-port=" + grpc,
		"-blocks-storage.backend=filesystem",
		"-blocks-storage.filesystem.dir=" + filepath.Join(r.Dir, "blocks"),
		"-blocks-storage.tsdb.dir=" + filepath.Join(r.Dir, "tsdb"),
		"-blocks-storage.bucket-store.sync-dir=" + filepath.Join(r.Dir, "sync"),
		"-querier.active-query-tracker-dir=" + filepath.Join(r.Dir, "queries"),
		"-ring.store=inmemory",
		"-ingester.lifecycler.addr=127.0.0.1",
		"-distributor.replication-factor=1",
		"-distributor.shard-by-all-labels=true",
		"-ingester.min-ready-duration=0s",
		"-ingester.final-sleep=0s",
		"-ingester.max-exemplars=100000",
		"-querier.store-gateway-addresses=" + r.Address("grpc"), // required, though it has none
	}
}
