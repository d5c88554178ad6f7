//! What was exported of a target series so far: what has started needs an end.

use super::family::Family;
use super::stale_markers::StaleMarkers;

/// The state of the series of a target series. There are as many as target series, so it is small.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct ExportState {
    /// The start of its cumulative series, if they have started.
    started_ms: i64,
    /// One bit for each name of the family: its series belong to another metric and are not exported.
    suppressed: u64,
    /// True if its cumulative series have started.
    cumulative: bool,
    /// True if its gauge has started.
    gauge: bool,
    /// True if nothing of it is exported yet.
    dormant: bool,
    /// The number of windows since the last value of its other series, or `None` if they have not started or have ended.
    silent_windows: Option<u16>,
}

impl ExportState {
    /// Suppresses the series with name `index` of the family.
    pub fn suppress(&mut self, index: usize) {
        self.suppressed |= 1 << index;
    }

    /// Returns true if it has such series.
    pub fn has_suppressed(self) -> bool {
        self.suppressed != 0
    }

    /// Exports nothing of it until [`Self::wake`].
    pub fn set_dormant(&mut self) {
        self.dormant = true;
    }

    /// Exports it from now on. Returns true if nothing was exported before.
    pub fn wake(&mut self) -> bool {
        std::mem::take(&mut self.dormant)
    }

    /// Returns true if nothing of it is exported yet.
    pub fn is_dormant(self) -> bool {
        self.dormant
    }

    /// Returns the number of series that are exported of a target series of this family.
    pub fn series_count(self, family: &Family) -> usize {
        let exported = family.series_counts().enumerate().filter(|(index, _)| !self.is_suppressed(*index));
        exported.map(|(_, count)| count).sum()
    }

    pub(super) fn is_suppressed(self, index: usize) -> bool {
        self.suppressed & (1 << index) != 0
    }

    pub(super) fn started_ms(self) -> Option<i64> {
        self.cumulative.then_some(self.started_ms)
    }

    pub(super) fn start_cumulative(&mut self, started_ms: i64) {
        (self.started_ms, self.cumulative) = (started_ms, true);
    }

    pub(super) fn gauge_has_started(self) -> bool {
        self.gauge
    }

    pub(super) fn start_gauge(&mut self) {
        self.gauge = true;
    }

    /// Returns true if the series with points in windows with samples have started and not ended.
    pub(super) fn is_open(self) -> bool {
        self.silent_windows.is_some()
    }

    /// Returns true if these series end if this window has no value.
    pub(super) fn is_end_of_silence(self, stale_markers: StaleMarkers) -> bool {
        self.silent_windows.is_some_and(|windows| stale_markers.end_after(u32::from(windows) + 1))
    }

    /// Ends a window, in which these series have a value or not.
    pub(super) fn close_window(&mut self, has_value: bool, stale_markers: StaleMarkers) {
        self.silent_windows = match self.silent_windows {
            _ if has_value => Some(0),
            _ if self.is_end_of_silence(stale_markers) => None,
            silent_windows => silent_windows.map(|windows| windows.saturating_add(1)),
        };
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_state_is_small() {
        assert!(size_of::<ExportState>() <= 24);
    }

    #[test]
    fn a_series_ends_once_after_its_silence_and_starts_again_with_a_value() {
        let stale_markers = StaleMarkers::new(true, Duration::from_secs(3));
        let mut state = ExportState::default();
        let mut ends = |values: &[bool]| -> Vec<bool> {
            let window = |&has_value: &bool| {
                let ends = !has_value && state.is_end_of_silence(stale_markers);
                state.close_window(has_value, stale_markers);
                ends
            };
            values.iter().map(window).collect()
        };
        assert_eq!(ends(&[false; 6]), [false; 6], "it has not started");
        assert_eq!(ends(&[true, false, false, false, false, true]), [false; 6]);
        assert_eq!(ends(&[false, false, false, false, false, false]), [false, false, false, false, true, false]);
        assert_eq!(ends(&[true, false, false, false, false, false]), [false, false, false, false, false, true]);
    }

    #[test]
    fn without_stale_markers_the_silence_may_last() {
        let stale_markers = StaleMarkers::new(false, Duration::from_millis(1));
        let mut state = ExportState::default();
        state.close_window(true, stale_markers);
        (0..100_000).for_each(|_| state.close_window(false, stale_markers));
        assert!(state.is_open());
    }
}
