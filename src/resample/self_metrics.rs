//! Self metrics: metrics of the output itself, named after Prometheus's own `prometheus_remote_storage_*`.
//!
//! They are exported with k6's metrics. A pipeline records them from the counters when a window ends, so the delivery of a window
//! is reported with the next window, and the final figures are in the report at the end of the run.

use std::sync::Arc;

use super::catalog::Catalog;
use super::registry::Registry;
use crate::k6::{MetricType, ValueType};
use crate::report::{Counter, Counters, DestinationReporter, SelfMetric};
use crate::series::SeriesDefinition;
use crate::time::window::Window;

/// The counters that are self metrics.
fn counted() -> impl Iterator<Item = (&'static Counter<Counters>, SelfMetric)> {
    Counters::ALL.iter().filter_map(|counter| Some((counter, counter.self_metric?)))
}

/// In the names of self metrics, *sample* is Prometheus's word for a point.
fn metric_of(counter: &Counter<Counters>) -> String {
    format!("remote_write_{}", counter.name.replace("points_", "samples_"))
}

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
    /// For each of [`counted`] its id and the count of the last window.
    counted: Vec<(Option<u32>, u64)>,
    duration: Option<u32>,
    run_info: Option<u32>,
    run_start: Option<u32>,
    run_end: Option<u32>,
    /// The time of the test start, once it is known.
    started_ms: Option<i64>,
    reporter: Arc<DestinationReporter>,
}

impl SelfMetrics {
    /// Registers the self metrics.
    pub fn register(labels: &RunLabels, catalog: &mut Catalog, reporter: Arc<DestinationReporter>) -> Self {
        let mut register_all = |metric: &str, types: (_, _), extra_tags: Vec<(String, String)>, dormant| {
            let definition = SeriesDefinition::new(metric, types.0).with_value_type(types.1);
            catalog.register_self_metric(&definition.with_tags(labels.tags.iter().cloned().chain(extra_tags)), dormant)
        };
        let mut register_counted = |counter: &Counter<Counters>, metric: SelfMetric| {
            let extra_tags = metric.tag.map(|(name, value)| (name.into(), value.into())).into_iter().collect();
            register_all(&metric_of(counter), (metric.metric_type, metric.value_type), extra_tags, metric.if_any)
        };
        let counted = counted().map(|(counter, metric)| (register_counted(counter, metric), 0)).collect();
        // Of two tags with one name, the tag of the test is kept.
        let is_free = |(name, _): &&(String, String)| labels.tags.iter().all(|(known, _)| known != name);
        let run_info = labels.run_info.iter().filter(is_free).cloned().collect();
        let mut register = |metric: &str, metric_type, value_type, extra_tags: Vec<(String, String)>| {
            register_all(metric, (metric_type, value_type), extra_tags, false)
        };
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

    /// Keeps the duration of the run on a timeline that was set back by `step_ms`, which is negative.
    pub fn set_back(&mut self, step_ms: i64) {
        self.started_ms = self.started_ms.map(|started_ms| started_ms + step_ms);
    }

    /// Records the run metadata, and what was counted since the last window, in the window that has ended.
    pub fn record(&mut self, registry: &mut Registry, window: &Window) {
        let mut record = |id: Option<u32>, value: f64| {
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
        for ((counter, metric), (id, last)) in counted().zip(&mut self.counted) {
            let now = (counter.count)(&self.reporter.counters).get();
            let value = if metric.metric_type == MetricType::Counter { now - *last } else { now };
            record(*id, value as f64);
            *last = now;
        }
        for duration in self.reporter.take_durations() {
            record(self.duration, duration.as_secs_f64() * 1000.0);
        }
    }
}
