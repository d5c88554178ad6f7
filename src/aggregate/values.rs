//! The values of a trend's window, or of its run: the first as they are, more of them in the buckets of a histogram.
//!
//! Where a test has many series, most have few values in a window. A list of them takes two lines of the processor's cache, a
//! histogram some thirty; recording is a write to the list, and all statistics are exact.

use super::percentile::Position;
use super::{CompensatedSum, Histogram, Resolution};

/// The number of values that are listed: as many as fit into 128 bytes with their number.
const LISTED: usize = 15;

/// Values, in one of two forms. Both have the same count, sum, minimum and maximum; percentiles of listed values are exact.
#[derive(Debug)]
pub enum Values {
    /// Few values.
    Listed {
        /// Their number.
        len: u8,
        /// They are the first `len` of these, in the order in which they were recorded.
        values: [f64; LISTED],
    },
    /// More than [`LISTED`] values, or values of a window after one that had so many: its memory is kept.
    Counted(Box<Histogram>),
}

impl Default for Values {
    fn default() -> Self {
        Self::Listed { len: 0, values: [0.0; LISTED] }
    }
}

impl Values {
    /// Records one finite value. Constant time. Allocates nothing once there were more than [`LISTED`] values in a window, and
    /// their spread is known.
    #[inline]
    pub fn record(&mut self, value: f64) {
        match self {
            Self::Listed { len, values } => match values.get_mut(usize::from(*len)) {
                Some(next) => {
                    *next = value;
                    *len += 1;
                }
                None => self.count_all(value),
            },
            Self::Counted(histogram) => histogram.record(value),
        }
    }

    /// Moves the listed values to a histogram, and adds one.
    #[cold]
    fn count_all(&mut self, value: f64) {
        let mut histogram = Histogram::new(Resolution::FINE);
        self.listed().iter().for_each(|&listed| histogram.record(listed));
        histogram.record(value);
        *self = Self::Counted(Box::new(histogram));
    }

    fn listed(&self) -> &[f64] {
        match self {
            Self::Listed { len, values } => &values[..usize::from(*len)],
            Self::Counted(_) => &[],
        }
    }

    /// Removes all values. A histogram stays: the next window is likely to be similar.
    pub fn reset(&mut self) {
        match self {
            Self::Listed { len, .. } => *len = 0,
            Self::Counted(histogram) => histogram.reset(),
        }
    }

    /// Returns the number of values.
    pub fn count(&self) -> u64 {
        match self {
            Self::Listed { len, .. } => u64::from(*len),
            Self::Counted(histogram) => histogram.count(),
        }
    }

    /// Returns the sum of all values, compensated for rounding.
    pub fn sum(&self) -> CompensatedSum {
        match self {
            Self::Listed { .. } => {
                let mut sum = CompensatedSum::default();
                self.listed().iter().for_each(|&value| sum.add(value));
                sum
            }
            Self::Counted(histogram) => *histogram.sum(),
        }
    }

    /// Returns the smallest value, or `None` without values.
    pub fn min(&self) -> Option<f64> {
        match self {
            Self::Listed { .. } => self.listed().iter().copied().reduce(f64::min),
            Self::Counted(histogram) => histogram.min(),
        }
    }

    /// Returns the largest value, or `None` without values.
    pub fn max(&self) -> Option<f64> {
        match self {
            Self::Listed { .. } => self.listed().iter().copied().reduce(f64::max),
            Self::Counted(histogram) => histogram.max(),
        }
    }

    /// Returns the mean of all values, or `None` without values.
    pub fn mean(&self) -> Option<f64> {
        let count = self.count();
        (count > 0).then(|| self.sum().value() / count as f64)
    }

    /// Writes the percentiles `percents` (0 to 100, ascending) to `out`. Without values, `out` is empty.
    pub fn percentiles(&self, percents: &[f64], out: &mut Vec<f64>) {
        match self {
            Self::Listed { .. } => {
                let (mut copy, len) = ([0.0; LISTED], self.listed().len());
                let sorted = &mut copy[..len];
                sorted.copy_from_slice(self.listed());
                sorted.sort_unstable_by(f64::total_cmp);
                out.clear();
                if let Some(last) = len.checked_sub(1) {
                    let positions = percents.iter().map(|&percent| Position::of(percent, last as u64));
                    out.extend(positions.map(|position| position.between(|rank| sorted[rank as usize])));
                }
            }
            Self::Counted(histogram) => histogram.percentiles(percents, out),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values(values: &[f64]) -> Values {
        let mut recorded = Values::default();
        values.iter().for_each(|&value| recorded.record(value));
        recorded
    }

    /// Returns count, sum, minimum, maximum and mean.
    fn exact_statistics(values: &Values) -> (u64, f64, Option<f64>, Option<f64>, Option<f64>) {
        (values.count(), values.sum().value(), values.min(), values.max(), values.mean())
    }

    fn percentiles(values: &Values, percents: &[f64]) -> Vec<f64> {
        // What is there before is not kept.
        let mut out = vec![7.0];
        values.percentiles(percents, &mut out);
        out
    }

    #[test]
    fn a_list_fits_into_two_lines_of_cache() {
        assert_eq!(size_of::<Values>(), 128);
    }

    #[test]
    fn values_are_listed_until_they_are_too_many_and_counted_from_then_on() {
        let mut values = values(&[1.0; LISTED]);
        assert!(matches!(values, Values::Listed { .. }));
        values.record(2.0);
        assert!(matches!(values, Values::Counted(_)));
        values.reset();
        assert!(matches!(values, Values::Counted(_)), "its memory is kept");
        assert_eq!(exact_statistics(&values), (0, 0.0, None, None, None));
        values.record(3.0);
        assert_eq!(exact_statistics(&values), (1, 3.0, Some(3.0), Some(3.0), Some(3.0)));
    }

    #[test]
    fn a_reset_list_is_empty() {
        let mut values = values(&[4.0, 5.0]);
        values.reset();
        assert_eq!(exact_statistics(&values), (0, 0.0, None, None, None));
        assert!(percentiles(&values, &[50.0]).is_empty());
        values.record(6.0);
        assert_eq!(percentiles(&values, &[0.0, 99.0]), [6.0, 6.0]);
    }

    #[test]
    fn percentiles_of_listed_values_are_exact() {
        let values = values(&[4.0, 1.0, 3.0, 2.0]);
        assert_eq!(percentiles(&values, &[0.0, 50.0, 90.0, 100.0]), [1.0, 2.5, 3.7, 4.0]);
    }

    fn any_value() -> impl Strategy<Value = f64> {
        prop_oneof![
            4 => 0.001..10_000.0,
            1 => Just(0.0),
            1 => Just(-0.0),
            1 => -1000.0..-0.01,
            1 => prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL,
        ]
    }

    fn histogram(values: &[f64]) -> Histogram {
        let mut histogram = Histogram::new(Resolution::FINE);
        values.iter().for_each(|&value| histogram.record(value));
        histogram
    }

    proptest! {
        #[test]
        fn both_forms_have_the_exact_statistics_of_a_histogram(
            recorded in prop::collection::vec(any_value(), 0..2 * LISTED),
        ) {
            let (values, histogram) = (values(&recorded), histogram(&recorded));
            let of_histogram =
                (histogram.count(), histogram.sum().value(), histogram.min(), histogram.max(), histogram.mean());
            prop_assert_eq!(exact_statistics(&values), of_histogram);
            prop_assert_eq!(values.sum(), *histogram.sum());
        }

        #[test]
        fn counting_listed_values_equals_counting_them_at_once(
            recorded in prop::collection::vec(any_value(), LISTED + 1..3 * LISTED),
        ) {
            let Values::Counted(counted) = values(&recorded) else { panic!("there are too many to list") };
            let expected = histogram(&recorded);
            prop_assert!(counted.positive().eq(expected.positive()) && counted.negative().eq(expected.negative()));
            prop_assert_eq!((counted.zeros(), counted.schema()), (expected.zeros(), expected.schema()));
        }

        #[test]
        fn percentiles_of_a_histogram_are_within_half_a_percent_of_the_listed_values(
            recorded in prop::collection::vec(1e-5..1e4, 1..=LISTED),
        ) {
            let percents = [0.0, 1.0, 25.0, 50.0, 90.0, 95.0, 99.9, 100.0];
            let mut estimates = Vec::new();
            histogram(&recorded).percentiles(&percents, &mut estimates);
            for (estimate, exact) in estimates.into_iter().zip(percentiles(&values(&recorded), &percents)) {
                prop_assert!((estimate - exact).abs() <= 0.005 * exact, "{} is estimated as {}", exact, estimate);
            }
        }
    }
}
