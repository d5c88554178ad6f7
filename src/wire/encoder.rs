//! Writes series into request bodies and hands them, compressed, to the delivery queue.

use std::sync::Arc;

use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint, message};
use snap::raw::Encoder as Snappy;

use super::{EncodedLabel, Histogram, Labels, Point, v1};
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
const HISTOGRAMS: u32 = 4;
const VALUE: u32 = 1;
const TIMESTAMP: u32 = 2;

/// What a point is to its series, in the order in which the batches are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The 0 that a cumulative series starts with.
    Start,
    /// What a window has to tell.
    Value,
    /// The stale marker that ends the series.
    End,
}

/// Encodes the points of one destination.
///
/// No batch has two points of one series, so that each may be sent twice: a receiver that stored a batch, but whose answer
/// got lost, takes the same points again. Of two points it would refuse the older one as out of order, and answer 400 though
/// it has both. So what starts, goes on and ends travels in batches of its own, in this order.
pub struct Encoder {
    bodies: [Body; 3],
    snappy: Snappy,
    queue: Arc<Queue>,
}

/// One request's message, as far as it has come.
#[derive(Default)]
struct Body {
    bytes: Vec<u8>,
    points: usize,
}

impl Encoder {
    /// An encoder that hands its batches to `queue`.
    pub fn new(queue: Arc<Queue>) -> Self {
        Self { bodies: Default::default(), snappy: Snappy::new(), queue }
    }

    /// Adds a point of one series. The points of a series come in the order of their times.
    pub fn point(
        &mut self,
        role: Role,
        name: &EncodedLabel,
        labels: &Labels,
        further: Option<&EncodedLabel>,
        point: Point,
    ) {
        let body = &mut self.bodies[role as usize].bytes;
        let len = labels.len_with(name, further) + field_len(sample_len(point));
        encode_key(TIMESERIES, WireType::LengthDelimited, body);
        encode_varint(len as u64, body);
        labels.write(name, further, body);
        encode_sample(point, body);
        self.count_point(role);
    }

    /// Adds a point of one series of native histograms.
    pub fn histogram(&mut self, role: Role, name: &EncodedLabel, labels: &Labels, histogram: &Histogram) {
        let body = &mut self.bodies[role as usize].bytes;
        let len = labels.len_with(name, None) + field_len(histogram.encoded_len());
        encode_key(TIMESERIES, WireType::LengthDelimited, body);
        encode_varint(len as u64, body);
        labels.write(name, None, body);
        message::encode(HISTOGRAMS, histogram, body);
        self.count_point(role);
    }

    fn count_point(&mut self, role: Role) {
        let body = &mut self.bodies[role as usize];
        body.points += 1;
        if body.points >= MAX_POINTS_PER_BATCH || body.bytes.len() >= MAX_BODY_BYTES {
            self.flush_to(role);
        }
    }

    /// Adds what a metric is. Remote Write 1.0 leaves it to the sender how often.
    pub fn metadata(&mut self, metadata: &v1::MetricMetadata) {
        message::encode(METADATA, metadata, &mut self.bodies[Role::Value as usize].bytes);
    }

    /// Hands over all that has been added since the last batch.
    pub fn flush(&mut self) {
        self.flush_to(Role::End);
    }

    /// Hands over the batch of `role` and those that must come before it.
    fn flush_to(&mut self, role: Role) {
        for body in &mut self.bodies[..=role as usize] {
            if body.bytes.is_empty() {
                continue;
            }
            // Remote Write 1.0, "Protocol": snappy's block format, not its framed one.
            // It refuses only what is over 4 GiB; a body has at most 8 MiB and one series, and a series is bounded
            // when it is registered.
            let Ok(compressed) = self.snappy.compress_vec(&body.bytes) else { unreachable!("bodies are bounded") };
            self.queue.push(Batch { body: compressed.into(), points: body.points });
            body.bytes.clear();
            body.points = 0;
        }
    }
}

fn sample_len(point: Point) -> usize {
    let value = if point.value.to_bits() == 0 { 0 } else { 1 + 8 };
    let time = if point.time_ms == 0 { 0 } else { 1 + encoded_len_varint(point.time_ms as u64) };
    value + time
}

fn field_len(len: usize) -> usize {
    1 + encoded_len_varint(len as u64) + len
}

/// proto3 leaves fields out that hold their type's default.
fn encode_sample(point: Point, body: &mut Vec<u8>) {
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

    use super::*;
    use crate::report::Reporter;
    use crate::series::{Contents, Label, LabelRules, MetricType, SeriesDefinition};

    fn encoder() -> (Encoder, Arc<Queue>) {
        let queue = Arc::new(Queue::new(1 << 30, Reporter::default().destination("http://host/w")));
        (Encoder::new(Arc::clone(&queue)), queue)
    }

    fn decompressed(batch: &Batch) -> Vec<u8> {
        snap::raw::Decoder::new().decompress_vec(&batch.body).expect("snappy's block format")
    }

    fn messages(queue: &Queue) -> Vec<v1::WriteRequest> {
        queue.drain().iter().map(|batch| v1::WriteRequest::decode(&*decompressed(batch)).expect("valid")).collect()
    }

    fn named(name: &str) -> EncodedLabel {
        EncodedLabel::metric_name(name)
    }

    fn points(queue: &Queue) -> Vec<usize> {
        queue.drain().iter().map(|batch| batch.points).collect()
    }

    #[test]
    fn the_bytes_are_those_of_the_schema() {
        let (mut encoder, queue) = encoder();
        let labels = Labels::encode(&[Label { name: "a".into(), value: "b".into() }]);
        let zero = EncodedLabel::condition("zero");
        encoder.point(Role::Value, &named("m"), &labels, Some(&zero), Point { time_ms: 1, value: 0.0 });
        encoder.point(Role::Value, &named("n"), &labels, None, Point { time_ms: 300, value: 1.0 });
        encoder.flush();
        let golden = b"\x0a\x2e\
            \x0a\x0d\x0a\x08__name__\x12\x01m\
            \x0a\x06\x0a\x01a\x12\x01b\
            \x0a\x11\x0a\x09condition\x12\x04zero\
            \x12\x02\x10\x01\
            \x0a\x25\
            \x0a\x0d\x0a\x08__name__\x12\x01n\
            \x0a\x06\x0a\x01a\x12\x01b\
            \x12\x0c\x09\x00\x00\x00\x00\x00\x00\xf0\x3f\x10\xac\x02";
        let batches = queue.drain();
        assert_eq!(decompressed(&batches[0]), golden);
        assert_eq!((batches.len(), batches[0].points), (1, 2));
    }

    #[test]
    fn histograms_are_points_of_their_series() {
        let (mut encoder, queue) = encoder();
        let histogram = Histogram { sum: 1.5, timestamp: 7, positive_deltas: vec![2, -1], ..Histogram::default() };
        let labels = Labels::encode(&[Label { name: "a".into(), value: "b".into() }]);
        encoder.histogram(Role::Start, &named("m"), &labels, &Histogram::default());
        encoder.histogram(Role::Value, &named("m"), &labels, &histogram);
        encoder.flush();
        let messages = messages(&queue);
        assert_eq!(messages.len(), 2, "no batch has two points of one series");
        let series = &messages[1].timeseries[0];
        assert_eq!((&series.histograms[..], series.samples.len(), series.labels.len()), (&[histogram][..], 0, 2));
    }

    #[test]
    fn nothing_makes_no_request() {
        let (mut encoder, queue) = encoder();
        encoder.flush();
        assert!(queue.drain().is_empty());
    }

    #[test]
    fn start_value_and_end_of_a_series_never_share_a_batch_and_leave_in_this_order() {
        let (mut encoder, queue) = encoder();
        let labels = Labels::encode(&[]);
        for (role, time_ms) in [(Role::Start, 1), (Role::Value, 2), (Role::End, 3)] {
            encoder.point(role, &named("m"), &labels, None, Point { time_ms, value: 1.0 });
        }
        encoder.flush();
        let times: Vec<_> = messages(&queue)
            .iter()
            .map(|message| message.timeseries.iter().flat_map(|s| &s.samples).map(|s| s.timestamp).collect::<Vec<_>>())
            .collect();
        assert_eq!(times, [[1], [2], [3]]);
    }

    #[test]
    fn a_full_batch_takes_those_before_it_along() {
        let (mut encoder, queue) = encoder();
        let (name, labels) = (named("m"), Labels::encode(&[]));
        let point = Point { time_ms: 1, value: 1.0 };
        encoder.point(Role::End, &name, &labels, None, point);
        encoder.point(Role::Start, &name, &labels, None, point);
        for _ in 0..MAX_POINTS_PER_BATCH {
            encoder.point(Role::Value, &name, &labels, None, point);
        }
        assert_eq!(points(&queue), [1, MAX_POINTS_PER_BATCH]);
        encoder.flush();
        assert_eq!(points(&queue), [1]);
    }

    #[test]
    fn large_labels_split_batches_by_bytes() {
        let (mut encoder, queue) = encoder();
        let labels = Labels::encode(&[Label { name: "a".into(), value: "x".repeat(1 << 20) }]);
        for _ in 0..20 {
            encoder.point(Role::Value, &named("m"), &labels, None, Point { time_ms: 1, value: 1.0 });
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
                    any::<i64>(),
                    prop::num::f64::ANY,
                    any::<bool>(),
                ),
                1..8,
            ),
        ) {
            let (mut encoder, queue) = encoder();
            let mut expected = Vec::new();
            for (tags, time_ms, value, with_condition) in series {
                let definition = SeriesDefinition {
                    metric: "m".into(), metric_type: MetricType::Rate, contents: Contents::Plain, tags,
                };
                let labels = definition.labels(&LabelRules::default());
                let condition = with_condition.then(|| EncodedLabel::condition("zero"));
                let point = Point { time_ms, value };
                encoder.point(Role::Value, &named("m"), &Labels::encode(&labels), condition.as_ref(), point);
                let mut pairs: Vec<_> = labels.into_iter().map(|label| (label.name, label.value)).collect();
                pairs.push(("__name__".into(), "m".into()));
                pairs.extend(with_condition.then(|| ("condition".into(), "zero".into())));
                pairs.sort();
                expected.push((pairs, vec![(time_ms, value.to_bits())]));
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
