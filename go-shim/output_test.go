package remotewrite

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	prompb "buf.build/gen/go/prometheus/prometheus/protocolbuffers/go"
	"github.com/klauspost/compress/snappy"
	"github.com/sirupsen/logrus"
	logtest "github.com/sirupsen/logrus/hooks/test"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.k6.io/k6/v2/errext"
	"go.k6.io/k6/v2/errext/exitcodes"
	"go.k6.io/k6/v2/lib"
	"go.k6.io/k6/v2/metrics"
	"go.k6.io/k6/v2/output"
	"google.golang.org/protobuf/proto"
)

// receiver keeps the last value and all exemplars of every series. It decodes requests with Go packages, not with the library.
type receiver struct {
	*httptest.Server
	mutex     sync.Mutex
	values    map[string]float64
	exemplars map[string][]exemplar
}

// exemplar is the value of an exemplar, and its labels.
type exemplar struct {
	value  float64
	labels map[string]string
}

// labelName matches valid label names of Prometheus.
var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

func startReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{values: make(map[string]float64), exemplars: make(map[string][]exemplar)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if err := r.take(request.Body); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) take(body io.Reader) error {
	compressed, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	raw, err := snappy.Decode(nil, compressed)
	if err != nil {
		return err
	}
	var message prompb.WriteRequest
	if err := proto.Unmarshal(raw, &message); err != nil {
		return err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, series := range message.GetTimeseries() {
		var key []string
		last := ""
		for _, label := range series.GetLabels() {
			if label.GetName() <= last || !labelName.MatchString(label.GetName()) || label.GetValue() == "" {
				return fmt.Errorf("labels are not sorted, not valid or empty: %v", series.GetLabels())
			}
			last = label.GetName()
			key = append(key, label.GetName()+"="+label.GetValue())
		}
		for _, sample := range series.GetSamples() {
			if !math.IsNaN(sample.GetValue()) { // a stale marker
				r.values[strings.Join(key, ",")] = sample.GetValue()
			}
		}
		for _, received := range series.GetExemplars() {
			labels := make(map[string]string)
			for _, label := range received.GetLabels() {
				labels[label.GetName()] = label.GetValue()
			}
			key := strings.Join(key, ",")
			r.exemplars[key] = append(r.exemplars[key], exemplar{received.GetValue(), labels})
		}
	}
	return nil
}

func (r *receiver) all() map[string]float64 {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return maps.Clone(r.values)
}

// newOutput opens an output as k6 does.
func newOutput(t *testing.T, url string, options lib.Options) (*Output, *logtest.Hook) {
	t.Helper()
	logger, hook := logtest.NewNullLogger()
	logger.SetLevel(logrus.DebugLevel)
	out, err := New(output.Params{
		Logger:         logger,
		ConfigArgument: url,
		Environment: map[string]string{
			"K6_PROMETHEUS_RW_PUSH_INTERVAL": "100ms",
			"K6_PROMETHEUS_RW_SELF_METRICS":  "false",
			"HOME":                           "/",
		},
		ScriptOptions: options,
	})
	require.NoError(t, err)
	return out, hook
}

// series makes a series.
func series(t testing.TB, registry *metrics.Registry, name string, metricType metrics.MetricType, tags map[string]string,
) metrics.TimeSeries {
	t.Helper()
	metric, err := registry.NewMetric(name, metricType)
	require.NoError(t, err)
	return metrics.TimeSeries{Metric: metric, Tags: registry.RootTagSet().WithTagsFromMap(tags)}
}

func messages(hook *logtest.Hook, level logrus.Level) []string {
	var found []string
	for _, entry := range hook.AllEntries() {
		if entry.Level == level {
			found = append(found, entry.Message)
		}
	}
	return found
}

func TestSamplesOfEveryContainerArrive(t *testing.T) {
	t.Parallel()
	r := startReceiver(t)
	out, hook := newOutput(t, r.URL, lib.Options{})
	require.NoError(t, out.Start())
	registry := metrics.NewRegistry()
	count := series(t, registry, "count", metrics.Counter, map[string]string{"b": "2", "a": "1"})
	rate := series(t, registry, "rate", metrics.Rate, nil)
	now := time.Now()
	one := metrics.Sample{TimeSeries: count, Time: now, Value: 1}
	out.AddMetricSamples([]metrics.SampleContainer{
		one,
		metrics.Samples{one, one},
		metrics.ConnectedSamples{Samples: []metrics.Sample{one, {TimeSeries: rate, Value: 1}, {TimeSeries: rate}}},
	})
	out.AddMetricSamples(nil)
	require.NoError(t, out.StopWithTestError(nil))
	values := r.all()
	assert.InDelta(t, 4, values["__name__=k6_count_total,a=1,b=2"], 0)
	assert.InDelta(t, 1, values["__name__=k6_rate_total,condition=nonzero"], 0)
	assert.InDelta(t, 1, values["__name__=k6_rate_total,condition=zero"], 0)
	assert.Len(t, messages(hook, logrus.InfoLevel), 1, "one line at the end")
	last := hook.LastEntry()
	assert.Equal(t, "remote-write", last.Data["output"])
	assert.EqualValues(t, "6", last.Data["samples"])
}

func TestManyGoroutinesLoseNothing(t *testing.T) {
	t.Parallel()
	r := startReceiver(t)
	out, _ := newOutput(t, r.URL, lib.Options{})
	require.NoError(t, out.Start())
	registry := metrics.NewRegistry()
	var all []metrics.TimeSeries
	for i := range 50 {
		all = append(all, series(t, registry, "count", metrics.Counter, map[string]string{"i": fmt.Sprint(i)}))
	}
	var callers sync.WaitGroup
	for range 64 {
		callers.Go(func() {
			for range 20 {
				samples := make(metrics.Samples, 0, len(all))
				for _, series := range all {
					samples = append(samples, metrics.Sample{TimeSeries: series, Time: time.Now(), Value: 1})
				}
				out.AddMetricSamples([]metrics.SampleContainer{samples})
			}
		})
	}
	callers.Wait()
	require.NoError(t, out.Stop())
	values := r.all()
	for i := range all {
		assert.InDelta(t, 64*20, values[fmt.Sprintf("__name__=k6_count_total,i=%d", i)], 0)
	}
}

func TestAnInvalidConfigurationHasK6sExitCode(t *testing.T) {
	t.Parallel()
	logger, _ := logtest.NewNullLogger()
	_, err := New(output.Params{Logger: logger, ConfigArgument: "ftp://example.com", JSONConfig: json.RawMessage(`{"ulr": 1}`)})
	require.ErrorContains(t, err, "http or https URL")
	require.ErrorContains(t, err, "ulr")
	var coded errext.HasExitCode
	require.ErrorAs(t, err, &coded)
	assert.Equal(t, exitcodes.InvalidConfig, coded.ExitCode())
}

func TestTheBannerNamesDestinationAndRate(t *testing.T) {
	t.Parallel()
	out, _ := newOutput(t, "http://me:secret@127.0.0.1:1/w", lib.Options{})
	assert.Equal(t, "remote-write (http://127.0.0.1:1/w, every 100ms)", out.Description())
	require.NoError(t, out.Stop())
}

func TestOptionsAreHandedOverAsWritten(t *testing.T) {
	t.Parallel()
	document, err := gatherOptions(output.Params{
		ConfigArgument: "anything",
		JSONConfig:     json.RawMessage(`{"any": ["thing"]}`),
		Environment:    map[string]string{"K6_PROMETHEUS_RW_ANY": "thing", "AWS_REGION": "eu-west-1", "PATH": "/"},
		ScriptOptions: lib.Options{
			External: map[string]json.RawMessage{"loadimpact": json.RawMessage(`{"apm": 1}`), "other": nil},
			Cloud:    json.RawMessage(`{"apm": 2}`),
			RunTags:  map[string]string{"testid": "x"},

			Scenarios:  lib.ScenarioConfigs{"default": nil},
			SystemTags: metrics.NewSystemTagSet(metrics.TagVU, metrics.TagURL, metrics.TagIter),
		},
		ScriptPath:     &url.URL{Scheme: "file", Path: "/a/script.js"},
		RuntimeOptions: lib.RuntimeOptions{Env: map[string]string{"K6_CLOUDRUN_TEST_RUN_ID": "123", "OWN": "x"}},
	})
	require.NoError(t, err)
	assert.JSONEq(t, `{
		"argument": "anything",
		"environment": {"K6_PROMETHEUS_RW_ANY": "thing", "AWS_REGION": "eu-west-1"},
		"json": {"any": ["thing"]},
		"script": {"ext": {"apm": 1}, "cloud": {"apm": 2}},
		"run": {
			"tags": {"testid": "x"}, "cloudTestRunId": "123", "script": "file:///a/script.js", "scenarios": ["default"],
			"systemMetadata": ["iter", "vu"]
		}
	}`, string(document))
}

func TestTheEnvironmentOfATestHasThatOfItsOptionsAndItsArchive(t *testing.T) {
	t.Parallel()
	system := map[string]string{"K6_PROMETHEUS_RW_A": "system", "K6_PROMETHEUS_RW_B": "system", "PATH": "/", "K6_CLOUD_TOKEN": "x"}
	params := output.Params{
		Environment: system,
		RuntimeOptions: lib.RuntimeOptions{Env: map[string]string{
			"K6_PROMETHEUS_RW_A": "option", "K6_PROMETHEUS_RW_B": "archive", "K6_PROMETHEUS_RW_C": "archive", "AWS_REGION": "r",
			"K6_PROMETHEUS_USER": "me", "K6_KEEP_URL_TAG": "true", "K6_CA_CERT_FILE": "ca.pem", "K6_VUS": "5",
		}},
	}
	for _, args := range [][]string{
		{"run", "-e", "K6_PROMETHEUS_RW_A=option"}, {"run", "--env=K6_PROMETHEUS_RW_A=option"}, {"run", "-eK6_PROMETHEUS_RW_A=option"},
	} {
		assert.Equal(t, map[string]string{
			"K6_PROMETHEUS_RW_A": "option", "K6_PROMETHEUS_RW_B": "system", "K6_PROMETHEUS_RW_C": "archive", "AWS_REGION": "r",
			"K6_PROMETHEUS_USER": "me", "K6_KEEP_URL_TAG": "true", "K6_CA_CERT_FILE": "ca.pem",
		}, variables(params, args), args)
	}
	assert.Len(t, system, 4, "k6's own map is unchanged")
	assert.Empty(t, variables(output.Params{}, nil))
}

func TestOtherOutputsAreThoseOfTheCommandLineElseOfTheEnvironment(t *testing.T) {
	t.Parallel()
	environment := map[string]string{"K6_OUT": "influxdb=http://me:secret@host,remote-write"}
	for _, about := range []struct{ args, expected []string }{
		{nil, []string{"influxdb"}},
		{[]string{"run", "--out", "json=a.json", "-o", "remote-write=http://host", "s.js"}, []string{"json"}},
		{[]string{"run", "--out=json=a.json", "-ocsv", "-o=json", "--no-usage-report"}, []string{"json", "csv"}},
		{[]string{"run", "--out", "remote-write"}, nil},
		{[]string{"run", "--out"}, []string{"influxdb"}},
	} {
		assert.Equal(t, about.expected, otherOutputs(about.args, environment), about.args)
	}
	assert.Empty(t, otherOutputs([]string{"run"}, nil))
}

func TestDroppedIterationsExistFromTheStart(t *testing.T) {
	t.Parallel()
	r := startReceiver(t)
	systemTags := metrics.DefaultSystemTagSet
	out, _ := newOutput(t, r.URL, lib.Options{
		RunTags:    map[string]string{"testid": "x"},
		SystemTags: &systemTags,
		Scenarios:  lib.ScenarioConfigs{"one": nil, "two": nil},
	})
	registry := metrics.NewRegistry()
	out.SetBuiltinMetrics(metrics.RegisterBuiltinMetrics(registry))
	require.NoError(t, out.Start())
	// k6's sample of one of them goes to the same series.
	tags := registry.RootTagSet().With("testid", "x").With("scenario", "two")
	out.AddMetricSamples([]metrics.SampleContainer{metrics.Sample{
		TimeSeries: metrics.TimeSeries{Metric: out.builtin.DroppedIterations, Tags: tags}, Time: time.Now(), Value: 3,
	}})
	require.NoError(t, out.Stop())
	assert.Equal(t, map[string]float64{
		"__name__=k6_dropped_iterations_total,scenario=one,testid=x": 0,
		"__name__=k6_dropped_iterations_total,scenario=two,testid=x": 3,
	}, r.all())
}

func TestAnExecutionSegmentGetsAnInstanceLabel(t *testing.T) {
	t.Parallel()
	for tag, expected := range map[string]string{"": "instance=1/2:1", "instance_id": "instance_id=7"} {
		r := startReceiver(t)
		segment, err := lib.NewExecutionSegmentFromString("1/2:1")
		require.NoError(t, err)
		options := lib.Options{ExecutionSegment: segment}
		tags := make(map[string]string)
		if tag != "" {
			tags[tag] = "7"
			options.RunTags = tags
		}
		out, _ := newOutput(t, r.URL, options)
		count := series(t, metrics.NewRegistry(), "count", metrics.Counter, tags)
		out.AddMetricSamples([]metrics.SampleContainer{metrics.Sample{TimeSeries: count, Value: 1}})
		require.NoError(t, out.Stop())
		assert.Equal(t, []string{"__name__=k6_count_total," + expected}, slices.Collect(maps.Keys(r.all())))
	}
}

func TestTheDocumentationHasAllMetricsOfK6(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/metrics.md")
	require.NoError(t, err)
	registry := metrics.NewRegistry()
	metrics.RegisterBuiltinMetrics(registry)
	for _, metric := range registry.All() {
		assert.Contains(t, string(page), "`"+metric.Name+"`")
	}
}

func TestTextThatIsNotUTF8CostsNoSeries(t *testing.T) {
	t.Parallel()
	r := startReceiver(t)
	out, _ := newOutput(t, r.URL, lib.Options{})
	odd := series(t, metrics.NewRegistry(), "count", metrics.Counter, map[string]string{"tag": "a\xff", "empty": ""})
	out.AddMetricSamples([]metrics.SampleContainer{metrics.Sample{TimeSeries: odd, Value: 1}})
	require.NoError(t, out.Stop())
	assert.Equal(t, []string{"__name__=k6_count_total,tag=a\uFFFD"}, slices.Collect(maps.Keys(r.all())))
}

func TestWhateverTheTagsEveryBodyDecodesAndEverySeriesCounts(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // deterministic, so that a failure can be repeated
	text := func() string {
		runes := make([]rune, random.IntN(12))
		for i := range runes {
			runes[i] = rune(random.IntN(0x300)) // ASCII with control characters, and characters of two bytes
		}
		return string(runes)
	}
	r := startReceiver(t)
	out, _ := newOutput(t, r.URL, lib.Options{})
	registry := metrics.NewRegistry()
	const all = 2000
	for i := range all {
		tags := map[string]string{"i": fmt.Sprint(i)}
		for range random.IntN(6) {
			tags["t"+text()] = text()
		}
		of := series(t, registry, "count", metrics.Counter, tags)
		out.AddMetricSamples([]metrics.SampleContainer{metrics.Sample{TimeSeries: of, Value: 1}})
	}
	require.NoError(t, out.Stop())
	values := r.all()
	require.Len(t, values, all)
	for name, value := range values {
		assert.InDelta(t, 1, value, 0, name)
	}
}

func TestASeriesThatIsTooLargeIsLoggedOnceCountedAndCostsNoOther(t *testing.T) {
	t.Parallel()
	r := startReceiver(t)
	out, hook := newOutput(t, r.URL, lib.Options{})
	registry := metrics.NewRegistry()
	large := series(t, registry, "large", metrics.Counter, map[string]string{"tag": strings.Repeat("x", 2<<20)})
	small := series(t, registry, "small", metrics.Counter, nil)
	for range 3 {
		out.AddMetricSamples([]metrics.SampleContainer{
			metrics.Samples{{TimeSeries: large, Value: 1}, {TimeSeries: small, Value: 1}},
		})
	}
	require.NoError(t, out.Stop())
	assert.Equal(t, []string{"Failed to register series", "Some samples were not sent"}, messages(hook, logrus.ErrorLevel))
	assert.EqualValues(t, "3", hook.LastEntry().Data["samples_invalid_series"])
	assert.Equal(t, map[string]float64{"__name__=k6_small_total": 3}, r.all())
}

func TestEventsReachTheLogWhileTheTestRuns(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	out, hook := newOutput(t, server.URL, lib.Options{})
	require.NoError(t, out.Start())
	out.AddMetricSamples([]metrics.SampleContainer{
		metrics.Sample{TimeSeries: series(t, metrics.NewRegistry(), "count", metrics.Counter, nil), Value: 1},
	})
	require.Eventually(t, func() bool { return len(messages(hook, logrus.ErrorLevel)) > 0 }, 10*time.Second, 10*time.Millisecond)
	rejection := slices.IndexFunc(hook.AllEntries(), func(e *logrus.Entry) bool { return e.Level == logrus.ErrorLevel })
	assert.EqualValues(t, "404", hook.AllEntries()[rejection].Data["status"])
	require.NoError(t, out.Stop())
	assert.Len(t, messages(hook, logrus.ErrorLevel), 2, "the rejection and the summary")
}

func TestAbortOnFailureAbortsTheTest(t *testing.T) {
	t.Parallel()
	logger, _ := logtest.NewNullLogger()
	out, err := New(output.Params{
		Logger:         logger,
		ConfigArgument: "http://127.0.0.1:1/", // where nothing listens
		Environment: map[string]string{
			"K6_PROMETHEUS_RW_PUSH_INTERVAL":    "100ms",
			"K6_PROMETHEUS_RW_ABORT_ON_FAILURE": "200ms",
			"K6_PROMETHEUS_RW_FLUSH_TIMEOUT":    "0s",
			"K6_PROMETHEUS_RW_UNSENT_DIRECTORY": "",
		},
	})
	require.NoError(t, err)
	stopped := make(chan error, 10)
	out.SetTestRunStopCallback(func(err error) { stopped <- err })
	require.NoError(t, out.Start())
	reason := <-stopped
	require.NoError(t, out.Stop())
	require.ErrorContains(t, reason, "abortOnFailure")
	var coded errext.HasExitCode
	require.ErrorAs(t, reason, &coded)
	assert.Equal(t, exitcodes.ExternalAbort, coded.ExitCode())
	var aborted errext.HasAbortReason
	require.ErrorAs(t, reason, &aborted)
	assert.Equal(t, errext.AbortedByOutput, aborted.AbortReason())
	assert.Empty(t, stopped, "once")
}

// Not in parallel with other tests: the number is the lowest that no other output of the process has.
func TestSelfMetricsHaveTheTagsOfTheTest(t *testing.T) {
	r := startReceiver(t)
	logger, _ := logtest.NewNullLogger()
	out, err := New(output.Params{
		Logger:         logger,
		ConfigArgument: r.URL,
		ScriptOptions:  lib.Options{RunTags: map[string]string{"testid": "x"}},
	})
	require.NoError(t, err)
	require.NoError(t, out.Stop())
	assert.Contains(t, r.all(), "__name__=k6_remote_write_samples_sent_total,destination=1,testid=x")
}

func TestThresholdsAreSentAsK6EvaluatedThem(t *testing.T) {
	t.Parallel()
	r := startReceiver(t)
	out, _ := newOutput(t, r.URL, lib.Options{RunTags: map[string]string{"testid": "x"}})
	thresholds := metrics.NewThresholds([]string{"count>5", "count<5"})
	out.SetThresholds(map[string]metrics.Thresholds{"count": thresholds})
	require.NoError(t, out.Start())
	// k6's metrics engine evaluates them while the test runs, and a last time before it stops the outputs.
	evaluated := make(chan struct{})
	go func() {
		defer close(evaluated)
		for range 100_000 {
			thresholds.Thresholds[0].LastFailed = !thresholds.Thresholds[0].LastFailed
		}
		thresholds.Thresholds[0].LastFailed, thresholds.Thresholds[1].LastFailed = false, true
	}()
	of := series(t, metrics.NewRegistry(), "count", metrics.Counter, nil)
	for range 10 {
		out.AddMetricSamples([]metrics.SampleContainer{metrics.Sample{TimeSeries: of, Time: time.Now(), Value: 1}})
	}
	<-evaluated
	require.NoError(t, out.Stop())
	values := r.all()
	assert.InDelta(t, 1, values["__name__=k6_threshold_passed,metric=count,testid=x,threshold=count>5"], 0)
	passed, sent := values["__name__=k6_threshold_passed,metric=count,testid=x,threshold=count<5"]
	assert.True(t, sent)
	assert.InDelta(t, 0, passed, 0)
}

func TestThresholdsThatWereNeverEvaluatedAreNotSent(t *testing.T) {
	t.Parallel()
	for _, about := range []struct{ noThresholds, sampled bool }{{true, true}, {false, false}} {
		r := startReceiver(t)
		logger, _ := logtest.NewNullLogger()
		params := output.Params{Logger: logger, ConfigArgument: r.URL}
		params.RuntimeOptions.NoThresholds.Bool = about.noThresholds
		out, err := New(params)
		require.NoError(t, err)
		out.SetThresholds(map[string]metrics.Thresholds{"count": metrics.NewThresholds([]string{"count>5"})})
		require.NoError(t, out.Start())
		if about.sampled {
			of := series(t, metrics.NewRegistry(), "count", metrics.Counter, nil)
			out.AddMetricSamples([]metrics.SampleContainer{metrics.Sample{TimeSeries: of, Time: time.Now(), Value: 1}})
		}
		require.NoError(t, out.Stop())
		for name := range r.all() {
			assert.NotContains(t, name, "threshold_passed", "%+v", about)
		}
	}
}

func TestAfterStopNothingHappens(t *testing.T) {
	t.Parallel()
	r := startReceiver(t)
	out, _ := newOutput(t, r.URL, lib.Options{})
	require.NoError(t, out.Stop())
	late := series(t, metrics.NewRegistry(), "count", metrics.Counter, nil)
	out.AddMetricSamples([]metrics.SampleContainer{metrics.Sample{TimeSeries: late, Value: 1}})
	require.Error(t, out.Stop())
}

// load returns the samples of one call of AddMetricSamples at some thousand requests per second.
func load(tb testing.TB) []metrics.SampleContainer {
	tb.Helper()
	registry := metrics.NewRegistry()
	var all []metrics.TimeSeries
	for i := range 8 {
		all = append(all, series(tb, registry, fmt.Sprintf("trend_%d", i), metrics.Trend, map[string]string{"url": "/"}))
	}
	var containers []metrics.SampleContainer
	for i := range 100 {
		samples := make(metrics.Samples, 0, len(all))
		for j, series := range all {
			samples = append(samples, metrics.Sample{TimeSeries: series, Time: time.Now(), Value: float64(i*j) / 7})
		}
		containers = append(containers, samples, samples[0])
	}
	return containers
}

func TestManySamplesOfOneCallAllArrive(t *testing.T) {
	t.Parallel()
	r := startReceiver(t)
	out, _ := newOutput(t, r.URL, lib.Options{})
	of := series(t, metrics.NewRegistry(), "count", metrics.Counter, nil)
	sent := 0
	for _, count := range []int{1, 4095, 4096, 4097, 20_000} {
		out.AddMetricSamples([]metrics.SampleContainer{slices.Repeat(metrics.Samples{{TimeSeries: of, Value: 1}}, count)})
		sent += count
	}
	require.NoError(t, out.Stop())
	assert.InDelta(t, sent, r.all()["__name__=k6_count_total"], 0)
}

func TestAddMetricSamplesAllocatesNothingWhateverTheCollectorFrees(t *testing.T) {
	// Allocations of the whole process count, so there is no receiver in it: nothing listens on this port.
	logger, _ := logtest.NewNullLogger()
	out, err := New(output.Params{
		Logger:         logger,
		ConfigArgument: "http://127.0.0.1:1/",
		Environment: map[string]string{
			"K6_PROMETHEUS_RW_FLUSH_TIMEOUT":    "0s",
			"K6_PROMETHEUS_RW_UNSENT_DIRECTORY": "",
		},
	})
	require.NoError(t, err)
	containers := load(t)
	for range 4 {
		containers = append(containers, containers...) // more than fit into a chunk
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, after runtime.MemStats
	allocations := uint64(0)
	var faults []int64
	for round := range 120 {
		runtime.GC() // between the calls, as k6 does many times a second
		runtime.ReadMemStats(&before)
		faulted := pageFaults(t)
		out.AddMetricSamples(containers)
		faulted = pageFaults(t) - faulted
		runtime.ReadMemStats(&after)
		if round >= 20 { // until series are registered, and blocks go round
			allocations += after.Mallocs - before.Mallocs
			faults = append(faults, faulted)
		}
	}
	assert.Less(t, allocations, uint64(10), "those of Go's runtime")
	slices.Sort(faults)
	t.Logf("%d allocations; page faults: %v", allocations, faults)
	if !raceDetector {
		assert.Zero(t, faults[len(faults)/2], "only when the library's thread is late, and the library needs another block")
	}
	require.NoError(t, out.Stop())
}

func BenchmarkAddMetricSamples(b *testing.B) {
	for name, metadata := range map[string]map[string]string{
		"without metadata": nil,
		"with a trace id":  {"trace_id": "0af7651916cd43dd8448eb211c80319c"},
	} {
		b.Run(name, func(b *testing.B) { benchmarkAddMetricSamples(b, metadata) })
	}
}

func benchmarkAddMetricSamples(b *testing.B, metadata map[string]string) {
	b.Helper()
	logger, _ := logtest.NewNullLogger()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	defer server.Close()
	out, err := New(output.Params{Logger: logger, ConfigArgument: server.URL})
	require.NoError(b, err)
	containers := load(b)
	for _, container := range containers {
		if samples, ok := container.(metrics.Samples); ok {
			for i := range samples {
				samples[i].Metadata = metadata
			}
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		out.AddMetricSamples(containers)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/900, "ns/sample")
	require.NoError(b, out.Stop())
}
