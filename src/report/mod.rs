//! What the output tells: events for k6's log, counters, and the report at the end of the run.
//!
//! Every room of the pipeline writes here, and nothing here knows any of them. Events are few, one for a change of state, and
//! wait until the host asks for them.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::panics::Panic;

/// How many events may wait; then the oldest go.
const MAX_EVENTS: usize = 256;

/// How many latencies are kept for whoever asks for them; then the oldest go.
const MAX_LATENCIES: usize = 10_000;

/// How serious an event is: k6's own levels, and one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[repr(u32)]
pub enum Level {
    /// For those who look for it.
    Debug = 0,
    /// Good to know.
    Info = 1,
    /// May heal by itself.
    Warn = 2,
    /// Something is lost.
    Error = 3,
    /// So much is wrong that the test is to stop.
    Fatal = 4,
}

/// One line for the log, with fields.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// How serious it is.
    pub level: Level,
    /// One sentence.
    pub message: String,
    /// What it is about, by name.
    pub fields: Map<String, Value>,
}

/// An event without fields.
pub fn event(level: Level, message: impl Into<String>) -> Event {
    Event { level, message: message.into(), fields: Map::new() }
}

impl Event {
    /// The event with one more field.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.into(), value.into());
        self
    }

    /// The fields as a JSON object of at most `limit` bytes (at least 2): what does not fit is left out whole.
    pub fn fields_within(&self, limit: usize) -> String {
        let mut fields = self.fields.clone();
        loop {
            let json = Value::Object(fields.clone()).to_string();
            if json.len() <= limit {
                return json;
            }
            let Some(longest) = fields.iter().max_by_key(|(_, value)| value.to_string().len()) else { return json };
            let name = longest.0.clone();
            fields.remove(&name);
        }
    }
}

/// A number that any thread may add to.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Adds `by`.
    pub fn add(&self, by: u64) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }

    /// Sets it to `to` if that is more.
    pub fn raise(&self, to: u64) {
        self.0.fetch_max(to, Ordering::Relaxed);
    }

    /// Sets it, for what may fall too.
    pub fn set(&self, to: u64) {
        self.0.store(to, Ordering::Relaxed);
    }

    /// The number now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What became of the samples that were handed over, whatever the destinations.
#[derive(Debug, Default)]
pub struct SampleCounters {
    /// Samples that went into the windows.
    pub taken: Count,
    /// Samples whose value was NaN or infinite.
    pub rejected: Count,
    /// Samples that came faster than they could be taken in.
    pub dropped: Count,
}

/// All that is counted for one destination.
#[derive(Debug, Default)]
pub struct Counters {
    /// Samples that went into this destination's windows.
    pub samples_taken: Count,
    /// Samples of series that cannot be shipped.
    pub samples_ignored: Count,
    /// Samples of series over the limit.
    pub samples_over_limit: Count,
    /// k6 series that are not shipped, as there would be too many.
    pub series_over_limit: Count,
    /// Points that were handed over for sending. Each ends in one of the next five.
    pub points_made: Count,
    /// Points that the receiver has.
    pub points_delivered: Count,
    /// Points that the receiver will not take.
    pub points_refused: Count,
    /// Points that a full queue dropped.
    pub points_dropped: Count,
    /// Points that were still waiting when the time to flush was over, and are in a file.
    pub points_saved: Count,
    /// Points that were still waiting then, and are lost.
    pub points_undelivered: Count,
    /// Points that were sent again, each time.
    pub points_retried: Count,
    /// Points that wait in the queue.
    pub points_pending: Count,
    /// Requests, retries among them.
    pub requests: Count,
    /// Requests that had to be sent again.
    pub retries: Count,
    /// Bytes of the bodies that the receiver has, compressed.
    pub bytes_delivered: Count,
    /// The bytes that wait in the queue.
    pub queue_bytes: Count,
    /// The most bytes that ever waited in the queue.
    pub queue_bytes_highest: Count,
    /// The longest that a request took, in milliseconds.
    pub latency_highest_ms: Count,
}

impl Counters {
    /// Points of which nothing has been counted yet but that they were made.
    pub fn points_open(&self) -> u64 {
        let ends = [
            &self.points_delivered,
            &self.points_refused,
            &self.points_dropped,
            &self.points_saved,
            &self.points_undelivered,
        ];
        self.points_made.get().saturating_sub(ends.iter().map(|end| end.get()).sum())
    }
}

/// Takes events and counts from every thread.
#[derive(Debug, Default)]
pub struct Reporter {
    /// What became of the samples.
    pub samples: SampleCounters,
    events: Arc<Events>,
    destinations: Mutex<Vec<Arc<DestinationReporter>>>,
}

/// Takes what is about one destination.
#[derive(Debug)]
pub struct DestinationReporter {
    /// What is counted.
    pub counters: Counters,
    url: String,
    test_run_id: OnceLock<String>,
    events: Arc<Events>,
    latencies: Mutex<VecDeque<Duration>>,
}

/// What happened that counters do not say.
#[derive(Debug, Default)]
struct Events {
    /// Nobody has asked for them yet.
    waiting: Mutex<VecDeque<Event>>,
    /// By the part of the library that panicked.
    panics: Mutex<HashMap<&'static str, u64>>,
}

impl Events {
    fn push(&self, event: Event) {
        let mut waiting = lock(&self.waiting);
        if waiting.len() == MAX_EVENTS {
            waiting.pop_front();
        }
        waiting.push_back(event);
    }

    fn panicked(&self, component: &'static str, panic: &Panic) {
        let mut panics = lock(&self.panics);
        let count = panics.entry(component).or_default();
        *count += 1;
        if *count == 1 {
            self.push(
                event(
                    Level::Error,
                    "A part of the library failed: what it held is lost, k6 goes on. Please report this",
                )
                .with("component", component)
                .with("error", &*panic.message)
                .with("location", &*panic.location),
            );
        }
    }
}

impl Reporter {
    /// A reporter for what is about the destination with this URL, which must be without secrets.
    pub fn destination(&self, url: impl Into<String>) -> Arc<DestinationReporter> {
        let events = Arc::clone(&self.events);
        let reporter = Arc::new(DestinationReporter {
            counters: Counters::default(),
            url: url.into(),
            test_run_id: OnceLock::new(),
            events,
            latencies: Mutex::default(),
        });
        lock(&self.destinations).push(Arc::clone(&reporter));
        reporter
    }

    /// Queues an event for the host's log.
    pub fn log(&self, event: Event) {
        self.events.push(event);
    }

    /// Takes down that a part of the library panicked. The first panic of each part is logged, all are counted.
    pub fn panicked(&self, component: &'static str, panic: &Panic) {
        self.events.panicked(component, panic);
    }

    /// The oldest event that has not been asked for.
    pub fn poll(&self) -> Option<Event> {
        lock(&self.events.waiting).pop_front()
    }

    /// The report of the run that has ended.
    pub fn report(&self) -> Report {
        let destinations: Vec<_> = lock(&self.destinations).iter().map(|destination| destination.report()).collect();
        let mut report = Report {
            samples: self.samples.taken.get(),
            samples_rejected: self.samples.rejected.get(),
            samples_dropped: self.samples.dropped.get(),
            panics: lock(&self.events.panics).values().sum(),
            destinations,
            events: lock(&self.events.waiting).drain(..).collect(),
        };
        let summaries: Vec<_> = report.destinations.iter().map(|destination| report.summary(destination)).collect();
        report.events.extend(summaries);
        report
    }
}

impl DestinationReporter {
    /// The destination's URL, without secrets.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Queues an event for the host's log. It gets the destination's URL.
    pub fn log(&self, event: Event) {
        self.events.push(event.with("url", &*self.url));
    }

    /// As [`Reporter::panicked`].
    pub fn panicked(&self, component: &'static str, panic: &Panic) {
        self.events.panicked(component, panic);
    }

    /// Notes how long a request took, whatever came of it.
    pub fn note_latency(&self, latency: Duration) {
        self.counters.latency_highest_ms.raise(latency.as_millis() as u64);
        let mut latencies = lock(&self.latencies);
        if latencies.len() == MAX_LATENCIES {
            latencies.pop_front();
        }
        latencies.push_back(latency);
    }

    /// What requests took since the last call.
    pub fn take_latencies(&self) -> VecDeque<Duration> {
        std::mem::take(&mut lock(&self.latencies))
    }

    /// Notes the id that all series of this destination carry, and tells it: the way to this run's series.
    pub fn note_test_run_id(&self, id: &str) {
        self.log(event(Level::Info, "All series carry the id of this run").with("test_run_id", id));
        // Set once, when the destination starts.
        let _ = self.test_run_id.set(id.into());
    }

    fn report(&self) -> DestinationReport {
        let counters = &self.counters;
        DestinationReport {
            url: self.url.clone(),
            test_run_id: self.test_run_id.get().cloned(),
            samples_taken: counters.samples_taken.get(),
            samples_ignored: counters.samples_ignored.get(),
            samples_over_limit: counters.samples_over_limit.get(),
            series_over_limit: counters.series_over_limit.get(),
            points_made: counters.points_made.get(),
            points_delivered: counters.points_delivered.get(),
            points_refused: counters.points_refused.get(),
            points_dropped: counters.points_dropped.get(),
            points_saved: counters.points_saved.get(),
            points_undelivered: counters.points_undelivered.get(),
            requests: counters.requests.get(),
            retries: counters.retries.get(),
            bytes_delivered: counters.bytes_delivered.get(),
            queue_bytes_highest: counters.queue_bytes_highest.get(),
            latency_highest_ms: counters.latency_highest_ms.get(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while a lock is held; if it ever does, what is behind it is still whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What came of a run. Handed to the host as JSON; the names of the fields are part of the ABI.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)] // as in `SampleCounters`
pub struct Report {
    pub samples: u64,
    pub samples_rejected: u64,
    pub samples_dropped: u64,
    pub panics: u64,
    pub destinations: Vec<DestinationReport>,
    /// The events that had not been asked for, and last a line for each destination that sums up the run.
    pub events: Vec<Event>,
}

/// What came of a run at one destination.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)] // as in `Counters`
pub struct DestinationReport {
    pub url: String,
    /// The id that all its series carry, if they do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_run_id: Option<String>,
    pub samples_taken: u64,
    pub samples_ignored: u64,
    pub samples_over_limit: u64,
    pub series_over_limit: u64,
    pub points_made: u64,
    pub points_delivered: u64,
    pub points_refused: u64,
    pub points_dropped: u64,
    pub points_saved: u64,
    pub points_undelivered: u64,
    pub requests: u64,
    pub retries: u64,
    pub bytes_delivered: u64,
    pub queue_bytes_highest: u64,
    pub latency_highest_ms: u64,
}

impl Report {
    /// One line on the run at one destination: an error if anything was lost.
    fn summary(&self, destination: &DestinationReport) -> Event {
        let losses = [
            ("samples_not_finite", self.samples_rejected),
            ("samples_of_ignored_metrics", destination.samples_ignored),
            ("series_over_max_series", destination.series_over_limit),
            ("samples_over_max_series", destination.samples_over_limit),
            ("samples_dropped", self.samples_dropped),
            ("panics", self.panics),
            ("points_refused", destination.points_refused),
            ("points_dropped_by_full_queue", destination.points_dropped),
            ("points_saved_to_file", destination.points_saved),
            ("points_not_delivered_in_time", destination.points_undelivered),
        ];
        let line = if losses.iter().all(|&(_, count)| count == 0) {
            event(Level::Info, "All samples were shipped; read totals with last_over_time()")
        } else {
            event(Level::Error, "Not all samples were shipped")
        };
        let line = line
            .with("url", &*destination.url)
            .with("samples", self.samples)
            .with("points", destination.points_made)
            .with("points_delivered", destination.points_delivered)
            .with("requests", destination.requests)
            .with("bytes", destination.bytes_delivered)
            .with("retries", destination.retries)
            .with("queue_bytes_highest", destination.queue_bytes_highest)
            .with("slowest_request_ms", destination.latency_highest_ms);
        losses.into_iter().filter(|&(_, count)| count > 0).fold(line, |line, (name, count)| line.with(name, count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_in_order_and_the_oldest_go_first() {
        let reporter = Reporter::default();
        for i in 0..MAX_EVENTS + 2 {
            reporter.log(event(Level::Debug, i.to_string()));
        }
        assert_eq!(reporter.poll().map(|event| event.message), Some("2".into()));
    }

    #[test]
    fn fields_that_do_not_fit_are_left_out_whole() {
        let event = event(Level::Info, "m").with("short", 1).with("long", "x".repeat(100));
        assert_eq!(event.fields_within(30), r#"{"short":1}"#);
        assert_eq!(event.fields_within(2), "{}");
    }

    #[test]
    fn a_run_without_loss_is_summed_up_as_information() {
        let reporter = Reporter::default();
        let destination = reporter.destination("http://host/w");
        reporter.samples.taken.add(7);
        destination.log(event(Level::Warn, "before"));
        let report = reporter.report();
        assert_eq!(report.events.len(), 2);
        assert_eq!(report.events[0].fields["url"], "http://host/w");
        assert_eq!((report.events[1].level, report.events[1].fields.get("samples")), (Level::Info, Some(&7.into())));
    }

    #[test]
    fn every_kind_of_loss_is_an_error_with_its_number() {
        type Loss = fn(&Reporter, &DestinationReporter) -> &'static str;
        let losses: [Loss; 10] = [
            |r, _| (r.samples.rejected.add(3), "samples_not_finite").1,
            |r, _| (r.samples.dropped.add(3), "samples_dropped").1,
            |r, _| ((0..3).for_each(|_| panic_in(r, "sender")), "panics").1,
            |_, d| (d.counters.samples_ignored.add(3), "samples_of_ignored_metrics").1,
            |_, d| (d.counters.series_over_limit.add(3), "series_over_max_series").1,
            |_, d| (d.counters.samples_over_limit.add(3), "samples_over_max_series").1,
            |_, d| (d.counters.points_refused.add(3), "points_refused").1,
            |_, d| (d.counters.points_dropped.add(3), "points_dropped_by_full_queue").1,
            |_, d| (d.counters.points_saved.add(3), "points_saved_to_file").1,
            |_, d| (d.counters.points_undelivered.add(3), "points_not_delivered_in_time").1,
        ];
        for lose in losses {
            let reporter = Reporter::default();
            let field = lose(&reporter, &reporter.destination("http://host/w"));
            let summary = reporter.report().events.pop().expect("has a summary");
            assert_eq!((summary.level, summary.fields.get(field)), (Level::Error, Some(&3.into())), "{field}");
        }
    }

    fn panic_in(reporter: &Reporter, component: &'static str) {
        reporter.panicked(component, &Panic { message: "index out of bounds".into(), location: "src/x.rs:1:2".into() });
    }

    #[test]
    fn a_panic_is_told_once_for_each_part_with_its_place() {
        let reporter = Reporter::default();
        for component in ["sender", "sender", "call", "sender"] {
            panic_in(&reporter, component);
        }
        let lines: Vec<_> = std::iter::from_fn(|| reporter.poll()).collect();
        let components: Vec<_> = lines.iter().map(|line| line.fields["component"].clone()).collect();
        assert_eq!(components, ["sender", "call"]);
        assert!(lines.iter().all(|line| line.level == Level::Error && line.fields["location"] == "src/x.rs:1:2"));
        assert_eq!(reporter.report().panics, 4);
    }

    #[test]
    fn latencies_are_handed_out_once_and_their_number_is_bounded() {
        let destination = Reporter::default().destination("http://host/w");
        for ms in 0..MAX_LATENCIES as u64 + 2 {
            destination.note_latency(Duration::from_millis(ms));
        }
        let latencies = destination.take_latencies();
        assert_eq!((latencies.len(), latencies.front()), (MAX_LATENCIES, Some(&Duration::from_millis(2))));
        assert!(destination.take_latencies().is_empty());
        assert_eq!(destination.counters.latency_highest_ms.get(), MAX_LATENCIES as u64 + 1);
    }

    #[test]
    fn each_destination_has_its_own_line_at_the_end() {
        let reporter = Reporter::default();
        let (lossy, _whole) = (reporter.destination("http://a/w"), reporter.destination("http://b/w"));
        lossy.counters.points_refused.add(1);
        let lines: Vec<_> = reporter.report().events.into_iter().map(|e| (e.level, e.fields["url"].clone())).collect();
        assert_eq!(lines, [(Level::Error, "http://a/w".into()), (Level::Info, "http://b/w".into())]);
    }
}
