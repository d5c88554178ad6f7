//! Terms that are k6's own: its samples, and the types of its metrics and of their values.

/// The type of a k6 metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MetricType {
    /// Sums its values.
    Counter,
    /// Keeps its latest value.
    Gauge,
    /// Keeps the distribution of its values.
    Trend,
    /// Keeps the share of its values that are not zero.
    Rate,
    /// Keeps its latest value and nothing else: run metadata of the output itself, not a type of k6.
    RunInfo,
}

/// What the values of a k6 metric are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// Plain numbers.
    Default,
    /// Durations, in milliseconds. They are shipped in seconds.
    Time,
    /// Amounts of data, in bytes.
    Data,
}

/// A sample.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct Sample {
    /// The id of the series, from k6rw_register_series().
    pub series: u64,
    /// The time in milliseconds since the Unix epoch. Any value is allowed.
    pub time_ms: i64,
    /// The value in the unit of k6: milliseconds for times, bytes for data. NaN and infinities are counted, not recorded.
    pub value: f64,
}
