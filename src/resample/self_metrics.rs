//! Self metrics: metrics of the output itself, named after Prometheus's own `prometheus_remote_storage_*`.
//!
//! They are exported with k6's metrics. A pipeline records them from the counters when a window ends, so the delivery of a window
//! is reported with the next window, and the final figures are in the report at the end of the run.

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

/// The duration of requests: a trend.
const DURATION: &str = "remote_write_sent_batch_duration";

/// A series with the value 1, whose labels describe the run.
const RUN_INFO: &str = "remote_write_run_info";

/// The times at which the test started and ended. Each is exported from when it is known.
const RUN_START: &str = "remote_write_run_start_time_seconds";
const RUN_END: &str = "remote_write_run_end_time_seconds";

/// Labels of a destination's self metrics.
#[derive(Debug, Clone, Default)]
pub struct RunLabels {
    /// Tags of all self metrics, which distinguish this run from others.
    pub tags: Vec<(String, String)>,
    /// Extra tags of the metric `remote_write_run_info`.
    pub run_info: Vec<(String, String)>,
}

/// The self metrics of one destination. Their ids are `None` if they are not exported.
pub struct SelfMetrics {
    /// For each of [`COUNTED`] its id and the count of the last window.
    counted: Vec<(Option<usize>, u64)>,
    duration: Option<usize>,
    run_info: Option<usize>,
    run_start: Option<usize>,
    run_end: Option<usize>,
    /// The time of the test start, once it is known.
    started_ms: Option<i64>,
    reporter: Arc<DestinationReporter>,
}

impl SelfMetrics {
    /// Registers the self metrics.
    pub fn register(labels: &RunLabels, registry: &mut Registry, reporter: Arc<DestinationReporter>) -> Self {
        let mut register = |metric: &str, metric_type, value_type, extra_tags: Vec<(String, String)>| {
            let definition = SeriesDefinition::new(metric, metric_type).with_value_type(value_type);
            registry.register_self_metric(&definition.with_tags(labels.tags.iter().cloned().chain(extra_tags)))
        };
        let mut register_counted = |counted: &Counted| {
            let extra_tags = counted.tag.map(|(name, value)| (name.into(), value.into()));
            register(counted.name, counted.metric_type, counted.value_type, extra_tags.into_iter().collect())
        };
        let counted = COUNTED.iter().map(|counted| (register_counted(counted), 0)).collect();
        // Of two tags with one name, the tag of the test is kept.
        let is_free = |(name, _): &&(String, String)| labels.tags.iter().all(|(known, _)| known != name);
        let run_info = labels.run_info.iter().filter(is_free).cloned().collect();
        Self {
            counted,
            duration: register(DURATION, MetricType::Trend, ValueType::Time, vec![]),
            run_info: register(RUN_INFO, MetricType::RunInfo, ValueType::Default, run_info),
            run_start: register(RUN_START, MetricType::RunInfo, ValueType::Time, vec![]),
            run_end: register(RUN_END, MetricType::RunInfo, ValueType::Time, vec![]),
            started_ms: None,
            reporter,
        }
    }

    /// Stores the time at which the test started.
    pub fn note_test_start(&mut self, started_ms: i64) {
        self.started_ms = Some(started_ms);
    }

    /// Records the run metadata, and what was counted since the last window, in the window that has ended.
    pub fn record(&mut self, registry: &mut Registry, window: &Window) {
        let mut record = |id: Option<usize>, value: f64| {
            if let Some(id) = id {
                registry.record_self_metric(id, value, window.end_ms);
            }
        };
        record(self.run_info, 1.0);
        if let Some(started_ms) = self.started_ms {
            record(self.run_start, started_ms as f64);
            if window.last {
                record(self.run_end, window.end_ms as f64);
            }
        }
        for (counted, (id, last)) in COUNTED.iter().zip(&mut self.counted) {
            let now = (counted.read)(&self.reporter.counters).get();
            let value = if counted.metric_type == MetricType::Counter { now - *last } else { now };
            record(*id, value as f64);
            *last = now;
        }
        for latency in self.reporter.take_latencies() {
            record(self.duration, latency.as_secs_f64() * 1000.0);
        }
    }
}
