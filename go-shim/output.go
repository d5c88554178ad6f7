package remotewrite

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"
	"go.k6.io/k6/v2/errext"
	"go.k6.io/k6/v2/errext/exitcodes"
	"go.k6.io/k6/v2/lib"
	"go.k6.io/k6/v2/metrics"
	"go.k6.io/k6/v2/output"
)

// eventInterval is the interval at which the library is polled for events.
const eventInterval = 100 * time.Millisecond

// Output hands every sample of a k6 run to the library.
type Output struct {
	library     *native
	description string
	logger      logrus.FieldLogger
	options     lib.Options
	builtin     *metrics.BuiltinMetrics
	stopTest    func(error)

	// thresholds belong to k6's metrics engine, which writes to them while the test runs.
	thresholds map[string]metrics.Thresholds
	evaluated  bool // false with --no-thresholds

	// A series that failed to register, as after close, has the id 0, so that it is logged once. The library registers also series
	// that it cannot send, and counts their samples.
	series *seriesIndex
	// exemplarNames are the names of the metadata to hand over.
	exemplarNames []string
	// chunks are free for the next call. They live as long as the output: a sync.Pool would be emptied at each garbage collection.
	chunks     chan *chunk
	background sync.WaitGroup
	stopped    <-chan struct{}
	stop       context.CancelFunc

	// test is the same pointer in all outputs that k6 makes for a test; nil for an output that is closed alone.
	test      *url.URL
	protected sync.Once
	waited    atomic.Bool // true once k6 has stopped the output
	closing   bool        // guarded by the mutex of process
	closed    chan struct{}
	// closeError is valid once closed is closed.
	closeError error
}

var (
	_ output.WithStopWithTestError = new(Output)
	_ output.WithBuiltinMetrics    = new(Output)
	_ output.WithTestRunStop       = new(Output)
	_ output.WithThresholds        = new(Output)
)

// New opens the output. The error of an invalid configuration lists all mistakes, and has k6's exit code for it.
func New(params output.Params) (*Output, error) {
	document, err := gatherOptions(params)
	if err != nil {
		return nil, fmt.Errorf("failed to gather options: %w", err)
	}
	library, err := openNative(document)
	if err != nil {
		return nil, err
	}
	description, err := library.description()
	if err != nil {
		_, _ = library.close()
		return nil, err
	}
	exemplarNames, err := library.exemplarNames()
	if err != nil {
		_, _ = library.close()
		return nil, err
	}
	running, stop := context.WithCancel(context.Background())
	return &Output{
		library:     library,
		description: fmt.Sprintf("%s (%s)", Name, description),
		logger:      params.Logger.WithField("output", Name),
		options:     params.ScriptOptions,
		series:      newSeriesIndex(),

		exemplarNames: exemplarNames,

		chunks:    make(chan *chunk, maxFreeChunks),
		stopped:   running.Done(),
		stop:      stop,
		evaluated: !params.RuntimeOptions.NoThresholds.Bool,
		test:      params.ScriptPath,
		closed:    make(chan struct{}),
	}, nil
}

// Description returns the URLs and intervals of the destinations, for k6's banner.
func (o *Output) Description() string {
	return o.description
}

// SetBuiltinMetrics receives k6's own metrics before Start.
func (o *Output) SetBuiltinMetrics(builtin *metrics.BuiltinMetrics) {
	o.builtin = builtin
}

// SetThresholds receives the thresholds before Start, by the metric that each is on.
func (o *Output) SetThresholds(thresholds map[string]metrics.Thresholds) {
	o.thresholds = thresholds
}

// SetTestRunStopCallback receives the function that aborts the test.
func (o *Output) SetTestRunStopCallback(stop func(error)) {
	o.stopTest = stop
}

// Start starts to forward the library's events to k6's log.
func (o *Output) Start() error {
	o.logger.WithField("version", version()).Debug("Output started")
	process.add(o)
	o.registerDroppedIterations()
	o.background.Go(func() {
		for o.forwardEvents() {
			select {
			case <-o.stopped:
				return
			case <-time.After(eventInterval):
			}
		}
	})
	return nil
}

// AddMetricSamples hands samples to the library, in one call for each chunk. It may be called by many goroutines at once; they wait
// for each other only while they register series.
func (o *Output) AddMetricSamples(containers []metrics.SampleContainer) {
	if len(containers) == 0 {
		return
	}
	o.protected.Do(func() { process.protect(o) })
	chunk := o.takeChunk()
	for _, container := range containers {
		// GetSamples of a single sample would allocate a slice.
		if sample, ok := container.(metrics.Sample); ok {
			o.record(chunk, &sample)
			continue
		}
		samples := container.GetSamples()
		for i := range samples {
			o.record(chunk, &samples[i])
		}
	}
	o.library.push(chunk.records[:chunk.count])
	o.library.pushExemplars(&chunk.exemplars)
	o.returnChunk(chunk)
}

// Stop ends the output after a run without error.
func (o *Output) Stop() error {
	return o.StopWithTestError(nil)
}

// StopWithTestError sends what is queued and logs a summary. k6 reports the error of the test itself. All outputs of the test
// begin to do so when k6 stops the first one. A Ctrl-C ends the flush of all, and unsent samples are written to files.
func (o *Output) StopWithTestError(error) error {
	if o.waited.Swap(true) {
		return errClosed
	}
	return process.close(o)
}

// end closes the output and logs its last events.
func (o *Output) end() {
	defer close(o.closed)
	last, err := o.library.close()
	o.closeError = err
	o.stop()
	o.background.Wait()
	for i := range last {
		o.log(&last[i])
	}
}

// chunk is a buffer for records.
type chunk struct {
	count   int
	records [4096]record
	// exemplars are the samples with metadata, which are not among the records.
	exemplars exemplars
}

// maxFreeChunks is the number of chunks that are kept. k6 hands over samples in one goroutine, which needs one.
const maxFreeChunks = 8

func (o *Output) takeChunk() *chunk {
	select {
	case free := <-o.chunks:
		return free
	default:
		return new(chunk)
	}
}

func (o *Output) returnChunk(free *chunk) {
	free.count = 0
	select {
	case o.chunks <- free:
	default:
	}
}

// record adds one sample to the chunk, and hands over a chunk that is full.
func (o *Output) record(chunk *chunk, sample *metrics.Sample) {
	id, known := o.series.find(&sample.TimeSeries)
	if !known {
		id = o.series.add(sample.TimeSeries, o.register)
	}
	if id == 0 {
		return
	}
	if mayBeExemplar(sample) && chunk.exemplars.add(o.exemplarNames, id, sample) {
		if chunk.exemplars.isFull() {
			o.library.pushExemplars(&chunk.exemplars)
		}
		return
	}
	if chunk.count == len(chunk.records) {
		o.library.push(chunk.records[:])
		chunk.count = 0
	}
	chunk.records[chunk.count] = recordOf(id, sample.Time, sample.Value)
	chunk.count++
}

// register registers a series and returns its id, or 0.
func (o *Output) register(series metrics.TimeSeries) seriesID {
	id, err := o.library.register(series.Metric, tagsOf(series.Tags))
	if err != nil {
		o.logger.WithError(err).WithField("metric", series.Metric.Name).Error("Failed to register series")
	}
	return id
}

// registerDroppedIterations registers dropped_iterations for each scenario, so that it exists from the start, at 0, and alerts
// can use it: k6 has no sample of it unless iterations are dropped. k6's samples go to the same series.
func (o *Output) registerDroppedIterations() {
	if o.builtin == nil {
		return
	}
	for scenario := range o.options.Scenarios {
		tags := o.runTags()
		if o.options.SystemTags != nil && o.options.SystemTags.Has(metrics.TagScenario) {
			tags[metrics.TagScenario.String()] = scenario
		}
		if _, err := o.library.register(o.builtin.DroppedIterations, maps.All(tags)); err != nil {
			o.logger.WithError(err).Error("Failed to register dropped_iterations")
		}
	}
}

// runTags returns a copy of the tags of the whole test.
func (o *Output) runTags() map[string]string {
	tags := make(map[string]string)
	maps.Copy(tags, o.options.RunTags)
	return tags
}

// thresholdPassed is 1 or 0 for each threshold. k6 has no such metric.
var thresholdPassed = &metrics.Metric{Name: "threshold_passed", Type: metrics.Gauge}

// pushThresholds adds a sample for each threshold. k6 evaluates thresholds for the last time before it stops the outputs, in the
// same goroutine; before that, only k6 can lock them.
func (o *Output) pushThresholds() {
	// Without samples, another output failed to start, and nothing was evaluated.
	if o.series.isEmpty() || !o.evaluated {
		return
	}
	var records []record
	for metric, thresholds := range o.thresholds {
		for _, threshold := range thresholds.Thresholds {
			tags := o.runTags()
			tags["metric"], tags["threshold"] = metric, threshold.Source
			id, err := o.library.register(thresholdPassed, maps.All(tags))
			if err != nil {
				o.logger.WithError(err).WithField("metric", metric).Error("Failed to register threshold")
				continue
			}
			passed := 1.0
			if threshold.LastFailed {
				passed = 0
			}
			records = append(records, recordOf(id, time.Now(), passed))
		}
	}
	o.library.push(records)
}

// forwardEvents logs all events of the library, and returns false if there will be no more.
func (o *Output) forwardEvents() bool {
	for {
		polled, err := o.library.pollEvent()
		switch {
		case errors.Is(err, errNoEvent):
			return true
		case errors.Is(err, errClosed):
			return false
		case err != nil:
			o.logger.WithError(err).Error("Failed to read an event")
			return true
		default:
			o.log(polled)
		}
	}
}

func (o *Output) log(e *event) {
	level := logrus.Level(e.Level)
	if level == logrus.FatalLevel {
		o.abort(errors.New(e.Message))
		return
	}
	o.logger.WithFields(e.Fields).Log(level, e.Message)
}

// abort aborts the test. k6 logs the error.
func (o *Output) abort(err error) {
	if o.stopTest != nil {
		err = errext.WithExitCodeIfNone(err, exitcodes.ExternalAbort)
		o.stopTest(errext.WithAbortReasonIfNone(err, errext.AbortedByOutput))
	}
}
