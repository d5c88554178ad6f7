//! Series that the receiver has rejected alone: their points are dropped without a request, and tried again now and then.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::wire::{Labels, Point};

/// The time until a series is tried again for the first time; it doubles with each failure.
const FIRST_TRIAL: Duration = Duration::from_secs(10);
const MAX_TRIAL: Duration = Duration::from_secs(300);

/// A bound for the memory: beyond it a series is not remembered, and costs requests in every window.
const MAX_SERIES: usize = 10_000;

#[derive(Debug)]
struct Entry {
    /// Keeps the series alive, so that no other one gets its key.
    _labels: Arc<Labels>,
    trial: Instant,
    pause: Duration,
}

/// The series of one destination that the receiver has rejected.
#[derive(Debug, Default)]
pub(super) struct Quarantine {
    series: HashMap<(usize, usize), Entry>,
    /// Whether all native histograms are held back, and until when.
    histograms: Option<(Instant, Duration)>,
}

/// What to do with a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// Its series is not held back.
    Send,
    /// Its series is held back, and is due to be tried again: alone.
    Try,
    /// Its series is held back.
    Drop,
}

impl Quarantine {
    /// Reports whether no series is held back.
    pub(super) fn is_empty(&self) -> bool {
        self.series.is_empty() && self.histograms.is_none()
    }

    /// Decides about a point.
    pub(super) fn admit(&self, point: &Point, now: Instant) -> Admission {
        let trial = match (point.value.histogram(), self.histograms) {
            (Some(_), Some((trial, _))) => Some(trial),
            _ => self.series.get(&point.series_key()).map(|entry| entry.trial),
        };
        match trial {
            None => Admission::Send,
            Some(trial) if trial <= now => Admission::Try,
            Some(_) => Admission::Drop,
        }
    }

    /// Holds back the series of a point that has failed alone. Returns whether it was not held back before.
    pub(super) fn hold(&mut self, point: &Point, now: Instant) -> bool {
        if point.value.histogram().is_some() && self.histograms.is_some() {
            return self.hold_histograms(now);
        }
        if let Some(entry) = self.series.get_mut(&point.series_key()) {
            entry.pause = (entry.pause * 2).min(MAX_TRIAL);
            entry.trial = now + entry.pause;
            return false;
        }
        if self.series.len() < MAX_SERIES {
            let labels = Arc::clone(&point.labels);
            self.series
                .insert(point.series_key(), Entry { _labels: labels, trial: now + FIRST_TRIAL, pause: FIRST_TRIAL });
        }
        true
    }

    /// Holds back all native histograms. Returns whether they were not held back before.
    pub(super) fn hold_histograms(&mut self, now: Instant) -> bool {
        let before = self.histograms;
        let pause = before.map_or(FIRST_TRIAL, |(_, pause)| (pause * 2).min(MAX_TRIAL));
        self.histograms = Some((now + pause, pause));
        before.is_none()
    }

    /// Lets the series of a point through again: the receiver has accepted it.
    pub(super) fn release(&mut self, point: &Point) {
        self.series.remove(&point.series_key());
        if point.value.histogram().is_some() {
            self.histograms = None;
        }
    }
}
