//! Resampling: the background thread that adds samples to windows and exports the windows that have ended.
//!
//! In come series and samples, from the loop of [`crate::ingest`]; each destination has a [`DestinationPipeline`] for them. Next
//! are [`crate::series`], which names the series, and [`crate::aggregate`], which accumulates the values.
//!
//! One thread owns all pipelines and their accumulators: nothing here locks. A sample belongs to the window that is open when it
//! arrives, whatever its own time: no sample is lost, and the times of a series' points increase as long as the timeline does.

pub mod test_start;
pub mod pipeline;
pub mod self_metrics;
pub mod registry;
mod name_conflicts;
mod cardinality;

use std::sync::Arc;
use std::time::Duration;

use self::pipeline::DestinationPipeline;
use self::test_start::TestStart;
use crate::fault;
use crate::k6::Sample;
use crate::report::{Event, Level, Reporter, event};
use crate::series::SeriesDefinition;
use crate::time::clock::Clock;
use crate::time::timeline::{Change, Timeline};
use crate::time::window::Window;

/// The maximum time to wait for samples, so that a step of the wall clock is noticed.
const MAX_WAIT: Duration = Duration::from_millis(500);

/// Hands samples to every destination's pipeline and closes its windows on the timeline.
pub struct Resampler<C> {
    timeline: Timeline<C>,
    pipelines: Vec<DestinationPipeline>,
    opened_ms: i64,
    test_start: TestStart,
    warned_not_finite: bool,
    reporter: Arc<Reporter>,
}

impl<C: Clock> Resampler<C> {
    /// Creates a resampler for these pipelines, which begin at the last time of `timeline`.
    pub fn new(pipelines: Vec<DestinationPipeline>, timeline: Timeline<C>, reporter: Arc<Reporter>) -> Self {
        Self {
            opened_ms: timeline.last_ms(),
            timeline,
            pipelines,
            test_start: TestStart::default(),
            warned_not_finite: false,
            reporter,
        }
    }

    /// Registers the next series. Ids count these calls, from 1 on.
    pub fn register(&mut self, definition: &SeriesDefinition) {
        self.test_start.register(definition);
        self.pipelines.iter_mut().for_each(|pipeline| pipeline.register(definition));
    }

    /// Records samples in the open windows. Samples that are NaN or infinite are counted and ignored.
    ///
    /// Allocates nothing once the spread of a series' values is known.
    pub fn record(&mut self, samples: &[Sample]) {
        let now_ms = self.look();
        if let Some(started_ms) = self.test_start.detect(samples, self.opened_ms, now_ms) {
            self.pipelines.iter_mut().for_each(|pipeline| pipeline.note_test_start(started_ms));
        }
        // The only check of a sample's value: everything after it relies on finite values.
        let finite = samples.iter().filter(|sample| sample.value.is_finite()).count();
        self.reporter.counters().samples.add(finite as u64);
        if finite == samples.len() {
            self.record_finite(samples, now_ms);
        } else {
            let samples = self.without_not_finite(samples);
            self.record_finite(&samples, now_ms);
        }
    }

    /// Returns the windows that have ended, each with the index of its pipeline.
    pub fn due(&mut self) -> Vec<(usize, Window)> {
        let now_ms = self.look();
        let pipelines = self.pipelines.iter_mut().enumerate();
        pipelines.filter_map(|(index, pipeline)| Some((index, pipeline.due(now_ms)?))).collect()
    }

    /// Exports the recorded values as the points of these windows, and opens the next windows.
    pub fn export(&mut self, ended: Vec<(usize, Window)>) {
        fault::point("resample");
        for (index, window) in ended {
            self.pipelines[index].export(window);
        }
    }

    /// Exports the last windows, complete or not, and ends all series.
    pub fn close(mut self) {
        let now_ms = self.look();
        self.pipelines.iter_mut().for_each(|pipeline| pipeline.close(now_ms));
    }

    /// Returns the time until the next window ends, at most half a second.
    pub fn time_left(&mut self) -> Duration {
        let now_ms = self.look();
        self.pipelines.iter().map(|pipeline| pipeline.time_left(now_ms)).fold(MAX_WAIT, Duration::min)
    }

    /// Returns the time of the timeline. Handles what the wall clock did since the last look.
    fn look(&mut self) -> i64 {
        let look = self.timeline.look();
        if look.went_back {
            self.pipelines.iter_mut().for_each(DestinationPipeline::forget_gauge_times);
        }
        if let Some(change) = look.change {
            self.reporter.log(clock_warning(change));
            if let Change::Followed(step_ms @ ..0) = change {
                self.opened_ms += step_ms;
                self.pipelines.iter_mut().for_each(|pipeline| pipeline.set_back(look.now_ms, step_ms));
            }
        }
        look.now_ms
    }

    fn record_finite(&mut self, samples: &[Sample], now_ms: i64) {
        self.pipelines.iter_mut().for_each(|pipeline| pipeline.record(samples, now_ms));
    }

    /// Returns the finite samples. Counts the others once, whatever the number of destinations, and logs the first of the run.
    #[cold]
    fn without_not_finite(&mut self, samples: &[Sample]) -> Vec<Sample> {
        let (finite, others): (Vec<Sample>, Vec<Sample>) = samples.iter().partition(|sample| sample.value.is_finite());
        self.reporter.counters().samples_not_finite.add(others.len() as u64);
        if let Some(first) = others.first()
            && !std::mem::replace(&mut self.warned_not_finite, true)
        {
            self.reporter.log(
                event(Level::Warn, "Ignoring samples that are NaN or infinite")
                    .with("value", first.value.to_string())
                    .with("series", first.series),
            );
        }
        finite
    }
}

/// Creates the line for a change of the wall clock.
fn clock_warning(change: Change) -> Event {
    let (message, step_ms) = match change {
        Change::Stepped(step_ms) => ("Wall clock stepped, continuing on the monotonic clock", step_ms),
        Change::Undone(step_ms) => ("Wall clock step was undone", step_ms),
        Change::Followed(step_ms) => ("Wall clock step lasted, following it from now on", step_ms),
    };
    event(Level::Warn, message).with("step_ms", step_ms)
}
