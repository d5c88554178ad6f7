//! Resampling: the background thread that adds samples to windows and exports the windows that have ended.
//!
//! In come series and samples, from the loop of [`crate::ingest`]; each destination has a [`DestinationPipeline`] for them. Next
//! are [`crate::series`], which names the series, and [`crate::aggregate`], which accumulates the values.
//!
//! One thread owns all pipelines and their accumulators: nothing here locks. A sample belongs to the window that is open when it
//! arrives, whatever its own time: no sample is lost, and the times of a series' points increase as long as the timeline does.

mod resampler;
pub mod test_start;
mod value_filter;
mod sample_kind;
pub mod pipeline;
pub mod self_metrics;
pub mod registry;
mod name_conflicts;
mod cardinality;

pub use resampler::Resampler;
