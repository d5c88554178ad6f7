//! Reporters: the handles by which events and counts come from every thread.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use once_cell::sync::OnceCell;
use parking_lot::Mutex;

use super::counters::{Counters, OutputCounters};
use super::event::{Event, EventQueue, Level, event};
use super::summary::{DestinationReport, Report};
use crate::panics::Panic;

/// The number of request durations that are kept until [`DestinationReporter::take_durations`]. Beyond it the oldest are dropped.
const MAX_DURATIONS: usize = 10_000;

/// Collects events and counts of an output. All methods may be called from any thread.
#[derive(Debug, Default)]
pub struct Reporter {
    output: Arc<OutputReporter>,
    destinations: Mutex<Vec<Arc<DestinationReporter>>>,
}

/// The part of a [`Reporter`] that its destinations share.
#[derive(Debug, Default)]
struct OutputReporter {
    counters: OutputCounters,
    events: EventQueue,
    panicked: Mutex<HashSet<&'static str>>,
}

/// Collects events and counts of one destination.
#[derive(Debug)]
pub struct DestinationReporter {
    /// Counters of this destination.
    pub counters: Counters,
    url: String,
    test_run_id: OnceCell<String>,
    durations: Mutex<VecDeque<Duration>>,
    output: Arc<OutputReporter>,
}

impl OutputReporter {
    fn panicked(&self, component: &'static str, panic: &Panic) {
        self.counters.panics.add(1);
        if self.panicked.lock().insert(component) {
            self.events.push(
                event(Level::Error, "Internal error, k6 continues without the affected samples; please report this")
                    .with("component", component)
                    .with("error", &*panic.message)
                    .with("location", &*panic.location),
            );
        }
    }
}

impl Reporter {
    /// Adds a destination. `url` must be without secrets.
    pub fn destination(&self, url: impl Into<String>) -> Arc<DestinationReporter> {
        let reporter = Arc::new(DestinationReporter {
            counters: Counters::default(),
            url: url.into(),
            test_run_id: OnceCell::new(),
            durations: Mutex::default(),
            output: Arc::clone(&self.output),
        });
        self.destinations.lock().push(Arc::clone(&reporter));
        reporter
    }

    /// Counters of the whole output.
    pub fn counters(&self) -> &OutputCounters {
        &self.output.counters
    }

    /// Queues an event for the host's log.
    pub fn log(&self, event: Event) {
        self.output.events.push(event);
    }

    /// Queues an event of the start, such as a warning of the configuration. It comes before all others and stays until it is
    /// polled, however many follow.
    pub fn log_first(&self, event: Event) {
        self.output.events.push_first(event);
    }

    /// Counts a panic. The first one of each component is logged.
    pub fn panicked(&self, component: &'static str, panic: &Panic) {
        self.output.panicked(component, panic);
    }

    /// Takes the oldest event.
    pub fn poll(&self) -> Option<Event> {
        self.output.events.pop()
    }

    /// The report as JSON. Takes all events.
    pub fn report(&self) -> String {
        let destinations = self.destinations.lock();
        let reports = destinations.iter().map(|destination| destination.report()).collect();
        let report = Report::new(&self.output.counters, reports, self.output.events.drain());
        serde_json::to_string(&report).unwrap_or_else(|error| error.to_string())
    }
}

impl DestinationReporter {
    /// The URL, without secrets.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Queues an event for the host's log, with the destination's URL.
    pub fn log(&self, event: Event) {
        self.output.events.push(event.with("url", &*self.url));
    }

    /// Counts a panic. The first one of each component is logged.
    pub fn panicked(&self, component: &'static str, panic: &Panic) {
        self.output.panicked(component, panic);
    }

    /// Records the duration of a request, whatever its outcome.
    pub fn note_duration(&self, duration: Duration) {
        self.counters.sent_batch_duration_max_ms.raise(duration.as_millis() as u64);
        let mut durations = self.durations.lock();
        if durations.len() == MAX_DURATIONS {
            durations.pop_front();
        }
        durations.push_back(duration);
    }

    /// Takes the durations of the requests since the last call.
    pub fn take_durations(&self) -> VecDeque<Duration> {
        std::mem::take(&mut self.durations.lock())
    }

    /// The duration of the last request, unless it was taken.
    pub fn last_duration(&self) -> Option<Duration> {
        self.durations.lock().back().copied()
    }

    /// Records the label `test_run_id` of all series, for the report, and logs it.
    pub fn note_test_run_id(&self, id: &str) {
        self.log(event(Level::Info, "All series have the label test_run_id").with("test_run_id", id));
        // Called once, when the destination starts.
        let _ = self.test_run_id.set(id.into());
    }

    fn report(&self) -> DestinationReport {
        DestinationReport::new(&self.url, self.test_run_id.get().map(String::as_str), &self.counters)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn report(reporter: &Reporter) -> Value {
        serde_json::from_str(&reporter.report()).expect("JSON")
    }

    fn panic_in(reporter: &Reporter, component: &'static str) {
        reporter.panicked(component, &Panic { message: "index out of bounds".into(), location: "src/x.rs:1:2".into() });
    }

    #[test]
    fn the_report_has_the_events_that_were_not_polled_and_then_the_summary() {
        let reporter = Reporter::default();
        let destination = reporter.destination("http://host/w");
        destination.log(event(Level::Warn, "before"));
        let report = report(&reporter);
        assert_eq!(report["events"].as_array().map(Vec::len), Some(2));
        assert_eq!(report["events"][0]["fields"]["url"], "http://host/w");
        assert_eq!(report["events"][1]["level"], "info");
    }

    #[test]
    fn a_panic_is_logged_once_for_each_component_with_its_location() {
        let reporter = Reporter::default();
        for component in ["sender", "sender", "call", "sender"] {
            panic_in(&reporter, component);
        }
        let lines: Vec<_> = std::iter::from_fn(|| reporter.poll()).collect();
        let components: Vec<_> = lines.iter().map(|line| line.fields["component"].clone()).collect();
        assert_eq!(components, ["sender", "call"]);
        assert!(lines.iter().all(|line| line.level == Level::Error && line.fields["location"] == "src/x.rs:1:2"));
        assert_eq!(report(&reporter)["panics"], 4);
    }

    #[test]
    fn durations_are_taken_once_and_their_number_is_bounded() {
        let destination = Reporter::default().destination("http://host/w");
        for ms in 0..MAX_DURATIONS as u64 + 2 {
            destination.note_duration(Duration::from_millis(ms));
        }
        let durations = destination.take_durations();
        assert_eq!((durations.len(), durations.front()), (MAX_DURATIONS, Some(&Duration::from_millis(2))));
        assert!(destination.take_durations().is_empty());
        assert_eq!(destination.counters.sent_batch_duration_max_ms.get(), MAX_DURATIONS as u64 + 1);
    }

    #[test]
    fn each_destination_has_its_own_summary() {
        let reporter = Reporter::default();
        let (lossy, _whole) = (reporter.destination("http://a/w"), reporter.destination("http://b/w"));
        lossy.counters.points_failed.add(1);
        let report = report(&reporter);
        let line = |index: usize| (&report["events"][index]["level"], &report["events"][index]["fields"]["url"]);
        assert_eq!(
            [line(0), line(1)],
            [(&"error".into(), &"http://a/w".into()), (&"info".into(), &"http://b/w".into())]
        );
    }
}
