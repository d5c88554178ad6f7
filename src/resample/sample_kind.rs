//! What has to be known of a sample before it is recorded: one byte for each id.

use crate::k6::{MetricType, Sample, ValueType};
use crate::series::SeriesDefinition;

/// The kind of the samples of a k6 series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleKind {
    /// The value of a gauge. It may be NaN or infinite.
    Gauge,
    /// A duration in milliseconds, which ends at the time of the sample.
    Duration,
    /// Anything else.
    Other,
}

impl SampleKind {
    /// Returns the kind of the samples of a k6 series.
    pub fn of(definition: &SeriesDefinition) -> Self {
        match (definition.metric_type, definition.value_type) {
            (MetricType::Gauge, _) => Self::Gauge,
            (MetricType::Trend, ValueType::Time) => Self::Duration,
            _ => Self::Other,
        }
    }
}

/// The kinds of all ids.
#[derive(Debug, Default)]
pub struct SampleKinds(Vec<SampleKind>);

impl SampleKinds {
    /// Adds the kind of the next id. Ids count these calls, from 1 on.
    pub fn add(&mut self, kind: SampleKind) {
        self.0.push(kind);
    }

    /// Returns the kind of a sample, or `None` if its id is unknown.
    pub fn of(&self, sample: &Sample) -> Option<SampleKind> {
        self.0.get(usize::try_from(sample.series).ok()?.checked_sub(1)?).copied()
    }
}
