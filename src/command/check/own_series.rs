//! The series that a check sends: a gauge and a native histogram, which end at once.

use std::sync::Arc;

use crate::config::Destination;
use crate::k6::MetricType;
use crate::series::exemplar_labels::ExemplarLabels;
use crate::series::{LabelRules, SeriesDefinition};
use crate::wire::proto::v1::BucketSpan;
use crate::wire::proto::v1::histogram::{Count, ZeroCount};
use crate::wire::{EncodedLabel, Exemplar, Histogram, Label, Labels, Metric, MetricKind, Point, STALE_MARKER, Value};

/// Begins with what names the output's own metrics, so that it is none of the test's.
const GAUGE: &str = "remote_write_check";
const HISTOGRAM: &str = "remote_write_check_histogram";

/// The schema of the histograms of a run.
const SCHEMA: i32 = 3;

/// A trace that no system has: W3C's Trace Context does not allow it.
const TRACE_ID: &str = "00000000000000000000000000000000";

/// One series, with the prefix and the labels that a run's series have there.
pub(super) struct OwnSeries {
    metric: &'static Metric,
    labels: Arc<Labels>,
    /// Labels of an exemplar; none if runs have none.
    exemplar_labels: Vec<Label>,
}

impl OwnSeries {
    pub fn gauge(destination: &Destination) -> Self {
        Self::new(destination, GAUGE, MetricKind::Gauge)
    }

    pub fn histogram(destination: &Destination) -> Self {
        Self::new(destination, HISTOGRAM, MetricKind::Histogram)
    }

    fn new(destination: &Destination, name: &str, kind: MetricKind) -> Self {
        // There is no run, whose id would make each check a new series.
        let rules = LabelRules { test_run_id: None, ..destination.labels.clone() };
        let labels = SeriesDefinition::new(name, MetricType::Gauge).labels(&rules);
        let name = format!("{}{name}", destination.mapping.metric_prefix);
        let metric = Metric {
            encoded_name: EncodedLabel::metric_name(&name),
            name,
            extra_label: None,
            kind,
            help: "Sent by a check of the receiver".into(),
            unit: "".into(),
        };
        let metadata = rules.exemplars.iter().map(|name| (&**name, TRACE_ID));
        let exemplar_labels = ExemplarLabels::new(&rules).labels(metadata);
        Self { metric: metric.intern(), labels: Arc::new(Labels::encode(&labels)), exemplar_labels }
    }

    pub fn name(&self) -> &str {
        &self.metric.name
    }

    /// A sample: 1, or a histogram with the value 1.
    pub fn sample(&self, time_ms: i64) -> Point {
        self.point(time_ms, 1.0)
    }

    /// The sample 1 with an exemplar, if runs have some.
    pub fn sample_with_exemplar(&self, time_ms: i64) -> Point {
        let point = self.sample(time_ms);
        if self.exemplar_labels.is_empty() {
            return point;
        }
        let exemplar = Exemplar { labels: Arc::new(Labels::encode(&self.exemplar_labels)), value: 1.0, time_ms };
        Point { value: point.value.with_exemplars([exemplar].into()), ..point }
    }

    /// The stale marker that ends the series.
    pub fn end(&self, time_ms: i64) -> Point {
        self.point(time_ms, STALE_MARKER)
    }

    fn point(&self, time_ms: i64, value: f64) -> Point {
        let value = match self.metric.kind {
            MetricKind::Histogram => Value::Histogram(Arc::new(histogram(time_ms, value))),
            _ => Value::Float(value),
        };
        let (metric, labels) = (self.metric, Arc::clone(&self.labels));
        Point { metric, labels, time_ms, start_ms: 0, value }
    }
}

/// Returns the histogram of the value 1, which is in bucket 0 of every schema; its stale marker if `sum` is one.
fn histogram(time_ms: i64, sum: f64) -> Histogram {
    Histogram {
        schema: SCHEMA,
        timestamp: time_ms,
        count: Some(Count::CountInt(1)),
        zero_count: Some(ZeroCount::ZeroCountInt(0)),
        sum,
        positive_spans: vec![BucketSpan { offset: 0, length: 1 }],
        positive_deltas: vec![1],
        ..Histogram::default()
    }
}
