//! Windows on the wall clock: when one ends, and which time its points get.
//!
//! A window ends at a multiple of its rate, so the instances of a distributed run ship the same times. Points never get
//! a time twice, nor one older than those before, nor one to come: if the clock steps back, windows wait until it is past the
//! last end again. If it jumps ahead, or the process was stalled, one window takes all that came meanwhile.

use std::time::Duration;

/// A window that has ended: what its points need to know of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Where the window before ended, or the output's own start: the time of a cumulative series' explicit 0.
    pub previous_end_ms: i64,
    /// The time of every point of this window. Always after `previous_end_ms`.
    pub end_ms: i64,
    /// Whether it is the last, after which every series ends.
    pub last: bool,
}

/// The sequence of one destination's windows.
#[derive(Debug)]
pub struct Windows {
    rate_ms: i64,
    last_end_ms: i64,
    latest_now_ms: i64,
}

impl Windows {
    /// Windows of `rate` (at least 1 ms), the first of which begins at `now_ms`, the output's own start.
    pub fn new(rate: Duration, now_ms: i64) -> Self {
        let rate_ms = i64::try_from(rate.as_millis()).unwrap_or(i64::MAX).max(1);
        Self { rate_ms, last_end_ms: now_ms, latest_now_ms: now_ms }
    }

    /// The window that has ended at `now_ms`, if one has since the last.
    pub fn due(&mut self, now_ms: i64) -> Option<Window> {
        let end_ms = now_ms.div_euclid(self.rate_ms) * self.rate_ms;
        (end_ms > self.last_end_ms).then(|| self.end_at(end_ms, false))
    }

    /// The last window, which ends now, whole or not.
    pub fn close(&mut self, now_ms: i64) -> Window {
        self.end_at(now_ms.max(self.last_end_ms + 1), true)
    }

    /// How long to wait for the open window's end if the clock goes on as it should.
    pub fn time_left(&self, now_ms: i64) -> Duration {
        let begin_ms = now_ms.max(self.last_end_ms);
        let end_ms = (begin_ms.div_euclid(self.rate_ms) + 1) * self.rate_ms;
        Duration::from_millis(u64::try_from(end_ms - now_ms).unwrap_or_default())
    }

    /// By how many milliseconds the clock has stepped back since it was last looked at here; 0 if it has not.
    pub fn stepped_back_ms(&mut self, now_ms: i64) -> i64 {
        let step_ms = self.latest_now_ms - now_ms;
        self.latest_now_ms = now_ms;
        step_ms.max(0)
    }

    fn end_at(&mut self, end_ms: i64, last: bool) -> Window {
        // After a stall the previous multiple may never have been shipped: then it is still where this window began.
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
        // Woken a little late, the time is still the multiple; the zero is not before the output's own start.
        assert_eq!(windows.due(102_004), window(100_400, 102_000));
        assert_eq!(windows.due(102_005), None);
        assert_eq!(windows.time_left(102_005), Duration::from_millis(2995));
        assert_eq!(windows.due(105_000), window(102_000, 105_000));
    }

    #[test]
    fn a_start_on_a_multiple_has_its_first_end_one_rate_later() {
        let mut windows = Windows::new(SECOND, 5_000);
        assert_eq!(windows.due(5_000), None);
        assert_eq!(windows.time_left(5_000), SECOND);
        assert_eq!(windows.due(6_000), window(5_000, 6_000));
    }

    #[test]
    fn a_stalled_process_closes_one_window_for_all_that_it_missed() {
        let mut windows = Windows::new(SECOND, 500);
        assert_eq!(windows.due(1_000), window(500, 1_000));
        assert_eq!(windows.due(6_700), window(5_000, 6_000));
        assert_eq!(windows.due(6_800), None);
        assert_eq!(windows.due(7_000), window(6_000, 7_000));
    }

    #[test]
    fn a_clock_that_steps_back_makes_no_older_and_no_equal_time() {
        let mut windows = Windows::new(SECOND, 500);
        assert_eq!(windows.due(5_000), window(4_000, 5_000));
        assert_eq!(windows.stepped_back_ms(5_000), 0);
        assert_eq!(windows.stepped_back_ms(2_000), 3_000);
        assert_eq!(windows.stepped_back_ms(2_001), 0);
        for now_ms in [2_000, 3_000, 4_000, 5_000, 5_999] {
            assert_eq!(windows.due(now_ms), None);
        }
        assert_eq!(windows.time_left(2_000), Duration::from_millis(4_000));
        assert_eq!(windows.due(6_000), window(5_000, 6_000));
    }

    #[test]
    fn the_last_window_ends_now_and_after_all_others() {
        let mut windows = Windows::new(SECOND, 500);
        assert_eq!(windows.close(700), Window { previous_end_ms: 500, end_ms: 700, last: true });
        let mut windows = Windows::new(SECOND, 500);
        windows.due(3_000);
        assert_eq!(windows.close(1_000).end_ms, 3_001);
    }
}
