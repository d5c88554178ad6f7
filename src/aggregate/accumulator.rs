//! The accumulator of a target series, by the type of its k6 metric.

use super::{Counter, Gauge, Rate, Trend};
use crate::export::TrendForms;
use crate::k6::MetricType;

/// The accumulator of a target series, by the type of its k6 metric.
#[derive(Debug)]
pub enum Accumulator {
    /// Sum.
    Counter(Counter),
    /// Latest value.
    Gauge(Gauge),
    /// Counts of zero and non-zero values.
    Rate(Rate),
    /// Distribution.
    Trend(Trend),
}

impl Accumulator {
    /// Creates an empty accumulator for a metric type. `forms` are the forms of a trend.
    pub fn new(metric_type: MetricType, forms: &TrendForms) -> Self {
        match metric_type {
            MetricType::Counter => Self::Counter(Counter::default()),
            MetricType::Gauge | MetricType::RunInfo => Self::Gauge(Gauge::default()),
            MetricType::Rate => Self::Rate(Rate::default()),
            MetricType::Trend => Self::Trend(Trend::new(forms)),
        }
    }

    /// Records one value. `time_ms` only decides which value of a gauge is the latest.
    ///
    /// The value must be finite ([`crate::resample::Resampler::record`] ensures it), except that of a gauge: a sum never recovers
    /// from NaN.
    #[inline]
    pub fn record(&mut self, value: f64, time_ms: i64) {
        debug_assert!(value.is_finite() || matches!(self, Self::Gauge(_)));
        match self {
            Self::Counter(counter) => counter.record(value),
            Self::Gauge(gauge) => gauge.record(value, time_ms),
            Self::Rate(rate) => rate.record(value),
            Self::Trend(trend) => trend.record(value),
        }
    }

    /// Starts the next window. Keeps the values of the run.
    pub fn close_window(&mut self) {
        match self {
            Self::Counter(_) => {}
            Self::Gauge(gauge) => gauge.close_window(),
            Self::Rate(rate) => rate.close_window(),
            Self::Trend(trend) => trend.close_window(),
        }
    }
}
