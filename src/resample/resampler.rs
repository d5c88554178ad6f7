//! The resampler: hands samples to the pipeline of each destination, and closes their windows on the clock.

use std::sync::Arc;
use std::time::Duration;

use super::metadata::SamplesWithMetadata;
use super::pipeline::DestinationPipeline;
use super::registrar::NewId;
use super::sample_kind::SampleKinds;
use super::test_start::TestStart;
use super::value_filter::{ValueFilter, is_accepted};
use crate::fault;
use crate::k6::Sample;
use crate::report::{Event, Level, Reporter, event};
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
    kinds: SampleKinds,
    test_start: TestStart,
    filter: ValueFilter,
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
            kinds: SampleKinds::default(),
            test_start: TestStart::default(),
            filter: ValueFilter::default(),
            warned_not_finite: false,
            reporter,
        }
    }

    /// Adds the next id. Ids count these calls, from 1 on.
    pub fn add(&mut self, id: NewId) {
        self.kinds.add(id.kind);
        for (pipeline, (selection, additions)) in self.pipelines.iter_mut().zip(id.destinations) {
            pipeline.add(&selection, additions);
        }
    }

    /// Records samples in the open windows. Samples that are NaN or infinite and not of a gauge are counted and ignored.
    ///
    /// Allocates nothing once the spread of a series' values is known.
    pub fn record(&mut self, samples: &[Sample]) {
        let now_ms = self.look();
        if let Some(started_ms) = self.test_start.detect(samples, &self.kinds, self.opened_ms, now_ms) {
            self.pipelines.iter_mut().for_each(|pipeline| pipeline.note_test_start(started_ms));
        }
        let accepted = self.filter.accepted(samples, &self.kinds);
        // Once, whatever the number of destinations.
        let not_finite = samples.len() - accepted.len();
        self.reporter.counters().samples.add(accepted.len() as u64);
        self.reporter.counters().samples_not_finite.add(not_finite as u64);
        self.pipelines.iter_mut().for_each(|pipeline| pipeline.record(accepted, now_ms));
        if not_finite > 0 && !self.warned_not_finite {
            self.warn_not_finite(samples);
        }
    }

    /// Chooses exemplars among samples that are recorded in the open windows, too.
    pub fn record_metadata(&mut self, samples: &SamplesWithMetadata) {
        let now_ms = self.look();
        self.pipelines.iter_mut().for_each(|pipeline| pipeline.record_metadata(samples, now_ms));
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

    /// Logs the first sample of the run that is not accepted.
    #[cold]
    fn warn_not_finite(&mut self, samples: &[Sample]) {
        self.warned_not_finite = true;
        let Some(first) = samples.iter().find(|sample| !is_accepted(sample, &self.kinds)) else { return };
        let warning =
            event(Level::Warn, "Ignoring samples that are NaN or infinite").with("value", first.value.to_string());
        let series = self.pipelines.iter().find_map(|pipeline| pipeline.describe(first));
        self.reporter.log(match series {
            Some(series) => warning.with("series", series),
            // No destination has it.
            None => warning,
        });
    }
}

/// Creates the line for a change of the wall clock.
fn clock_warning(change: Change) -> Event {
    let (message, step_ms) = match change {
        Change::Stepped(step_ms) => ("Wall clock stepped, continuing on the monotonic clock", step_ms),
        Change::Undone(step_ms) => ("Wall clock step was undone", step_ms),
        Change::Slowed(step_ms) => {
            ("Wall clock step lasted, slowing down the time of the points until it has caught up", step_ms)
        }
        Change::Followed(step_ms) => ("Wall clock step lasted, following it from now on", step_ms),
    };
    event(Level::Warn, message).with("step_ms", step_ms)
}
