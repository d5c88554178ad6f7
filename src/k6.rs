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

/// One measurement: the record that crosses the C ABI, 24 bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct Sample {
    /// What `k6rw_register_series` gave. Never 0.
    pub series: u64,
    /// When it was taken, in milliseconds since the Unix epoch. Any value does no harm.
    pub time_ms: i64,
    /// In k6's units: milliseconds for times, bytes for data. NaN and infinities are counted and left out.
    pub value: f64,
}
