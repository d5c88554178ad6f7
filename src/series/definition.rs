//! Series in k6's terms.

use crate::k6::{MetricType, ValueType};

/// A k6 series: a k6 metric and one of its tag sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesDefinition {
    /// The k6 name of the metric, such as `http_req_duration`.
    pub metric: String,
    /// The k6 type of the metric.
    pub metric_type: MetricType,
    /// The type of the values.
    pub value_type: ValueType,
    /// The tags, in any order.
    pub tags: Vec<(String, String)>,
    /// The size of a series that is larger than [`MAX_SERIES_BYTES`]. It is not exported, and has no tags here.
    pub too_large: Option<usize>,
}

/// The maximum size of a series: the bytes of the metric's name and of all tags together.
pub const MAX_SERIES_BYTES: usize = 1 << 20;

impl SeriesDefinition {
    /// Creates a series without tags whose values are plain numbers.
    pub fn new(metric: impl Into<String>, metric_type: MetricType) -> Self {
        Self { metric: metric.into(), metric_type, value_type: ValueType::Default, tags: Vec::new(), too_large: None }
    }

    /// Sets the type of the values.
    pub fn with_value_type(mut self, value_type: ValueType) -> Self {
        self.value_type = value_type;
        self
    }

    /// Adds tags.
    pub fn with_tags<N: Into<String>, V: Into<String>>(mut self, tags: impl IntoIterator<Item = (N, V)>) -> Self {
        self.tags.extend(tags.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }
}

/// Returns true if `name` is a valid metric name (Prometheus data model, "Metric names and labels").
pub fn is_metric_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || matches!(first, b'_' | b':'))
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':'))
}
