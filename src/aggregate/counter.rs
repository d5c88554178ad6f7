//! Accumulator of k6's Counter: the sum of all values of the run.

use super::CompensatedSum;

/// A cumulative sum. It starts at 0 and is exported in every window, as by a scrape.
#[derive(Debug, Default)]
pub struct Counter {
    total: CompensatedSum,
}

impl Counter {
    /// Adds one finite value.
    #[inline]
    pub fn record(&mut self, value: f64) {
        self.total.add(value);
    }

    /// Returns the sum of the run so far.
    pub fn total(&self) -> f64 {
        self.total.value()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_the_sum_of_its_values() {
        let mut counter = Counter::default();
        assert_eq!(counter.total(), 0.0);
        for value in [1.0, 2.5, 0.0] {
            counter.record(value);
        }
        assert_eq!(counter.total(), 3.5);
    }
}
