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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::Message;

    use super::*;
    use crate::report::Reporter;
    use crate::series::{Contents, Label, MetricType, SeriesDefinition};

    fn encoder() -> (Encoder, Arc<Queue>) {
        let queue = Arc::new(Queue::new(1 << 30, Arc::new(Reporter::default())));
        (Encoder::new(Arc::clone(&queue)), queue)
    }

    fn decompressed(batch: &Batch) -> Vec<u8> {
        snap::raw::Decoder::new().decompress_vec(&batch.body).expect("snappy's block format")
    }

    fn messages(queue: &Queue) -> Vec<v1::WriteRequest> {
        queue.drain().iter().map(|batch| v1::WriteRequest::decode(&*decompressed(batch)).expect("valid")).collect()
    }

    #[test]
    fn the_bytes_are_those_of_the_schema() {
        let (mut encoder, queue) = encoder();
        let labels = Labels::encode(&[Label { name: "a".into(), value: "b".into() }]);
        let points = [Point { time_ms: 1, value: 0.0 }, Point { time_ms: 300, value: 1.0 }];
        encoder.series(&EncodedLabel::metric_name("m"), &labels, Some(&EncodedLabel::condition("zero")), &points);
        encoder.flush();
        let golden = b"\x0a\x3c\
            \x0a\x0d\x0a\x08__name__\x12\x01m\
            \x0a\x06\x0a\x01a\x12\x01b\
            \x0a\x11\x0a\x09condition\x12\x04zero\
            \x12\x02\x10\x01\
            \x12\x0c\x09\x00\x00\x00\x00\x00\x00\xf0\x3f\x10\xac\x02";
        let batches = queue.drain();
        assert_eq!(decompressed(&batches[0]), golden);
        assert_eq!((batches.len(), batches[0].points), (1, 2));
    }

    #[test]
    fn nothing_makes_no_request() {
        let (mut encoder, queue) = encoder();
        encoder.series(&EncodedLabel::metric_name("m"), &Labels::encode(&[]), None, &[]);
        encoder.flush();
        assert!(queue.drain().is_empty());
    }

    #[test]
    fn large_labels_split_batches_by_bytes() {
        let (mut encoder, queue) = encoder();
        let labels = Labels::encode(&[Label { name: "a".into(), value: "x".repeat(1 << 20) }]);
        for _ in 0..20 {
            encoder.series(&EncodedLabel::metric_name("m"), &labels, None, &[Point { time_ms: 1, value: 1.0 }]);
        }
        encoder.flush();
        let batches = queue.drain();
        assert_eq!(batches.len(), 3);
        assert!(batches.iter().all(|batch| decompressed(batch).len() <= MAX_BODY_BYTES + (2 << 20)));
    }

    proptest! {
        #[test]
        fn decoding_gives_back_what_was_encoded(
            series in prop::collection::vec(
                (
                    prop::collection::vec((".{0,8}", ".{0,20}"), 0..6),
                    prop::collection::vec((any::<i64>(), prop::num::f64::ANY), 1..4),
                    any::<bool>(),
                ),
                1..8,
            ),
        ) {
            let (mut encoder, queue) = encoder();
            let mut expected = Vec::new();
            for (tags, points, with_condition) in series {
                let definition = SeriesDefinition {
                    metric: "m".into(), metric_type: MetricType::Rate, contents: Contents::Plain, tags,
                };
                let labels = definition.labels();
                let condition = with_condition.then(|| EncodedLabel::condition("zero"));
                let points: Vec<_> = points.into_iter().map(|(time_ms, value)| Point { time_ms, value }).collect();
                encoder.series(&EncodedLabel::metric_name("m"), &Labels::encode(&labels), condition.as_ref(), &points);
                let mut pairs: Vec<_> = labels.into_iter().map(|label| (label.name, label.value)).collect();
                pairs.push(("__name__".into(), "m".into()));
                pairs.extend(with_condition.then(|| ("condition".into(), "zero".into())));
                pairs.sort();
                expected.push((pairs, points.iter().map(|point| (point.time_ms, point.value.to_bits())).collect::<Vec<_>>()));
            }
            encoder.flush();
            let decoded: Vec<_> = messages(&queue).into_iter().flat_map(|message| message.timeseries).map(|series| (
                series.labels.into_iter().map(|label| (label.name, label.value)).collect::<Vec<_>>(),
                series.samples.iter().map(|sample| (sample.timestamp, sample.value.to_bits())).collect::<Vec<_>>(),
            )).collect();
            prop_assert_eq!(decoded, expected);
        }
    }
}
