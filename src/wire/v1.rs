//! Remote Write 1.0: a series carries its labels in full, and metadata is separate from the series.

use std::sync::Arc;

use prost::encoding::message;

use super::proto::v1::{MetricMetadata, metric_metadata};
use super::protocol::Message;
use super::{Metric, MetricKind, Point};

const METADATA: u32 = 3;

/// A request whose series have their labels in full. Metadata is sent only with some requests.
pub(super) struct Request<'a> {
    /// The metrics whose metadata the request has.
    pub(super) described: &'a [Arc<Metric>],
}

impl<'a> Message<'a> for Request<'a> {
    const TIMESERIES: u32 = 1;
    const HISTOGRAMS: u32 = 4;
    const HAS_START: bool = false;

    fn write_labels(&mut self, point: &'a Point, series: &mut Vec<u8>) {
        point.labels.write(&point.metric.encoded_name, point.metric.extra_label.as_ref(), series);
    }

    fn write_metadata(&mut self, _: &'a Point, _: &mut Vec<u8>) {}

    fn preface_len(&self) -> usize {
        0
    }

    fn write_preface(&self, limit_bytes: usize, request: &mut Vec<u8>) {
        for metric in self.described {
            if request.len() >= limit_bytes {
                return;
            }
            let kind = match metric.kind {
                MetricKind::Counter => metric_metadata::MetricType::Counter,
                MetricKind::Histogram => metric_metadata::MetricType::Histogram,
                MetricKind::Gauge => metric_metadata::MetricType::Gauge,
            };
            let metadata = MetricMetadata {
                r#type: kind.into(),
                metric_family_name: metric.name.clone(),
                help: metric.help.clone(),
                unit: metric.unit.into(),
            };
            message::encode(METADATA, &metadata, request);
        }
    }
}
