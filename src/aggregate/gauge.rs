//! k6's Gauge: the latest value.

/// The latest value by the time of its sample; of two with one time, the one that came later. And the extremes of the
/// window, which the latest value does not tell.
#[derive(Debug)]
pub struct Gauge {
    latest: Option<f64>,
    time_ms: i64,
    /// The open window's smallest and largest value.
    extremes: Option<(f64, f64)>,
}

impl Default for Gauge {
    fn default() -> Self {
        Self { latest: None, time_ms: i64::MIN, extremes: None }
    }
}

impl Gauge {
    /// Takes a value; it is the latest if no later one is known.
    #[inline]
    pub fn record(&mut self, value: f64, time_ms: i64) {
        if time_ms >= self.time_ms {
            (self.latest, self.time_ms) = (Some(value), time_ms);
        }
        let (lowest, highest) = self.extremes.unwrap_or((value, value));
        self.extremes = Some((lowest.min(value), highest.max(value)));
    }

    /// The latest value, or `None` before the first.
    pub fn latest(&self) -> Option<f64> {
        self.latest
    }

    /// The smallest value of the open window, or `None` if it has none.
    pub fn lowest(&self) -> Option<f64> {
        self.extremes.map(|(lowest, _)| lowest)
    }

    /// The largest value of the open window, or `None` if it has none.
    pub fn highest(&self) -> Option<f64> {
        self.extremes.map(|(_, highest)| highest)
    }

    /// Starts the next window.
    pub fn close_window(&mut self) {
        self.extremes = None;
    }

    /// Forgets when the latest value was taken, so that the next one replaces it: for a clock that stepped back, after
    /// which later samples have earlier times.
    pub fn forget_time(&mut self) {
        self.time_ms = i64::MIN;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_by_time_wins_whatever_the_order() {
        let mut gauge = Gauge::default();
        assert_eq!(gauge.latest(), None);
        gauge.record(1.0, 100);
        gauge.record(2.0, 50);
        assert_eq!(gauge.latest(), Some(1.0));
        gauge.record(3.0, 100);
        assert_eq!(gauge.latest(), Some(3.0));
    }

    #[test]
    fn the_extremes_are_the_windows_whatever_the_times() {
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
    fn after_a_step_back_the_next_value_counts() {
        let mut gauge = Gauge::default();
        gauge.record(1.0, 3_600_000);
        gauge.forget_time();
        gauge.record(2.0, 10);
        assert_eq!(gauge.latest(), Some(2.0));
    }
}
