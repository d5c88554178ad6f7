//! The exponential histogram that serves every trend: percentiles within 0.5 % from memory that depends on the spread
//! of the values, never on their number.
//!
//! Buckets are those of Prometheus's native histograms: at schema *s* bucket *i* holds the values in
//! `(base^(i-1), base^i]` with `base = 2^(2^-s)`. Two neighbouring buckets of one schema are exactly one bucket of the
//! schema below, so a histogram can be made coarser, and any two can be merged, without a new error. It starts at
//! schema 7 (128 buckets an octave, error at most 0.28 %) and goes lower only when the values spread over more than
//! [`MAX_BUCKETS`]: at schema 7 that is 64 octaves, 19 decades.

use once_cell::sync::Lazy;

use super::counts::Counts;
use super::sum::CompensatedSum;

/// The finest schema, and the one that every histogram starts with.
pub const MAX_SCHEMA: i8 = 7;

/// The most buckets that the values of one sign may spread over before the schema is lowered.
pub const MAX_BUCKETS: usize = 8192;

const BUCKETS_PER_OCTAVE: i32 = 1 << MAX_SCHEMA;

/// Rows grow by whole blocks, so that a slowly widening spread does not move them for every new bucket.
const BLOCK: i32 = 16;

const MANTISSA_BITS: u32 = 52;
const MANTISSA_MASK: u64 = (1 << MANTISSA_BITS) - 1;

/// The values of one series in one window, or of many merged.
///
/// Count, sum, min and max are exact. [`Self::record`] takes constant time, and allocates nothing once the spread of
/// the values has been seen. Merging is associative and commutative.
#[derive(Debug, Clone)]
pub struct Histogram {
    schema: i8,
    positive: Buckets,
    /// Boxed: hardly any metric has negative values.
    negative: Option<Box<Buckets>>,
    zeros: u64,
    count: u64,
    sum: CompensatedSum,
    min: f64,
    max: f64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            schema: MAX_SCHEMA,
            positive: Buckets::default(),
            negative: None,
            zeros: 0,
            count: 0,
            sum: CompensatedSum::default(),
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
        }
    }
}

impl Histogram {
    /// Records `value` once. It must be finite: [`super::Accumulator::record`] lets nothing else through.
    #[inline]
    pub fn record(&mut self, value: f64) {
        debug_assert!(value.is_finite());
        self.count += 1;
        self.sum.add(value);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        if value > 0.0 {
            let index = coarser(bucket_index(value), MAX_SCHEMA - self.schema);
            if !self.positive.increment(index) {
                self.widen(Sign::Positive, index);
            }
        } else if value < 0.0 {
            let index = coarser(bucket_index(-value), MAX_SCHEMA - self.schema);
            if !self.negative.get_or_insert_default().increment(index) {
                self.widen(Sign::Negative, index);
            }
        } else {
            self.zeros += 1;
        }
    }

    /// Adds all that `other` holds, as if its values had been recorded here.
    pub fn merge(&mut self, other: &Self) {
        self.lower_schema(other.schema);
        for (index, count) in other.positive.populated() {
            self.add(Sign::Positive, index, other.schema, count);
        }
        for (index, count) in other.negative.iter().flat_map(|buckets| buckets.populated()) {
            self.add(Sign::Negative, index, other.schema, count);
        }
        self.zeros += other.zeros;
        self.count += other.count;
        self.sum.merge(&other.sum);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// Forgets all values and returns to the finest schema. Keeps the memory for the next window, which will look alike.
    pub fn reset(&mut self) {
        self.schema = MAX_SCHEMA;
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

    /// How many values were recorded.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The sum of all values, compensated for rounding.
    pub fn sum(&self) -> &CompensatedSum {
        &self.sum
    }

    /// The smallest value, or `None` without values.
    pub fn min(&self) -> Option<f64> {
        (self.count > 0).then_some(self.min)
    }

    /// The largest value, or `None` without values.
    pub fn max(&self) -> Option<f64> {
        (self.count > 0).then_some(self.max)
    }

    /// The mean of all values, or `None` without values.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum.value() / self.count as f64)
    }

    /// The schema in use, from [`MAX_SCHEMA`] down.
    pub fn schema(&self) -> i8 {
        self.schema
    }

    /// The percentile `percent` (0 to 100) as k6 defines it: linear between the two closest ranks, where rank 0 is the
    /// smallest value and rank `count - 1` the largest. `None` without values.
    pub fn percentile(&self, percent: f64) -> Option<f64> {
        let last = self.count.checked_sub(1)?;
        let rank = percent.clamp(0.0, 100.0) / 100.0 * last as f64;
        let below = rank.floor();
        let lower = self.value_at_rank(below as u64);
        let share = rank - below;
        if share == 0.0 {
            return Some(lower);
        }
        let upper = self.value_at_rank((below as u64 + 1).min(last));
        Some(lower + (upper - lower) * share)
    }

    /// The value of rank `rank` in ascending order: exact for the first, the last and zero, else the middle of its bucket.
    fn value_at_rank(&self, rank: u64) -> f64 {
        if rank == 0 {
            return self.min;
        }
        if rank + 1 >= self.count {
            return self.max;
        }
        let mut passed = 0;
        let negatives = self.negative.iter().flat_map(|buckets| buckets.populated().rev());
        for (index, count) in negatives {
            passed += count;
            if passed > rank {
                return self.clamp(-bucket_middle(index, self.schema));
            }
        }
        passed += self.zeros;
        if passed > rank {
            return 0.0;
        }
        for (index, count) in self.positive.populated() {
            passed += count;
            if passed > rank {
                return self.clamp(bucket_middle(index, self.schema));
            }
        }
        self.max
    }

    fn clamp(&self, estimate: f64) -> f64 {
        estimate.clamp(self.min, self.max)
    }

    /// The rare half of [`Self::record`]: the value lies outside the row of its sign.
    #[cold]
    fn widen(&mut self, sign: Sign, index: i32) {
        self.add(sign, index, self.schema, 1);
    }

    /// Adds `count` to the bucket that has `index` at `schema`, the histogram's own or a finer one, lowering the
    /// histogram's until the spread fits.
    fn add(&mut self, sign: Sign, index: i32, schema: i8, count: u64) {
        let mut index = coarser(index, schema - self.schema);
        while !self.buckets(sign).make_room(index) {
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

    /// Merges neighbouring buckets until the schema is `schema` or lower. Exact: no value changes its bucket's bounds
    /// but to those of the bucket that contains them.
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

/// The buckets of one sign: a row of counts that begins with bucket `first`. The populated ones lie in `low..=high`,
/// which is empty (`low > high`) without values.
#[derive(Debug, Clone)]
struct Buckets {
    first: i32,
    counts: Counts,
    low: i32,
    high: i32,
}

impl Default for Buckets {
    fn default() -> Self {
        Self { first: 0, counts: Counts::default(), low: i32::MAX, high: i32::MIN }
    }
}

impl Buckets {
    /// Adds one to bucket `index`; false if the row does not reach it.
    #[inline]
    fn increment(&mut self, index: i32) -> bool {
        let offset = index.wrapping_sub(self.first) as u32 as usize;
        // The spread is bounded as well as the row: a row that was kept may be longer than its values may spread.
        if offset >= self.counts.len() || !self.fits(index) {
            return false;
        }
        self.note(index);
        self.counts.increment(offset);
        true
    }

    /// Adds `count` to bucket `index`, which [`Self::make_room`] made room for.
    fn add(&mut self, index: i32, count: u64) {
        self.note(index);
        self.counts.add((index - self.first) as usize, count);
    }

    #[inline]
    fn note(&mut self, index: i32) {
        self.low = self.low.min(index);
        self.high = self.high.max(index);
    }

    /// Whether the values still spread over at most [`MAX_BUCKETS`] buckets with one more in bucket `index`.
    #[inline]
    fn fits(&self, index: i32) -> bool {
        self.is_empty() || self.high.max(index) - self.low.min(index) < MAX_BUCKETS as i32
    }

    fn is_empty(&self) -> bool {
        self.low > self.high
    }

    /// Makes the row reach bucket `index`; false if the values would then spread over more than [`MAX_BUCKETS`].
    fn make_room(&mut self, index: i32) -> bool {
        if !self.fits(index) {
            return false;
        }
        let end = self.first + self.counts.len() as i32;
        if (self.first..end).contains(&index) {
            return true;
        }
        let (low, high) = (self.low.min(index), self.high.max(index));
        let first = low.div_euclid(BLOCK) * BLOCK;
        let len = (high.div_euclid(BLOCK) + 1) * BLOCK - first;
        self.relocate(first, len as usize, 0);
        true
    }

    fn make_coarser(&mut self, shift: i8) {
        if self.is_empty() {
            return;
        }
        let (low, high) = (coarser(self.low, shift), coarser(self.high, shift));
        let first = low.div_euclid(BLOCK) * BLOCK;
        let len = (high.div_euclid(BLOCK) + 1) * BLOCK - first;
        self.relocate(first, len as usize, shift);
    }

    /// Moves all counts to a new row of `len` buckets from `first` on, `shift` schemas lower.
    fn relocate(&mut self, first: i32, len: usize, shift: i8) {
        let mut moved = Self { first, counts: self.counts.zeros(len), low: i32::MAX, high: i32::MIN };
        for (index, count) in self.populated() {
            moved.add(coarser(index, shift), count);
        }
        *self = moved;
    }

    /// The buckets with values, ascending, each with its count.
    fn populated(&self) -> impl DoubleEndedIterator<Item = (i32, u64)> + '_ {
        // As an exclusive range, so that the empty one does not overflow.
        let range = if self.is_empty() { 0..0 } else { self.low..self.high + 1 };
        range.map(|index| (index, self.counts.get((index - self.first) as usize))).filter(|&(_, count)| count > 0)
    }

    fn clear(&mut self) {
        self.counts.clear();
        (self.low, self.high) = (i32::MAX, i32::MIN);
    }
}

/// The index of the same bucket `shift` schemas lower.
#[inline]
fn coarser(index: i32, shift: i8) -> i32 {
    ((index - 1) >> shift) + 1
}

/// The index at [`MAX_SCHEMA`] of the bucket that holds `value`, which must be positive and finite. Constant time: the
/// exponent gives the octave, and eight bits of the mantissa give its bucket or the one below.
#[inline]
fn bucket_index(value: f64) -> i32 {
    let (bits, scale) = if value < f64::MIN_POSITIVE {
        // A denormal has no exponent of its own: scaled by 2^54, exactly, it has.
        ((value * (1_u64 << 54) as f64).to_bits(), 54)
    } else {
        (value.to_bits(), 0)
    };
    let exponent = (bits >> MANTISSA_BITS) as i32 - 1023 - scale;
    let mantissa = bits & MANTISSA_MASK;
    let octave = exponent * BUCKETS_PER_OCTAVE;
    if mantissa == 0 {
        // A power of two is the upper bound of its bucket, and belongs to it.
        return octave;
    }
    let bounds = &*OCTAVE;
    let guess = bounds.guess[(mantissa >> (MANTISSA_BITS - 8)) as usize];
    octave + i32::from(guess) + i32::from(mantissa > bounds.upper[usize::from(guess)])
}

/// The value inside the bucket whose relative distance to both bounds is the same, and so the smallest: `2ab / (a + b)`.
fn bucket_middle(index: i32, schema: i8) -> f64 {
    let base = (-f64::from(schema)).exp2().exp2();
    let lower = (f64::from(index - 1) * (-f64::from(schema)).exp2()).exp2();
    lower * (2.0 * base / (1.0 + base))
}

/// The bounds of the buckets of one octave at [`MAX_SCHEMA`].
struct Octave {
    /// The mantissa of the upper bound of bucket `k` (1 to 128) of an octave; the last is past all mantissas.
    upper: [u64; BUCKETS_PER_OCTAVE as usize + 1],
    /// For the first eight bits of a mantissa the first bucket that it can lie in. A bucket is wider than 1/256 of
    /// an octave's start, so it is that one or the next.
    guess: [u8; 256],
}

// std's LazyLock would do as well; once_cell is this project's choice for whatever is made once.
static OCTAVE: Lazy<Octave> = Lazy::new(|| {
    let mut upper = [0; BUCKETS_PER_OCTAVE as usize + 1];
    for (k, bound) in upper.iter_mut().enumerate() {
        *bound = (k as f64 / f64::from(BUCKETS_PER_OCTAVE)).exp2().to_bits() & MANTISSA_MASK;
    }
    upper[BUCKETS_PER_OCTAVE as usize] = u64::MAX;
    let mut guess = [0; 256];
    for (prefix, bucket) in guess.iter_mut().enumerate() {
        let mantissa = (prefix as u64) << (MANTISSA_BITS - 8);
        // The bucket of the smallest mantissa above this prefix's first.
        *bucket = upper.iter().skip(1).take_while(|&&bound| bound <= mantissa).count() as u8 + 1;
    }
    Octave { upper, guess }
});

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn histogram(values: &[f64]) -> Histogram {
        let mut histogram = Histogram::default();
        values.iter().for_each(|&value| histogram.record(value));
        histogram
    }

    /// k6's definition over the sorted values.
    fn exact_percentile(values: &[f64], percent: f64) -> f64 {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let rank = percent / 100.0 * (sorted.len() - 1) as f64;
        let (low, high) = (sorted[rank.floor() as usize], sorted[rank.ceil() as usize]);
        low + (high - low) * rank.fract()
    }

    /// All that tells two histograms apart, in comparable form.
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
            positive: histogram.positive.populated().collect(),
            negative: histogram.negative.iter().flat_map(|buckets| buckets.populated()).collect(),
            zeros: histogram.zeros,
            count: histogram.count,
            bounds: (histogram.min(), histogram.max()),
        }
    }

    fn assert_percentiles(values: &[f64]) {
        let histogram = histogram(values);
        for percent in [0.0, 0.1, 1.0, 5.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 100.0] {
            let exact = exact_percentile(values, percent);
            let estimate = histogram.percentile(percent).expect("has values");
            // Interpolation between values of two signs can come close to 0: there the error is relative to the ranks'.
            let scale = if values.iter().any(|&v| v < 0.0) && values.iter().any(|&v| v > 0.0) {
                values.iter().fold(exact.abs(), |scale, v| scale.max(v.abs()))
            } else {
                exact.abs()
            };
            assert!((estimate - exact).abs() <= 0.005 * scale, "p({percent}) is {exact}, estimated as {estimate}");
        }
    }

    #[test]
    fn a_value_lies_between_the_bounds_of_its_bucket() {
        // The bounds themselves, their neighbours, and what lies between, in octaves near and far.
        for octave in [-1074, -1050, -1022, -1021, -3, -1, 0, 1, 7, 52, 1022] {
            for step in 0..=256 {
                let value = (f64::from(octave) + f64::from(step) / 256.0).exp2();
                for value in [value.next_down(), value, value.next_up()] {
                    if value <= 0.0 || !value.is_finite() {
                        continue;
                    }
                    let index = f64::from(bucket_index(value));
                    let position = value.log2() * f64::from(BUCKETS_PER_OCTAVE);
                    let error = 1e-9 * position.abs().max(1.0);
                    assert!(
                        index - 1.0 - error < position && position <= index + error,
                        "{value:e} is at {position}, in bucket {index}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_power_of_two_belongs_to_the_bucket_below_it() {
        assert_eq!(bucket_index(1.0), 0);
        assert_eq!(bucket_index(1.0_f64.next_up()), 1);
        assert_eq!(bucket_index(2.0), 128);
        assert_eq!(bucket_index(2.0_f64.next_down()), 128);
        assert_eq!(bucket_index(0.5), -128);
        assert_eq!(bucket_index(f64::MIN_POSITIVE), -1022 * 128);
        assert_eq!(bucket_index(f64::from_bits(1)), -1074 * 128);
        assert_eq!(bucket_index(f64::MAX), 1024 * 128);
    }

    #[test]
    fn coarser_buckets_contain_the_finer_ones() {
        // At schema 0 bucket i is (2^(i-1), 2^i].
        for (value, expected) in [(1.0, 0), (1.5, 1), (2.0, 1), (2.1, 2), (0.5, -1), (0.3, -1), (0.25, -2)] {
            assert_eq!(coarser(bucket_index(value), 7), expected, "{value}");
        }
    }

    #[test]
    fn nothing_recorded_has_no_statistics() {
        let empty = Histogram::default();
        assert_eq!((empty.min(), empty.max(), empty.mean(), empty.percentile(50.0)), (None, None, None, None));
    }

    #[test]
    fn one_value_is_every_percentile_of_itself() {
        for value in [0.0, 1.0, -7.3, 1e-320, 1e300] {
            let histogram = histogram(&[value; 3]);
            for percent in [0.0, 50.0, 99.9, 100.0] {
                assert_eq!(histogram.percentile(percent), Some(value));
            }
        }
    }

    #[test]
    fn nine_decades_keep_the_finest_schema() {
        let values: Vec<f64> = (0..9000).map(|i| 10_f64.powf(f64::from(i) / 1000.0 - 4.5)).collect();
        assert_eq!(histogram(&values).schema(), MAX_SCHEMA);
        assert_percentiles(&values);
    }

    #[test]
    fn denormals_are_values_like_others() {
        let values: Vec<f64> = (1..2000).map(|i| f64::from_bits(i * i * i * 1000)).collect();
        assert_percentiles(&values);
    }

    #[test]
    fn the_whole_range_of_numbers_fits_into_bounded_memory() {
        let mut histogram = Histogram::default();
        for exponent in -1074..1024 {
            histogram.record(f64::from(exponent).exp2());
            histogram.record(-f64::from(exponent).exp2());
        }
        let row = histogram.positive.counts.len();
        assert!(row <= MAX_BUCKETS + 2 * BLOCK as usize, "{row} buckets");
        assert_eq!(histogram.count(), 2 * 2098);
        assert_eq!(histogram.positive.populated().map(|(_, count)| count).sum::<u64>(), 2098);
        assert_eq!((histogram.min(), histogram.max()), (Some(-(1023_f64.exp2())), Some(1023_f64.exp2())));
    }

    #[test]
    fn a_reset_returns_to_the_finest_schema_and_forgets_all() {
        let mut reused = histogram(&[1e-300, 1e300, -5.0, 0.0]);
        assert!(reused.schema() < MAX_SCHEMA);
        reused.reset();
        for value in [3.0, 4.0] {
            reused.record(value);
        }
        assert_eq!(shape(&reused), shape(&histogram(&[3.0, 4.0])));
    }

    #[test]
    fn a_known_spread_is_recorded_without_moving_the_row() {
        let mut histogram = histogram(&[0.1, 1000.0]);
        let before = match &histogram.positive.counts {
            Counts::Narrow(row) => row.as_ptr(),
            _ => unreachable!("two values"),
        };
        histogram.reset();
        for i in 1..10_000 {
            histogram.record(0.1 * f64::from(i));
        }
        assert!(matches!(&histogram.positive.counts, Counts::Narrow(row) if row.as_ptr() == before));
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
            assert_percentiles(&values);
        }

        #[test]
        fn percentiles_of_two_peaks_are_within_half_a_percent(
            low in prop::collection::vec(0.9..1.1, 1..100),
            high in prop::collection::vec(990.0..1010.0, 1..100),
        ) {
            assert_percentiles(&[low, high].concat());
        }

        #[test]
        fn percentiles_of_both_signs_are_within_half_a_percent(
            values in prop::collection::vec(-100.0..100.0, 1..300),
        ) {
            assert_percentiles(&values);
        }

        #[test]
        fn merging_is_recording_all(a in prop::collection::vec(any_value(), 0..60), b in prop::collection::vec(any_value(), 0..60)) {
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

        #[test]
        fn count_min_max_and_sum_are_exact(values in prop::collection::vec(-1_000_000_i32..1_000_000, 1..500)) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let histogram = histogram(&values);
            prop_assert_eq!(histogram.count(), values.len() as u64);
            // Integers of this size sum without rounding in f64.
            prop_assert_eq!(histogram.sum().value(), values.iter().sum::<f64>());
            prop_assert_eq!(histogram.min(), values.iter().copied().reduce(f64::min));
            prop_assert_eq!(histogram.max(), values.iter().copied().reduce(f64::max));
        }
    }
}
