//! One destination's way through the resampling thread: its windows, its series, its batches.
//!
//! In come series and samples from [`crate::resample`], which has one pipeline for each destination; out go, when a window ends,
//! points through [`crate::export`]. A pipeline knows nothing of the others: each has its own rate and its own accumulators.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::registry::{RecordOutcome, Registry, Rules};
use super::self_metrics::{About, SelfMetrics};
use crate::aggregate::Accumulator;
use crate::export::WindowExport;
use crate::k6::Sample;
use crate::report::{DestinationReporter, Level, event};
use crate::send::Batcher;
use crate::series::SeriesDefinition;
use crate::time::window::{Window, Windows};

/// How often the receiver is told again what each metric is. Prometheus's own sender has a minute.
const METADATA_INTERVAL_MS: i64 = 60_000;

/// What of a destination's configuration matters here.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The length of a window.
    pub rate: Duration,
    /// Whether every series ends with a stale marker.
    pub stale_markers: bool,
    /// What becomes of k6's series.
    pub rules: Rules,
    /// What the output's own metrics say of the run; without it there are none.
    pub self_metrics: Option<About>,
}

/// Gathers samples for one destination and ships its windows.
pub struct DestinationPipeline {
    windows: Windows,
    registry: Registry,
    batcher: Batcher,
    self_metrics: Option<SelfMetrics>,
    stale_markers: bool,
    /// How many families the receiver has been told of, and when it last was of all.
    announced: usize,
    announced_all_ms: i64,
    reporter: Arc<DestinationReporter>,
}

impl DestinationPipeline {
    /// A pipeline whose first window begins at `now_ms`.
    pub fn new(settings: Settings, now_ms: i64, batcher: Batcher, reporter: Arc<DestinationReporter>) -> Self {
        let mut registry = Registry::new(settings.rules, Arc::clone(&reporter));
        let self_metrics =
            settings.self_metrics.map(|about| SelfMetrics::register(&about, &mut registry, Arc::clone(&reporter)));
        Self {
            windows: Windows::new(settings.rate, now_ms),
            registry,
            batcher,
            self_metrics,
            stale_markers: settings.stale_markers,
            announced: 0,
            announced_all_ms: now_ms,
            reporter,
        }
    }

    /// Takes the next series; ids follow the order of these calls, from 1 on.
    pub fn register(&mut self, definition: &SeriesDefinition) {
        self.registry.register(definition);
    }

    /// The test has begun.
    pub fn note_test_start(&mut self, started_ms: i64) {
        if let Some(self_metrics) = &mut self.self_metrics {
            self_metrics.note_test_start(started_ms);
        }
    }

    /// Takes samples into the open window; those that are not finite are left out. Allocates nothing once a series' spread of
    /// values is known.
    pub fn record(&mut self, samples: &[Sample], now_ms: i64) {
        if self.windows.stepped_back_ms(now_ms) > 0 {
            self.adapt_to_step_back();
        }
        let (mut recorded, mut invalid_name, mut over_max_series) = (0, 0, 0);
        for sample in samples.iter().filter(|sample| sample.value.is_finite()) {
            let number = sample.series.wrapping_sub(1) as usize;
            // A time to come would hold a gauge's value until then.
            match self.registry.record(number, sample.value, sample.time_ms.min(now_ms)) {
                RecordOutcome::Recorded => recorded += 1,
                RecordOutcome::NotSelected => {}
                RecordOutcome::InvalidName => invalid_name += 1,
                RecordOutcome::OverLimit => over_max_series += 1,
            }
        }
        let counters = &self.reporter.counters;
        counters.samples_in.add(recorded);
        counters.samples_invalid_name.add(invalid_name);
        counters.samples_over_max_series.add(over_max_series);
    }

    /// How long to wait for the open window's end if the clock goes on as it should.
    pub fn time_left(&self, now_ms: i64) -> Duration {
        self.windows.time_left(now_ms)
    }

    /// The window that has ended at `now_ms`, if one has since the last.
    pub fn due(&mut self, now_ms: i64) -> Option<Window> {
        self.windows.due(now_ms)
    }

    /// Ships what has been gathered as the points of `window`, and opens the next.
    pub fn ship(&mut self, window: Window) {
        let started = Instant::now();
        if let Some(self_metrics) = &mut self.self_metrics {
            self_metrics.record(&mut self.registry, &window);
        }
        self.announce(window.end_ms);
        let mut export = WindowExport::new(&window, self.stale_markers, &mut self.batcher);
        let Registry { families, targets, .. } = &mut self.registry;
        for (number, target) in targets.iter_mut().enumerate() {
            export.begin_target(number);
            export.ship(&families[target.family], &target.accumulator, &target.labels, &mut target.shipped);
            target.accumulator.close_window();
        }
        self.batcher.flush();
        self.reporter.log(
            event(Level::Debug, "A window ended and waits to be sent")
                .with("series", self.registry.targets.len())
                .with("duration_us", started.elapsed().as_micros() as u64),
        );
    }

    /// Ships the last window, whole or not, and ends all series.
    pub fn close(&mut self, now_ms: i64) {
        self.registry.warn_of_unused_views();
        let window = self.windows.close(now_ms);
        self.ship(window);
    }

    fn announce(&mut self, now_ms: i64) {
        let again = now_ms - self.announced_all_ms >= METADATA_INTERVAL_MS;
        let first = if again { 0 } else { self.announced };
        for family in &self.registry.families[first..] {
            family.announce(&mut self.batcher);
        }
        self.announced = self.registry.families.len();
        if again {
            self.announced_all_ms = now_ms;
        }
    }

    /// Samples have earlier times from now on: a gauge's value must not stay because it was taken "later".
    #[cold]
    fn adapt_to_step_back(&mut self) {
        for target in &mut self.registry.targets {
            if let Accumulator::Gauge(gauge) = &mut target.accumulator {
                gauge.forget_time();
            }
        }
    }
}
