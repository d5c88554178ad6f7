//! Parses text as users write it.

pub mod metrics;
pub mod headers;
pub mod list;
pub mod duration;
pub mod names;
