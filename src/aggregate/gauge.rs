//! Accumulator of k6's Gauge: the latest value.

/// The latest value by sample time, and the extremes of the window. Of two values with one time, the one recorded last is the
/// latest.
#[derive(Debug)]
pub struct Gauge {
    latest: Option<f64>,
    time_ms: i64,
    /// Smallest and largest value of the open window, without those that are NaN.
    extremes: Option<(f64, f64)>,
}

impl Default for Gauge {
    fn default() -> Self {
        Self { latest: None, time_ms: i64::MIN, extremes: None }
    }
}

impl Gauge {
    /// Records a value, which may be NaN or infinite. It is the latest unless a value with a later time was recorded.
    #[inline]
    pub fn record(&mut self, value: f64, time_ms: i64) {
        if time_ms >= self.time_ms {
            (self.latest, self.time_ms) = (Some(value), time_ms);
        }
        if !value.is_nan() {
            let (lowest, highest) = self.extremes.unwrap_or((value, value));
            self.extremes = Some((lowest.min(value), highest.max(value)));
        }
    }

    /// Returns the latest value, or `None` before the first.
    pub fn latest(&self) -> Option<f64> {
        self.latest
    }

    /// Returns the smallest value of the open window, or `None` if it has no values.
    pub fn lowest(&self) -> Option<f64> {
        self.extremes.map(|(lowest, _)| lowest)
    }

    /// Returns the largest value of the open window, or `None` if it has no values.
    pub fn highest(&self) -> Option<f64> {
        self.extremes.map(|(_, highest)| highest)
    }

    /// Starts the next window.
    pub fn close_window(&mut self) {
        self.extremes = None;
    }

    /// Forgets the time of the latest value, so that the next value replaces it: for a clock that went back, after which
    /// samples have earlier times.
    pub fn forget_time(&mut self) {
        self.time_ms = i64::MIN;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_value_is_the_one_with_the_latest_time() {
        let mut gauge = Gauge::default();
        assert_eq!(gauge.latest(), None);
        gauge.record(1.0, 100);
        gauge.record(2.0, 50);
        assert_eq!(gauge.latest(), Some(1.0));
        gauge.record(3.0, 100);
        assert_eq!(gauge.latest(), Some(3.0));
    }

    #[test]
    fn the_extremes_are_those_of_the_window() {
        let mut gauge = Gauge::default();
        for (value, time_ms) in [(4.0, 100), (9.0, 50), (-1.0, 70)] {
            gauge.record(value, time_ms);
        }
        assert_eq!((gauge.lowest(), gauge.latest(), gauge.highest()), (Some(-1.0), Some(4.0), Some(9.0)));
        gauge.close_window();
        assert_eq!((gauge.lowest(), gauge.latest(), gauge.highest()), (None, Some(4.0), None));
        gauge.record(5.0, 200);
        assert_eq!((gauge.lowest(), gauge.highest()), (Some(5.0), Some(5.0)));
    }

    #[test]
    fn nan_is_a_latest_value_and_no_extreme() {
        let mut gauge = Gauge::default();
        gauge.record(f64::NAN, 100);
        assert!(gauge.latest().is_some_and(f64::is_nan));
        assert_eq!((gauge.lowest(), gauge.highest()), (None, None));
        gauge.record(3.0, 50);
        gauge.record(f64::INFINITY, 60);
        assert!(gauge.latest().is_some_and(f64::is_nan));
        assert_eq!((gauge.lowest(), gauge.highest()), (Some(3.0), Some(f64::INFINITY)));
    }

    #[test]
    fn after_a_step_back_the_next_value_is_the_latest() {
        let mut gauge = Gauge::default();
        gauge.record(1.0, 3_600_000);
        gauge.forget_time();
        gauge.record(2.0, 10);
        assert_eq!(gauge.latest(), Some(2.0));
    }
}
