//! The wall clock, behind a trait so that tests own theirs.

use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the wall-clock time. It may step in either direction: whoever asks must live with that.
pub trait Clock: Send + 'static {
    /// Milliseconds since the Unix epoch.
    fn now_ms(&self) -> i64;
}

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        // Before 1970 counts as 1970: a time that no receiver would take either way.
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
    }
}
