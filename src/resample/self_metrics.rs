//! What the output tells of itself: metrics that travel with k6's, named after Prometheus's own `prometheus_remote_storage_*`.
//!
//! They are series like any other, with accumulators of their own, which a pipeline feeds from what was counted when a window ends. So
//! what became of a window is told with the next: the end-of-run report has the last word.

use std::sync::Arc;

use super::registry::Registry;
use crate::k6::{MetricType, ValueType};
use crate::report::{Count, Counters, DestinationReporter};
use crate::series::SeriesDefinition;
use crate::time::window::Window;

/// A metric that is read from a counter.
struct Counted {
    name: &'static str,
    metric_type: MetricType,
    value_type: ValueType,
    tag: Option<(&'static str, &'static str)>,
    read: fn(&Counters) -> &Count,
}

const fn counter(name: &'static str, read: fn(&Counters) -> &Count) -> Counted {
    Counted { name, metric_type: MetricType::Counter, value_type: ValueType::Default, tag: None, read }
}

const COUNTED: [Counted; 8] = [
    counter("remote_write_samples_in", |counters| &counters.samples_taken),
    counter("remote_write_samples", |counters| &counters.points_delivered),
    counter("remote_write_samples_failed", |counters| &counters.points_refused),
    counter("remote_write_samples_retried", |counters| &counters.points_retried),
    Counted {
        tag: Some(("reason", "full_queue")),
        ..counter("remote_write_samples_dropped", |counters| &counters.points_dropped)
    },
    Counted { value_type: ValueType::Data, ..counter("remote_write_bytes", |counters| &counters.bytes_delivered) },
    Counted {
        metric_type: MetricType::Gauge,
        ..counter("remote_write_samples_pending", |counters| &counters.points_pending)
    },
    Counted {
        metric_type: MetricType::Gauge,
        value_type: ValueType::Data,
        ..counter("remote_write_queue_highest_bytes", |counters| &counters.queue_bytes_highest)
    },
];

/// How long requests took: a trend.
const DURATION: &str = "remote_write_sent_batch_duration";

/// What ran, as labels of a series that is always 1.
const RUN_INFO: &str = "remote_write_run_info";

/// When the test began and ended: values that are times, each told from when it is known.
const RUN_START: &str = "remote_write_run_start_time_seconds";
const RUN_END: &str = "remote_write_run_end_time_seconds";

/// What a destination's own metrics say of the run.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// The tags of all of them, which tell this run from others.
    pub tags: Vec<(String, String)>,
    /// What ran: tags of [`RUN_INFO`] alone.
    pub run: Vec<(String, String)>,
}

/// The output's own series of one destination.
pub struct SelfMetrics {
    /// For each of [`COUNTED`] its target and what was read last.
    counted: Vec<(Option<usize>, u64)>,
    duration: Option<usize>,
    info: Option<usize>,
    start: Option<usize>,
    end: Option<usize>,
    /// When the test began, if it has.
    started_ms: Option<i64>,
    reporter: Arc<DestinationReporter>,
}

impl SelfMetrics {
    /// Registers them.
    pub fn register(about: &About, registry: &mut Registry, reporter: Arc<DestinationReporter>) -> Self {
        let mut register = |metric: &str, metric_type, value_type, extra_tags: Vec<(String, String)>| {
            let tags = [&about.tags[..], &extra_tags].concat();
            registry.register_self_metric(&SeriesDefinition { metric: metric.into(), metric_type, value_type, tags })
        };
        let extra_tags = |of: &Counted| of.tag.map(|(name, value)| (name.into(), value.into())).into_iter().collect();
        let counted =
            COUNTED.iter().map(|of| (register(of.name, of.metric_type, of.value_type, extra_tags(of)), 0)).collect();
        // A tag of the test keeps its name.
        let is_free = |(name, _): &&(String, String)| about.tags.iter().all(|(taken, _)| taken != name);
        let run = about.run.iter().filter(is_free).cloned().collect();
        Self {
            counted,
            duration: register(DURATION, MetricType::Trend, ValueType::Time, vec![]),
            info: register(RUN_INFO, MetricType::RunInfo, ValueType::Default, run),
            start: register(RUN_START, MetricType::RunInfo, ValueType::Time, vec![]),
            end: register(RUN_END, MetricType::RunInfo, ValueType::Time, vec![]),
            started_ms: None,
            reporter,
        }
    }

    /// The test has begun.
    pub fn note_test_start(&mut self, started_ms: i64) {
        self.started_ms = Some(started_ms);
    }

    /// Puts what there is to tell into the window that has ended: what was counted since the last one, and the marks on the run.
    pub fn record(&mut self, registry: &mut Registry, window: &Window) {
        let mut record = |target: Option<usize>, value: f64| {
            if let Some(target) = target.and_then(|target| registry.targets.get_mut(target)) {
                target.record(value, window.end_ms);
            }
        };
        record(self.info, 1.0);
        if let Some(started_ms) = self.started_ms {
            record(self.start, started_ms as f64);
            if window.last {
                record(self.end, window.end_ms as f64);
            }
        }
        for (of, (target, last)) in COUNTED.iter().zip(&mut self.counted) {
            let now = (of.read)(&self.reporter.counters).get();
            let value = if of.metric_type == MetricType::Counter { now - *last } else { now };
            record(*target, value as f64);
            *last = now;
        }
        for latency in self.reporter.take_latencies() {
            record(self.duration, latency.as_secs_f64() * 1000.0);
        }
    }
}
