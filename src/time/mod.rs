//! The clock, and the windows on it.

pub mod clock;
pub mod window;
