//! What the output tells: events for k6's log, counters, and the report at the end of the run.
//!
//! Every room of the house writes here, and nothing here knows any of them. Events are few, one for a change of state, and
//! wait until the host asks for them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::{Map, Value};

/// How many events may wait; then the oldest go.
const MAX_EVENTS: usize = 256;

/// How serious an event is: k6's own levels.
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

    /// The number now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// All that is counted.
#[derive(Debug, Default)]
pub struct Counters {
    /// Samples that were handed over and went into an accumulator.
    pub samples: Count,
    /// Samples whose value was NaN or infinite.
    pub samples_rejected: Count,
    /// Samples of series that cannot be shipped.
    pub samples_ignored: Count,
    /// Samples that came faster than they could be taken in.
    pub samples_dropped: Count,
    /// Points that the receiver has.
    pub points_delivered: Count,
    /// Points that the receiver will not take.
    pub points_refused: Count,
    /// Points that a full queue dropped.
    pub points_dropped: Count,
    /// Points that were still waiting when the time to flush was over.
    pub points_undelivered: Count,
    /// Requests, retries among them.
    pub requests: Count,
    /// Requests that had to be sent again.
    pub retries: Count,
    /// Bytes of the bodies that the receiver has, compressed.
    pub bytes_delivered: Count,
    /// The most bytes that ever waited in the queue.
    pub queue_bytes_highest: Count,
}

/// Takes events and counts from every thread.
#[derive(Debug, Default)]
pub struct Reporter {
    /// What is counted.
    pub counters: Counters,
    events: Mutex<VecDeque<Event>>,
}

impl Reporter {
    /// Queues an event for the host's log.
    pub fn log(&self, event: Event) {
        let mut events = self.lock();
        if events.len() == MAX_EVENTS {
            events.pop_front();
        }
        events.push_back(event);
    }

    /// The oldest event that has not been asked for.
    pub fn poll(&self) -> Option<Event> {
        self.lock().pop_front()
    }

    /// The report of the run that has ended.
    pub fn report(&self) -> Report {
        let counters = &self.counters;
        let mut report = Report {
            samples: counters.samples.get(),
            samples_rejected: counters.samples_rejected.get(),
            samples_ignored: counters.samples_ignored.get(),
            samples_dropped: counters.samples_dropped.get(),
            points_delivered: counters.points_delivered.get(),
            points_refused: counters.points_refused.get(),
            points_dropped: counters.points_dropped.get(),
            points_undelivered: counters.points_undelivered.get(),
            requests: counters.requests.get(),
            retries: counters.retries.get(),
            bytes_delivered: counters.bytes_delivered.get(),
            queue_bytes_highest: counters.queue_bytes_highest.get(),
            events: Vec::new(),
        };
        let summary = report.summary();
        report.events = self.lock().drain(..).chain([summary]).collect();
        report
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Event>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What came of a run. Handed to the host as JSON; the names of the fields are part of the ABI.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)] // as in `Counters`
pub struct Report {
    pub samples: u64,
    pub samples_rejected: u64,
    pub samples_ignored: u64,
    pub samples_dropped: u64,
    pub points_delivered: u64,
    pub points_refused: u64,
    pub points_dropped: u64,
    pub points_undelivered: u64,
    pub requests: u64,
    pub retries: u64,
    pub bytes_delivered: u64,
    pub queue_bytes_highest: u64,
    /// The events that had not been asked for, and last the line that sums up the run.
    pub events: Vec<Event>,
}

impl Report {
    /// One line on the run: an error if anything was lost.
    fn summary(&self) -> Event {
        let points_lost = self.points_refused + self.points_dropped + self.points_undelivered;
        let samples_lost = self.samples_rejected + self.samples_ignored + self.samples_dropped;
        let mut line = if points_lost + samples_lost == 0 {
            event(Level::Info, "All samples were shipped; read totals with last_over_time()")
        } else {
            event(Level::Error, "Not all samples were shipped")
        };
        line = line
            .with("samples", self.samples)
            .with("points", self.points_delivered)
            .with("requests", self.requests)
            .with("bytes", self.bytes_delivered)
            .with("retries", self.retries);
        for (name, count) in [
            ("samples_not_finite", self.samples_rejected),
            ("samples_of_ignored_metrics", self.samples_ignored),
            ("samples_dropped", self.samples_dropped),
            ("points_refused", self.points_refused),
            ("points_dropped_by_full_queue", self.points_dropped),
            ("points_not_delivered_in_time", self.points_undelivered),
        ] {
            if count > 0 {
                line = line.with(name, count);
            }
        }
        line
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
        reporter.counters.samples.add(7);
        reporter.log(event(Level::Warn, "before"));
        let report = reporter.report();
        assert_eq!(report.events.len(), 2);
        assert_eq!((report.events[1].level, report.events[1].fields.get("samples")), (Level::Info, Some(&7.into())));
    }

    #[test]
    fn every_kind_of_loss_is_an_error_with_its_number() {
        type Loss = fn(&Counters) -> &Count;
        let losses: [(Loss, &str); 6] = [
            (|c| &c.samples_rejected, "samples_not_finite"),
            (|c| &c.samples_ignored, "samples_of_ignored_metrics"),
            (|c| &c.samples_dropped, "samples_dropped"),
            (|c| &c.points_refused, "points_refused"),
            (|c| &c.points_dropped, "points_dropped_by_full_queue"),
            (|c| &c.points_undelivered, "points_not_delivered_in_time"),
        ];
        for (count, field) in losses {
            let reporter = Reporter::default();
            count(&reporter.counters).add(3);
            let summary = reporter.report().events.pop().expect("has a summary");
            assert_eq!((summary.level, summary.fields.get(field)), (Level::Error, Some(&3.into())), "{field}");
        }
    }
}
