//! Points → request bodies, as the Remote Write specification has them.
//!
//! In come series with their points from [`crate::map`]; out go batches, compressed with snappy's block format, into the
//! [`crate::deliver`] queue. Labels never change after registration, so their encoding is kept and copied.
//!
//! Specification: <https://prometheus.io/docs/specs/prw/remote_write_spec/> (1.0).

mod encoder;
mod labels;
pub mod v1;

pub use encoder::{Encoder, MAX_POINTS_PER_BATCH, Role};
pub use labels::{EncodedLabel, Labels};
pub use v1::Histogram;

/// A value at a time.
#[derive(Debug, Clone, Copy)]
pub struct Point {
    /// Milliseconds since the Unix epoch.
    pub time_ms: i64,
    /// In Prometheus's base units: seconds, bytes, ratios from 0 to 1.
    pub value: f64,
}

/// The value that ends a series (Remote Write 1.0, "Stale Markers"): one special NaN, of these very bits.
pub const STALE_MARKER: f64 = f64::from_bits(0x7ff0_0000_0000_0002);
