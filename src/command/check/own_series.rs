//! The series that a check sends: a gauge with the value 1, which ends at once.

use std::sync::Arc;

use crate::config::Destination;
use crate::k6::MetricType;
use crate::series::{LabelRules, SeriesDefinition};
use crate::wire::{EncodedLabel, Labels, Metric, MetricKind, Point, STALE_MARKER, Value};

/// Begins with what names the output's own metrics, so that it is none of the test's.
const NAME: &str = "remote_write_check";

/// The series, with the prefix and the labels that a run's series have there.
pub(super) struct OwnSeries {
    metric: Arc<Metric>,
    labels: Arc<Labels>,
}

impl OwnSeries {
    pub fn for_destination(destination: &Destination) -> Self {
        let name = format!("{}{NAME}", destination.mapping.metric_prefix);
        // There is no run, whose id would make each check a new series.
        let rules = LabelRules { test_run_id: None, ..destination.labels.clone() };
        let labels = SeriesDefinition::new(NAME, MetricType::Gauge).labels(&rules);
        let metric = Metric {
            encoded_name: EncodedLabel::metric_name(&name),
            name,
            extra_label: None,
            kind: MetricKind::Gauge,
            help: "Sent by a check of the receiver".into(),
            unit: "",
        };
        Self { metric: Arc::new(metric), labels: Arc::new(Labels::encode(&labels)) }
    }

    pub fn name(&self) -> &str {
        &self.metric.name
    }

    /// The sample.
    pub fn sample(&self, time_ms: i64) -> Point {
        self.point(time_ms, 1.0)
    }

    /// The stale marker that ends the series.
    pub fn end(&self, time_ms: i64) -> Point {
        self.point(time_ms, STALE_MARKER)
    }

    fn point(&self, time_ms: i64, value: f64) -> Point {
        let (metric, labels) = (Arc::clone(&self.metric), Arc::clone(&self.labels));
        Point { metric, labels, time_ms, start_ms: 0, value: Value::Float(value) }
    }
}
