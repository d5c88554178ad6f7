//! How long to wait before trying again.

use std::time::Duration;

const MIN_BACKOFF: Duration = Duration::from_millis(30);
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// Exponential backoff with jitter, from 30 ms to 5 s, the bounds of Prometheus's own sender.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The pause after one more failure. A receiver that asks for a longer one with `Retry-After` gets it.
    pub fn next(&mut self, retry_after: Option<Duration>) -> Duration {
        let ceiling = MIN_BACKOFF.saturating_mul(1 << self.failures.min(16)).min(MAX_BACKOFF);
        self.failures += 1;
        // Half of it by chance, so that many instances do not come back at the same moment.
        let pause = ceiling.mul_f64(0.5 + fastrand::f64() / 2.0);
        pause.max(retry_after.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_bound_and_not_beyond() {
        let mut backoff = Backoff::default();
        for ceiling_ms in [30, 60, 120, 240, 480, 960, 1920, 3840, 5000, 5000] {
            let ceiling = Duration::from_millis(ceiling_ms);
            let pause = backoff.next(None);
            assert!(pause >= ceiling / 2 && pause <= ceiling, "{pause:?} of {ceiling:?}");
        }
        backoff.failures = u32::MAX - 1;
        assert!(backoff.next(None) <= MAX_BACKOFF);
    }

    #[test]
    fn retry_after_is_the_least_pause() {
        let asked = Duration::from_secs(7);
        assert_eq!(Backoff::default().next(Some(asked)), asked);
        assert!(Backoff::default().next(Some(Duration::ZERO)) >= MIN_BACKOFF / 2);
    }
}
