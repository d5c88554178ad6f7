//! The pipeline of one destination on the resampling thread: its windows, its series, its batches.
//!
//! In come new ids and samples from [`crate::resample`]; out go, when a window ends, points through [`crate::export`] to
//! [`crate::send`]. Pipelines are independent of each other: each has its own window length and its own accumulators.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::catalog::{Additions, Catalog, Rules, Selection, UsedViews};
use super::metadata::SamplesWithMetadata;
use super::registry::Registry;
use super::self_metrics::{RunLabels, SelfMetrics};
use crate::export::{StaleMarkers, WindowExport};
use crate::k6::Sample;
use crate::report::{DestinationReporter, Level, event};
use crate::send::Batcher;
use crate::time::window::{Window, Windows};

/// The time after which the metadata of all metrics is sent again. Prometheus's own sender has the same interval.
const METADATA_INTERVAL_MS: i64 = 60_000;

/// Pipeline settings of a destination.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The length of a window.
    pub rate: Duration,
    /// True if series end with a stale marker.
    pub stale_markers: bool,
    /// Rules that turn k6 series into target series.
    pub rules: Rules,
    /// Labels of the self metrics. `None` disables self metrics.
    pub self_metrics: Option<RunLabels>,
}

/// Records the samples of one destination and exports its windows.
pub struct DestinationPipeline {
    windows: Windows,
    registry: Registry,
    batcher: Batcher,
    self_metrics: Option<SelfMetrics>,
    stale_markers: StaleMarkers,
    /// Number of families whose metadata was sent.
    described_families: usize,
    /// Time at which the metadata of all families was last sent.
    all_described_ms: i64,
    used_views: Arc<UsedViews>,
    reporter: Arc<DestinationReporter>,
}

impl DestinationPipeline {
    /// Creates a pipeline whose first window begins at `now_ms`, and the catalog of its series.
    pub fn new(
        settings: Settings,
        now_ms: i64,
        batcher: Batcher,
        reporter: Arc<DestinationReporter>,
    ) -> (Catalog, Self) {
        let rules = Arc::new(settings.rules);
        let mut catalog = Catalog::new(Arc::clone(&rules), Arc::clone(&reporter));
        let self_metrics =
            settings.self_metrics.map(|labels| SelfMetrics::register(&labels, &mut catalog, Arc::clone(&reporter)));
        let registry = Registry::new(rules, catalog.take_additions(), Arc::clone(&reporter));
        let pipeline = Self {
            windows: Windows::new(settings.rate, now_ms),
            registry,
            batcher,
            self_metrics,
            stale_markers: StaleMarkers::new(settings.stale_markers, settings.rate),
            described_families: 0,
            all_described_ms: now_ms,
            used_views: catalog.used_views(),
            reporter,
        };
        (catalog, pipeline)
    }

    /// Adds the next id. Ids count these calls, from 1 on.
    pub fn add(&mut self, selection: &Selection, additions: Additions) {
        self.registry.add_id(selection, additions);
    }

    /// Stores the time at which the test started.
    pub fn note_test_start(&mut self, started_ms: i64) {
        if let Some(self_metrics) = &mut self.self_metrics {
            self_metrics.note_test_start(started_ms);
        }
    }

    /// Makes the next value of every gauge its latest, whatever its time: for a clock that went back.
    pub fn forget_gauge_times(&mut self) {
        self.registry.forget_gauge_times();
    }

    /// Goes on at `now_ms`, for a timeline that was set back by `step_ms`, which is negative.
    pub fn set_back(&mut self, now_ms: i64, step_ms: i64) {
        self.windows.set_back(now_ms);
        self.registry.forget_exemplar_times();
        self.all_described_ms = self.all_described_ms.min(now_ms);
        if let Some(self_metrics) = &mut self.self_metrics {
            self_metrics.set_back(step_ms);
        }
    }

    /// Returns the series of a sample for a log line, if the destination has it.
    pub fn describe(&self, sample: &Sample) -> Option<String> {
        self.registry.describe(sample.series)
    }

    /// Records samples in the open window. Their values must be finite, except those of gauges.
    ///
    /// Allocates nothing once the spread of a series' values is known.
    pub fn record(&mut self, samples: &[Sample], now_ms: i64) {
        self.registry.record(samples, now_ms);
    }

    /// Chooses exemplars among samples that are recorded in the open window, too.
    pub fn record_metadata(&mut self, samples: &SamplesWithMetadata, now_ms: i64) {
        self.registry.record_metadata(samples, now_ms);
    }

    /// Returns the time until the open window ends if the timeline does not jump.
    pub fn time_left(&self, now_ms: i64) -> Duration {
        self.windows.time_left(now_ms)
    }

    /// Returns the window that has ended at `now_ms`, if one has ended since the last call.
    pub fn due(&mut self, now_ms: i64) -> Option<Window> {
        self.windows.due(now_ms)
    }

    /// Exports the recorded values as the points of `window`, and opens the next window.
    pub fn export(&mut self, window: Window) {
        let started = Instant::now();
        if let Some(self_metrics) = &mut self.self_metrics {
            self_metrics.record(&mut self.registry, &window);
        }
        self.send_metadata(window.end_ms);
        let mut export = WindowExport::new(&window, self.stale_markers, &mut self.batcher);
        self.registry.close_window(&mut export);
        self.reporter.counters.exemplars_in.add(export.exemplars());
        self.batcher.flush();
        self.reporter.log(
            event(Level::Debug, "Window closed")
                .with("series", self.registry.target_count())
                .with("duration_us", started.elapsed().as_micros() as u64),
        );
    }

    /// Exports the last window, complete or not, and ends all series.
    pub fn close(&mut self, now_ms: i64) {
        self.used_views.warn_of_unused(&self.reporter);
        let window = self.windows.close(now_ms);
        self.export(window);
    }

    /// Sends the metadata of new families, and once a minute that of all families.
    fn send_metadata(&mut self, now_ms: i64) {
        let all_due = now_ms - self.all_described_ms >= METADATA_INTERVAL_MS;
        let first = if all_due { 0 } else { self.described_families };
        let woken = self.registry.take_woken();
        let families = self.registry.families();
        for (index, family) in families.iter().enumerate().skip(first) {
            if !self.registry.is_dormant(index) {
                family.send_metadata(&mut self.batcher);
            }
        }
        // Those that are behind `first` were left out before.
        if !all_due {
            woken.iter().for_each(|family| family.send_metadata(&mut self.batcher));
        }
        self.described_families = families.len();
        if all_due {
            self.all_described_ms = now_ms;
        }
    }
}
