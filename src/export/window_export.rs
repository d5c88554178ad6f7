//! The points of a target series at the end of a window: start, value and end of each of its series.

use std::sync::Arc;

use super::export_state::ExportState;
use super::family::{Family, SeriesKind};
use super::native_histogram;
use super::readings::{ExponentialBuckets, Readings};
use super::stale_markers::StaleMarkers;
use super::statistic::{ExemplarSelection, Statistic};
use crate::send::{Batcher, Role};
use crate::time::window::Window;
use crate::wire::{Exemplar, Labels, Metric, NAN, Point, STALE_MARKER, Value};

/// Exports one window of all target series of a destination.
pub struct WindowExport<'a> {
    window: &'a Window,
    stale_markers: StaleMarkers,
    batcher: &'a mut Batcher,
    /// Percentiles of the current target series. The memory is reused.
    percentiles: Vec<f64>,
    /// Exemplars of the current target series, at least one.
    exemplars: Option<Arc<[Exemplar]>>,
    /// The one of them with the largest value.
    largest: Option<Arc<[Exemplar]>>,
    /// The number of exemplars that were exported.
    exported_exemplars: u64,
}

/// The series of a target series with one name.
struct Series<'a> {
    kind: &'a SeriesKind,
    labels: &'a Arc<Labels>,
    /// True if a previous window has exported points that no stale marker has ended.
    started: bool,
    /// True if the series ends with this window unless it has a value.
    ends_silent: bool,
    /// The start of a cumulative series; 0 for other series.
    start_ms: i64,
    exemplars: ExemplarSelection,
}

impl<'a> WindowExport<'a> {
    /// Creates the export of `window`. Series that have started end in the last window, or after a silence, as `stale_markers` says.
    pub fn new(window: &'a Window, stale_markers: StaleMarkers, batcher: &'a mut Batcher) -> Self {
        let (percentiles, exemplars, largest) = (Vec::new(), None, None);
        Self { window, stale_markers, batcher, percentiles, exemplars, largest, exported_exemplars: 0 }
    }

    /// Sets the exemplars of the next target series, in the order of [`Exemplar::order`].
    pub fn set_exemplars(&mut self, exemplars: Vec<Exemplar>) {
        let largest = exemplars.iter().max_by(|a, b| a.value.total_cmp(&b.value));
        self.largest = largest.map(|largest| Arc::from([largest.clone()]));
        self.exemplars = (!exemplars.is_empty()).then(|| exemplars.into());
    }

    /// The number of exemplars that were exported: those of several series of a target series count several times.
    pub fn exemplars(&self) -> u64 {
        self.exported_exemplars
    }

    /// Exports target series `number`. Cumulative series start with a 0 at the end of the previous window.
    pub fn target(
        &mut self,
        number: usize,
        family: &Family,
        readings: &impl Readings,
        labels: &Arc<Labels>,
        state: &mut ExportState,
    ) {
        self.batcher.begin_target(number);
        self.percentiles.clear();
        readings.percentiles(&family.percents, &mut self.percentiles);
        let previous = *state;
        let ends_silent = !self.window.last && previous.is_end_of_silence(self.stale_markers);
        let mut has_samples = false;
        for (index, series) in family.series.iter().enumerate() {
            if previous.is_suppressed(index) {
                continue;
            }
            let kind = &series.kind;
            let exemplars = kind.exemplars(&family.percents);
            let series = Series { kind, labels, started: false, ends_silent: false, start_ms: 0, exemplars };
            if kind.is_cumulative() {
                // A timeline that was set back can be before the start.
                let previous_end_ms = self.window.previous_end_ms;
                let start_ms = previous.started_ms().map_or(previous_end_ms, |start_ms| start_ms.min(previous_end_ms));
                let started = previous.started_ms().is_some();
                if self.series(readings, &Series { started, start_ms, ..series }) {
                    state.start_cumulative(start_ms);
                }
            } else if kind.needs_samples() {
                let started = previous.is_open();
                has_samples |= self.series(readings, &Series { started, ends_silent, ..series });
            } else {
                let started = previous.gauge_has_started();
                if self.series(readings, &Series { started, ..series }) {
                    state.start_gauge();
                }
            }
        }
        state.close_window(has_samples, self.stale_markers);
        (self.exemplars, self.largest) = (None, None);
    }

    /// Returns true if the window has a value.
    fn series(&mut self, readings: &impl Readings, series: &Series) -> bool {
        let exemplars = match series.exemplars {
            ExemplarSelection::None => None,
            ExemplarSelection::Largest => self.largest.clone(),
            ExemplarSelection::All => self.exemplars.clone(),
        };
        match series.kind {
            SeriesKind::Single { statistic, metric } => {
                let value = readings.value(*statistic, &self.percentiles);
                self.number(series, metric, value, exemplars)
            }
            SeriesKind::ByCondition { nonzero, zero } => {
                let of = |is_zero| chosen(exemplars.as_deref()?, |exemplar| (exemplar.value == 0.0) == is_zero);
                self.number(series, nonzero, readings.value(Statistic::Nonzero, &[]), of(false));
                self.number(series, zero, readings.value(Statistic::Zero, &[]), of(true))
            }
            SeriesKind::ByBound { bounds, buckets } => {
                let mut exemplars = exemplars.map(|exemplars| by_bound(&exemplars, bounds));
                for (index, (metric, count)) in buckets.iter().zip(readings.classic_buckets()).enumerate() {
                    let exemplars = exemplars.as_mut().and_then(|by_bound| by_bound[index].take());
                    self.number(series, metric, Some(count as f64), exemplars);
                }
                true
            }
            SeriesKind::NativeHistogram(metric) => readings
                .exponential_buckets()
                .is_some_and(|buckets| self.native_histogram(series, metric, &buckets, exemplars)),
        }
    }

    fn number(
        &mut self,
        series: &Series,
        metric: &'static Metric,
        value: Option<f64>,
        exemplars: Option<Arc<[Exemplar]>>,
    ) -> bool {
        if let Some(value) = value {
            if series.kind.is_cumulative() && !series.started {
                self.point(Role::Start, series, metric, series.start_ms, Value::Float(0.0));
            }
            // Another NaN could have the bits of the stale marker.
            let value = if value.is_nan() { NAN } else { value };
            let value = self.with_exemplars(Value::Float(value), exemplars);
            self.point(Role::Value, series, metric, self.window.end_ms, value);
        } else if series.ends_silent {
            self.point(Role::Value, series, metric, self.window.end_ms, Value::Float(STALE_MARKER));
        }
        if self.ends_series() && (series.started || value.is_some()) {
            self.point(Role::End, series, metric, stale_marker_ms(self.window), Value::Float(STALE_MARKER));
        }
        value.is_some()
    }

    fn native_histogram(
        &mut self,
        series: &Series,
        metric: &'static Metric,
        buckets: &ExponentialBuckets,
        exemplars: Option<Arc<[Exemplar]>>,
    ) -> bool {
        let (start_ms, window_end_ms, stale_ms) = (series.start_ms, self.window.end_ms, stale_marker_ms(self.window));
        let ends_series = self.ends_series();
        let value_of = |histogram| Value::Histogram(Arc::new(histogram));
        let value = self.with_exemplars(value_of(native_histogram::value(buckets, window_end_ms)), exemplars);
        let mut point = |role, time_ms, value| self.point(role, series, metric, time_ms, value);
        if !series.started {
            point(Role::Start, start_ms, value_of(native_histogram::start(buckets, start_ms)));
        }
        point(Role::Value, window_end_ms, value);
        if ends_series {
            point(Role::End, stale_ms, value_of(native_histogram::end(buckets, stale_ms)));
        }
        true
    }

    fn with_exemplars(&mut self, value: Value, exemplars: Option<Arc<[Exemplar]>>) -> Value {
        let Some(exemplars) = exemplars else { return value };
        self.exported_exemplars += exemplars.len() as u64;
        value.with_exemplars(exemplars)
    }

    /// Returns true if stale markers follow this window.
    fn ends_series(&self) -> bool {
        self.window.last && self.stale_markers.end_of_run()
    }

    fn point(&mut self, role: Role, series: &Series, metric: &'static Metric, time_ms: i64, value: Value) {
        let labels = Arc::clone(series.labels);
        self.batcher.point(role, Point { metric, labels, time_ms, start_ms: series.start_ms, value });
    }
}

/// Returns the exemplars of each bucket: those whose values it is the first to contain.
fn by_bound(exemplars: &[Exemplar], bounds: &[f64]) -> Vec<Option<Arc<[Exemplar]>>> {
    let bucket_of = |exemplar: &Exemplar| bounds.partition_point(|&bound| bound < exemplar.value);
    (0..=bounds.len()).map(|bucket| chosen(exemplars, |exemplar| bucket_of(exemplar) == bucket)).collect()
}

/// Returns the exemplars that a predicate chooses, at least one.
fn chosen(exemplars: &[Exemplar], is_chosen: impl Fn(&Exemplar) -> bool) -> Option<Arc<[Exemplar]>> {
    let chosen: Arc<[Exemplar]> = exemplars.iter().filter(|exemplar| is_chosen(exemplar)).cloned().collect();
    (!chosen.is_empty()).then_some(chosen)
}

/// Returns the time of the stale markers at the end of the run: after its last point, also for a series whose last point is
/// older. An older marker could be too old for the receiver, which would reject its whole batch.
fn stale_marker_ms(last: &Window) -> i64 {
    last.end_ms + 1
}
