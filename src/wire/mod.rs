//! Wire format: points → request bodies of Remote Write 1.0 and 2.0.
//!
//! In come points, each with its metric, its labels and its exemplars, from a sender of [`crate::send`]; out goes the compressed body of one
//! request, which [`crate::http`] sends. Points are encoded only here, so that the same points can be sent in either version of the
//! protocol. Labels never change after registration, so their encoding is kept and copied.
//!
//! A [`Decoder`] reads requests of 2.0 back: those of a file of unsent samples.
//!
//! Specifications: <https://prometheus.io/docs/specs/prw/remote_write_spec/> (1.0),
//! <https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/> (2.0).

mod encoder;
mod decoder;
mod v1;
mod v2;
mod protocol;
mod point;
mod labels;
mod fields;
pub mod proto;

pub use decoder::{DecodeError, Decoder};
pub use encoder::{Encoded, Encoder, Limits};
pub use labels::{CONDITION, EncodedLabel, LE, Label, Labels, RawLabel};
pub use point::{Exemplar, Metric, MetricKind, NAN, Point, STALE_MARKER, Value};
pub use proto::v1::Histogram;
pub use protocol::Protocol;
