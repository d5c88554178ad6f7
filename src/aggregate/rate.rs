//! Accumulator of k6's Rate: the counts of zero and non-zero values.

use crate::export::Span;

/// Counts of zero and non-zero values, in the window and over the run. Counts add up, so ratios are exact for any grouping.
#[derive(Debug, Default)]
pub struct Rate {
    window_nonzero: u64,
    window_zero: u64,
    nonzero: u64,
    zero: u64,
}

impl Rate {
    /// Counts one value.
    #[inline]
    pub fn record(&mut self, value: f64) {
        if value == 0.0 {
            self.window_zero += 1;
        } else {
            self.window_nonzero += 1;
        }
    }

    /// Returns the share of non-zero values in the open window or in the run so far, from 0 to 1. Returns `None` if the window has
    /// no values.
    pub fn share(&self, span: Span) -> Option<f64> {
        let has_values = self.window_nonzero + self.window_zero > 0;
        let (nonzero, zero) = match span {
            Span::Window => (self.window_nonzero, self.window_zero),
            Span::Run => (self.nonzero(), self.zero()),
        };
        has_values.then(|| nonzero as f64 / (nonzero + zero) as f64)
    }

    /// Returns the number of non-zero values of the run.
    pub fn nonzero(&self) -> u64 {
        self.nonzero + self.window_nonzero
    }

    /// Returns the number of zero values of the run.
    pub fn zero(&self) -> u64 {
        self.zero + self.window_zero
    }

    /// Starts the next window.
    pub fn close_window(&mut self) {
        self.nonzero += std::mem::take(&mut self.window_nonzero);
        self.zero += std::mem::take(&mut self.window_zero);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_of_the_window_or_of_the_run_and_the_counts_are_of_the_run() {
        let mut rate = Rate::default();
        let shares = |rate: &Rate| (rate.share(Span::Window), rate.share(Span::Run));
        assert_eq!(shares(&rate), (None, None));
        for value in [1.0, 0.0, -2.0, 0.0] {
            rate.record(value);
        }
        assert_eq!((shares(&rate), rate.nonzero(), rate.zero()), ((Some(0.5), Some(0.5)), 2, 2));
        rate.close_window();
        assert_eq!((shares(&rate), rate.nonzero(), rate.zero()), ((None, None), 2, 2));
        rate.record(1.0);
        assert_eq!((shares(&rate), rate.nonzero(), rate.zero()), ((Some(1.0), Some(0.6)), 3, 2));
    }
}
