//! Detection of the test start.
//!
//! k6 starts its outputs before the test, and may be paused in between, as the runners of k6-operator are. Until the test starts
//! k6 emits samples of gauges only (`vus` and `vus_max`): the first block with a sample of another type shows the start. A
//! sample has the time at which something ended, and a duration says when that began. In come the samples of
//! [`crate::resample`]; out comes one time, once.

use super::sample_kind::{SampleKind, SampleKinds};
use crate::k6::Sample;

/// Detects the test start.
#[derive(Debug, Default)]
pub struct TestStart {
    detected: bool,
}

impl TestStart {
    /// Returns the time of the test start if these samples are the first to show it: the earliest time at which something that
    /// they measured began, between `opened_ms` and `now_ms`. Returns `now_ms` if no time of a sample is between.
    pub fn detect(&mut self, samples: &[Sample], kinds: &SampleKinds, opened_ms: i64, now_ms: i64) -> Option<i64> {
        if self.detected {
            return None;
        }
        let of_test = |sample: &&Sample| kinds.of(sample).is_some_and(|kind| kind != SampleKind::Gauge);
        let of_test = samples.iter().filter(of_test);
        self.detected = of_test.clone().next().is_some();
        let in_run = of_test.filter(|sample| (opened_ms..=now_ms).contains(&sample.time_ms));
        let start_ms = in_run.map(|sample| begin_ms(sample, kinds).max(opened_ms)).min().unwrap_or(now_ms);
        self.detected.then_some(start_ms)
    }
}

/// Returns the time at which what the sample measured began.
fn begin_ms(sample: &Sample, kinds: &SampleKinds) -> i64 {
    let is_duration = kinds.of(sample) == Some(SampleKind::Duration) && sample.value > 0.0;
    // The conversion saturates.
    sample.time_ms.saturating_sub(if is_duration { sample.value as i64 } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::k6::{MetricType, ValueType};
    use crate::series::SeriesDefinition;

    const GAUGE: u64 = 1;
    const COUNTER: u64 = 2;
    const TIMES: u64 = 3;
    const NUMBERS: u64 = 4;

    fn kinds() -> SampleKinds {
        let mut kinds = SampleKinds::default();
        for (metric_type, value_type) in [
            (MetricType::Gauge, ValueType::Time),
            (MetricType::Counter, ValueType::Time),
            (MetricType::Trend, ValueType::Time),
            (MetricType::Trend, ValueType::Default),
        ] {
            kinds.add(SampleKind::of(&SeriesDefinition::new("m", metric_type).with_value_type(value_type)));
        }
        kinds
    }

    fn sample(series: u64, time_ms: i64, value: f64) -> Sample {
        Sample { series, time_ms, value }
    }

    /// Returns the start that the samples show in a run from 1000 to 2000.
    fn detect(samples: &[Sample]) -> Option<i64> {
        TestStart::default().detect(samples, &kinds(), 1000, 2000)
    }

    #[test]
    fn samples_that_are_not_of_a_gauge_start_the_test_once() {
        let (kinds, mut test_start) = (kinds(), TestStart::default());
        let mut detect = |samples: &[Sample], now_ms| test_start.detect(samples, &kinds, 1000, now_ms);
        assert_eq!(detect(&[sample(GAUGE, 1500, 1.0)], 2000), None);
        let samples = [sample(GAUGE, 2100, 1.0), sample(COUNTER, 2200, 1.0), sample(COUNTER, 2150, 1.0)];
        assert_eq!(detect(&samples, 3000), Some(2150));
        assert_eq!(detect(&[sample(COUNTER, 2110, 1.0)], 4000), None);
    }

    #[test]
    fn the_test_starts_when_the_first_duration_begins() {
        for (series, start_ms) in [(TIMES, 1200), (NUMBERS, 1500), (COUNTER, 1500)] {
            let samples = [sample(COUNTER, 1500, 1.0), sample(series, 1500, 300.0), sample(TIMES, 1500, 20.0)];
            assert_eq!(detect(&samples), Some(start_ms.min(1480)), "{series}");
        }
    }

    #[test]
    fn a_test_does_not_start_before_the_output_opened() {
        for value in [501.0, 1e300, f64::INFINITY] {
            assert_eq!(detect(&[sample(TIMES, 1500, value)]), Some(1000), "{value}");
        }
        for value in [-5.0, f64::NAN, f64::NEG_INFINITY] {
            assert_eq!(detect(&[sample(TIMES, 1500, value)]), Some(1500), "{value}");
        }
    }

    #[test]
    fn a_time_outside_the_run_is_replaced_by_now() {
        for time_ms in [0, 999, 2001, i64::MIN, i64::MAX] {
            assert_eq!(detect(&[sample(TIMES, time_ms, 1.0)]), Some(2000), "{time_ms}");
            assert_eq!(detect(&[sample(TIMES, time_ms, 1.0), sample(COUNTER, 1700, 1.0)]), Some(1700), "{time_ms}");
        }
    }

    #[test]
    fn a_sample_with_an_unknown_id_does_not_start_the_test() {
        assert_eq!(detect(&[sample(0, 1500, 1.0), sample(5, 1500, 1.0), sample(u64::MAX, 1500, 1.0)]), None);
    }
}
