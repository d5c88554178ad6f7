//! Terms of k6: samples, and the types of metrics and values.

/// The system tags that k6 has as metadata of samples.
pub const METADATA_TAGS: [&str; 2] = ["vu", "iter"];

/// A note about these, for warnings.
pub const METADATA_NOTE: &str =
    "k6 has vu and iter as metadata, not as tags, and metadata becomes labels of exemplars only";

/// The type of a k6 metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MetricType {
    /// Sum of the values.
    Counter,
    /// Latest value.
    Gauge,
    /// Distribution of the values.
    Trend,
    /// Share of the values that are not zero.
    Rate,
    /// Run metadata, exported as a gauge without extremes. Not a type of k6: the self metrics of the run have it.
    RunInfo,
}

/// The type of the values of a k6 metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// Numbers without a unit.
    Default,
    /// Durations in milliseconds. They are exported in seconds.
    Time,
    /// Amounts of data in bytes.
    Data,
}

/// A sample, as it crosses the C ABI: a record of 24 bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct Sample {
    /// The id that `k6rw_register_series` returned. Never 0.
    pub series: u64,
    /// Time of the measurement, in milliseconds since the Unix epoch. All values are allowed.
    pub time_ms: i64,
    /// The value in k6's unit: milliseconds for times, bytes for data. Values that are NaN or infinite are counted
    /// and ignored, except those of gauges.
    pub value: f64,
}
