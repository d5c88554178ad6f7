//! What has to be known of a sample before it is recorded: one byte for each k6 series.

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

/// The kinds of all k6 series.
#[derive(Debug, Default)]
pub struct SampleKinds(Vec<SampleKind>);

impl SampleKinds {
    /// Registers the next series. Ids count these calls, from 1 on.
    pub fn register(&mut self, definition: &SeriesDefinition) {
        self.0.push(match (definition.metric_type, definition.value_type) {
            (MetricType::Gauge, _) => SampleKind::Gauge,
            (MetricType::Trend, ValueType::Time) => SampleKind::Duration,
            _ => SampleKind::Other,
        });
    }

    /// Returns the kind of a sample, or `None` if its id is unknown.
    pub fn of(&self, sample: &Sample) -> Option<SampleKind> {
        self.0.get(usize::try_from(sample.series).ok()?.checked_sub(1)?).copied()
    }
}
