//! Pauses between the attempts to send a request.

use std::time::Duration;

const MIN_BACKOFF: Duration = Duration::from_millis(30);
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// Longest pause that a receiver gets with `Retry-After`. A load test is over before a receiver that asks for an hour is asked
/// again.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// Exponential backoff with jitter, from 30 ms to 5 s, the bounds of Prometheus's own sender.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Returns the pause after one more failure: at least `retry_after`, the receiver's `Retry-After`, up to a minute of it.
    pub fn next(&mut self, retry_after: Option<Duration>) -> Duration {
        let ceiling = MIN_BACKOFF.saturating_mul(1 << self.failures.min(16)).min(MAX_BACKOFF);
        self.failures += 1;
        // Half of it is random, so that many instances do not retry at the same moment.
        let pause = ceiling.mul_f64(0.5 + fastrand::f64() / 2.0);
        pause.max(retry_after.unwrap_or_default().min(MAX_RETRY_AFTER))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_maximum() {
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
    fn retry_after_is_the_minimum_pause() {
        let retry_after = Duration::from_secs(7);
        assert_eq!(Backoff::default().next(Some(retry_after)), retry_after);
        assert!(Backoff::default().next(Some(Duration::ZERO)) >= MIN_BACKOFF / 2);
        assert_eq!(Backoff::default().next(Some(Duration::MAX)), MAX_RETRY_AFTER);
    }
}
