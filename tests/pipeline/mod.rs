//! The pipeline from the resampler to the queue, on a clock that the tests set.

#![allow(dead_code)] // each test file uses a part of it

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use k6_remote_write::config::{Config, Destination, Document};
use k6_remote_write::k6::Sample;
use k6_remote_write::k6::{MetricType, ValueType};
use k6_remote_write::report::{Event, Reporter};
use k6_remote_write::resample::Resampler;
use k6_remote_write::resample::pipeline::{DestinationPipeline, Settings};
use k6_remote_write::resample::registry::Rules;
use k6_remote_write::resample::self_metrics::RunLabels;
use k6_remote_write::send::{Batch, Batcher, Queue};
use k6_remote_write::series::SeriesDefinition;
use k6_remote_write::time::clock::Clock;
use k6_remote_write::time::timeline::Timeline;
use k6_remote_write::wire::proto::v1::WriteRequest;
use k6_remote_write::wire::{Encoder, Limits, Protocol, STALE_MARKER};

use super::recording_receiver::{decode, points};

/// Clocks that stand still until a test sets them.
#[derive(Clone)]
pub struct FakeClock {
    monotonic_ms: Arc<AtomicI64>,
    /// How far the wall clock is ahead of the monotonic clock.
    ahead_ms: Arc<AtomicI64>,
}

impl FakeClock {
    /// Creates clocks with this time, which is that of both.
    fn new(now_ms: i64) -> Self {
        Self { monotonic_ms: Arc::new(AtomicI64::new(now_ms)), ahead_ms: Arc::new(AtomicI64::new(0)) }
    }
}

impl Clock for FakeClock {
    fn wall_ms(&self) -> i64 {
        self.monotonic_ms() + self.ahead_ms.load(Ordering::Relaxed)
    }

    fn monotonic_ms(&self) -> i64 {
        self.monotonic_ms.load(Ordering::Relaxed)
    }
}

/// A resampler with windows of one second that starts at [`START`], unless a test sets others.
pub struct TestPipeline {
    pub clock: FakeClock,
    pub resampler: Option<Resampler<FakeClock>>,
    pub queue: Arc<Queue>,
    pub reporter: Arc<Reporter>,
    pub series: u64,
    pub messages: Vec<WriteRequest>,
}

/// The start of the output, in milliseconds: not at a multiple of the window.
pub const START: i64 = 100_400;

impl TestPipeline {
    pub fn new() -> Self {
        Self::with(START, 1, true)
    }

    pub fn with(start_ms: i64, rate_seconds: u64, stale_markers: bool) -> Self {
        Self::with_rules(start_ms, rate_seconds, stale_markers, Destination::default().rules(&[]))
    }

    pub fn with_rules(start_ms: i64, rate_seconds: u64, stale_markers: bool, rules: Rules) -> Self {
        let rate = Duration::from_secs(rate_seconds);
        Self::with_settings(start_ms, Settings { rate, stale_markers, rules, self_metrics: None })
    }

    /// Creates a pipeline with self metrics, which have these tags.
    pub fn with_self_metrics(tags: &[(&str, &str)]) -> Self {
        let tags = tags.iter().map(|&(name, value)| (name.into(), value.into())).collect();
        let self_metrics = Some(RunLabels { tags, run_info: vec![("script".into(), "s.js".into())] });
        let (rate, rules) = (Duration::from_secs(1), Destination::default().rules(&[]));
        Self::with_settings(START, Settings { rate, stale_markers: true, rules, self_metrics })
    }

    fn with_settings(start_ms: i64, settings: Settings) -> Self {
        let clock = FakeClock::new(start_ms);
        let reporter = Arc::new(Reporter::default());
        let destination = reporter.destination("http://host/w");
        let queue = Arc::new(Queue::new(1 << 30, 1, Arc::clone(&destination)));
        let batcher = Batcher::new(Arc::clone(&queue), 10_000);
        let pipeline = DestinationPipeline::new(settings, start_ms, batcher, destination);
        let resampler = Some(Resampler::new(vec![pipeline], Timeline::new(clock.clone()), Arc::clone(&reporter)));
        Self { clock, resampler, queue, reporter, series: 0, messages: Vec::new() }
    }

    pub fn register(
        &mut self,
        metric: &str,
        metric_type: MetricType,
        value_type: ValueType,
        tags: &[(&str, &str)],
    ) -> u64 {
        let definition = SeriesDefinition::new(metric, metric_type).with_value_type(value_type);
        self.open().register(&definition.with_tags(tags.iter().copied()));
        self.series += 1;
        self.series
    }

    pub fn counter(&mut self, metric: &str) -> u64 {
        self.register(metric, MetricType::Counter, ValueType::Default, &[])
    }

    pub fn record(&mut self, series: u64, time_ms: i64, value: f64) {
        self.record_all(&[Sample { series, time_ms, value }]);
    }

    pub fn record_all(&mut self, samples: &[Sample]) {
        self.open().record(samples);
    }

    /// Makes the wall clock step, before time goes on.
    pub fn clock_steps(&mut self, step_ms: i64) {
        self.clock.ahead_ms.fetch_add(step_ms, Ordering::Relaxed);
    }

    /// Lets time go on to `now_ms`, which is the wall clock's unless it stepped, and exports the window that has ended, if one
    /// has ended.
    pub fn at(&mut self, now_ms: i64) {
        self.clock.monotonic_ms.store(now_ms, Ordering::Relaxed);
        let resampler = self.open();
        let ended = resampler.due();
        resampler.export(ended);
        self.collect();
    }

    pub fn close_at(&mut self, now_ms: i64) {
        self.clock.monotonic_ms.store(now_ms, Ordering::Relaxed);
        self.resampler.take().expect("open").close();
        self.collect();
    }

    fn collect(&mut self) {
        let encode = |batch: &Batch| {
            let limits = Limits { points: usize::MAX, bytes: usize::MAX };
            Encoder::default().encode(Protocol::V1, batch.unsent(), batch.metadata(), limits).body
        };
        self.messages.extend(self.queue.drain().iter().map(|batch| decode(&encode(batch))));
    }

    fn open(&mut self) -> &mut Resampler<FakeClock> {
        self.resampler.as_mut().expect("open")
    }

    /// Returns all points by series, in the order in which they were sent.
    pub fn sent_points(&self) -> BTreeMap<String, Vec<(i64, f64)>> {
        points(self.messages.clone())
    }

    /// Returns all points by series. Asserts what holds for every run in which the timeline is never set back: the times of a
    /// series increase.
    pub fn points(&self) -> BTreeMap<String, Vec<(i64, f64)>> {
        let points = self.sent_points();
        for (series, points) in &points {
            assert!(points.windows(2).all(|pair| pair[0].0 < pair[1].0), "{series}: {points:?}");
        }
        points
    }

    pub fn points_of(&self, series: &str) -> Vec<(i64, f64)> {
        self.points().remove(series).unwrap_or_default()
    }
}

/// Takes the log lines with this message.
pub fn events(reporter: &Reporter, message: &str) -> Vec<Event> {
    std::iter::from_fn(|| reporter.poll()).filter(|event| event.message.contains(message)).collect()
}

pub fn is_stale(point: &(i64, f64)) -> bool {
    point.1.to_bits() == STALE_MARKER.to_bits()
}

/// Returns the rules of a destination with these options, in their JSON spelling.
fn rules(options: &str) -> Rules {
    let document = Document::parse(format!(r#"{{"json": {options}}}"#).as_bytes()).expect("JSON");
    Config::read(&document).expect("valid").destinations.remove(0).rules(&[])
}

/// Creates a pipeline with these options, in their JSON spelling.
pub fn pipeline(options: &str) -> TestPipeline {
    TestPipeline::with_rules(START, 1, true, rules(options))
}
