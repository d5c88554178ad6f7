//! The histogram with bounds that are fixed from the start, for receivers that know no other.

use std::sync::Arc;

use super::CompensatedSum;

/// The values of one series over the run, counted between given bounds.
#[derive(Debug, Clone)]
pub struct ClassicHistogram {
    /// Finite, ascending; shared by all series of a metric.
    bounds: Arc<[f64]>,
    /// How many values lie at or below each bound and above the one before it, and last, how many lie above all.
    counts: Box<[u64]>,
    sum: CompensatedSum,
}

impl ClassicHistogram {
    /// An empty histogram with these bounds, which must ascend.
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

    /// For each bound, and last for infinity, how many values lie at or below it.
    pub fn cumulative(&self) -> impl Iterator<Item = u64> + '_ {
        self.counts.iter().scan(0, |total, count| {
            *total += count;
            Some(*total)
        })
    }

    /// How many values were recorded.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The sum of all values.
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
    fn a_value_on_a_bound_is_at_or_below_it() {
        let histogram = histogram(&[-5.0, -1.0, 0.0, 0.5, 0.5001, 10.0, 11.0, 1e300]);
        assert_eq!(histogram.cumulative().collect::<Vec<_>>(), [2, 4, 6, 8]);
        assert_eq!(histogram.count(), 8);
    }

    proptest! {
        #[test]
        fn every_bound_has_all_values_at_or_below_it(values in prop::collection::vec(-20.0..20.0, 0..100)) {
            let histogram = histogram(&values);
            let counted: Vec<u64> = [-1.0, 0.5, 10.0, f64::INFINITY]
                .iter()
                .map(|bound| values.iter().filter(|value| *value <= bound).count() as u64)
                .collect();
            prop_assert_eq!(histogram.cumulative().collect::<Vec<_>>(), counted);
        }
    }
}
