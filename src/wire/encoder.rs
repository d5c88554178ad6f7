//! Encodes points as the body of a request, with one path for both versions of the protocol.

use bytes::Bytes;
use prost::Message as _;
use prost::encoding::{WireType, encoded_len_varint, int64};
use snap::raw::{Encoder as Snappy, max_compress_len};

use super::fields::{write_key, write_varint};
use super::protocol::Message;
use super::{Metric, Point, Protocol, Value, v1, v2};

/// Field numbers that are the same in both schemas.
const SAMPLES: u32 = 2;
const VALUE: u32 = 1;
const TIMESTAMP: u32 = 2;
const START_TIMESTAMP: u32 = 3;
const HISTOGRAM_START_TIMESTAMP: u32 = 17;
const EXEMPLAR_VALUE: u32 = 2;
const EXEMPLAR_TIMESTAMP: u32 = 3;

/// Bytes of a series beside its labels and values, at most: key and length of its field, and references to its metadata.
const SERIES_OVERHEAD: usize = 40;

/// Bytes of an exemplar beside its labels, at most: keys, lengths, value, time, and references to its labels.
const EXEMPLAR_OVERHEAD: usize = 128;

/// Size limits of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Maximum number of points.
    pub points: usize,
    /// Maximum size before compression, in bytes, with metadata. Only a request with a single point may be larger.
    pub bytes: usize,
}

/// The body of one request.
#[derive(Debug)]
pub struct Encoded {
    /// The compressed body. Shared, so that a retry copies nothing.
    pub body: Bytes,
    /// The number of points in the body.
    pub points: usize,
    /// The number of exemplars in the body.
    pub exemplars: usize,
}

/// Encodes requests. The next request reuses the memory.
#[derive(Default)]
pub struct Encoder {
    buffers: Buffers,
    symbols: v2::Symbols,
}

struct Buffers {
    request: Vec<u8>,
    timeseries: Vec<u8>,
    series: Vec<u8>,
    exemplar: Vec<u8>,
    compressed: Vec<u8>,
    snappy: Snappy,
}

impl Default for Buffers {
    fn default() -> Self {
        Self {
            request: Vec::new(),
            timeseries: Vec::new(),
            series: Vec::new(),
            exemplar: Vec::new(),
            compressed: Vec::new(),
            snappy: Snappy::new(),
        }
    }
}

impl Encoder {
    /// Encodes points from the first on, as many as the limits allow and at least one. `described` are the metrics whose metadata
    /// is sent with a request of 1.0; in 2.0 every series has its metadata.
    pub fn encode(
        &mut self,
        protocol: Protocol,
        points: &[Point],
        described: &[&'static Metric],
        limits: Limits,
    ) -> Encoded {
        match protocol {
            Protocol::V1 => self.buffers.encode(v1::Request::new(described), points, limits),
            Protocol::V2 => self.buffers.encode(v2::Request::new(&mut self.symbols), points, limits),
        }
    }
}

impl Buffers {
    fn encode<'a, M: Message<'a>>(&mut self, mut message: M, points: &'a [Point], limits: Limits) -> Encoded {
        self.timeseries.clear();
        let mut encoded = 0;
        let points = &points[..points.len().min(limits.points.max(1))];
        while let Some(point) = points.get(encoded) {
            let (preface_len, timeseries_len) = (message.preface_len(), self.timeseries.len());
            self.series.clear();
            message.write_labels(point, &mut self.series);
            self.write_point(point, &mut message);
            let mut count = 1;
            // Points of one series come together, the oldest first.
            while let Some(later) = points.get(encoded + count).filter(|later| later.series_key() == point.series_key())
            {
                let overhead = timeseries_len + SERIES_OVERHEAD;
                let len = self.series.len();
                // Before they are written, since the preface keeps their labels.
                if message.preface_len() + overhead + len + exemplars_len(later) > limits.bytes {
                    break;
                }
                self.write_point(later, &mut message);
                if message.preface_len() + overhead + self.series.len() > limits.bytes {
                    self.series.truncate(len);
                    break;
                }
                count += 1;
            }
            message.write_metadata(point, &mut self.series);
            write_field(M::TIMESERIES, &self.series, &mut self.timeseries);
            if encoded > 0 && message.preface_len() + self.timeseries.len() > limits.bytes {
                // This series begins the next request.
                message.truncate_preface(preface_len);
                self.timeseries.truncate(timeseries_len);
                break;
            }
            if encoded == 0 {
                message.add_metadata(limits.bytes.saturating_sub(self.timeseries.len()));
            }
            encoded += count;
        }
        self.request.clear();
        message.write_preface(&mut self.request);
        self.request.extend_from_slice(&self.timeseries);
        // Remote Write 1.0 and 2.0, "Protocol": snappy's block format, not the framed format. Compression fails only above 4 GiB.
        // A request has at most its limit, which the options bound, or one series, which registration bounds.
        let max_len = max_compress_len(self.request.len());
        if self.compressed.len() < max_len {
            self.compressed.resize(max_len, 0);
        }
        let len = self.snappy.compress(&self.request, &mut self.compressed).expect("requests are bounded");
        let body = Bytes::copy_from_slice(&self.compressed[..len]);
        let exemplars = points[..encoded].iter().map(|point| point.value.exemplars().len()).sum();
        Encoded { body, points: encoded, exemplars }
    }

    /// Writes the value and the exemplars of a point as fields of its series.
    fn write_point<'a, M: Message<'a>>(&mut self, point: &Point, message: &mut M) {
        write_value::<M>(point, point.value.plain(), &mut self.series);
        for exemplar in point.value.exemplars() {
            self.exemplar.clear();
            message.write_exemplar_labels(&exemplar.labels, &mut self.exemplar);
            write_double(EXEMPLAR_VALUE, exemplar.value, &mut self.exemplar);
            write_integer(EXEMPLAR_TIMESTAMP, exemplar.time_ms, &mut self.exemplar);
            write_field(M::EXEMPLARS, &self.exemplar, &mut self.series);
        }
    }
}

/// Returns the bytes that the exemplars of a point add to a request, at most.
fn exemplars_len(point: &Point) -> usize {
    point.value.exemplars().iter().map(|exemplar| exemplar.labels.as_bytes().len() + EXEMPLAR_OVERHEAD).sum()
}

/// Writes a value without exemplars as a field of the series of its point.
fn write_value<'a, M: Message<'a>>(point: &Point, value: &Value, series: &mut Vec<u8>) {
    let start_ms = if M::HAS_START { point.start_ms } else { 0 };
    match value {
        // Its value has no exemplars.
        Value::WithExemplars(_) => {}
        Value::Float(value) => {
            let len = double_len(*value) + integer_len(point.time_ms) + integer_len(start_ms);
            write_key(SAMPLES, WireType::LengthDelimited, series);
            write_varint(len as u64, series);
            write_double(VALUE, *value, series);
            write_integer(TIMESTAMP, point.time_ms, series);
            write_integer(START_TIMESTAMP, start_ms, series);
        }
        Value::Histogram(histogram) => {
            let start_len = if start_ms == 0 { 0 } else { int64::encoded_len(HISTOGRAM_START_TIMESTAMP, &start_ms) };
            write_key(M::HISTOGRAMS, WireType::LengthDelimited, series);
            write_varint((histogram.encoded_len() + start_len) as u64, series);
            histogram.encode_raw(series);
            write_integer(HISTOGRAM_START_TIMESTAMP, start_ms, series);
        }
    }
}

fn write_field(number: u32, contents: &[u8], out: &mut Vec<u8>) {
    write_key(number, WireType::LengthDelimited, out);
    write_varint(contents.len() as u64, out);
    out.extend_from_slice(contents);
}

/// Writes a field unless it has the default of its type, as proto3 does.
fn write_double(number: u32, value: f64, out: &mut Vec<u8>) {
    if value.to_bits() != 0 {
        write_key(number, WireType::SixtyFourBit, out);
        out.extend_from_slice(&value.to_le_bytes());
    }
}

fn write_integer(number: u32, value: i64, out: &mut Vec<u8>) {
    if value != 0 {
        write_key(number, WireType::Varint, out);
        write_varint(value as u64, out);
    }
}

fn double_len(value: f64) -> usize {
    if value.to_bits() == 0 { 0 } else { 1 + 8 }
}

fn integer_len(value: i64) -> usize {
    if value == 0 { 0 } else { 1 + encoded_len_varint(value as u64) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::super::proto::{v1, v2};
    use super::*;
    use crate::k6::MetricType;
    use crate::series::{LabelRules, SeriesDefinition};
    use crate::wire::Label;
    use crate::wire::{EncodedLabel, Exemplar, Histogram, Labels, MetricKind};

    const UNLIMITED: Limits = Limits { points: usize::MAX, bytes: usize::MAX };

    fn metric(name: &str, condition: Option<&str>) -> &'static Metric {
        Metric {
            name: name.into(),
            encoded_name: EncodedLabel::metric_name(name),
            extra_label: condition.map(EncodedLabel::condition),
            kind: MetricKind::Counter,
            help: "help".into(),
            unit: "seconds".into(),
        }
        .intern()
    }

    fn labels(pairs: &[(&str, &str)]) -> Arc<Labels> {
        let labels: Vec<_> = pairs.iter().map(|&(n, v)| Label { name: n.into(), value: v.into() }).collect();
        Arc::new(Labels::encode(&labels))
    }

    fn point(metric: &'static Metric, labels: &Arc<Labels>, time_ms: i64, value: f64) -> Point {
        Point { metric, labels: Arc::clone(labels), time_ms, start_ms: 0, value: Value::Float(value) }
    }

    fn encode(protocol: Protocol, points: &[Point]) -> Vec<u8> {
        let encoded = Encoder::default().encode(protocol, points, &[], UNLIMITED);
        assert_eq!(encoded.points, points.len());
        decompress(&encoded)
    }

    fn decompress(encoded: &Encoded) -> Vec<u8> {
        snap::raw::Decoder::new().decompress_vec(&encoded.body).expect("snappy's block format")
    }

    fn two_points() -> [Point; 2] {
        let labels = labels(&[("a", "b")]);
        let mut second = point(metric("n", None), &labels, 300, 1.0);
        second.start_ms = 2;
        [point(metric("m", Some("zero")), &labels, 1, 0.0), second]
    }

    #[test]
    fn the_bytes_of_1_0_match_its_schema() {
        let golden = b"\x0a\x2e\
            \x0a\x0d\x0a\x08__name__\x12\x01m\
            \x0a\x06\x0a\x01a\x12\x01b\
            \x0a\x11\x0a\x09condition\x12\x04zero\
            \x12\x02\x10\x01\
            \x0a\x25\
            \x0a\x0d\x0a\x08__name__\x12\x01n\
            \x0a\x06\x0a\x01a\x12\x01b\
            \x12\x0c\x09\x00\x00\x00\x00\x00\x00\xf0\x3f\x10\xac\x02";
        assert_eq!(encode(Protocol::V1, &two_points()), golden);
    }

    #[test]
    fn the_bytes_of_2_0_match_its_schema() {
        let golden = b"\x22\x00\x22\x01a\x22\x01b\x22\x04help\x22\x07seconds\x22\x08__name__\x22\x01m\x22\x09condition\x22\x04zero\
            \x22\x01n\
            \x2a\x14\x0a\x06\x05\x06\x01\x02\x07\x08\x12\x02\x10\x01\x2a\x06\x08\x01\x18\x03\x20\x04\
            \x2a\x1e\x0a\x04\x05\x09\x01\x02\x12\x0e\x09\x00\x00\x00\x00\x00\x00\xf0\x3f\x10\xac\x02\x18\x02\
            \x2a\x06\x08\x01\x18\x03\x20\x04";
        assert_eq!(encode(Protocol::V2, &two_points()), golden);
    }

    /// Remote Write 2.0, "io.prometheus.write.v2.Request": fields 1 to 3 are reserved for this purpose.
    #[test]
    fn a_receiver_of_1_0_decodes_no_series_of_a_request_of_2_0() {
        let message = v1::WriteRequest::decode(&*encode(Protocol::V2, &two_points())).expect("decodes");
        assert!(message.timeseries.is_empty() && message.metadata.is_empty());
    }

    /// Remote Write 2.0, "Symbols".
    #[test]
    fn symbols_are_distinct_and_start_with_the_empty_string_and_references_are_valid() {
        let message = v2::Request::decode(&*encode(Protocol::V2, &two_points())).expect("decodes");
        assert_eq!(message.symbols[0], "");
        let distinct: std::collections::HashSet<_> = message.symbols.iter().collect();
        assert_eq!(distinct.len(), message.symbols.len());
        for series in &message.timeseries {
            let metadata = series.metadata.expect("every series has metadata");
            let refs = series.labels_refs.iter().chain([&metadata.help_ref, &metadata.unit_ref]);
            assert!(refs.into_iter().all(|&index| (index as usize) < message.symbols.len()));
            assert_eq!(series.labels_refs.len() % 2, 0);
        }
    }

    /// Remote Write 2.0, "Samples and Histogram Samples".
    #[test]
    fn samples_of_2_0_have_the_start_of_their_series() {
        let points = two_points();
        let message = v2::Request::decode(&*encode(Protocol::V2, &points)).expect("decodes");
        let starts: Vec<_> = message.timeseries.iter().map(|series| series.samples[0].start_timestamp).collect();
        assert_eq!(starts, [0, 2]);
    }

    /// Remote Write 2.0, "Metadata"; in 1.0 metadata is separate from the series.
    #[test]
    fn both_versions_have_type_help_and_unit() {
        let points = two_points();
        let message = v2::Request::decode(&*encode(Protocol::V2, &points)).expect("decodes");
        let metadata = message.timeseries[0].metadata.expect("has metadata");
        let symbol = |index: u32| message.symbols[index as usize].as_str();
        assert_eq!(
            (metadata.r#type(), symbol(metadata.help_ref), symbol(metadata.unit_ref)),
            (v2::metadata::MetricType::Counter, "help", "seconds")
        );

        let described = [points[1].metric];
        let encoded = Encoder::default().encode(Protocol::V1, &points, &described, UNLIMITED);
        let message = v1::WriteRequest::decode(&*decompress(&encoded)).expect("decodes");
        let metadata = &message.metadata[0];
        assert_eq!(message.metadata.len(), 1);
        assert_eq!(
            (metadata.metric_family_name.as_str(), metadata.help.as_str(), metadata.unit.as_str()),
            ("n", "help", "seconds")
        );
        assert_eq!(metadata.r#type(), v1::metric_metadata::MetricType::Counter);
    }

    /// Remote Write 2.0, "Samples and Histogram Samples": a series has samples or histograms, not both.
    #[test]
    fn both_versions_have_native_histograms() {
        let histogram = Arc::new(Histogram { sum: 1.5, schema: 3, timestamp: 300, ..Histogram::default() });
        let mut point = point(metric("m", None), &labels(&[("a", "b")]), 300, 0.0);
        point.value = Value::Histogram(Arc::clone(&histogram));
        point.start_ms = 2;
        let points = [point];

        let message = v1::WriteRequest::decode(&*encode(Protocol::V1, &points)).expect("decodes");
        let series = &message.timeseries[0];
        assert_eq!((&series.histograms[..], series.samples.len()), (&[(*histogram).clone()][..], 0));

        let message = v2::Request::decode(&*encode(Protocol::V2, &points)).expect("decodes");
        let series = &message.timeseries[0];
        let with_start = Histogram { start_timestamp: 2, ..(*histogram).clone() };
        assert_eq!((&series.histograms[..], series.samples.len()), (&[with_start][..], 0));
    }

    /// With one exemplar more than its number.
    fn with_exemplars(point: &Point, number: i64) -> Point {
        let exemplar = |i: i64| Exemplar { labels: labels(&[("trace_id", &format!("t{i}"))]), value: 0.5, time_ms: i };
        let exemplars: Vec<_> = (0..=number).map(exemplar).collect();
        Point { value: point.value.clone().with_exemplars(exemplars.into()), ..point.clone() }
    }

    #[test]
    fn the_bytes_of_exemplars_match_the_schemas() {
        let point = with_exemplars(&point(metric("m", None), &labels(&[]), 1, 1.0), 1);
        let v1 = b"\x0a\x54\
            \x0a\x0d\x0a\x08__name__\x12\x01m\
            \x12\x0b\x09\x00\x00\x00\x00\x00\x00\xf0\x3f\x10\x01\
            \x1a\x19\x0a\x0e\x0a\x08trace_id\x12\x02t0\x11\x00\x00\x00\x00\x00\x00\xe0\x3f\
            \x1a\x1b\x0a\x0e\x0a\x08trace_id\x12\x02t1\x11\x00\x00\x00\x00\x00\x00\xe0\x3f\x18\x01";
        assert_eq!(encode(Protocol::V1, std::slice::from_ref(&point)), v1);
        let v2 = b"\x22\x00\x22\x04help\x22\x07seconds\x22\x08__name__\x22\x01m\x22\x08trace_id\x22\x02t0\x22\x02t1\
            \x2a\x39\x0a\x02\x03\x04\x12\x0b\x09\x00\x00\x00\x00\x00\x00\xf0\x3f\x10\x01\
            \x22\x0d\x0a\x02\x05\x06\x11\x00\x00\x00\x00\x00\x00\xe0\x3f\
            \x22\x0f\x0a\x02\x05\x07\x11\x00\x00\x00\x00\x00\x00\xe0\x3f\x18\x01\
            \x2a\x06\x08\x01\x18\x01\x20\x02";
        assert_eq!(encode(Protocol::V2, &[point]), v2);
    }

    #[test]
    fn points_of_one_series_come_with_all_their_exemplars_within_the_limit_of_bytes() {
        let (metric, labels) = (metric("m", None), labels(&[("a", "b")]));
        let points: Vec<_> = (0..40).map(|i| with_exemplars(&point(metric, &labels, i, i as f64), i % 3)).collect();
        for protocol in [Protocol::V1, Protocol::V2] {
            for bytes in [1, 200, 500, 1000, 3000, usize::MAX] {
                let (mut encoded, mut exemplars) = (0, 0);
                while encoded < points.len() {
                    let limits = Limits { points: usize::MAX, bytes };
                    let request = Encoder::default().encode(protocol, &points[encoded..], &[], limits);
                    let body = decompress(&request);
                    assert!(body.len() <= bytes || request.points == 1, "{protocol}: {} of {bytes}", body.len());
                    let received: usize = match protocol {
                        Protocol::V1 => {
                            let message = v1::WriteRequest::decode(&*body).expect("decodes");
                            message.timeseries.iter().map(|series| series.exemplars.len()).sum()
                        }
                        Protocol::V2 => {
                            let message = v2::Request::decode(&*body).expect("decodes");
                            message.timeseries.iter().map(|series| series.exemplars.len()).sum()
                        }
                    };
                    assert_eq!(received, request.exemplars);
                    (encoded, exemplars) = (encoded + request.points, exemplars + received);
                }
                assert_eq!(exemplars, points.iter().map(|point| point.value.exemplars().len()).sum::<usize>());
            }
        }
    }

    #[test]
    fn a_reused_encoder_encodes_like_a_new_one() {
        let mut reused = Encoder::default();
        let others = [point(metric("o", None), &labels(&[("a", "c"), ("b", "d"), ("n", "e")]), 7, 5.0)];
        for points in [&others[..], &two_points(), &others, &two_points()[1..]] {
            let encoded = reused.encode(Protocol::V2, points, &[], UNLIMITED);
            assert_eq!(decompress(&encoded), encode(Protocol::V2, points));
        }
    }

    #[test]
    fn limits_apply_to_points_and_bytes_but_not_to_the_first_point() {
        let (metric, labels) = (metric("m", None), labels(&[("a", &"x".repeat(1000))]));
        let points: Vec<_> = (0..10).map(|time_ms| point(metric, &labels, time_ms, 1.0)).collect();
        for protocol in [Protocol::V1, Protocol::V2] {
            let encoded = |points_limit, bytes| {
                let limits = Limits { points: points_limit, bytes };
                Encoder::default().encode(protocol, &points, &[], limits).points
            };
            assert_eq!(
                (encoded(4, usize::MAX), encoded(0, usize::MAX), encoded(usize::MAX, 1)),
                (4, 1, 1),
                "{protocol}"
            );
        }
        // Different strings count in both versions.
        let distinct_labels = |i: usize| self::labels(&[("a", &i.to_string().repeat(1000))]);
        let points: Vec<_> = (0..10).map(|i| point(metric, &distinct_labels(i), 1, 1.0)).collect();
        let limits = Limits { points: usize::MAX, bytes: 3500 };
        for protocol in [Protocol::V1, Protocol::V2] {
            assert_eq!(Encoder::default().encode(protocol, &points, &[], limits).points, 3, "{protocol}");
        }
    }

    #[test]
    fn a_request_with_its_metadata_is_within_the_limit_of_bytes() {
        let described: Vec<_> = (0..100).map(|i| metric(&format!("m_{i}").repeat(20), None)).collect();
        let points: Vec<_> = (0..400)
            .map(|i| point(described[i % 100], &labels(&[("a", &i.to_string().repeat(i % 30))]), 1, i as f64))
            .collect();
        for protocol in [Protocol::V1, Protocol::V2] {
            for bytes in [1, 500, 2000, 3001, 9999, 100_000] {
                let (mut encoded, mut with_metadata) = (0, &described[..]);
                while encoded < points.len() {
                    let limits = Limits { points: usize::MAX, bytes };
                    let request = Encoder::default().encode(protocol, &points[encoded..], with_metadata, limits);
                    let len = decompress(&request).len();
                    assert!(len <= bytes || request.points == 1, "{protocol}: {len} of {bytes}");
                    encoded += request.points;
                    with_metadata = &[];
                }
            }
        }
    }

    #[test]
    fn a_request_with_exemplars_is_within_the_limit_of_bytes() {
        let (metric, series) = (metric("m", None), labels(&[("a", "b")]));
        let points = [1, 2, 3].map(|time_ms| {
            let exemplar = |number: usize| {
                let labels = labels(&[("t", &number.to_string().repeat(100))]);
                Exemplar { labels, value: 1.0, time_ms }
            };
            let exemplars = Arc::from([exemplar(time_ms as usize * 2), exemplar(time_ms as usize * 2 + 1)]);
            let value = Value::Histogram(Arc::new(Histogram { positive_deltas: vec![1; 500], ..Histogram::default() }));
            Point { value: value.with_exemplars(exemplars), ..point(metric, &series, time_ms, 0.0) }
        });
        for protocol in [Protocol::V1, Protocol::V2] {
            for bytes in 1..4000 {
                let limits = Limits { points: usize::MAX, bytes };
                let request = Encoder::default().encode(protocol, &points, &[], limits);
                let len = decompress(&request).len();
                assert!(len <= bytes || request.points == 1, "{protocol}: {len} of {bytes}");
            }
        }
    }

    #[test]
    fn metadata_that_does_not_fit_next_to_a_point_is_left_out() {
        let described: Vec<_> = (0..100).map(|_| metric(&"x".repeat(1000), None)).collect();
        let limits = Limits { points: 1, bytes: 5000 };
        let encoded = Encoder::default().encode(Protocol::V1, &two_points(), &described, limits);
        let message = v1::WriteRequest::decode(&*decompress(&encoded)).expect("decodes");
        assert_eq!((message.metadata.len(), message.timeseries.len()), (4, 1));
    }

    /// A decoded series: its labels, its time, and the bits of its value.
    type Decoded = (Vec<(String, String)>, (i64, u64));

    fn decoded(protocol: Protocol, body: &[u8]) -> Vec<Decoded> {
        match protocol {
            Protocol::V1 => {
                let message = v1::WriteRequest::decode(body).expect("valid");
                let series = message.timeseries.into_iter().map(|series| {
                    let sample = &series.samples[0];
                    let labels = series.labels.into_iter().map(|label| (label.name, label.value)).collect();
                    (labels, (sample.timestamp, sample.value.to_bits()))
                });
                series.collect()
            }
            Protocol::V2 => {
                let message = v2::Request::decode(body).expect("valid");
                let symbol = |index: &u32| message.symbols[*index as usize].clone();
                let series = message.timeseries.iter().map(|series| {
                    let sample = &series.samples[0];
                    let labels =
                        series.labels_refs.chunks(2).map(|pair| (symbol(&pair[0]), symbol(&pair[1]))).collect();
                    (labels, (sample.timestamp, sample.value.to_bits()))
                });
                series.collect()
            }
        }
    }

    proptest! {
        #[test]
        fn decoding_returns_the_encoded_points(
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
            let metrics = [metric("m", None), metric("n", Some("zero"))];
            let mut points = Vec::new();
            let mut expected = Vec::new();
            for (tags, time_ms, value, with_condition) in series {
                let definition = SeriesDefinition::new("m", MetricType::Rate).with_tags(tags);
                let labels = definition.labels(&LabelRules::default());
                let metric = &metrics[usize::from(with_condition)];
                points.push(point(metric, &Arc::new(Labels::encode(&labels)), time_ms, value));
                let mut pairs: Vec<_> = labels.into_iter().map(|label| (label.name, label.value)).collect();
                pairs.push(("__name__".into(), metric.name.clone()));
                pairs.extend(with_condition.then(|| ("condition".into(), "zero".into())));
                pairs.sort();
                expected.push((pairs, (time_ms, value.to_bits())));
            }
            for protocol in [Protocol::V1, Protocol::V2] {
                prop_assert_eq!(&decoded(protocol, &encode(protocol, &points)), &expected);
            }
        }
    }
}
