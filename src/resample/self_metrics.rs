//! What the output tells of itself: metrics that travel with k6's, named after Prometheus's own `prometheus_remote_storage_*`.
//!
//! They are series like any other, with accumulators of their own, which a pipeline feeds from what was counted when a window ends. So
//! what became of a window is told with the next: the end-of-run report has the last word.

use std::sync::Arc;

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
    /// For each of [`counted`] its target and what was read last.
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
        let counted = counted()
            .map(|(counter, metric)| {
                let tag = metric.tag.map(|(name, value)| (name.into(), value.into())).into_iter().collect();
                (register(&metric_of(counter), metric.metric_type, metric.value_type, tag), 0)
            })
            .collect();
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
        for ((counter, metric), (target, last)) in counted().zip(&mut self.counted) {
            let now = (counter.count)(&self.reporter.counters).get();
            let value = if metric.metric_type == MetricType::Counter { now - *last } else { now };
            record(*target, value as f64);
            *last = now;
        }
        for duration in self.reporter.take_durations() {
            record(self.duration, duration.as_secs_f64() * 1000.0);
        }
    }
}
