//! Text as users write it → values.

pub mod metrics;
pub mod headers;
pub mod list;
pub mod duration;
pub mod names;
