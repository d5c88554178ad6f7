//! The exponential histogram of trends: percentiles within 0.5 %, in memory that depends on the spread of the values and not on
//! their number.
//!
//! Its buckets are those of Prometheus's native histograms ([`scale`]). Making a histogram coarser, and merging two of them, adds
//! no error. A histogram starts at the schema of its [`Resolution`]; the schema is lowered when the values spread over too many
//! buckets.

mod buckets;
mod counts;
mod scale;

pub use scale::MAX_SCHEMA;

use self::buckets::Buckets;
use self::scale::{bucket_index, bucket_middle, coarser};
use super::CompensatedSum;
use super::percentile::Position;

/// The resolution of the buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolution {
    /// The schema at the start.
    pub schema: i8,
    /// The maximum number of buckets that the values of one sign spread over. The schema is lowered to keep it.
    pub max_buckets: u16,
}

impl Resolution {
    /// 128 buckets an octave: an error of at most 0.28 % if the values spread over at most 64 octaves (19 decades).
    pub const FINE: Self = Self { schema: MAX_SCHEMA, max_buckets: 8192 };

    /// 8 buckets an octave, each 9.1 % wide, as in k6's own Prometheus output; and the maximum number of buckets that Prometheus
    /// recommends, which is enough for 20 octaves (six decades). At schema -4, the lowest that receivers accept, the whole range
    /// of numbers fits.
    pub const NATIVE: Self = Self { schema: 3, max_buckets: 160 };
}

/// A distribution of values.
///
/// Count, sum, min and max are exact. [`Self::record`] runs in constant time, and allocates nothing once the spread of the values
/// is known. Merging is associative and commutative.
#[derive(Debug, Clone)]
pub struct Histogram {
    resolution: Resolution,
    schema: i8,
    positive: Buckets,
    /// Boxed, since few metrics have negative values.
    negative: Option<Box<Buckets>>,
    zeros: u64,
    count: u64,
    sum: CompensatedSum,
    min: f64,
    max: f64,
}

/// Populated buckets of one sign, by ascending index, each with its count.
pub trait Populated: DoubleEndedIterator<Item = (i32, u64)> + Clone {}
impl<I: DoubleEndedIterator<Item = (i32, u64)> + Clone> Populated for I {}

impl Histogram {
    /// Creates an empty histogram.
    pub fn new(resolution: Resolution) -> Self {
        Self {
            resolution,
            schema: resolution.schema,
            positive: Buckets::default(),
            negative: None,
            zeros: 0,
            count: 0,
            sum: CompensatedSum::default(),
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
        }
    }

    /// Records `value` once. It must be finite.
    #[inline]
    pub fn record(&mut self, value: f64) {
        debug_assert!(value.is_finite());
        self.count += 1;
        self.sum.add(value);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        let max_buckets = i32::from(self.resolution.max_buckets);
        if value > 0.0 {
            let index = coarser(bucket_index(value), MAX_SCHEMA - self.schema);
            if !self.positive.increment(index, max_buckets) {
                self.widen(Sign::Positive, index);
            }
        } else if value < 0.0 {
            let index = coarser(bucket_index(-value), MAX_SCHEMA - self.schema);
            if !self.negative.get_or_insert_default().increment(index, max_buckets) {
                self.widen(Sign::Negative, index);
            }
        } else {
            self.zeros += 1;
        }
    }

    /// Adds the values of `other`, as if they had been recorded here.
    pub fn merge(&mut self, other: &Self) {
        self.lower_schema(other.schema);
        for (index, count) in other.positive() {
            self.add(Sign::Positive, index, other.schema, count);
        }
        for (index, count) in other.negative() {
            self.add(Sign::Negative, index, other.schema, count);
        }
        self.zeros += other.zeros;
        self.count += other.count;
        self.sum.merge(&other.sum);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// Removes all values and returns to the first schema. Keeps the memory for the next window, which is likely to be similar.
    pub fn reset(&mut self) {
        self.schema = self.resolution.schema;
        self.positive.clear();
        if let Some(negative) = &mut self.negative {
            negative.clear();
        }
        self.zeros = 0;
        self.count = 0;
        self.sum = CompensatedSum::default();
        self.min = f64::INFINITY;
        self.max = f64::NEG_INFINITY;
    }

    /// Returns the number of values.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Returns the number of values that are zero.
    pub fn zeros(&self) -> u64 {
        self.zeros
    }

    /// Returns the sum of all values, compensated for rounding.
    pub fn sum(&self) -> &CompensatedSum {
        &self.sum
    }

    /// Returns the smallest value, or `None` without values.
    pub fn min(&self) -> Option<f64> {
        (self.count > 0).then_some(self.min)
    }

    /// Returns the largest value, or `None` without values.
    pub fn max(&self) -> Option<f64> {
        (self.count > 0).then_some(self.max)
    }

    /// Returns the mean of all values, or `None` without values.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum.value() / self.count as f64)
    }

    /// Returns the schema in use: that of the resolution, or a lower one.
    pub fn schema(&self) -> i8 {
        self.schema
    }

    /// Returns the buckets of the positive values.
    pub fn positive(&self) -> impl Populated {
        self.positive.populated()
    }

    /// Returns the buckets of the negative values. The index of a bucket is that of the absolute values.
    pub fn negative(&self) -> impl Populated {
        self.negative.iter().flat_map(|buckets| buckets.populated())
    }

    /// Returns the percentile `percent` (0 to 100), or `None` without values.
    pub fn percentile(&self, percent: f64) -> Option<f64> {
        let mut percentiles = Vec::new();
        self.percentiles(&[percent], &mut percentiles);
        percentiles.pop()
    }

    /// Writes the percentiles `percents` (0 to 100, ascending) to `out`, in one pass over the buckets. Without values, `out` is
    /// empty.
    pub fn percentiles(&self, percents: &[f64], out: &mut Vec<f64>) {
        out.clear();
        let Some(last) = self.count.checked_sub(1) else { return };
        let mut cursor = Cursor { buckets: self.ascending(), bucket: Bucket::Zero, count: 0 };
        for percent in percents {
            let position = Position::of(*percent, last);
            self.value_at(position.rank, &mut cursor);
            // A copy for the rank above: the next percentile may begin at this one again.
            let mut above = cursor.clone();
            out.push(position.between(|rank| self.value_at(rank, &mut above)));
        }
    }

    /// Returns the value of rank `rank` in ascending order: exact for the first, the last and zero, else the middle of its bucket.
    fn value_at<B: Iterator<Item = (Bucket, u64)>>(&self, rank: u64, cursor: &mut Cursor<B>) -> f64 {
        if rank == 0 {
            return self.min;
        }
        if rank + 1 >= self.count {
            return self.max;
        }
        let estimate = match cursor.advance_to(rank) {
            Bucket::Negative(index) => -bucket_middle(index, self.schema),
            Bucket::Zero => 0.0,
            Bucket::Positive(index) => bucket_middle(index, self.schema),
        };
        estimate.clamp(self.min, self.max)
    }

    /// Returns all buckets in ascending order of their values.
    fn ascending(&self) -> impl Iterator<Item = (Bucket, u64)> + Clone {
        let negative = self.negative().rev().map(|(index, count)| (Bucket::Negative(index), count));
        let zero = std::iter::once((Bucket::Zero, self.zeros));
        let positive = self.positive().map(|(index, count)| (Bucket::Positive(index), count));
        negative.chain(zero).chain(positive)
    }

    /// The rare case of [`Self::record`]: the row of the value's sign does not contain its bucket.
    #[cold]
    fn widen(&mut self, sign: Sign, index: i32) {
        self.add(sign, index, self.schema, 1);
    }

    /// Adds `count` to the bucket with `index` at `schema`, which must not be below the schema of the histogram. Lowers the schema
    /// of the histogram until the spread fits.
    fn add(&mut self, sign: Sign, index: i32, schema: i8, count: u64) {
        let max_buckets = i32::from(self.resolution.max_buckets);
        let mut index = coarser(index, schema - self.schema);
        while !self.buckets(sign).extend_to(index, max_buckets) {
            self.lower_schema(self.schema - 1);
            index = coarser(index, 1);
        }
        self.buckets(sign).add(index, count);
    }

    fn buckets(&mut self, sign: Sign) -> &mut Buckets {
        match sign {
            Sign::Positive => &mut self.positive,
            Sign::Negative => self.negative.get_or_insert_default(),
        }
    }

    /// Merges adjacent buckets until the schema is `schema` or lower. Exact: each bucket is contained in the one that it is merged
    /// into.
    fn lower_schema(&mut self, schema: i8) {
        let shift = self.schema - schema;
        if shift <= 0 {
            return;
        }
        self.positive.make_coarser(shift);
        if let Some(negative) = &mut self.negative {
            negative.make_coarser(shift);
        }
        self.schema = schema;
    }
}

#[derive(Debug, Clone, Copy)]
enum Sign {
    Positive,
    Negative,
}

/// A bucket by its sign and index.
#[derive(Debug, Clone, Copy)]
enum Bucket {
    Negative(i32),
    Zero,
    Positive(i32),
}

/// A position in the buckets in ascending order.
#[derive(Clone)]
struct Cursor<B> {
    buckets: B,
    /// The current bucket.
    bucket: Bucket,
    /// The number of values in the current bucket and before.
    count: u64,
}

impl<B: Iterator<Item = (Bucket, u64)>> Cursor<B> {
    /// Advances to the bucket with the value of rank `rank`, which must not be before the current bucket, and returns it.
    fn advance_to(&mut self, rank: u64) -> Bucket {
        while self.count <= rank {
            let Some((bucket, count)) = self.buckets.next() else { break };
            self.bucket = bucket;
            self.count += count;
        }
        self.bucket
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::counts::Counts;
    use super::*;

    fn histogram(values: &[f64]) -> Histogram {
        let mut histogram = Histogram::new(Resolution::FINE);
        values.iter().for_each(|&value| histogram.record(value));
        histogram
    }

    /// Returns the percentile by k6's definition.
    fn exact_percentile(values: &[f64], percent: f64) -> f64 {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let rank = percent / 100.0 * (sorted.len() - 1) as f64;
        let (low, high) = (sorted[rank.floor() as usize], sorted[rank.ceil() as usize]);
        low + (high - low) * rank.fract()
    }

    /// The contents of a histogram that two equal histograms have in common.
    #[derive(Debug, PartialEq)]
    struct Shape {
        schema: i8,
        positive: Vec<(i32, u64)>,
        negative: Vec<(i32, u64)>,
        zeros: u64,
        count: u64,
        bounds: (Option<f64>, Option<f64>),
    }

    fn shape(histogram: &Histogram) -> Shape {
        Shape {
            schema: histogram.schema,
            positive: histogram.positive().collect(),
            negative: histogram.negative().collect(),
            zeros: histogram.zeros,
            count: histogram.count,
            bounds: (histogram.min(), histogram.max()),
        }
    }

    fn assert_percentiles(values: &[f64], histogram: &Histogram) {
        for percent in [0.0, 0.1, 1.0, 5.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 100.0] {
            let exact = exact_percentile(values, percent);
            let estimate = histogram.percentile(percent).expect("has values");
            // Interpolation between values of two signs can be close to 0: the error is relative to the values of the ranks.
            let scale = if values.iter().any(|&v| v < 0.0) && values.iter().any(|&v| v > 0.0) {
                values.iter().fold(exact.abs(), |scale, v| scale.max(v.abs()))
            } else {
                exact.abs()
            };
            assert!((estimate - exact).abs() <= 0.005 * scale, "p({percent}) is {exact}, estimated as {estimate}");
        }
    }

    #[test]
    fn an_empty_histogram_has_no_statistics() {
        let empty = Histogram::new(Resolution::FINE);
        assert_eq!((empty.min(), empty.max(), empty.mean(), empty.percentile(50.0)), (None, None, None, None));
    }

    #[test]
    fn every_percentile_of_equal_values_is_that_value() {
        for value in [0.0, 1.0, -7.3, 1e-320, 1e300] {
            let histogram = histogram(&[value; 3]);
            for percent in [0.0, 50.0, 99.9, 100.0] {
                assert_eq!(histogram.percentile(percent), Some(value));
            }
        }
    }

    #[test]
    fn percentiles_of_extreme_distributions_are_within_half_a_percent_also_when_merged() {
        let distributions: [(&str, Vec<f64>); 8] = [
            ("one value", vec![42.0]),
            ("constant", vec![0.1; 10_000]),
            (
                "bimodal",
                (0..999).map(|i| if i % 2 == 0 { 1.0 + f64::from(i) / 1e6 } else { 1e6 - f64::from(i) }).collect(),
            ),
            ("nine decades", (0..9000).map(|i| 10_f64.powf(f64::from(i) / 1000.0 - 4.5)).collect()),
            ("denormals", (1..2000).map(|i| f64::from_bits(i * i * i * 1000)).collect()),
            ("negatives", (1..3000).map(|i| -1.003_f64.powi(i)).collect()),
            ("zeros", (0..500).map(|i| if i % 3 == 0 { f64::from(i) } else { 0.0 }).collect()),
            ("powers of two", (-30..30).flat_map(|i| [2_f64.powi(i), 2_f64.powi(i).next_up()]).collect()),
        ];
        for (name, values) in distributions {
            println!("{name}");
            assert_percentiles(&values, &histogram(&values));
            let mut merged = Histogram::new(Resolution::FINE);
            values.chunks(7).for_each(|part| merged.merge(&histogram(part)));
            assert_percentiles(&values, &merged);
            assert_eq!((merged.schema(), merged.count()), (MAX_SCHEMA, values.len() as u64));
        }
    }

    #[test]
    fn percentiles_between_the_largest_numbers_of_two_signs_are_finite() {
        let histogram = histogram(&[f64::MIN, f64::MAX]);
        assert_eq!(histogram.percentile(50.0), Some(0.0));
        assert_eq!(histogram.sum().value(), 0.0);
    }

    #[test]
    fn percentiles_in_one_pass_equal_those_of_separate_passes() {
        let histogram = histogram(&(0..50).map(|i| f64::from(i * i) - 300.0).collect::<Vec<_>>());
        let percents = [0.0, 1.0, 1.5, 50.0, 50.1, 97.0, 98.0, 99.0, 100.0];
        let mut together = Vec::new();
        histogram.percentiles(&percents, &mut together);
        assert_eq!(together, percents.map(|percent| histogram.percentile(percent).expect("has values")));
    }

    #[test]
    fn the_native_resolution_keeps_its_maximum_of_buckets() {
        let mut histogram = Histogram::new(Resolution::NATIVE);
        for exponent in -1074..1024 {
            histogram.record(f64::from(exponent).exp2());
            assert!(histogram.positive().count() <= 160);
        }
        assert_eq!((histogram.schema(), histogram.positive().map(|(_, count)| count).sum::<u64>()), (-4, 2098));
    }

    #[test]
    fn the_whole_range_of_numbers_fits_into_bounded_memory() {
        let mut histogram = Histogram::new(Resolution::FINE);
        for exponent in -1074..1024 {
            histogram.record(f64::from(exponent).exp2());
            histogram.record(-f64::from(exponent).exp2());
        }
        let row = histogram.positive.row().len();
        assert!(row <= usize::from(Resolution::FINE.max_buckets) + 32, "{row} buckets");
        assert_eq!(histogram.count(), 2 * 2098);
        assert_eq!(histogram.positive().map(|(_, count)| count).sum::<u64>(), 2098);
        assert_eq!((histogram.min(), histogram.max()), (Some(-(1023_f64.exp2())), Some(1023_f64.exp2())));
    }

    #[test]
    fn a_reset_returns_to_the_first_schema_and_removes_all_values() {
        let mut reused = histogram(&[1e-300, 1e300, -5.0, 0.0]);
        assert!(reused.schema() < MAX_SCHEMA);
        reused.reset();
        for value in [3.0, 4.0] {
            reused.record(value);
        }
        assert_eq!(shape(&reused), shape(&histogram(&[3.0, 4.0])));
    }

    #[test]
    fn a_known_spread_is_recorded_without_reallocation() {
        let mut histogram = histogram(&[0.1, 1000.0]);
        let before = match histogram.positive.row() {
            Counts::Narrow(row) => row.as_ptr(),
            _ => unreachable!("two values"),
        };
        histogram.reset();
        for i in 1..10_000 {
            histogram.record(0.1 * f64::from(i));
        }
        assert!(matches!(histogram.positive.row(), Counts::Narrow(row) if row.as_ptr() == before));
    }

    fn any_value() -> impl Strategy<Value = f64> {
        prop_oneof![
            4 => 0.001..10_000.0,
            1 => Just(0.0),
            1 => -1000.0..-0.01,
            1 => prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL,
        ]
    }

    proptest! {
        #[test]
        fn percentiles_are_within_half_a_percent(values in prop::collection::vec(1e-5..1e4, 1..400)) {
            assert_percentiles(&values, &histogram(&values));
        }

        #[test]
        fn percentiles_of_two_peaks_are_within_half_a_percent(
            low in prop::collection::vec(0.9..1.1, 1..100),
            high in prop::collection::vec(990.0..1010.0, 1..100),
        ) {
            let values = [low, high].concat();
            assert_percentiles(&values, &histogram(&values));
        }

        #[test]
        fn percentiles_of_both_signs_are_within_half_a_percent(
            values in prop::collection::vec(-100.0..100.0, 1..300),
        ) {
            assert_percentiles(&values, &histogram(&values));
        }

        #[test]
        fn merging_equals_recording_all_values(a in prop::collection::vec(any_value(), 0..60), b in prop::collection::vec(any_value(), 0..60)) {
            let mut merged = histogram(&a);
            merged.merge(&histogram(&b));
            prop_assert_eq!(shape(&merged), shape(&histogram(&[a, b].concat())));
        }

        #[test]
        fn merging_is_commutative_and_associative(
            a in prop::collection::vec(any_value(), 0..40),
            b in prop::collection::vec(any_value(), 0..40),
            c in prop::collection::vec(any_value(), 0..40),
        ) {
            let (a, b, c) = (histogram(&a), histogram(&b), histogram(&c));
            let merged = |parts: [&Histogram; 3]| {
                let mut all = parts[0].clone();
                all.merge(parts[1]);
                all.merge(parts[2]);
                all
            };
            let mut right = b.clone();
            right.merge(&c);
            let mut nested = a.clone();
            nested.merge(&right);
            let expected = shape(&merged([&a, &b, &c]));
            prop_assert_eq!(&shape(&merged([&c, &a, &b])), &expected);
            prop_assert_eq!(&shape(&nested), &expected);
        }

        /// Compares with sums of 128-bit integers: every value is a multiple of 2^-30.
        #[test]
        fn the_sum_is_exact_to_the_last_digit(
            parts in prop::collection::vec((-(1_i64 << 53)..1 << 53, 0..60_u32), 1..500), split in any::<prop::sample::Index>(),
        ) {
            let unit = (-30_f64).exp2();
            let values: Vec<f64> = parts.iter().map(|&(m, e)| m as f64 * f64::from(e).exp2() * unit).collect();
            let exact = parts.iter().map(|&(m, e)| i128::from(m) << e).sum::<i128>() as f64 * unit;
            let mut merged = histogram(&values[..split.index(values.len())]);
            merged.merge(&histogram(&values[split.index(values.len())..]));
            for sum in [histogram(&values).sum().value(), merged.sum().value()] {
                // Values that cancel out leave the rounding error of the compensation, which is 2^-104 of their size.
                let all: f64 = values.iter().map(|value| value.abs()).sum();
                prop_assert!((sum - exact).abs() <= f64::EPSILON * exact.abs() + 1e-26 * all, "{sum} is not {exact}");
            }
        }

        #[test]
        fn count_min_max_and_sum_are_exact(values in prop::collection::vec(-1_000_000_i32..1_000_000, 1..500)) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let histogram = histogram(&values);
            prop_assert_eq!(histogram.count(), values.len() as u64);
            // Sums of integers of this size are exact in f64.
            prop_assert_eq!(histogram.sum().value(), values.iter().sum::<f64>());
            prop_assert_eq!(histogram.min(), values.iter().copied().reduce(f64::min));
            prop_assert_eq!(histogram.max(), values.iter().copied().reduce(f64::max));
        }
    }
}
