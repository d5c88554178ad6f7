//! Windows on the timeline: when a window ends, and the time of its points.
//!
//! A window ends at a multiple of its rate, so all instances of a distributed run export the same times. The times of a series'
//! points increase as long as the timeline does, and are never in the future. If the timeline jumps ahead, or the process was
//! stalled, one window covers all of the missed time. If it follows a wall clock that was set back, the open window ends at the
//! next multiple of the earlier time.

use std::time::Duration;

/// A window that has ended: the times of its points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The end of the previous window, or the start of the output: the time of the 0 that a cumulative series starts with.
    pub previous_end_ms: i64,
    /// The time of the points of this window. Always after `previous_end_ms`.
    pub end_ms: i64,
    /// True for the last window, after which every series ends.
    pub last: bool,
}

/// The sequence of windows of a destination.
#[derive(Debug)]
pub struct Windows {
    rate_ms: i64,
    last_end_ms: i64,
}

impl Windows {
    /// Creates windows of the length `rate` (at least 1 ms). The first begins at `now_ms`, the start of the output.
    pub fn new(rate: Duration, now_ms: i64) -> Self {
        let rate_ms = i64::try_from(rate.as_millis()).unwrap_or(i64::MAX).max(1);
        Self { rate_ms, last_end_ms: now_ms }
    }

    /// Returns the window that has ended at `now_ms`, if one has ended since the last call.
    pub fn due(&mut self, now_ms: i64) -> Option<Window> {
        let end_ms = now_ms.div_euclid(self.rate_ms) * self.rate_ms;
        (end_ms > self.last_end_ms).then(|| self.end_at(end_ms, false))
    }

    /// Returns the last window, which ends now, complete or not.
    pub fn close(&mut self, now_ms: i64) -> Window {
        self.end_at(now_ms.max(self.last_end_ms + 1), true)
    }

    /// Returns the time until the open window ends if the timeline does not jump.
    pub fn time_left(&self, now_ms: i64) -> Duration {
        let begin_ms = now_ms.max(self.last_end_ms);
        let end_ms = (begin_ms.div_euclid(self.rate_ms) + 1) * self.rate_ms;
        Duration::from_millis(u64::try_from(end_ms - now_ms).unwrap_or_default())
    }

    /// Goes on at `now_ms`, an earlier time than the last: the open window begins there at the latest.
    pub fn set_back(&mut self, now_ms: i64) {
        self.last_end_ms = self.last_end_ms.min(now_ms);
    }

    fn end_at(&mut self, end_ms: i64, last: bool) -> Window {
        // After a stall the window begins at the previous multiple, although no window has ended there.
        let previous_end_ms = self.last_end_ms.max(end_ms - self.rate_ms);
        self.last_end_ms = end_ms;
        Window { previous_end_ms, end_ms, last }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn window(previous_end_ms: i64, end_ms: i64) -> Option<Window> {
        Some(Window { previous_end_ms, end_ms, last: false })
    }

    #[test]
    fn windows_end_at_multiples_of_their_rate() {
        let mut windows = Windows::new(3 * SECOND, 100_400);
        assert_eq!(windows.due(101_999), None);
        assert_eq!(windows.time_left(101_999), Duration::from_millis(1));
        // The thread wakes a little late: the end is the multiple. The first window begins at the start of the output.
        assert_eq!(windows.due(102_004), window(100_400, 102_000));
        assert_eq!(windows.due(102_005), None);
        assert_eq!(windows.time_left(102_005), Duration::from_millis(2995));
        assert_eq!(windows.due(105_000), window(102_000, 105_000));
    }

    #[test]
    fn with_a_start_on_a_multiple_the_first_window_ends_one_rate_later() {
        let mut windows = Windows::new(SECOND, 5_000);
        assert_eq!(windows.due(5_000), None);
        assert_eq!(windows.time_left(5_000), SECOND);
        assert_eq!(windows.due(6_000), window(5_000, 6_000));
    }

    #[test]
    fn after_a_stall_one_window_covers_the_missed_time() {
        let mut windows = Windows::new(SECOND, 500);
        assert_eq!(windows.due(1_000), window(500, 1_000));
        assert_eq!(windows.due(6_700), window(5_000, 6_000));
        assert_eq!(windows.due(6_800), None);
        assert_eq!(windows.due(7_000), window(6_000, 7_000));
    }

    #[test]
    fn windows_that_are_set_back_go_on_at_once() {
        let mut windows = Windows::new(SECOND, 500);
        assert_eq!(windows.due(5_000), window(4_000, 5_000));
        windows.set_back(2_300);
        assert_eq!(windows.due(2_900), None);
        assert_eq!(windows.time_left(2_900), Duration::from_millis(100));
        assert_eq!(windows.due(3_000), window(2_300, 3_000));
        assert_eq!(windows.due(4_000), window(3_000, 4_000));
        // Within the open window.
        windows.set_back(4_000);
        assert_eq!(windows.due(4_999), None);
        assert_eq!(windows.due(5_000), window(4_000, 5_000));
    }

    #[test]
    fn the_last_window_ends_now_and_after_all_other_windows() {
        let mut windows = Windows::new(SECOND, 500);
        assert_eq!(windows.close(700), Window { previous_end_ms: 500, end_ms: 700, last: true });
        let mut windows = Windows::new(SECOND, 500);
        windows.due(3_000);
        assert_eq!(windows.close(1_000).end_ms, 3_001);
    }
}
