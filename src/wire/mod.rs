//! Points → request bodies, as the Remote Write specifications have them.
//!
//! In come points, each with its metric and its labels, from a sender of [`crate::send`]; out goes the compressed body of one
//! request in the version of the protocol that the receiver speaks. Points are kept unencoded until then, so that the same ones can
//! go in either. Labels never change after registration, so their encoding is kept and copied.
//!
//! Specifications: <https://prometheus.io/docs/specs/prw/remote_write_spec/> (1.0),
//! <https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/> (2.0).

mod encoder;
mod labels;
mod point;
mod protocol;
pub mod v1;
pub mod v2;

pub use encoder::{Encoded, Encoder, Limits};
pub use labels::{EncodedLabel, Labels, RawLabel};
pub use point::{Metric, MetricKind, Point, STALE_MARKER, Value};
pub use protocol::Protocol;
pub use v1::Histogram;
