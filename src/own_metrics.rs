//! What the output tells of itself: metrics that travel with k6's, named after Prometheus's own `prometheus_remote_storage_*`.
//!
//! They are series like any other, with accumulators of their own, which a lane feeds from what was counted when a window ends. So
//! what became of a window is told with the next: the end-of-run report has the last word.

use std::sync::Arc;

use crate::registry::Registry;
use crate::report::{Count, Counters, DestinationReporter};
use crate::series::{Contents, MetricType, SeriesDefinition};

/// A metric that is read from a counter.
struct Counted {
    name: &'static str,
    metric_type: MetricType,
    contents: Contents,
    tag: Option<(&'static str, &'static str)>,
    read: fn(&Counters) -> &Count,
}

const fn counter(name: &'static str, read: fn(&Counters) -> &Count) -> Counted {
    Counted { name, metric_type: MetricType::Counter, contents: Contents::Plain, tag: None, read }
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
    Counted { contents: Contents::Data, ..counter("remote_write_bytes", |counters| &counters.bytes_delivered) },
    Counted {
        metric_type: MetricType::Gauge,
        ..counter("remote_write_samples_pending", |counters| &counters.points_pending)
    },
    Counted {
        metric_type: MetricType::Gauge,
        contents: Contents::Data,
        ..counter("remote_write_queue_highest_bytes", |counters| &counters.queue_bytes_highest)
    },
];

/// How long requests took: a trend.
const DURATION: &str = "remote_write_sent_batch_duration";

/// The output's own series of one destination.
pub struct OwnMetrics {
    /// For each of [`COUNTED`] its target and what was read last.
    counted: Vec<(Option<usize>, u64)>,
    duration: Option<usize>,
    reporter: Arc<DestinationReporter>,
}

impl OwnMetrics {
    /// Registers them with these tags, which tell this run from others.
    pub fn register(tags: &[(String, String)], registry: &mut Registry, reporter: Arc<DestinationReporter>) -> Self {
        let mut register = |metric: &str, metric_type, contents, tag: Option<(&str, &str)>| {
            let mut tags = tags.to_vec();
            tags.extend(tag.map(|(name, value)| (name.into(), value.into())));
            registry.register_own(&SeriesDefinition { metric: metric.into(), metric_type, contents, tags })
        };
        let counted = COUNTED.iter().map(|of| (register(of.name, of.metric_type, of.contents, of.tag), 0)).collect();
        let duration = register(DURATION, MetricType::Trend, Contents::Time, None);
        Self { counted, duration, reporter }
    }

    /// Puts what has been counted since the last call into the open window.
    pub fn record(&mut self, registry: &mut Registry, now_ms: i64) {
        let mut record = |target: Option<usize>, value: f64| {
            if let Some(target) = target.and_then(|target| registry.targets.get_mut(target)) {
                target.record(value, now_ms);
            }
        };
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
