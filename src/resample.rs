//! Closes windows and hands their points on.
//!
//! Runs on the one background thread, which owns all accumulators: nothing here locks. In come samples from the
//! [`crate::inbox`], out go series through [`crate::map`]. A sample belongs to the window that is open when it arrives, whatever
//! its own time: none is lost, and no series ever gets an older point or two of one time.

use std::sync::Arc;
use std::time::Duration;

use crate::accumulate::Accumulator;
use crate::clock::Clock;
use crate::inbox::{Outlet, Received, Sample};
use crate::registry::Registry;
use crate::report::{Level, Reporter, event};
use crate::series::SeriesDefinition;
use crate::window::{Window, Windows};
use crate::wire::Encoder;

/// How often the receiver is told again what each metric is. Prometheus's own sender has a minute.
const METADATA_INTERVAL_MS: i64 = 60_000;

/// The longest sleep: a clock that jumps ahead is noticed this soon.
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// What of the configuration matters here.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The length of a window.
    pub rate: Duration,
    /// Whether every series ends with a stale marker.
    pub stale_markers: bool,
    /// What every metric's name begins with.
    pub metric_prefix: String,
}

/// Gathers samples and closes windows on the clock.
pub struct Resampler<C> {
    clock: C,
    windows: Windows,
    registry: Registry,
    encoder: Encoder,
    stale_markers: bool,
    /// How many families the receiver has been told of, and when it last was of all.
    announced: usize,
    announced_all_ms: i64,
    warned_not_finite: bool,
    reporter: Arc<Reporter>,
}

impl<C: Clock> Resampler<C> {
    /// A resampler whose first window begins now.
    pub fn new(settings: Settings, clock: C, encoder: Encoder, reporter: Arc<Reporter>) -> Self {
        let now_ms = clock.now_ms();
        Self {
            windows: Windows::new(settings.rate, now_ms),
            registry: Registry::new(settings.metric_prefix, Arc::clone(&reporter)),
            encoder,
            stale_markers: settings.stale_markers,
            announced: 0,
            announced_all_ms: now_ms,
            warned_not_finite: false,
            clock,
            reporter,
        }
    }

    /// Works until the inbox is closed, then closes the last window.
    pub fn run(mut self, outlet: &Outlet) {
        let mut open = true;
        while open {
            let wait = self.windows.time_left(self.clock.now_ms()).min(LONGEST_WAIT);
            open = self.take(outlet.receive(wait), outlet);
            if let Some(window) = self.due() {
                // What is there now belongs to the window; what comes meanwhile to the next.
                for _ in 0..outlet.waiting() {
                    open &= self.take(outlet.receive(Duration::ZERO), outlet);
                }
                self.take(Received::Samples(outlet.take_staged()), outlet);
                self.ship(window);
            }
        }
        self.close();
    }

    /// False when nothing more will come.
    fn take(&mut self, received: Received, outlet: &Outlet) -> bool {
        match received {
            Received::Samples(block) => {
                outlet.take_definitions().into_iter().for_each(|definition| self.register(definition));
                self.record(&block);
                outlet.recycle(block);
                true
            }
            Received::Nothing => true,
            Received::Closed => false,
        }
    }

    /// Takes the next series; ids follow the order of these calls, from 1 on.
    pub fn register(&mut self, definition: SeriesDefinition) {
        self.registry.register(definition);
    }

    /// Takes samples into the open window. Allocates nothing once a series' spread of values is known.
    pub fn record(&mut self, samples: &[Sample]) {
        let now_ms = self.clock.now_ms();
        if self.windows.stepped_back_ms(now_ms) > 0 {
            self.adapt_to_step_back();
        }
        let (mut taken, mut ignored) = (0, 0);
        for sample in samples {
            let Some(target) = self.registry.target_of(sample.series.wrapping_sub(1) as usize) else {
                ignored += 1;
                continue;
            };
            // A time to come would hold a gauge's value until then.
            if target.accumulator.record(sample.value, sample.time_ms.min(now_ms)) {
                taken += 1;
            } else {
                self.reject(sample);
            }
        }
        self.reporter.counters.samples.add(taken);
        self.reporter.counters.samples_ignored.add(ignored);
    }

    /// The window that has ended, if one has.
    pub fn due(&mut self) -> Option<Window> {
        self.windows.due(self.clock.now_ms())
    }

    /// Ships what has been gathered as the points of `window`, and opens the next.
    pub fn ship(&mut self, window: Window) {
        self.announce(window.end_ms);
        let Registry { families, targets, .. } = &mut self.registry;
        for target in targets {
            let family = &families[target.family];
            family.ship(
                &target.accumulator,
                &target.labels,
                &mut target.shipped,
                &window,
                self.stale_markers,
                &mut self.encoder,
            );
            target.accumulator.close_window();
        }
        self.encoder.flush();
    }

    /// Ships the last window, whole or not, and ends all series.
    pub fn close(mut self) {
        let window = self.windows.close(self.clock.now_ms());
        self.ship(window);
    }

    fn announce(&mut self, now_ms: i64) {
        let again = now_ms - self.announced_all_ms >= METADATA_INTERVAL_MS;
        let first = if again { 0 } else { self.announced };
        for family in &self.registry.families[first..] {
            family.announce(&mut self.encoder);
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

    #[cold]
    fn reject(&mut self, sample: &Sample) {
        self.reporter.counters.samples_rejected.add(1);
        if !std::mem::replace(&mut self.warned_not_finite, true) {
            self.reporter.log(
                event(Level::Warn, "A sample is NaN or infinite: such values are counted and left out")
                    .with("value", sample.value.to_string())
                    .with("series", sample.series),
            );
        }
    }
}
