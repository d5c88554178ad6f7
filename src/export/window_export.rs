//! What a target series ships at the end of a window: a start, values, an end.

use std::sync::Arc;

use super::family::{Family, Kind};
use super::native_histogram;
use super::readings::{ExponentialBuckets, Readings};
use super::statistic::Statistic;
use crate::send::{Batcher, Role};
use crate::time::window::Window;
use crate::wire::{Labels, Metric, Point, STALE_MARKER, Value};

/// What of a target series has been shipped so far, and so needs an end.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct ExportState {
    /// When the cumulative ones started, once they have.
    started_ms: Option<i64>,
    values: bool,
    /// One bit for each name of the family whose series belong to another metric and are not shipped.
    suppressed: u64,
}

impl ExportState {
    /// Leaves out the series of name `index` of the family from now on.
    pub fn suppress(&mut self, index: usize) {
        self.suppressed |= 1 << index;
    }
}

/// The end of one window, for all of a destination's series.
pub struct WindowExport<'a> {
    window: &'a Window,
    stale_markers: bool,
    batcher: &'a mut Batcher,
    /// Of the target at hand; kept for their memory.
    percentiles: Vec<f64>,
}

/// The series of one target and one name.
struct Series<'a> {
    kind: &'a Kind,
    labels: &'a Arc<Labels>,
    /// Whether an earlier window has shipped some of it.
    started: bool,
    /// When it began to count; 0 if it does not.
    start_ms: i64,
}

impl<'a> WindowExport<'a> {
    /// The end of `window`. With `stale_markers`, the last window ends all series that were ever shipped.
    pub fn new(window: &'a Window, stale_markers: bool, batcher: &'a mut Batcher) -> Self {
        Self { window, stale_markers, batcher, percentiles: Vec::new() }
    }

    /// What follows is of target `number`.
    pub fn begin_target(&mut self, number: usize) {
        self.batcher.begin_target(number);
    }

    /// Ships what a target series has gathered. A cumulative series starts with a 0 where the window began.
    pub fn ship(&mut self, family: &Family, readings: &impl Readings, labels: &Arc<Labels>, shipped: &mut ExportState) {
        self.percentiles.clear();
        readings.percentiles(&family.percents, &mut self.percentiles);
        let before = *shipped;
        for (index, entry) in family.entries.iter().enumerate() {
            if before.suppressed & (1 << index) != 0 {
                continue;
            }
            let kind = &entry.kind;
            if kind.is_cumulative() {
                let start_ms = before.started_ms.unwrap_or(self.window.previous_end_ms);
                let series = Series { kind, labels, started: before.started_ms.is_some(), start_ms };
                if self.ship_series(readings, &series) {
                    shipped.started_ms = Some(start_ms);
                }
            } else {
                let series = Series { kind, labels, started: before.values, start_ms: 0 };
                shipped.values |= self.ship_series(readings, &series);
            }
        }
    }

    /// Returns whether the window has something to ship.
    fn ship_series(&mut self, readings: &impl Readings, series: &Series) -> bool {
        match series.kind {
            Kind::Single { statistic, metric } => {
                let value = readings.value(*statistic, &self.percentiles);
                self.ship_number(series, metric, value)
            }
            Kind::ByCondition { nonzero, zero } => {
                self.ship_number(series, nonzero, readings.value(Statistic::Nonzero, &[]));
                self.ship_number(series, zero, readings.value(Statistic::Zero, &[]))
            }
            Kind::ByBound(buckets) => {
                for (metric, count) in buckets.iter().zip(readings.classic_buckets()) {
                    self.ship_number(series, metric, Some(count as f64));
                }
                true
            }
            Kind::Native(metric) => {
                readings.exponential_buckets().is_some_and(|buckets| self.ship_native(series, metric, &buckets))
            }
        }
    }

    fn ship_number(&mut self, series: &Series, metric: &Arc<Metric>, value: Option<f64>) -> bool {
        if let Some(value) = value {
            if series.kind.is_cumulative() && !series.started {
                self.point(Role::Start, series, metric, series.start_ms, Value::Float(0.0));
            }
            self.point(Role::Value, series, metric, self.window.end_ms, Value::Float(value));
        }
        if self.ends() && (series.started || value.is_some()) {
            self.point(Role::End, series, metric, end_ms(self.window), Value::Float(STALE_MARKER));
        }
        value.is_some()
    }

    fn ship_native(&mut self, series: &Series, metric: &Arc<Metric>, buckets: &ExponentialBuckets) -> bool {
        let of = |wire| Value::Histogram(Arc::new(wire));
        if !series.started {
            let start_ms = series.start_ms;
            self.point(Role::Start, series, metric, start_ms, of(native_histogram::start(buckets, start_ms)));
        }
        let end_of_window_ms = self.window.end_ms;
        self.point(
            Role::Value,
            series,
            metric,
            end_of_window_ms,
            of(native_histogram::value(buckets, end_of_window_ms)),
        );
        if self.ends() {
            let end_ms = end_ms(self.window);
            self.point(Role::End, series, metric, end_ms, of(native_histogram::end(buckets, end_ms)));
        }
        true
    }

    /// Whether this window is followed by stale markers.
    fn ends(&self) -> bool {
        self.window.last && self.stale_markers
    }

    fn point(&mut self, role: Role, series: &Series, metric: &Arc<Metric>, time_ms: i64, value: Value) {
        let (metric, labels) = (Arc::clone(metric), Arc::clone(series.labels));
        self.batcher.point(role, Point { metric, labels, time_ms, start_ms: series.start_ms, value });
    }
}

/// After the run's last point, also for a series that ended earlier: a marker as old as that point could be too old for the
/// receiver, and cost its whole batch.
fn end_ms(last: &Window) -> i64 {
    last.end_ms + 1
}
