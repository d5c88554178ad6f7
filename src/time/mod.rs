//! The wall clock, and the windows of a destination.

pub mod clock;
pub mod window;
