//! What the export of a window reads of a target series, whatever has gathered it.

use super::statistic::Statistic;

/// What a target series has gathered when its window ends.
pub trait Readings {
    /// The value of `statistic`, or `None` if the window has none. `percentiles` are those that [`Self::percentiles`]
    /// has calculated.
    fn value(&self, statistic: Statistic, percentiles: &[f64]) -> Option<f64>;

    /// Appends the percentiles `percents`, which ascend, to `out`; nothing if the window has no values.
    fn percentiles(&self, percents: &[f64], out: &mut Vec<f64>);

    /// The cumulative counts of a classic histogram, ending with that of all values.
    fn classic_buckets(&self) -> impl Iterator<Item = u64>;

    /// The exponential buckets of a native histogram, if the series has one.
    fn exponential_buckets(&self) -> Option<ExponentialBuckets>;
}

/// The content of an exponential histogram.
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
    /// Index and count of the buckets above zero that are not empty, ascending.
    pub positive: Vec<(i32, u64)>,
    /// The same for the buckets below zero.
    pub negative: Vec<(i32, u64)>,
}
