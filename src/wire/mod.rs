//! Points → request bodies, as the Remote Write specifications have them.
//!
//! In come points, each with its metric and its labels, from a sender of [`crate::send`]; out goes the compressed body of one
//! request in the version of the protocol that the receiver speaks. Points are kept unencoded until then, so that the same ones can
//! go in either. Labels never change after registration, so their encoding is kept and copied.
//!
//! Specifications: <https://prometheus.io/docs/specs/prw/remote_write_spec/> (1.0),
//! <https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/> (2.0).

mod encoder;
mod v1;
mod v2;
mod protocol;
mod point;
mod labels;
pub mod proto;

pub use encoder::{Encoded, Encoder, Limits};
pub use labels::{CONDITION, EncodedLabel, LE, Label, Labels, RawLabel};
pub use point::{Metric, MetricKind, Point, STALE_MARKER, Value};
pub use proto::v1::Histogram;
pub use protocol::Protocol;
