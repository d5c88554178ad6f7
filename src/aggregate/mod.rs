//! What a target series gathers: in the open window and over the run.
//!
//! In come values in Prometheus's units (seconds, bytes); out go, at the end of a window, the numbers that
//! [`crate::export`] names and ships. Everything here belongs to the one resampling thread: nothing locks, and recording
//! allocates nothing.

mod readings;
mod trend;
mod rate;
mod gauge;
mod counter;
mod classic;
mod histogram;
mod sum;

pub use classic::ClassicHistogram;
pub use counter::Counter;
pub use gauge::Gauge;
pub use histogram::{Histogram, MAX_SCHEMA, Populated, Resolution};
pub use rate::Rate;
pub use sum::CompensatedSum;
pub use trend::{Statistics, Trend};

use crate::export::TrendForms;
use crate::k6::MetricType;

/// What one target series gathers, by the type of its k6 metric.
#[derive(Debug)]
pub enum Accumulator {
    /// Sums up.
    Counter(Counter),
    /// Keeps the latest.
    Gauge(Gauge),
    /// Counts zero and other values.
    Rate(Rate),
    /// Keeps the distribution.
    Trend(Trend),
}

impl Accumulator {
    /// An empty accumulator for metrics of type `metric_type`, trends in these forms.
    pub fn new(metric_type: MetricType, forms: &TrendForms) -> Self {
        match metric_type {
            MetricType::Counter => Self::Counter(Counter::default()),
            MetricType::Gauge | MetricType::RunInfo => Self::Gauge(Gauge::default()),
            MetricType::Rate => Self::Rate(Rate::default()),
            MetricType::Trend => Self::Trend(Trend::new(forms)),
        }
    }

    /// Takes one sample, unless its value is NaN or infinite, which no sum and no receiver would survive. `time_ms` decides
    /// only which of a gauge's values is the latest.
    #[inline]
    pub fn record(&mut self, value: f64, time_ms: i64) {
        if !value.is_finite() {
            return;
        }
        match self {
            Self::Counter(counter) => counter.record(value),
            Self::Gauge(gauge) => gauge.record(value, time_ms),
            Self::Rate(rate) => rate.record(value),
            Self::Trend(trend) => trend.record(value),
        }
    }

    /// Ends the window: what belongs to it alone starts anew, what belongs to the run stays.
    pub fn close_window(&mut self) {
        match self {
            Self::Counter(_) => {}
            Self::Gauge(gauge) => gauge.close_window(),
            Self::Rate(rate) => rate.close_window(),
            Self::Trend(trend) => trend.close_window(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::Span;

    #[test]
    fn no_accumulator_takes_nan_or_infinity() {
        for metric_type in [MetricType::Counter, MetricType::Gauge, MetricType::Rate, MetricType::Trend] {
            let forms = TrendForms { statistics: Some(Span::Window), native: true, classic: Some([1.0].into()) };
            let mut accumulator = Accumulator::new(metric_type, &forms);
            let empty = format!("{accumulator:?}");
            for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                accumulator.record(value, 0);
                assert_eq!(format!("{accumulator:?}"), empty, "{metric_type:?} took {value}");
            }
            accumulator.record(1.0, 0);
            assert_ne!(format!("{accumulator:?}"), empty);
        }
    }
}
