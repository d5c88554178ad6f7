//! Resampling: the background thread that adds samples to windows and exports the windows that have ended.
//!
//! In come new ids, samples and their metadata, from the loop of [`crate::ingest`]; each destination has a [`DestinationPipeline`] for them. Next
//! are [`crate::series`], which names the series, and [`crate::aggregate`], which accumulates the values.
//!
//! What an id stands for is decided before, in any thread, by the [`registrar`], under a lock of [`crate::ingest`].
//!
//! One thread owns all pipelines and their accumulators: nothing there locks. A sample belongs to the window that is open when it
//! arrives, whatever its own time: no sample is lost, and the times of a series' points increase as long as the timeline does.

mod resampler;
pub mod test_start;
mod value_filter;
pub mod pipeline;
pub mod self_metrics;
mod registry;
pub mod registrar;
pub mod metadata;
pub mod sample_kind;
pub mod catalog;
mod name_conflicts;
mod sharded_table;
mod cardinality;
mod label_warnings;

pub use resampler::Resampler;
