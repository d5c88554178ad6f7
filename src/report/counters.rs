//! The tables of all counters. The report, the last log line and the self metrics are made from them, so that a counter has
//! the same name everywhere: that of its field.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::k6::{MetricType, ValueType};

/// A number that any thread may change.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Adds `by`.
    pub fn add(&self, by: u64) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }

    /// Subtracts `by`, which was added before.
    pub fn subtract(&self, by: u64) {
        self.0.fetch_sub(by, Ordering::Relaxed);
    }

    /// Sets it to `to` if that is larger.
    pub fn raise(&self, to: u64) {
        self.0.fetch_max(to, Ordering::Relaxed);
    }

    /// Sets it to `to`.
    pub fn set(&self, to: u64) {
        self.0.store(to, Ordering::Relaxed);
    }

    /// The current value.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Use of a counter in the last log line. The report has all counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The line has it.
    Total,
    /// The line has it if it is not 0, and is an error then.
    Loss,
    /// The line has it if it is not 0.
    IfAny,
    /// The line does not have it.
    Detail,
}

/// A self metric that shows a counter.
#[derive(Debug, Clone, Copy)]
pub struct SelfMetric {
    /// Counter or gauge.
    pub metric_type: MetricType,
    /// The unit.
    pub value_type: ValueType,
    /// A tag of this metric alone.
    pub tag: Option<(&'static str, &'static str)>,
    /// True if it exists only once the counter is not 0: for what most runs do not use.
    pub if_any: bool,
}

/// A row in the table of the counters of `Set`.
pub struct Counter<Set> {
    /// The name.
    pub name: &'static str,
    /// The use in the last log line.
    pub role: Role,
    /// The self metric.
    pub self_metric: Option<SelfMetric>,
    /// Returns the count.
    pub count: fn(&Set) -> &Count,
}

/// Declares a set of counters and its table.
macro_rules! counters {
    ($(#[$about:meta])* $set:ident { $($(#[$doc:meta])* $name:ident: $role:ident, $self_metric:ident;)* }) => {
        $(#[$about])*
        #[derive(Debug, Default)]
        pub struct $set {
            $($(#[$doc])* pub $name: Count,)*
        }

        impl $set {
            /// All counters, in the order of the report.
            pub const ALL: &'static [Counter<Self>] = &[$(Counter {
                name: stringify!($name),
                role: Role::$role,
                self_metric: $self_metric,
                count: |set| &set.$name,
            }),*];
        }
    };
}

counters! {
    /// Counters of the whole output.
    OutputCounters {
        /// Samples recorded, whatever the destinations.
        samples: Total, NONE;
        /// Samples whose value is NaN or infinite.
        samples_not_finite: Loss, NONE;
        /// Samples that arrived faster than they could be processed.
        samples_dropped: Loss, NONE;
        /// Panics that were caught.
        panics: Loss, NONE;
    }
}

counters! {
    /// Counters of one destination. `points` is the sum of `points_sent`, `points_failed`, `points_dropped`,
    /// `points_in_unsent_file` and `points_lost`.
    Counters {
        /// Samples recorded for this destination.
        samples_in: Detail, COUNTER;
        /// Samples of metrics whose name is not valid in Prometheus.
        samples_invalid_name: Loss, NONE;
        /// Samples of series that are too large.
        samples_invalid_series: Loss, NONE;
        /// Samples of series whose name and labels belong to another metric. Such a series may be one of several of its metric.
        samples_name_conflict: Loss, NONE;
        /// Samples of series beyond `maxSeries`.
        samples_over_max_series: Loss, NONE;
        /// k6 series beyond `maxSeries`.
        series_over_max_series: Loss, NONE;
        /// Series made for this destination, self metrics included.
        active_series: Total, GAUGE;
        /// Points handed to the sender.
        points: Total, NONE;
        /// Points that the receiver accepted.
        points_sent: Total, COUNTER;
        /// Points that the receiver rejected. They are not retried.
        points_failed: Loss, COUNTER;
        /// Points dropped by a full queue.
        points_dropped: Loss, DROPPED;
        /// Points that were unsent at the flush timeout and are in a file.
        points_in_unsent_file: Loss, NONE;
        /// Points that were unsent at the flush timeout and are in no file.
        points_lost: Loss, NONE;
        /// Points sent again, counted each time.
        points_retried: Detail, COUNTER;
        /// Points in the queue.
        points_pending: Detail, GAUGE;
        /// Exemplars handed to the sender, with their points.
        exemplars_in: Detail, COUNTER_IF_ANY;
        /// Exemplars that the receiver accepted.
        exemplars_sent: IfAny, COUNTER_IF_ANY;
        /// Exemplars that the receiver did not accept. They cost no point.
        exemplars_failed: IfAny, COUNTER_IF_ANY;
        /// Requests, including retries.
        requests: Total, NONE;
        /// Requests that were retries.
        requests_retried: Total, NONE;
        /// Bytes of the accepted request bodies, compressed.
        bytes_sent: Total, COUNTER_OF_BYTES;
        /// The maximum size of the queue, in bytes.
        queue_bytes_max: Total, GAUGE_OF_BYTES;
        /// The maximum duration of a request, in milliseconds.
        sent_batch_duration_max_ms: Total, NONE;
    }
}

const NONE: Option<SelfMetric> = None;
const COUNTER: Option<SelfMetric> = self_metric(MetricType::Counter, ValueType::Default, None);
const COUNTER_OF_BYTES: Option<SelfMetric> = self_metric(MetricType::Counter, ValueType::Data, None);
const COUNTER_IF_ANY: Option<SelfMetric> =
    Some(SelfMetric { metric_type: MetricType::Counter, value_type: ValueType::Default, tag: None, if_any: true });
const GAUGE: Option<SelfMetric> = self_metric(MetricType::Gauge, ValueType::Default, None);
const GAUGE_OF_BYTES: Option<SelfMetric> = self_metric(MetricType::Gauge, ValueType::Data, None);
/// Prometheus's own sender counts dropped samples by reason.
const DROPPED: Option<SelfMetric> =
    self_metric(MetricType::Counter, ValueType::Default, Some(("reason", "queue_full")));

const fn self_metric(
    metric_type: MetricType,
    value_type: ValueType,
    tag: Option<(&'static str, &'static str)>,
) -> Option<SelfMetric> {
    Some(SelfMetric { metric_type, value_type, tag, if_any: false })
}

impl Counters {
    /// The number of points whose outcome is not counted yet.
    pub fn points_without_outcome(&self) -> u64 {
        let outcomes = [
            &self.points_sent,
            &self.points_failed,
            &self.points_dropped,
            &self.points_in_unsent_file,
            &self.points_lost,
        ];
        self.points.get().saturating_sub(outcomes.iter().map(|outcome| outcome.get()).sum())
    }
}
