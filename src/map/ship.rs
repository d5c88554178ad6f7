//! What a target series ships at the end of a window: a start, values, an end.

use super::family::{Entry, Family, Kind};
use super::native;
use crate::accumulate::{Accumulator, Statistics};
use crate::window::Window;
use crate::wire::{EncodedLabel, Encoder, Histogram, Labels, Point, Role, STALE_MARKER};

/// What of a target series has been shipped so far, and so needs an end.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Shipped {
    cumulative: bool,
    values: bool,
    /// One bit for each name of the family whose series belong to another metric and are not shipped.
    muted: u64,
}

impl Shipped {
    /// Leaves out the series of name `index` of the family from now on.
    pub fn mute(&mut self, index: usize) {
        self.muted |= 1 << index;
    }
}

/// The end of one window, for all of a destination's series.
pub struct Shipment<'a> {
    window: &'a Window,
    stale_markers: bool,
    encoder: &'a mut Encoder,
    /// Of the series at hand; kept for their memory.
    percentiles: Vec<f64>,
    histogram: Histogram,
}

/// Where the points of one series go.
struct Series<'a> {
    entry: &'a Entry,
    labels: &'a Labels,
    /// Whether an earlier window has shipped some of it.
    started: bool,
}

impl<'a> Shipment<'a> {
    /// The end of `window`. With `stale_markers`, the last window ends all series that were ever shipped.
    pub fn new(window: &'a Window, stale_markers: bool, encoder: &'a mut Encoder) -> Self {
        Self { window, stale_markers, encoder, percentiles: Vec::new(), histogram: Histogram::default() }
    }

    /// Ships what `accumulator` holds. A cumulative series starts with a 0 where the window began.
    pub fn ship(&mut self, family: &Family, accumulator: &Accumulator, labels: &Labels, shipped: &mut Shipped) {
        self.calculate_percentiles(family, accumulator);
        let before = *shipped;
        for (index, entry) in family.entries.iter().enumerate() {
            if before.muted & (1 << index) != 0 {
                continue;
            }
            let started = if entry.kind.is_cumulative() { before.cumulative } else { before.values };
            if self.ship_entry(accumulator, &Series { entry, labels, started }) {
                let kind = if entry.kind.is_cumulative() { &mut shipped.cumulative } else { &mut shipped.values };
                *kind = true;
            }
        }
    }

    fn calculate_percentiles(&mut self, family: &Family, accumulator: &Accumulator) {
        self.percentiles.clear();
        if let Accumulator::Trend(trend) = accumulator
            && let Some(values) = trend.statistics().and_then(Statistics::values)
        {
            values.percentiles(&family.percents, &mut self.percentiles);
        }
    }

    /// True if there was something to tell.
    fn ship_entry(&mut self, accumulator: &Accumulator, series: &Series) -> bool {
        match (&series.entry.kind, accumulator) {
            (Kind::Single(statistic), _) => {
                let value = statistic.value(accumulator, &self.percentiles);
                self.ship_value(series, None, value)
            }
            (Kind::ByCondition { nonzero, zero }, Accumulator::Rate(rate)) => {
                self.ship_value(series, Some(nonzero), Some(rate.nonzero() as f64));
                self.ship_value(series, Some(zero), Some(rate.zero() as f64))
            }
            (Kind::ByBound(bounds), Accumulator::Trend(trend)) => {
                let counts = trend.classic().into_iter().flat_map(|classic| classic.cumulative());
                for (bound, count) in bounds.iter().zip(counts) {
                    self.ship_value(series, Some(bound), Some(count as f64));
                }
                true
            }
            (Kind::Native, Accumulator::Trend(trend)) => {
                trend.native().is_some_and(|histogram| self.ship_native(series, histogram))
            }
            _ => false, // a family makes the accumulators of its series, so there is no other
        }
    }

    fn ship_value(&mut self, series: &Series, further: Option<&EncodedLabel>, value: Option<f64>) -> bool {
        let mut point = |role, time_ms, value| {
            let name = &series.entry.encoded_name;
            self.encoder.point(role, name, series.labels, further, Point { time_ms, value });
        };
        if let Some(value) = value {
            if series.entry.kind.is_cumulative() && !series.started {
                point(Role::Start, self.window.previous_end_ms, 0.0);
            }
            point(Role::Value, self.window.end_ms, value);
        }
        if self.window.last && self.stale_markers && (series.started || value.is_some()) {
            point(Role::End, end_ms(self.window), STALE_MARKER);
        }
        value.is_some()
    }

    fn ship_native(&mut self, series: &Series, histogram: &crate::accumulate::Histogram) -> bool {
        let mut point = |role, write: fn(&_, i64, &mut _), time_ms| {
            write(histogram, time_ms, &mut self.histogram);
            self.encoder.histogram(role, &series.entry.encoded_name, series.labels, &self.histogram);
        };
        if !series.started {
            point(Role::Start, native::write_start, self.window.previous_end_ms);
        }
        point(Role::Value, native::write, self.window.end_ms);
        if self.window.last && self.stale_markers {
            point(Role::End, native::write_end, end_ms(self.window));
        }
        true
    }
}

/// After the run's last point, also for a series that ended earlier: a marker as old as that point could be too old for the
/// receiver, and cost its whole batch.
fn end_ms(last: &Window) -> i64 {
    last.end_ms + 1
}
