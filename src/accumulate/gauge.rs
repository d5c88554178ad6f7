//! k6's Gauge: the latest value.

/// The latest value by the time of its sample; of two with one time, the one that came later.
#[derive(Debug)]
pub struct Gauge {
    latest: Option<f64>,
    time_ms: i64,
}

impl Default for Gauge {
    fn default() -> Self {
        Self { latest: None, time_ms: i64::MIN }
    }
}

impl Gauge {
    /// Takes a value if no later one is known.
    #[inline]
    pub fn record(&mut self, value: f64, time_ms: i64) {
        if time_ms >= self.time_ms {
            (self.latest, self.time_ms) = (Some(value), time_ms);
        }
    }

    /// The latest value, or `None` before the first.
    pub fn latest(&self) -> Option<f64> {
        self.latest
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
    fn after_a_step_back_the_next_value_counts() {
        let mut gauge = Gauge::default();
        gauge.record(1.0, 3_600_000);
        gauge.forget_time();
        gauge.record(2.0, 10);
        assert_eq!(gauge.latest(), Some(2.0));
    }
}
