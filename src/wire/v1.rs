//! Remote Write 1.0: a series carries its labels in full, and metadata is separate from the series.

use prost::encoding::message;

use super::proto::v1::{MetricMetadata, metric_metadata};
use super::protocol::Message;
use super::{Labels, Metric, MetricKind, Point};

const METADATA: u32 = 3;

/// A request whose series have their labels in full. Metadata is sent only with some requests.
pub(super) struct Request<'a> {
    /// The metrics whose metadata is to be sent.
    described: &'a [&'static Metric],
    /// The metadata that fits, encoded.
    metadata: Vec<u8>,
}

impl<'a> Request<'a> {
    pub(super) fn new(described: &'a [&'static Metric]) -> Self {
        Self { described, metadata: Vec::new() }
    }
}

impl<'a> Message<'a> for Request<'a> {
    const TIMESERIES: u32 = 1;
    const HISTOGRAMS: u32 = 4;
    const EXEMPLARS: u32 = 3;
    const HAS_START: bool = false;

    fn write_labels(&mut self, point: &'a Point, series: &mut Vec<u8>) {
        point.labels.write(&point.metric.encoded_name, point.metric.extra_label.as_ref(), series);
    }

    fn write_exemplar_labels(&mut self, labels: &Labels, exemplar: &mut Vec<u8>) {
        // The field of the labels has the same number in an exemplar and in a series.
        exemplar.extend_from_slice(labels.as_bytes());
    }

    fn write_metadata(&mut self, _: &'a Point, _: &mut Vec<u8>) {}

    fn preface_len(&self) -> usize {
        self.metadata.len()
    }

    fn add_metadata(&mut self, bytes: usize) {
        for metric in self.described {
            let kind = match metric.kind {
                MetricKind::Counter => metric_metadata::MetricType::Counter,
                MetricKind::Histogram => metric_metadata::MetricType::Histogram,
                MetricKind::Gauge => metric_metadata::MetricType::Gauge,
            };
            let metadata = MetricMetadata {
                r#type: kind.into(),
                metric_family_name: metric.name.clone(),
                help: metric.help.clone(),
                unit: metric.unit.to_string(),
            };
            let len = self.metadata.len();
            message::encode(METADATA, &metadata, &mut self.metadata);
            if self.metadata.len() > bytes {
                return self.metadata.truncate(len);
            }
        }
    }

    fn truncate_preface(&mut self, len: usize) {
        self.metadata.truncate(len);
    }

    fn write_preface(&self, request: &mut Vec<u8>) {
        request.extend_from_slice(&self.metadata);
    }
}
