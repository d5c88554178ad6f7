//! When the test began. k6 starts its outputs before it, and may be paused in between, as k6-operator's runners are.
//!
//! Until then k6 samples nothing but gauges, `vus` and `vus_max`: the first sample of another type is the first thing that the test
//! did. In come the series and samples of [`crate::resample`]; out comes one time, once.

use crate::k6::MetricType;
use crate::k6::Sample;
use crate::series::SeriesDefinition;

/// Waits for the test to begin.
#[derive(Debug, Default)]
pub struct TestStart {
    /// By series, those that were registered before the test began: whether it is a gauge.
    gauges: Vec<bool>,
    detected: bool,
}

impl TestStart {
    /// Takes the next series; ids follow the order of these calls, from 1 on.
    pub fn register(&mut self, definition: &SeriesDefinition) {
        if !self.detected {
            self.gauges.push(definition.metric_type == MetricType::Gauge);
        }
    }

    /// When the test began, if these samples are the first to show it. A sample's own time counts unless it is none that the run
    /// can have had, which ends at `now_ms`.
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
    use crate::k6::ValueType;

    /// With a gauge of id 1 and a counter of id 2.
    fn test_start() -> TestStart {
        let mut test_start = TestStart::default();
        for metric_type in [MetricType::Gauge, MetricType::Counter] {
            test_start.register(&SeriesDefinition {
                metric: "m".into(),
                metric_type,
                value_type: ValueType::Default,
                tags: vec![],
            });
        }
        test_start
    }

    fn sample(series: u64, time_ms: i64) -> Sample {
        Sample { series, time_ms, value: 1.0 }
    }

    #[test]
    fn the_first_sample_that_is_of_no_gauge_begins_the_test_and_no_other() {
        let mut test_start = test_start();
        assert_eq!(test_start.detect(&[sample(1, 150)], 100, 200), None);
        assert_eq!(test_start.detect(&[sample(1, 210), sample(2, 220), sample(2, 230)], 100, 300), Some(220));
        assert_eq!(test_start.detect(&[sample(2, 310)], 100, 400), None);
    }

    #[test]
    fn a_time_outside_the_run_counts_as_now() {
        for time_ms in [0, 99, 201, i64::MIN] {
            assert_eq!(test_start().detect(&[sample(2, time_ms)], 100, 200), Some(200), "{time_ms}");
        }
    }

    #[test]
    fn an_id_that_was_never_given_begins_nothing() {
        assert_eq!(test_start().detect(&[sample(0, 150), sample(3, 150)], 100, 200), None);
    }
}
