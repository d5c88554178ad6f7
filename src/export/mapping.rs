//! What a destination wants metrics to become: prefix, forms of trends, statistics, bounds of buckets.

use std::sync::Arc;

use super::statistic::TrendStat;
use crate::k6::ValueType;

/// Mapping of k6 metrics to Prometheus metrics.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    /// Prefix of the names of metrics.
    pub metric_prefix: String,
    /// Forms of a trend.
    pub trend_as: TrendAs,
    /// Statistics of a trend in the form of gauges.
    pub trend_stats: Vec<TrendStat>,
    /// The time that these statistics, and the share of a rate, cover.
    pub trend_window: Span,
    /// Bounds of classic histograms. The default depends on the unit.
    pub trend_buckets: Option<Arc<[f64]>>,
}

/// Forms of a trend, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // see the table of the module
pub struct TrendAs {
    pub gauges: bool,
    pub native: bool,
    pub classic: bool,
}

impl TrendAs {
    /// The form of k6's own output without its feature flag.
    pub const GAUGES: Self = Self { gauges: true, native: false, classic: false };
    /// The form of k6's own output with its feature flag `native-histograms`.
    pub const NATIVE: Self = Self { gauges: false, native: true, classic: false };
}

/// The time that statistics cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// One window.
    Window,
    /// The run so far.
    Run,
}

/// The forms in which the values of a trend are accumulated.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrendForms {
    /// Statistics, of the window or of the run.
    pub statistics: Option<Span>,
    /// A native histogram of the run.
    pub native: bool,
    /// A classic histogram of the run, with these bounds.
    pub classic: Option<Arc<[f64]>>,
}

impl Default for Mapping {
    fn default() -> Self {
        Self {
            metric_prefix: "k6_".into(),
            trend_as: TrendAs::GAUGES,
            trend_stats: TrendStat::defaults(),
            trend_window: Span::Window,
            trend_buckets: None,
        }
    }
}

/// Bounds for durations: from a millisecond, for a response of the same machine, to a minute, k6's default timeout of a request.
const SECONDS: [f64; 15] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// Bounds for data: from the size of a header to that of a video, in steps of four.
const BYTES: [f64; 12] = [
    64.0,
    256.0,
    1024.0,
    4096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
    268_435_456.0,
];

/// Bounds for values without a unit.
const NUMBERS: [f64; 16] =
    [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10_000.0];

impl Mapping {
    /// Returns the forms of a trend with values of this type.
    pub(super) fn forms(&self, value_type: ValueType) -> TrendForms {
        TrendForms {
            statistics: self.trend_as.gauges.then_some(self.trend_window),
            native: self.trend_as.native,
            classic: self.trend_as.classic.then(|| self.bounds(value_type)),
        }
    }

    fn bounds(&self, value_type: ValueType) -> Arc<[f64]> {
        match (&self.trend_buckets, value_type) {
            (Some(bounds), _) => Arc::clone(bounds),
            (None, ValueType::Time) => SECONDS.into(),
            (None, ValueType::Data) => BYTES.into(),
            (None, ValueType::Default) => NUMBERS.into(),
        }
    }
}
