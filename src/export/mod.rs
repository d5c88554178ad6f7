//! Accumulators → named points.
//!
//! In comes a target series' accumulator at the end of a window, out go its series to [`crate::wire`]. The table of names is
//! that of k6's own Prometheus output, so dashboards stay as they are:
//!
//! | k6 type | series |
//! |---|---|
//! | Counter | `_total`, cumulative |
//! | Gauge | the name itself; `_lowest` and `_highest` of the window |
//! | Rate | `_rate`, a share; `_total{condition="nonzero"}` and `{condition="zero"}`, cumulative |
//! | Trend as gauges | `_avg _min _med _max _p90 _p95 _p99` or others; `_count` and `_sum`, cumulative |
//! | Trend as a native histogram | the name with its unit, cumulative |
//! | Trend as a classic histogram | the name with its unit, `_bucket{le=…}`, `_count` and `_sum`, cumulative |

mod window_export;
mod native_histogram;
mod readings;
mod family;
mod statistic;

use std::sync::Arc;

pub use family::Family;
pub use readings::{ExponentialBuckets, Readings};
pub use statistic::{Statistic, TrendStat};
pub use window_export::{ExportState, WindowExport};

use crate::k6::ValueType;

/// How a destination wants metrics to be mapped.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    /// What every metric's name begins with.
    pub metric_prefix: String,
    /// What a trend becomes.
    pub trend_as: TrendAs,
    /// The statistics of a trend as gauges.
    pub trend_stats: Vec<TrendStat>,
    /// What these, and the share of a rate, are of.
    pub trend_window: Span,
    /// The bounds of classic histograms; without, those that fit the unit.
    pub trend_buckets: Option<Arc<[f64]>>,
}

/// What a trend becomes: at least one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the module's table says what each is
pub struct TrendAs {
    pub gauges: bool,
    pub native: bool,
    pub classic: bool,
}

impl TrendAs {
    /// As k6's own output has it without its feature flag.
    pub const GAUGES: Self = Self { gauges: true, native: false, classic: false };
    /// As k6's own output has it with its feature flag `native-histograms`.
    pub const NATIVE: Self = Self { gauges: false, native: true, classic: false };
}

/// What statistics are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// Of one window.
    Window,
    /// Of the run so far.
    Run,
}

/// The forms that a trend is kept in: memory and time are spent on no other.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrendForms {
    /// Percentiles and the like, of the window or of the run.
    pub statistics: Option<Span>,
    /// A native histogram of the run.
    pub native: bool,
    /// A histogram of the run with these bounds.
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

/// From a millisecond, which an answer from one's own machine takes, to a minute, k6's default timeout of a request.
const SECONDS: [f64; 15] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// From a header to a video, by factors of four.
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

const PLAIN: [f64; 16] =
    [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10_000.0];

impl Mapping {
    /// The forms in which a trend with values of this type is kept.
    fn forms(&self, value_type: ValueType) -> TrendForms {
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
            (None, ValueType::Default) => PLAIN.into(),
        }
    }
}
