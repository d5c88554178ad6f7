//! The time of points: the wall clock, without its steps.
//!
//! The timeline follows the monotonic clock from the time at which the output was opened, and the wall clock in small steps, as
//! time synchronisation makes them. When the wall clock steps, the timeline goes on as if it had not: most steps are undone soon.
//! If the step lasts, the timeline follows it. In come the two clocks of [`super::clock`]; next are the windows
//! ([`super::window`]).

use super::clock::Clock;

/// A smaller difference between wall clock and timeline is no step, and is followed at once.
const MIN_STEP_MS: i64 = 1000;

/// The time after which the timeline follows a step.
const LASTING_MS: i64 = 10_000;

/// A lasting step back that is shorter makes the timeline slow, and does not set it back.
const MIN_SET_BACK_MS: i64 = 60_000;

/// The time, and what has changed since the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The time in milliseconds since the Unix epoch. It goes back only with [`Change::Followed`].
    pub now_ms: i64,
    /// What the wall clock did.
    pub change: Option<Change>,
    /// True if the wall clock or the timeline is behind its last time: samples may have earlier times from now on.
    pub went_back: bool,
}

/// A change of the wall clock by at least a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The wall clock stepped by so many milliseconds. The timeline goes on.
    Stepped(i64),
    /// The wall clock stepped back to the timeline.
    Undone(i64),
    /// The step lasted: the timeline stepped by so many milliseconds, and is the wall clock again.
    Followed(i64),
    /// The step back lasted, and was of so many milliseconds: the timeline is slow until the wall clock has caught up.
    Slowed(i64),
}

/// The timeline of an output.
#[derive(Debug)]
pub struct Timeline<C> {
    clock: C,
    /// The time of the timeline at [`Self::last_monotonic_ms`], if it has not waited for the wall clock.
    continued_ms: i64,
    last_monotonic_ms: i64,
    last_ms: i64,
    last_wall_ms: i64,
    /// The step of the wall clock that the timeline does not follow.
    step: Option<Step>,
}

/// A step of the wall clock.
#[derive(Debug, Clone, Copy)]
struct Step {
    since_monotonic_ms: i64,
    /// The difference between wall clock and timeline at the last look.
    difference_ms: i64,
    /// True if the timeline goes at half speed.
    slowed: bool,
}

impl<C: Clock> Timeline<C> {
    /// Creates a timeline that begins at the time of the wall clock.
    pub fn new(clock: C) -> Self {
        let (wall_ms, last_monotonic_ms) = (clock.wall_ms(), clock.monotonic_ms());
        Self { clock, continued_ms: wall_ms, last_monotonic_ms, last_ms: wall_ms, last_wall_ms: wall_ms, step: None }
    }

    /// Returns the time of the last look.
    pub fn last_ms(&self) -> i64 {
        self.last_ms
    }

    /// Looks at the clocks.
    pub fn look(&mut self) -> Look {
        let (wall_ms, monotonic_ms) = (self.clock.wall_ms(), self.clock.monotonic_ms());
        let elapsed_ms = monotonic_ms - std::mem::replace(&mut self.last_monotonic_ms, monotonic_ms);
        let slowed = self.step.is_some_and(|step| step.slowed);
        let continued_ms = self.continued_ms + if slowed { elapsed_ms / 2 } else { elapsed_ms };
        let last_ms = self.last_ms;
        let change = self.compare(wall_ms - continued_ms, monotonic_ms);
        self.last_ms = match change {
            Some(Change::Followed(_)) => wall_ms,
            _ if self.step.is_some() => last_ms.max(continued_ms),
            _ => last_ms.max(wall_ms),
        };
        self.continued_ms = if self.step.is_some() { continued_ms } else { wall_ms };
        let went_back = wall_ms < std::mem::replace(&mut self.last_wall_ms, wall_ms) || self.last_ms < last_ms;
        Look { now_ms: self.last_ms, change, went_back }
    }

    /// Begins or ends a step. `difference_ms` is that between wall clock and timeline.
    fn compare(&mut self, difference_ms: i64, monotonic_ms: i64) -> Option<Change> {
        let known_ms = self.step.map_or(0, |step| step.difference_ms);
        let changed_ms = difference_ms - known_ms;
        if difference_ms.abs() < MIN_STEP_MS {
            return self.step.take().filter(|step| !step.slowed).map(|_| Change::Undone(changed_ms));
        }
        match &mut self.step {
            Some(step) if changed_ms.abs() < MIN_STEP_MS => {
                step.difference_ms = difference_ms;
                if step.slowed || monotonic_ms - step.since_monotonic_ms < LASTING_MS {
                    return None;
                }
                if (1 - MIN_SET_BACK_MS..0).contains(&difference_ms) {
                    step.slowed = true;
                    return Some(Change::Slowed(difference_ms));
                }
                self.step = None;
                Some(Change::Followed(difference_ms))
            }
            step => {
                *step = Some(Step { since_monotonic_ms: monotonic_ms, difference_ms, slowed: false });
                Some(Change::Stepped(changed_ms))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    /// Milliseconds of the monotonic clock, and how far the wall clock is ahead of it.
    #[derive(Clone, Default)]
    struct FakeClock(Arc<[AtomicI64; 2]>);

    impl Clock for FakeClock {
        fn wall_ms(&self) -> i64 {
            self.monotonic_ms() + self.0[1].load(Ordering::Relaxed)
        }

        fn monotonic_ms(&self) -> i64 {
            self.0[0].load(Ordering::Relaxed)
        }
    }

    struct Test {
        clock: FakeClock,
        timeline: Timeline<FakeClock>,
    }

    impl Test {
        /// Begins at 0 of the monotonic clock, and at 1 000 000 of the wall clock.
        fn new() -> Self {
            let clock = FakeClock::default();
            clock.0[1].store(1_000_000, Ordering::Relaxed);
            Self { clock: clock.clone(), timeline: Timeline::new(clock) }
        }

        fn step(&self, step_ms: i64) {
            self.clock.0[1].fetch_add(step_ms, Ordering::Relaxed);
        }

        /// Looks after so many milliseconds.
        fn after(&mut self, elapsed_ms: i64) -> Look {
            self.clock.0[0].fetch_add(elapsed_ms, Ordering::Relaxed);
            self.timeline.look()
        }

        /// Looks twice a second for so many seconds. Returns the last time, and all changes.
        fn for_seconds(&mut self, seconds: i64) -> (i64, Vec<Change>) {
            let looks: Vec<_> = (0..2 * seconds).map(|_| self.after(500)).collect();
            (self.timeline.last_ms(), looks.into_iter().filter_map(|look| look.change).collect())
        }
    }

    #[test]
    fn without_a_step_the_timeline_is_the_wall_clock() {
        let mut test = Test::new();
        assert_eq!(test.timeline.last_ms(), 1_000_000);
        assert_eq!(test.after(250), Look { now_ms: 1_000_250, change: None, went_back: false });
        assert_eq!(test.for_seconds(60), (1_060_250, vec![]));
    }

    #[test]
    fn an_excursion_changes_nothing() {
        for step_ms in [3_600_000, -3_600_000] {
            let mut test = Test::new();
            test.step(step_ms);
            assert_eq!(test.for_seconds(2), (1_002_000, vec![Change::Stepped(step_ms)]));
            test.step(-step_ms);
            assert_eq!(test.for_seconds(20), (1_022_000, vec![Change::Undone(-step_ms)]));
        }
    }

    #[test]
    fn a_step_that_lasts_is_followed() {
        for step_ms in [3_600_000, -3_600_000, 1000, -60_000] {
            let mut test = Test::new();
            test.step(step_ms);
            let (now_ms, changes) = test.for_seconds(20);
            assert_eq!(changes, [Change::Stepped(step_ms), Change::Followed(step_ms)]);
            assert_eq!(now_ms, 1_020_000 + step_ms);
        }
    }

    #[test]
    fn after_a_short_step_back_no_time_repeats() {
        for step_ms in [-1000, -5000, -59_000] {
            let mut test = Test::new();
            test.step(step_ms);
            let looks: Vec<_> = (0..300).map(|_| test.after(500)).collect();
            let changes: Vec<_> = looks.iter().filter_map(|look| look.change).collect();
            assert_eq!(changes, [Change::Stepped(step_ms), Change::Slowed(step_ms)]);
            // It waits in the last second.
            let advances = looks.windows(2).map(|pair| pair[1].now_ms - pair[0].now_ms);
            assert!(advances.clone().all(|advance| (0..=500).contains(&advance)), "{:?}", advances.collect::<Vec<_>>());
            assert_eq!(test.timeline.last_ms(), 1_150_000 + step_ms, "it is the wall clock again");
        }
    }

    #[test]
    fn a_step_of_a_slow_timeline_is_one() {
        let mut test = Test::new();
        test.step(-30_000);
        test.for_seconds(20);
        test.step(-3_600_000);
        let (now_ms, changes) = test.for_seconds(12);
        assert!(matches!(changes[..], [Change::Stepped(..-3_599_000), Change::Followed(_)]), "{changes:?}");
        assert_eq!(now_ms, 1_032_000 - 3_630_000);
    }

    #[test]
    fn a_second_step_has_to_last_too() {
        let mut test = Test::new();
        test.step(60_000);
        test.for_seconds(8);
        test.step(-30_000);
        assert_eq!(test.for_seconds(9), (1_017_000, vec![Change::Stepped(-30_000)]));
        assert_eq!(test.for_seconds(2), (1_049_000, vec![Change::Followed(30_000)]));
    }

    #[test]
    fn drift_is_followed_also_during_a_step() {
        for drift_ms in [25, -25] {
            let mut test = Test::new();
            for elapsed in 1..=200 {
                test.step(drift_ms);
                let look = test.after(500);
                assert_eq!((look.now_ms, look.change), (1_000_000 + elapsed * (500 + drift_ms), None));
            }
            test.step(60_000);
            let mut drift = |_| {
                test.step(drift_ms);
                test.after(500).change
            };
            let changes: Vec<_> = (0..30).filter_map(&mut drift).collect();
            assert_eq!(changes.len(), 2, "{changes:?}");
        }
    }

    #[test]
    fn a_small_step_back_holds_the_time() {
        let mut test = Test::new();
        test.after(2_000);
        test.step(-900);
        assert_eq!(test.after(100), Look { now_ms: 1_002_000, change: None, went_back: true });
        assert_eq!(test.after(700), Look { now_ms: 1_002_000, change: None, went_back: false });
        assert_eq!(test.after(200).now_ms, 1_002_100);
    }

    #[test]
    fn a_clock_that_goes_back_is_noticed() {
        let mut test = Test::new();
        test.step(-60_000);
        assert!(test.after(10).went_back);
        let went_back: Vec<_> = (0..40).map(|_| test.after(500)).filter(|look| look.went_back).collect();
        let followed = Look { now_ms: 950_010, change: Some(Change::Followed(-60_000)), went_back: true };
        assert_eq!(went_back, [followed]);
    }
}
