package remotewrite

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/sirupsen/logrus"
	"go.k6.io/k6/v2/errext"
	"go.k6.io/k6/v2/errext/exitcodes"
	"go.k6.io/k6/v2/lib"
	"go.k6.io/k6/v2/metrics"
	"go.k6.io/k6/v2/output"
)

// eventInterval is how often the library is asked for lines for the log.
const eventInterval = 100 * time.Millisecond

// Output hands every sample of a k6 run to the library.
type Output struct {
	library     *native
	description string
	logger      logrus.FieldLogger
	options     lib.Options
	builtin     *metrics.BuiltinMetrics
	stopTest    func(error)

	// thresholds are k6's own objects, which its metrics engine writes to while the test runs.
	thresholds map[string]metrics.Thresholds
	evaluated  bool // by that engine, unless the user wants none of it

	// ids has every series that was seen. A series that the library refused is there too, with 0: it was reported once.
	mutex sync.RWMutex
	ids   map[metrics.TimeSeries]seriesID

	// batches are reused: a call of AddMetricSamples allocates only when it has more samples than any before it.
	batches    sync.Pool
	background sync.WaitGroup
	stopped    <-chan struct{}
	stop       context.CancelFunc
}

var (
	_ output.WithStopWithTestError = new(Output)
	_ output.WithBuiltinMetrics    = new(Output)
	_ output.WithTestRunStop       = new(Output)
	_ output.WithThresholds        = new(Output)
)

// New opens the output. An invalid configuration is told with all its mistakes, and k6's exit code for one.
func New(params output.Params) (*Output, error) {
	document, err := gatherOptions(params)
	if err != nil {
		return nil, fmt.Errorf("options cannot be gathered: %w", err)
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
	running, stop := context.WithCancel(context.Background())
	return &Output{
		library:     library,
		description: fmt.Sprintf("%s (%s)", Name, description),
		logger:      params.Logger.WithField("output", Name),
		options:     params.ScriptOptions,
		ids:         make(map[metrics.TimeSeries]seriesID),
		batches:     sync.Pool{New: func() any { return new([]record) }},
		stopped:     running.Done(),
		stop:        stop,
		evaluated:   !params.RuntimeOptions.NoThresholds.Bool,
	}, nil
}

// Description says in k6's banner where metrics go, and how often.
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

// SetTestRunStopCallback receives what ends the test early.
func (o *Output) SetTestRunStopCallback(stop func(error)) {
	o.stopTest = stop
}

// Start begins to forward the library's events to k6's log.
func (o *Output) Start() error {
	o.logger.WithField("version", version()).Debug("Output started")
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

// AddMetricSamples hands samples over, with one call into the library. It may be called by many goroutines at once, and
// waits for none of them but while a new series is registered.
func (o *Output) AddMetricSamples(containers []metrics.SampleContainer) {
	batch := o.batches.Get().(*[]record) //nolint:forcetypeassert // nothing else is put there
	records := (*batch)[:0]
	o.mutex.RLock()
	for _, container := range containers {
		// A single sample's GetSamples would allocate a slice for it.
		if sample, ok := container.(metrics.Sample); ok {
			records = o.appendRecord(records, &sample)
			continue
		}
		samples := container.GetSamples()
		for i := range samples {
			records = o.appendRecord(records, &samples[i])
		}
	}
	o.mutex.RUnlock()
	o.library.push(records)
	*batch = records
	o.batches.Put(batch)
}

// Stop ends the output after a run without error.
func (o *Output) Stop() error {
	return o.StopWithTestError(nil)
}

// StopWithTestError ships what is left and logs how the run went. The test's own error is k6's to report. k6 traps no
// signals at this point any more: a Ctrl-C means that the user does not want to wait, not that metrics may be lost.
func (o *Output) StopWithTestError(error) error {
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt, syscall.SIGTERM)
	closed := make(chan struct{})
	o.background.Go(func() {
		defer signal.Stop(interrupts)
		select {
		case <-interrupts:
			o.library.cancelFlush()
		case <-closed:
		}
	})
	o.pushThresholds()
	last, err := o.library.close()
	close(closed)
	o.stop()
	o.background.Wait()
	for i := range last {
		o.log(&last[i])
	}
	return err
}

// appendRecord appends one sample. The read lock must be held; it is given up while a new series is registered.
func (o *Output) appendRecord(records []record, sample *metrics.Sample) []record {
	id, known := o.ids[sample.TimeSeries]
	if !known {
		o.mutex.RUnlock()
		id = o.intern(sample.TimeSeries)
		o.mutex.RLock()
	}
	if id == 0 {
		return records
	}
	return append(records, recordOf(id, sample.Time, sample.Value))
}

// intern registers a series, if no other goroutine has meanwhile.
func (o *Output) intern(series metrics.TimeSeries) seriesID {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if id, known := o.ids[series]; known {
		return id
	}
	id, err := o.library.register(series.Metric, series.Tags.Map())
	if err != nil {
		o.logger.WithError(err).WithField("metric", series.Metric.Name).Error("A series is not shipped")
	}
	o.ids[series] = id
	return id
}

// registerDroppedIterations makes k6's one counter that a good run never touches exist from the start, at 0, for each
// scenario: an alert on it has something to look at. k6's own samples feed the same series.
func (o *Output) registerDroppedIterations() {
	if o.builtin == nil {
		return
	}
	for scenario := range o.options.Scenarios {
		tags := o.runTags()
		if o.options.SystemTags != nil && o.options.SystemTags.Has(metrics.TagScenario) {
			tags[metrics.TagScenario.String()] = scenario
		}
		if _, err := o.library.register(o.builtin.DroppedIterations, tags); err != nil {
			o.logger.WithError(err).Error("Dropped iterations are not shipped before the first")
		}
	}
}

// runTags are the tags of the whole test, for others to be added.
func (o *Output) runTags() map[string]string {
	tags := make(map[string]string)
	maps.Copy(tags, o.options.RunTags)
	return tags
}

// thresholdPassed is 1 or 0 for each threshold, a metric like those of a script: k6 has none.
var thresholdPassed = &metrics.Metric{Name: "threshold_passed", Type: metrics.Gauge}

// pushThresholds tells which thresholds the run has passed. k6 evaluates them for the last time before it stops its outputs, in
// the goroutine that stops them; until then they are behind a lock that is k6's alone.
func (o *Output) pushThresholds() {
	o.mutex.RLock()
	began := len(o.ids) > 0 // else another output did not start, and nothing was evaluated
	o.mutex.RUnlock()
	if !began || !o.evaluated {
		return
	}
	var records []record
	for metric, thresholds := range o.thresholds {
		for _, threshold := range thresholds.Thresholds {
			tags := o.runTags()
			tags["metric"], tags["threshold"] = metric, threshold.Source
			id, err := o.library.register(thresholdPassed, tags)
			if err != nil {
				o.logger.WithError(err).WithField("metric", metric).Error("A threshold is not shipped")
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

// forwardEvents logs what the library has to tell, and returns false when there will be nothing more.
func (o *Output) forwardEvents() bool {
	for {
		polled, err := o.library.pollEvent()
		switch {
		case errors.Is(err, errNoEvent):
			return true
		case errors.Is(err, errClosed):
			return false
		case err != nil:
			o.logger.WithError(err).Error("An event of the output cannot be read")
			return true
		default:
			o.log(polled)
		}
	}
}

func (o *Output) log(e *event) {
	level, err := logrus.ParseLevel(e.Level)
	if err != nil {
		level = logrus.InfoLevel
	}
	entry := o.logger.WithFields(e.Fields)
	switch level {
	case logrus.DebugLevel:
		entry.Debug(e.Message)
	case logrus.WarnLevel:
		entry.Warn(e.Message)
	case logrus.ErrorLevel:
		entry.Error(e.Message)
	case logrus.FatalLevel:
		o.abort(errors.New(e.Message))
	default:
		entry.Info(e.Message)
	}
}

// abort stops the test, which makes k6 log the error.
func (o *Output) abort(err error) {
	if o.stopTest != nil {
		err = errext.WithExitCodeIfNone(err, exitcodes.ExternalAbort)
		o.stopTest(errext.WithAbortReasonIfNone(err, errext.AbortedByOutput))
	}
}
