//! Export: accumulators → named points.
//!
//! In come the accumulators of target series, from [`crate::resample::registry`] at the end of a window. They are read through the
//! trait [`Readings`], which is defined here and implemented by [`crate::aggregate`]. Out go points to the
//! [`crate::send::Batcher`]. The names are those of k6's own Prometheus output, so that dashboards need no changes:
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
mod export_state;
mod stale_markers;
mod native_histogram;
mod readings;
mod family;
mod mapping;
mod statistic;

pub use export_state::ExportState;
pub use family::Family;
pub use mapping::{Mapping, Span, TrendAs, TrendForms};
pub use readings::{ExponentialBuckets, Readings};
pub use stale_markers::StaleMarkers;
pub use statistic::{Statistic, TrendStat};
pub use window_export::WindowExport;
