//! The wall clock, behind a trait so that tests can replace it.

use std::time::{SystemTime, UNIX_EPOCH};

/// A wall clock. It may step in either direction; callers must handle that.
pub trait Clock: Send + 'static {
    /// Returns the time in milliseconds since the Unix epoch.
    fn now_ms(&self) -> i64;
}

/// The clock of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        // Times before 1970 become 1970: receivers reject either.
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
    }
}
