//! The interface between export and accumulators.

use super::statistic::Statistic;

/// The values of a target series at the end of a window.
pub trait Readings {
    /// Returns the value of `statistic`, or `None` if the window has no value. `percentiles` are the results of
    /// [`Self::percentiles`].
    fn value(&self, statistic: Statistic, percentiles: &[f64]) -> Option<f64>;

    /// Writes the percentiles `percents` (ascending) to `out`, which must be empty. Writes nothing if the window has no values.
    fn percentiles(&self, percents: &[f64], out: &mut Vec<f64>);

    /// Returns the cumulative counts of a classic histogram. The last is the count of all values.
    fn classic_buckets(&self) -> impl Iterator<Item = u64>;

    /// Returns the exponential buckets of a native histogram, if the series has one.
    fn exponential_buckets(&self) -> Option<ExponentialBuckets>;
}

/// The contents of an exponential histogram.
#[derive(Debug, Clone, PartialEq)]
pub struct ExponentialBuckets {
    /// The resolution: a bucket is 2^(2^-schema) times as wide as the one before it.
    pub schema: i8,
    /// The number of values.
    pub count: u64,
    /// The number of values that are zero.
    pub zeros: u64,
    /// The sum of the values.
    pub sum: f64,
    /// Index and count of the positive buckets that are not empty, ascending.
    pub positive: Vec<(i32, u64)>,
    /// Index and count of the negative buckets that are not empty, ascending.
    pub negative: Vec<(i32, u64)>,
}
