//! The only check of a sample's value: everything after it relies on finite values, except gauges.
//!
//! A sum or a distribution never recovers from NaN. A gauge has such a value until the next.

use super::sample_kind::{SampleKind, SampleKinds};
use crate::k6::Sample;

/// Removes samples that are NaN or infinite and not of a gauge.
#[derive(Debug, Default)]
pub struct ValueFilter {
    /// The accepted samples of the last block that had others. The memory is reused.
    accepted: Vec<Sample>,
}

impl ValueFilter {
    /// Returns the samples to record.
    pub fn accepted<'a>(&'a mut self, samples: &'a [Sample], kinds: &SampleKinds) -> &'a [Sample] {
        if samples.iter().all(|sample| sample.value.is_finite()) {
            return samples;
        }
        self.accepted.clear();
        self.accepted.extend(samples.iter().filter(|sample| is_accepted(sample, kinds)));
        &self.accepted
    }
}

/// Returns true if the sample can be recorded.
pub fn is_accepted(sample: &Sample, kinds: &SampleKinds) -> bool {
    sample.value.is_finite() || kinds.of(sample) == Some(SampleKind::Gauge)
}
