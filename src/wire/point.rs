//! What is shipped: a value of a series at a time.

use std::sync::Arc;

use super::proto::v1::BucketSpan;
use super::{EncodedLabel, Histogram, Labels};

/// What a metric's values are, as the receiver is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Grows from 0.
    Counter,
    /// A distribution, or a part of one.
    Histogram,
    /// Anything else.
    Gauge,
}

/// What all series of one metric share, whatever their labels.
#[derive(Debug)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// The name as a label.
    pub encoded_name: EncodedLabel,
    /// A label of the metric's own, beside those of its series.
    pub extra_label: Option<EncodedLabel>,
    /// What its values are.
    pub kind: MetricKind,
    /// One line for people.
    pub help: String,
    /// A Prometheus base unit, or nothing.
    pub unit: &'static str,
}

/// What a point tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number in Prometheus's base units: seconds, bytes, ratios from 0 to 1.
    Float(f64),
    /// A native histogram.
    Histogram(Arc<Histogram>),
}

/// The value that ends a series (Remote Write 1.0, "Stale Markers"): one special NaN, of these very bits.
pub const STALE_MARKER: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

impl Value {
    /// Whether it ends its series.
    pub fn is_stale_marker(&self) -> bool {
        let value = match self {
            Self::Float(value) => value,
            Self::Histogram(histogram) => &histogram.sum,
        };
        value.to_bits() == STALE_MARKER.to_bits()
    }

    /// The memory that it takes beside that of its point.
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

/// A value of one series at a time. Small: what is written about the series is shared.
#[derive(Debug, Clone)]
pub struct Point {
    /// Of which metric.
    pub metric: Arc<Metric>,
    /// Of which of its series.
    pub labels: Arc<Labels>,
    /// Milliseconds since the Unix epoch.
    pub time_ms: i64,
    /// When a cumulative series began to count; 0 if it is none.
    pub start_ms: i64,
    /// What it tells.
    pub value: Value,
}
