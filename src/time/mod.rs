//! The clocks, the timeline that points are on, and the windows of a destination.

pub mod window;
pub mod timeline;
pub mod clock;
