//! Points: the values of series that are exported.

use std::borrow::Cow;
use std::sync::Arc;

use super::proto::v1::BucketSpan;
use super::{EncodedLabel, Histogram, Labels};
use crate::text::truncate;

/// Maximum length of a label value in a log line.
const MAX_SHOWN_CHARS: usize = 64;

/// The type of a metric in its metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// A value that increases from 0.
    Counter,
    /// A distribution, or a part of one.
    Histogram,
    /// Anything else.
    Gauge,
}

/// The name and the metadata of a metric, which all of its series share.
#[derive(Debug)]
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

/// The value of a point.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number in Prometheus's base units: seconds, bytes, ratios from 0 to 1.
    Float(f64),
    /// A native histogram.
    Histogram(Arc<Histogram>),
}

/// The value that ends a series (Remote Write 1.0, "Stale Markers"): a NaN with exactly these bits.
pub const STALE_MARKER: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

/// The NaN of a gauge, with the bits that Prometheus uses for a NaN that is a value.
pub const NAN: f64 = f64::from_bits(0x7ff8_0000_0000_0001);

impl Value {
    /// Returns true if the value ends its series.
    pub fn is_stale_marker(&self) -> bool {
        let value = match self {
            Self::Float(value) => value,
            Self::Histogram(histogram) => &histogram.sum,
        };
        value.to_bits() == STALE_MARKER.to_bits()
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
        }
    }
}

/// A value of a series at a time. Points of one series share metric and labels.
#[derive(Debug, Clone)]
pub struct Point {
    /// The metric.
    pub metric: Arc<Metric>,
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

    /// Its memory, without what it shares with other points.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.value.heap_bytes()
    }

    /// Identifies its series while the series exists: metrics and labels are made once.
    pub fn series_key(&self) -> (usize, usize) {
        (Arc::as_ptr(&self.metric).addr(), Arc::as_ptr(&self.labels).addr())
    }
}
