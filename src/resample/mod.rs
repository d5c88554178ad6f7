//! The background thread: hands samples to every destination's pipeline, and has its windows shipped on the clock.
//!
//! Owns all pipelines and their accumulators: nothing here locks. In come series and samples from the [`crate::ingest`]; out they go
//! to each [`DestinationPipeline`]. A sample belongs to the window that is open when it arrives, whatever its own time: none is lost, and no
//! series ever gets an older point or two of one time.

pub mod test_start;
pub mod pipeline;
pub mod self_metrics;
pub mod registry;

use std::sync::Arc;
use std::time::Duration;

use self::pipeline::DestinationPipeline;
use self::test_start::TestStart;
use crate::fault;
use crate::k6::Sample;
use crate::report::{Level, Reporter, event};
use crate::series::SeriesDefinition;
use crate::time::clock::Clock;
use crate::time::window::Window;

/// The longest sleep: a clock that jumps ahead is noticed this soon.
const MAX_WAIT: Duration = Duration::from_millis(500);

/// Gathers samples and closes windows on the clock.
pub struct Resampler<C> {
    clock: C,
    pipelines: Vec<DestinationPipeline>,
    opened_ms: i64,
    test_start: TestStart,
    warned_not_finite: bool,
    reporter: Arc<Reporter>,
}

impl<C: Clock> Resampler<C> {
    /// A resampler for these pipelines.
    pub fn new(pipelines: Vec<DestinationPipeline>, clock: C, reporter: Arc<Reporter>) -> Self {
        let opened_ms = clock.now_ms();
        Self { clock, pipelines, opened_ms, test_start: TestStart::default(), warned_not_finite: false, reporter }
    }

    /// Takes the next series; ids follow the order of these calls, from 1 on.
    pub fn register(&mut self, definition: &SeriesDefinition) {
        self.test_start.register(definition);
        self.pipelines.iter_mut().for_each(|pipeline| pipeline.register(definition));
    }

    /// Takes samples into the open windows. Allocates nothing once a series' spread of values is known.
    pub fn record(&mut self, samples: &[Sample]) {
        let now_ms = self.clock.now_ms();
        self.count(samples);
        if let Some(started_ms) = self.test_start.detect(samples, self.opened_ms, now_ms) {
            self.pipelines.iter_mut().for_each(|pipeline| pipeline.note_test_start(started_ms));
        }
        self.pipelines.iter_mut().for_each(|pipeline| pipeline.record(samples, now_ms));
    }

    /// The windows that have ended, each with the number of its pipeline.
    pub fn due(&mut self) -> Vec<(usize, Window)> {
        let now_ms = self.clock.now_ms();
        let pipelines = self.pipelines.iter_mut().enumerate();
        pipelines.filter_map(|(number, pipeline)| Some((number, pipeline.due(now_ms)?))).collect()
    }

    /// Ships what has been gathered as the points of these windows, and opens the next.
    pub fn ship(&mut self, ended: Vec<(usize, Window)>) {
        fault::point("resample");
        for (number, window) in ended {
            self.pipelines[number].ship(window);
        }
    }

    /// Ships the last windows, whole or not, and ends all series.
    pub fn close(mut self) {
        let now_ms = self.clock.now_ms();
        self.pipelines.iter_mut().for_each(|pipeline| pipeline.close(now_ms));
    }

    /// How long to wait until the next window ends.
    pub fn time_left(&self) -> Duration {
        let now_ms = self.clock.now_ms();
        self.pipelines.iter().map(|pipeline| pipeline.time_left(now_ms)).fold(MAX_WAIT, Duration::min)
    }

    /// Counts samples once, however many destinations they go to.
    fn count(&mut self, samples: &[Sample]) {
        let rejected = samples.iter().filter(|sample| !sample.value.is_finite()).count();
        self.reporter.counters().samples.add((samples.len() - rejected) as u64);
        if rejected > 0 {
            self.reject(samples, rejected);
        }
    }

    #[cold]
    fn reject(&mut self, samples: &[Sample], count: usize) {
        self.reporter.counters().samples_not_finite.add(count as u64);
        let Some(first) = samples.iter().find(|sample| !sample.value.is_finite()) else { return };
        if !std::mem::replace(&mut self.warned_not_finite, true) {
            self.reporter.log(
                event(Level::Warn, "A sample is NaN or infinite: such values are counted and left out")
                    .with("value", first.value.to_string())
                    .with("series", first.series),
            );
        }
    }
}
