//! The classic histogram, with fixed bounds: for receivers without native histograms.

use std::sync::Arc;

use super::CompensatedSum;

/// Counts of the values of a series over the run, between given bounds.
#[derive(Debug, Clone)]
pub struct ClassicHistogram {
    /// Finite and ascending. All series of a metric share them.
    bounds: Arc<[f64]>,
    /// For each bound the number of values at or below it and above the previous bound; last, the number above all bounds.
    counts: Box<[u64]>,
    sum: CompensatedSum,
}

impl ClassicHistogram {
    /// Creates an empty histogram. The bounds must be ascending.
    pub fn new(bounds: Arc<[f64]>) -> Self {
        let counts = vec![0; bounds.len() + 1].into();
        Self { bounds, counts, sum: CompensatedSum::default() }
    }

    /// Records one finite value.
    #[inline]
    pub fn record(&mut self, value: f64) {
        let bucket = self.bounds.partition_point(|&bound| bound < value);
        self.counts[bucket] += 1;
        self.sum.add(value);
    }

    /// Returns for each bound, and last for infinity, the number of values at or below it.
    pub fn cumulative(&self) -> impl Iterator<Item = u64> + '_ {
        self.counts.iter().scan(0, |total, count| {
            *total += count;
            Some(*total)
        })
    }

    /// Returns the number of values.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Returns the sum of all values.
    pub fn sum(&self) -> f64 {
        self.sum.value()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn histogram(values: &[f64]) -> ClassicHistogram {
        let mut histogram = ClassicHistogram::new([-1.0, 0.5, 10.0].into());
        values.iter().for_each(|&value| histogram.record(value));
        histogram
    }

    #[test]
    fn a_value_on_a_bound_counts_as_at_or_below_it() {
        let histogram = histogram(&[-5.0, -1.0, 0.0, 0.5, 0.5001, 10.0, 11.0, 1e300]);
        assert_eq!(histogram.cumulative().collect::<Vec<_>>(), [2, 4, 6, 8]);
        assert_eq!(histogram.count(), 8);
    }

    proptest! {
        #[test]
        fn every_bucket_counts_the_values_at_or_below_its_bound(values in prop::collection::vec(-20.0..20.0, 0..100)) {
            let histogram = histogram(&values);
            let counted: Vec<u64> = [-1.0, 0.5, 10.0, f64::INFINITY]
                .iter()
                .map(|bound| values.iter().filter(|value| *value <= bound).count() as u64)
                .collect();
            prop_assert_eq!(histogram.cumulative().collect::<Vec<_>>(), counted);
        }
    }
}
