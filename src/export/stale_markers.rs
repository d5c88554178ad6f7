//! When series end with a stale marker.
//!
//! All series end with the run. Series that have points only in windows with samples end earlier, once they have been silent for
//! a while: Prometheus would answer with their last value for five more minutes.

use std::time::Duration;

/// The minimum silence after which a series ends, in windows and as a time.
const MIN_WINDOWS: u32 = 5;
const MIN_SILENCE: Duration = Duration::from_secs(15);

/// Rules for stale markers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StaleMarkers {
    /// The number of windows without a value after which a series ends, or `None` if no series ends.
    silent_windows: Option<u32>,
}

impl StaleMarkers {
    /// Creates the rules for windows of the length `rate`.
    pub fn new(enabled: bool, rate: Duration) -> Self {
        let rate_ms = rate.as_millis().max(1);
        let windows = u32::try_from(MIN_SILENCE.as_millis().div_ceil(rate_ms)).unwrap_or(u32::MAX).max(MIN_WINDOWS);
        Self { silent_windows: enabled.then_some(windows) }
    }

    /// Returns true if series end with the run.
    pub(super) fn end_of_run(self) -> bool {
        self.silent_windows.is_some()
    }

    /// Returns true if a series without a value in so many windows ends.
    pub(super) fn end_after(self, silent_windows: u32) -> bool {
        self.silent_windows.is_some_and(|limit| silent_windows >= limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_ends_after_five_windows_and_fifteen_seconds() {
        for (rate_ms, windows) in [(1, 15_000), (1000, 15), (3000, 5), (2999, 6), (10_000, 5), (3_600_000, 5)] {
            let stale_markers = StaleMarkers::new(true, Duration::from_millis(rate_ms));
            assert!(stale_markers.end_after(windows) && !stale_markers.end_after(windows - 1), "{rate_ms}");
        }
    }

    #[test]
    fn without_stale_markers_no_series_ends() {
        let stale_markers = StaleMarkers::new(false, Duration::from_secs(1));
        assert!(!stale_markers.end_of_run() && !stale_markers.end_after(u32::MAX));
    }
}
