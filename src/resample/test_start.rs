//! Detection of the test start.
//!
//! k6 starts its outputs before the test, and may be paused in between, as the runners of k6-operator are. Until the test starts
//! k6 emits samples of gauges only (`vus` and `vus_max`): the first sample of another type marks the start. In come the series
//! and samples of [`crate::resample`]; out comes one time, once.

use crate::k6::MetricType;
use crate::k6::Sample;
use crate::series::SeriesDefinition;

/// Detects the test start.
#[derive(Debug, Default)]
pub struct TestStart {
    /// For each series that was registered before the test start: true if it is a gauge.
    gauges: Vec<bool>,
    detected: bool,
}

impl TestStart {
    /// Registers the next series. Ids count these calls, from 1 on.
    pub fn register(&mut self, definition: &SeriesDefinition) {
        if !self.detected {
            self.gauges.push(definition.metric_type == MetricType::Gauge);
        }
    }

    /// Returns the time of the test start if these samples are the first to show it: the time of the sample if it lies between
    /// `opened_ms` and `now_ms`, else `now_ms`.
    pub fn detect(&mut self, samples: &[Sample], opened_ms: i64, now_ms: i64) -> Option<i64> {
        if self.detected {
            return None;
        }
        let is_gauge = |sample: &Sample| self.gauges.get(sample.series.wrapping_sub(1) as usize).copied();
        let first = samples.iter().find(|sample| is_gauge(sample) == Some(false))?;
        *self = Self { gauges: Vec::new(), detected: true };
        Some(if (opened_ms..=now_ms).contains(&first.time_ms) { first.time_ms } else { now_ms })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a detector with a gauge of id 1 and a counter of id 2.
    fn test_start() -> TestStart {
        let mut test_start = TestStart::default();
        for metric_type in [MetricType::Gauge, MetricType::Counter] {
            test_start.register(&SeriesDefinition::new("m", metric_type));
        }
        test_start
    }

    fn sample(series: u64, time_ms: i64) -> Sample {
        Sample { series, time_ms, value: 1.0 }
    }

    #[test]
    fn the_first_sample_that_is_not_of_a_gauge_starts_the_test() {
        let mut test_start = test_start();
        assert_eq!(test_start.detect(&[sample(1, 150)], 100, 200), None);
        assert_eq!(test_start.detect(&[sample(1, 210), sample(2, 220), sample(2, 230)], 100, 300), Some(220));
        assert_eq!(test_start.detect(&[sample(2, 310)], 100, 400), None);
    }

    #[test]
    fn a_time_outside_the_run_is_replaced_by_now() {
        for time_ms in [0, 99, 201, i64::MIN] {
            assert_eq!(test_start().detect(&[sample(2, time_ms)], 100, 200), Some(200), "{time_ms}");
        }
    }

    #[test]
    fn a_sample_with_an_unknown_id_does_not_start_the_test() {
        assert_eq!(test_start().detect(&[sample(0, 150), sample(3, 150)], 100, 200), None);
    }
}
