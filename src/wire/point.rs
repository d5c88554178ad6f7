//! Points: the values of series that are exported.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashSet;
use std::ptr;
use std::sync::Arc;

use once_cell::sync::Lazy;
use parking_lot::Mutex;

use super::proto::v1::BucketSpan;
use super::{EncodedLabel, Histogram, Labels};
use crate::text::truncate;

/// Maximum length of a label value in a log line.
const MAX_SHOWN_CHARS: usize = 64;

/// The type of a metric in its metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MetricKind {
    /// A value that increases from 0.
    Counter,
    /// A distribution, or a part of one.
    Histogram,
    /// Anything else.
    Gauge,
}

/// The name and the metadata of a metric, which all of its series share.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Metric {
    /// The name.
    pub name: String,
    /// The name as a label.
    pub encoded_name: EncodedLabel,
    /// An extra label of the metric, in addition to the labels of its series.
    pub extra_label: Option<EncodedLabel>,
    /// The type.
    pub kind: MetricKind,
    /// The help text, one line.
    pub help: String,
    /// A Prometheus base unit, or empty.
    pub unit: Cow<'static, str>,
}

static METRICS: Lazy<Mutex<HashSet<&'static Metric>>> = Lazy::new(Mutex::default);

impl Metric {
    /// Returns the one metric of the process that is equal to this one. It is never freed: a process has few, and each point refers
    /// to one. A count of its references, which two threads would change for each point, took a tenth of the time of an export.
    pub fn intern(self) -> &'static Self {
        let mut known = METRICS.lock();
        if let Some(metric) = known.get(&self) {
            return metric;
        }
        let metric: &'static Self = Box::leak(Box::new(self));
        known.insert(metric);
        metric
    }
}

/// The value of a point.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number in Prometheus's base units: seconds, bytes, ratios from 0 to 1.
    Float(f64),
    /// A native histogram.
    Histogram(Arc<Histogram>),
    /// One of the others with exemplars. They are rare, and so elsewhere: a point stays small.
    WithExemplars(Arc<ValueWithExemplars>),
}

/// A value with exemplars.
#[derive(Debug, PartialEq)]
pub struct ValueWithExemplars {
    /// A value without exemplars.
    value: Value,
    /// At least one, in the order of [`Exemplar::order`]. The points of a target series share them.
    exemplars: Arc<[Exemplar]>,
}

/// A sample that stands for others of its series, with labels that lead to its trace (OpenMetrics, "Exemplars").
#[derive(Debug, Clone, PartialEq)]
pub struct Exemplar {
    /// The labels, at least one; names and values have at most [`Self::MAX_CHARS`] characters together.
    pub labels: Arc<Labels>,
    /// The value of the sample, in the unit of its series.
    pub value: f64,
    /// The time of the sample, in milliseconds since the Unix epoch.
    pub time_ms: i64,
}

impl Exemplar {
    /// The maximum length of all labels together (OpenMetrics, "Exemplars").
    pub const MAX_CHARS: usize = 128;

    /// The order in which receivers accept the exemplars of a series: by time, and by value where times are equal.
    pub fn order(&self, other: &Self) -> Ordering {
        self.time_ms.cmp(&other.time_ms).then(self.value.total_cmp(&other.value))
    }
}

/// The value that ends a series (Remote Write 1.0, "Stale Markers"): a NaN with exactly these bits.
pub const STALE_MARKER: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

/// The NaN of a gauge, with the bits that Prometheus uses for a NaN that is a value.
pub const NAN: f64 = f64::from_bits(0x7ff8_0000_0000_0001);

impl Value {
    /// Adds exemplars to a value that has none, which stays so without any. They must be in the order of [`Exemplar::order`].
    pub fn with_exemplars(self, exemplars: Arc<[Exemplar]>) -> Self {
        match exemplars.is_empty() {
            true => self,
            false => Self::WithExemplars(Arc::new(ValueWithExemplars { value: self, exemplars })),
        }
    }

    /// Returns the value without its exemplars.
    pub fn plain(&self) -> &Self {
        match self {
            Self::WithExemplars(with) => &with.value,
            Self::Float(_) | Self::Histogram(_) => self,
        }
    }

    /// Returns the exemplars.
    pub fn exemplars(&self) -> &[Exemplar] {
        match self {
            Self::WithExemplars(with) => &with.exemplars,
            Self::Float(_) | Self::Histogram(_) => &[],
        }
    }

    /// Returns the number, if the value is one.
    pub fn float(&self) -> Option<f64> {
        match self.plain() {
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns the native histogram, if the value is one.
    pub fn histogram(&self) -> Option<&Histogram> {
        match self.plain() {
            Self::Histogram(histogram) => Some(histogram),
            _ => None,
        }
    }

    /// Returns true if the value ends its series.
    pub fn is_stale_marker(&self) -> bool {
        let value = self.float().or_else(|| self.histogram().map(|histogram| histogram.sum));
        value.is_some_and(|value| value.to_bits() == STALE_MARKER.to_bits())
    }

    /// Returns the heap memory of the value in bytes, in addition to that of the point.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::Float(_) => 0,
            Self::Histogram(histogram) => {
                let spans = histogram.positive_spans.len() + histogram.negative_spans.len();
                let deltas = histogram.positive_deltas.len() + histogram.negative_deltas.len();
                size_of::<Histogram>() + spans * size_of::<BucketSpan>() + deltas * size_of::<i64>()
            }
            Self::WithExemplars(with) => {
                let texts: usize = with.exemplars.iter().map(|exemplar| exemplar.labels.as_bytes().len()).sum();
                let exemplars = with.exemplars.len() * (size_of::<Exemplar>() + size_of::<Labels>()) + texts;
                size_of::<ValueWithExemplars>() + exemplars + with.value.heap_bytes()
            }
        }
    }
}

/// A value of a series at a time. Points of one series share metric and labels.
#[derive(Debug, Clone)]
pub struct Point {
    /// The metric.
    pub metric: &'static Metric,
    /// The labels of the series, without name and extra label.
    pub labels: Arc<Labels>,
    /// Time in milliseconds since the Unix epoch.
    pub time_ms: i64,
    /// Time at which a cumulative series started to count; 0 for other series.
    pub start_ms: i64,
    /// The value.
    pub value: Value,
}

impl Point {
    /// The name and the labels of its series, as PromQL writes them; long values are cut.
    pub fn series_name(&self) -> String {
        let own = self.metric.extra_label.iter().flat_map(EncodedLabel::labels);
        let labels = self.labels.parts().into_iter().flatten().chain(own).map(|label| {
            let (name, value) = label.pair();
            let value = truncate(&String::from_utf8_lossy(value), MAX_SHOWN_CHARS);
            format!("{}={value:?}", String::from_utf8_lossy(name))
        });
        let labels = Vec::from_iter(labels).join(",");
        if labels.is_empty() { self.metric.name.clone() } else { format!("{}{{{labels}}}", self.metric.name) }
    }

    /// Returns the point without exemplars.
    pub fn without_exemplars(&self) -> Self {
        Self { value: self.value.plain().clone(), ..self.clone() }
    }

    /// Its memory, without what it shares with other points.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.value.heap_bytes()
    }

    /// Identifies its series while the series exists: metrics and labels are made once.
    pub fn series_key(&self) -> (usize, usize) {
        (ptr::from_ref(self.metric).addr(), Arc::as_ptr(&self.labels).addr())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(help: &str) -> &'static Metric {
        Metric {
            name: "m".into(),
            encoded_name: EncodedLabel::metric_name("m"),
            extra_label: None,
            kind: MetricKind::Counter,
            help: help.into(),
            unit: "".into(),
        }
        .intern()
    }

    #[test]
    fn equal_metrics_are_one_and_others_are_not() {
        assert!(ptr::eq(metric("a"), metric("a")));
        assert!(!ptr::eq(metric("a"), metric("b")));
    }
}
