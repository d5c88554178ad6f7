//! k6's Rate: how many values were not zero.

/// Counts zero and non-zero values, in the window and over the run. All counts are whole, so ratios are exact for any
/// grouping.
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

    /// The share of non-zero values in the open window, 0 to 1, or `None` if it has none.
    pub fn window_share(&self) -> Option<f64> {
        let count = self.window_nonzero + self.window_zero;
        (count > 0).then(|| self.window_nonzero as f64 / count as f64)
    }

    /// How many values of the run were not zero.
    pub fn nonzero(&self) -> u64 {
        self.nonzero + self.window_nonzero
    }

    /// How many values of the run were zero.
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
    fn the_share_is_the_windows_and_the_counts_are_the_runs() {
        let mut rate = Rate::default();
        assert_eq!(rate.window_share(), None);
        for value in [1.0, 0.0, -2.0, 0.0] {
            rate.record(value);
        }
        assert_eq!((rate.window_share(), rate.nonzero(), rate.zero()), (Some(0.5), 2, 2));
        rate.close_window();
        assert_eq!((rate.window_share(), rate.nonzero(), rate.zero()), (None, 2, 2));
        rate.record(1.0);
        assert_eq!((rate.window_share(), rate.nonzero(), rate.zero()), (Some(1.0), 3, 2));
    }
}
