//! Accumulators: the values of a target series, in the open window and over the run.
//!
//! In come values in Prometheus's units (seconds, bytes), finite except for gauges, from [`crate::resample::registry`]. Next is
//! [`crate::export`], which reads the accumulators at the end of a window through the trait [`crate::export::Readings`]. One
//! thread owns all accumulators: nothing here locks. Recording allocates nothing once the spread of the values is known.

mod exemplars;
mod readings;
mod accumulators;
mod trends;
mod values;
mod rate;
mod gauge;
mod counter;
mod classic;
mod histogram;
mod percentile;
mod sum;

pub use accumulators::{Accumulator, Accumulators, Slot, Sorted};
pub use classic::ClassicHistogram;
pub use counter::Counter;
pub use exemplars::Exemplars;
pub use gauge::Gauge;
pub use histogram::{Histogram, MAX_SCHEMA, Populated, Resolution};
pub use rate::Rate;
pub use sum::CompensatedSum;
pub use trends::{Trend, Trends};
pub use values::Values;
