//! Decodes the body of a request of Remote Write 2.0 to the points that it was encoded from.

use std::collections::HashMap;
use std::sync::Arc;

use prost::Message as _;
use thiserror::Error;

use super::labels::NAME;
use super::proto;
use super::proto::v2::metadata::MetricType;
use super::proto::v2::{Request, TimeSeries};
use super::{EncodedLabel, Exemplar, Histogram, Label, Labels, Metric, MetricKind, Point, Value};

/// Maximum size of a request before compression. A larger one is not one of this library.
const MAX_REQUEST_BYTES: usize = 1 << 30;

/// Why a body is not a request that this library has encoded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// It is not compressed as the protocol requires.
    #[error("it is not compressed with snappy: {0}")]
    Compression(#[from] snap::Error),
    /// It claims to be of this many bytes.
    #[error("it is too large: {0} bytes")]
    TooLarge(usize),
    /// It is not a message of its schema.
    #[error("it is not a request of Remote Write 2.0: {0}")]
    Message(#[from] prost::DecodeError),
    /// A series whose labels are not in the table of symbols, or that has no name.
    #[error("a series has no valid labels")]
    Labels,
}

/// Decodes requests. Points of one series share metric and labels, also across requests: its memory depends on the number of
/// series.
#[derive(Debug, Default)]
pub struct Decoder {
    metrics: HashMap<MetricKey, &'static Metric>,
    /// The labels by their encoding.
    labels: HashMap<Box<[u8]>, Arc<Labels>>,
}

/// What distinguishes a metric: name, type, help and unit.
type MetricKey = (String, i32, String, String);

/// What is known of one request: its symbols, and the labels that were decoded from their references.
struct Context<'a> {
    symbols: &'a [String],
    labels: HashMap<Vec<u32>, Arc<Labels>>,
}

impl Context<'_> {
    fn symbol(&self, index: u32) -> Result<&str, DecodeError> {
        self.symbols.get(index as usize).map(String::as_str).ok_or(DecodeError::Labels)
    }

    fn label(&self, pair: &[u32]) -> Result<Label, DecodeError> {
        let &[name, value] = pair else { return Err(DecodeError::Labels) };
        Ok(Label { name: self.symbol(name)?.into(), value: self.symbol(value)?.into() })
    }

    fn exemplar(&self, exemplar: &proto::v2::Exemplar) -> Result<Exemplar, DecodeError> {
        let labels = exemplar.labels_refs.chunks(2).map(|pair| self.label(pair)).collect::<Result<Vec<_>, _>>()?;
        let (value, time_ms) = (exemplar.value, exemplar.timestamp);
        Ok(Exemplar { labels: Arc::new(Labels::encode(&labels)), value, time_ms })
    }
}

impl Decoder {
    /// Decodes the compressed body of a request of 2.0, in the order of its points.
    ///
    /// # Errors
    /// A body that [`super::Encoder`] does not make.
    pub fn decode(&mut self, body: &[u8]) -> Result<Vec<Point>, DecodeError> {
        let len = snap::raw::decompress_len(body)?;
        if len > MAX_REQUEST_BYTES {
            return Err(DecodeError::TooLarge(len));
        }
        let request = Request::decode(&*snap::raw::Decoder::new().decompress_vec(body)?)?;
        let mut context = Context { symbols: &request.symbols, labels: HashMap::new() };
        let mut points = Vec::with_capacity(request.timeseries.len());
        for series in request.timeseries {
            let (metric, labels) = self.series(&series, &mut context)?;
            let first = points.len();
            let point =
                |time_ms, start_ms, value| Point { metric, labels: Arc::clone(&labels), time_ms, start_ms, value };
            for sample in &series.samples {
                points.push(point(sample.timestamp, sample.start_timestamp, Value::Float(sample.value)));
            }
            for histogram in series.histograms {
                let (time_ms, start_ms) = (histogram.timestamp, histogram.start_timestamp);
                // The start belongs to the point, and the encoder adds it.
                let histogram = Histogram { start_timestamp: 0, ..histogram };
                points.push(point(time_ms, start_ms, Value::Histogram(Arc::new(histogram))));
            }
            // A series has one point in a request, or its exemplars are those of any of them.
            if let Some(last) = points[first..].last_mut().filter(|_| !series.exemplars.is_empty()) {
                let exemplars = series.exemplars.iter().map(|exemplar| context.exemplar(exemplar));
                last.value = last.value.plain().clone().with_exemplars(exemplars.collect::<Result<_, DecodeError>>()?);
            }
        }
        Ok(points)
    }

    fn series(
        &mut self,
        series: &TimeSeries,
        context: &mut Context<'_>,
    ) -> Result<(&'static Metric, Arc<Labels>), DecodeError> {
        let mut name = None;
        let mut refs = Vec::with_capacity(series.labels_refs.len());
        for pair in series.labels_refs.chunks(2) {
            let &[label_name, value] = pair else { return Err(DecodeError::Labels) };
            match context.symbol(label_name)? {
                NAME => name = Some(context.symbol(value)?),
                _ => refs.extend(pair),
            }
        }
        let name = name.ok_or(DecodeError::Labels)?.to_string();
        let metadata = series.metadata.unwrap_or_default();
        let (help, unit) = (context.symbol(metadata.help_ref)?.into(), context.symbol(metadata.unit_ref)?.into());
        let metric = self.metrics.entry((name, metadata.r#type, help, unit));
        let metric = *metric.or_insert_with_key(|(name, kind, help, unit)| metric_of(name, *kind, help, unit).intern());
        if let Some(labels) = context.labels.get(&refs) {
            return Ok((metric, Arc::clone(labels)));
        }
        let labels = refs.chunks(2).map(|pair| context.label(pair)).collect::<Result<Vec<_>, _>>()?;
        let labels = Labels::encode(&labels);
        let labels = match self.labels.get(labels.as_bytes()) {
            Some(known) => Arc::clone(known),
            None => {
                let key = labels.as_bytes().into();
                Arc::clone(self.labels.entry(key).or_insert_with(|| Arc::new(labels)))
            }
        };
        context.labels.insert(refs, Arc::clone(&labels));
        Ok((metric, labels))
    }
}

/// The extra label of a metric is one of the labels of its series here.
fn metric_of(name: &str, kind: i32, help: &str, unit: &str) -> Metric {
    let kind = match MetricType::try_from(kind) {
        Ok(MetricType::Counter) => MetricKind::Counter,
        Ok(MetricType::Histogram) => MetricKind::Histogram,
        _ => MetricKind::Gauge,
    };
    Metric {
        name: name.into(),
        encoded_name: EncodedLabel::metric_name(name),
        extra_label: None,
        kind,
        help: help.into(),
        unit: unit.to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::{Encoder, Limits, Protocol};

    const UNLIMITED: Limits = Limits { points: usize::MAX, bytes: usize::MAX };

    fn metric(name: &str, extra_label: Option<EncodedLabel>) -> &'static Metric {
        let encoded_name = EncodedLabel::metric_name(name);
        let (kind, help, unit) = (MetricKind::Histogram, "help".into(), "seconds".into());
        Metric { name: name.into(), encoded_name, extra_label, kind, help, unit }.intern()
    }

    fn labels(pairs: &[(&str, &str)]) -> Arc<Labels> {
        let labels: Vec<_> = pairs.iter().map(|&(n, v)| Label { name: n.into(), value: v.into() }).collect();
        Arc::new(Labels::encode(&labels))
    }

    fn point(metric: &'static Metric, labels: &Arc<Labels>, time_ms: i64, value: Value) -> Point {
        Point { metric, labels: Arc::clone(labels), time_ms, start_ms: 5, value }
    }

    fn points() -> Vec<Point> {
        let (a, b) = (labels(&[("Zone", "größe"), ("a", "b\n\"")]), labels(&[]));
        let histogram =
            Histogram { sum: 1.5, schema: 3, timestamp: 7, positive_deltas: vec![1, -1], ..Histogram::default() };
        let exemplar = Exemplar { labels: labels(&[("trace_id", "abc")]), value: 0.25, time_ms: 6 };
        let exemplars: Arc<[Exemplar]> = [exemplar.clone(), Exemplar { time_ms: 7, ..exemplar }].into();
        let of_histogram = Value::Histogram(Arc::new(histogram));
        vec![
            point(metric("m", Some(EncodedLabel::bound("0.5"))), &a, 7, Value::Float(1.0)),
            point(metric("n", None), &b, 7, Value::Float(crate::wire::STALE_MARKER)),
            point(metric("o", None), &a, 7, of_histogram.clone()),
            point(metric("p", None), &a, 7, of_histogram.with_exemplars(Arc::clone(&exemplars))),
            point(metric("q", None), &b, 7, Value::Float(2.0).with_exemplars(exemplars)),
            point(metric("r", None), &b, 7, Value::Float(2.0)),
        ]
    }

    /// The bytes in both versions: what a receiver gets.
    fn encoded(points: &[Point]) -> [Vec<u8>; 2] {
        [Protocol::V1, Protocol::V2].map(|protocol| {
            let metrics: Vec<_> = points.iter().map(|point| point.metric).collect();
            Encoder::default().encode(protocol, points, &metrics, UNLIMITED).body.to_vec()
        })
    }

    #[test]
    fn decoded_points_are_encoded_to_the_same_series_in_both_versions() {
        let points = points();
        let decoded = Decoder::default().decode(&encoded(&points)[1]).expect("decodes");
        let again = Decoder::default().decode(&encoded(&decoded)[1]).expect("decodes");
        assert_eq!(encoded(&points)[0], encoded(&decoded)[0]);
        for (point, decoded) in points.iter().zip(&again) {
            assert_eq!(point.series_name(), decoded.series_name());
            assert_eq!((point.time_ms, point.start_ms), (decoded.time_ms, decoded.start_ms));
            assert_eq!(point.value.is_stale_marker(), decoded.value.is_stale_marker());
            assert_eq!(
                (point.metric.kind, &point.metric.help, &point.metric.unit),
                (decoded.metric.kind, &decoded.metric.help, &decoded.metric.unit)
            );
        }
        for index in [0, 2, 3, 4, 5] {
            assert_eq!(again[index].value, points[index].value);
        }
    }

    #[test]
    fn a_series_is_the_same_in_every_request() {
        let points = points();
        let (mut decoder, bodies) = (Decoder::default(), [&points[..], &points[1..]].map(encoded));
        let [first, second] = bodies.map(|[_, body]| decoder.decode(&body).expect("decodes"));
        assert_eq!(first[1].series_key(), second[0].series_key());
        assert_ne!(first[0].series_key(), first[1].series_key());
    }

    #[test]
    fn references_that_are_not_valid_are_an_error() {
        let request = |labels_refs: Vec<u32>| {
            let series = TimeSeries { labels_refs, ..TimeSeries::default() };
            let symbols = ["", NAME, "m", "a"].map(String::from).to_vec();
            let message = Request { symbols, timeseries: vec![series] };
            let body = snap::raw::Encoder::new().compress_vec(&message.encode_to_vec()).expect("small");
            Decoder::default().decode(&body)
        };
        assert!(request(vec![1, 2, 3, 2]).is_ok());
        for refs in [vec![], vec![3, 2], vec![1], vec![1, 2, 3], vec![1, 4], vec![9, 2]] {
            assert!(matches!(request(refs.clone()), Err(DecodeError::Labels)), "{refs:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut decoder = Decoder::default();
            let _ = decoder.decode(&bytes);
            let compressed = snap::raw::Encoder::new().compress_vec(&bytes).expect("small");
            let _ = decoder.decode(&compressed);
        }
    }
}
