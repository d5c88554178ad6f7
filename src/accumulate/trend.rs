//! k6's Trend: the distribution of a window's values, and count and sum of the run.

use super::{CompensatedSum, Histogram};

/// A distribution. Its percentiles are the window's; count and sum are cumulative.
#[derive(Debug, Default)]
pub struct Trend {
    window: Histogram,
    count: u64,
    sum: CompensatedSum,
}

impl Trend {
    /// Takes one finite value.
    #[inline]
    pub fn record(&mut self, value: f64) {
        self.window.record(value);
    }

    /// The values of the open window.
    pub fn window(&self) -> &Histogram {
        &self.window
    }

    /// How many values the run has had.
    pub fn count(&self) -> u64 {
        self.count + self.window.count()
    }

    /// The sum of the run's values.
    pub fn sum(&self) -> f64 {
        let mut sum = self.sum;
        sum.merge(self.window.sum());
        sum.value()
    }

    /// Starts the next window.
    pub fn close_window(&mut self) {
        // A window without values has nothing to clear, and most series of a large run are silent in most windows.
        if self.window.count() == 0 {
            return;
        }
        self.count += self.window.count();
        self.sum.merge(self.window.sum());
        self.window.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn count_and_sum_are_the_runs_and_percentiles_the_windows() {
        let mut trend = Trend::default();
        [1.0, 3.0].into_iter().for_each(|value| trend.record(value));
        assert_eq!((trend.count(), trend.sum(), trend.window().max()), (2, 4.0, Some(3.0)));
        trend.close_window();
        assert_eq!((trend.count(), trend.sum(), trend.window().max()), (2, 4.0, None));
        trend.record(10.0);
        assert_eq!((trend.count(), trend.sum(), trend.window().min()), (3, 14.0, Some(10.0)));
    }
}
