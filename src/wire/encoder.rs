//! Writes series into request bodies and hands them, compressed, to the delivery queue.

use std::sync::Arc;

use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint, message};
use snap::raw::Encoder as Snappy;

use super::{EncodedLabel, Labels, Point, v1};
use crate::deliver::{Batch, Queue};

/// The most points of one request. Prometheus's own sender has 2 000 and receivers take many more; fewer requests cost
/// both sides less.
pub const MAX_POINTS_PER_BATCH: usize = 10_000;

/// A body of this many bytes, uncompressed, is sent even with fewer points: Prometheus and others refuse 32 MiB.
const MAX_BODY_BYTES: usize = 8 << 20;

/// Field numbers of the schema.
const TIMESERIES: u32 = 1;
const METADATA: u32 = 3;
const SAMPLES: u32 = 2;
const VALUE: u32 = 1;
const TIMESTAMP: u32 = 2;

/// Encodes the points of one destination. Every series is written whole into one batch, so its points keep their order.
pub struct Encoder {
    body: Vec<u8>,
    points: usize,
    snappy: Snappy,
    queue: Arc<Queue>,
}

impl Encoder {
    /// An encoder that hands its batches to `queue`.
    pub fn new(queue: Arc<Queue>) -> Self {
        Self { body: Vec::new(), points: 0, snappy: Snappy::new(), queue }
    }

    /// Adds one series with its points, the oldest first.
    pub fn series(&mut self, name: &EncodedLabel, labels: &Labels, condition: Option<&EncodedLabel>, points: &[Point]) {
        if points.is_empty() {
            return;
        }
        let len =
            labels.len_with(name, condition) + points.iter().map(|point| field_len(sample_len(point))).sum::<usize>();
        encode_key(TIMESERIES, WireType::LengthDelimited, &mut self.body);
        encode_varint(len as u64, &mut self.body);
        labels.write(name, condition, &mut self.body);
        for point in points {
            encode_sample(point, &mut self.body);
        }
        self.points += points.len();
        if self.points >= MAX_POINTS_PER_BATCH || self.body.len() >= MAX_BODY_BYTES {
            self.flush();
        }
    }

    /// Adds what a metric is. Remote Write 1.0 leaves it to the sender how often.
    pub fn metadata(&mut self, metadata: &v1::MetricMetadata) {
        message::encode(METADATA, metadata, &mut self.body);
    }

    /// Hands over what has been added since the last batch, if anything.
    pub fn flush(&mut self) {
        if self.body.is_empty() {
            return;
        }
        // Remote Write 1.0, "Protocol": snappy's block format, not its framed one.
        // It refuses only what is over 4 GiB; a body has at most 8 MiB and one series, and a series is bounded
        // when it is registered.
        let Ok(body) = self.snappy.compress_vec(&self.body) else { unreachable!("bodies are bounded") };
        self.queue.push(Batch { body: body.into(), points: self.points });
        self.body.clear();
        self.points = 0;
    }
}

fn sample_len(point: &Point) -> usize {
    let value = if point.value.to_bits() == 0 { 0 } else { 1 + 8 };
    let time = if point.time_ms == 0 { 0 } else { 1 + encoded_len_varint(point.time_ms as u64) };
    value + time
}

fn field_len(len: usize) -> usize {
    1 + encoded_len_varint(len as u64) + len
}

/// proto3 leaves fields out that hold their type's default.
fn encode_sample(point: &Point, body: &mut Vec<u8>) {
    encode_key(SAMPLES, WireType::LengthDelimited, body);
    encode_varint(sample_len(point) as u64, body);
    if point.value.to_bits() != 0 {
        encode_key(VALUE, WireType::SixtyFourBit, body);
        body.extend_from_slice(&point.value.to_le_bytes());
    }
    if point.time_ms != 0 {
        encode_key(TIMESTAMP, WireType::Varint, body);
        encode_varint(point.time_ms as u64, body);
    }
}
