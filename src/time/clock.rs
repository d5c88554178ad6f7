//! The clocks of the system, behind a trait so that tests can replace them.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The end of the year 9999. No receiver accepts a later time.
const MAX_WALL_MS: i64 = 253_402_300_799_999;

/// A wall clock and a monotonic clock.
pub trait Clock: Send + 'static {
    /// Returns the time in milliseconds since the Unix epoch, negative before it. It may step in either direction.
    fn wall_ms(&self) -> i64;

    /// Returns the time in milliseconds since a fixed moment. It never steps.
    fn monotonic_ms(&self) -> i64;
}

/// The clocks of the operating system.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    created: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { created: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn wall_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let ms = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        since.map_or_else(|before| -ms(before.duration()), ms).clamp(-MAX_WALL_MS, MAX_WALL_MS)
    }

    fn monotonic_ms(&self) -> i64 {
        i64::try_from(self.created.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}
