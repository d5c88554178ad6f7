//! Events: lines for the host's log, with fields.

use std::collections::VecDeque;

use parking_lot::Mutex;
use serde::Serialize;
use serde_json::{Map, Value};

/// The number of events that may wait for the host. Beyond it the oldest are dropped.
const MAX_EVENTS: usize = 256;

/// Severity of an event. All but the last are k6's own levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Details for debugging.
    Debug,
    /// Normal operation.
    Info,
    /// A problem that may resolve itself.
    Warn,
    /// Data is lost.
    Error,
    /// A command to the host: abort the test.
    Fatal,
}

/// A line for the log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// The severity.
    pub level: Level,
    /// A clause without a full stop.
    pub message: String,
    /// The details, by name.
    pub fields: Map<String, Value>,
}

/// Makes an event without fields.
pub fn event(level: Level, message: impl Into<String>) -> Event {
    Event { level, message: message.into(), fields: Map::new() }
}

impl Event {
    /// Adds a field.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.into(), value.into());
        self
    }

    /// The fields as a JSON object of at most `limit` bytes (at least 2). Leaves out the longest fields if they do not fit.
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

/// The events that wait for the host.
#[derive(Debug, Default)]
pub(super) struct EventQueue(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    /// The events of the start, which come before all others.
    first: VecDeque<Event>,
    events: VecDeque<Event>,
}

impl EventQueue {
    /// Adds an event, which later ones may displace.
    pub(super) fn push(&self, event: Event) {
        let events = &mut self.0.lock().events;
        if events.len() == MAX_EVENTS {
            events.pop_front();
        }
        events.push_back(event);
    }

    /// Adds an event that comes before all others, and that only more than [`MAX_EVENTS`] of its kind displace.
    pub(super) fn push_first(&self, event: Event) {
        let first = &mut self.0.lock().first;
        if first.len() == MAX_EVENTS {
            first.pop_front();
        }
        first.push_back(event);
    }

    pub(super) fn pop(&self) -> Option<Event> {
        let mut waiting = self.0.lock();
        waiting.first.pop_front().or_else(|| waiting.events.pop_front())
    }

    pub(super) fn drain(&self) -> Vec<Event> {
        let Waiting { first, events } = std::mem::take(&mut *self.0.lock());
        first.into_iter().chain(events).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_in_order_and_the_oldest_are_dropped_first() {
        let events = EventQueue::default();
        for i in 0..MAX_EVENTS + 2 {
            events.push(event(Level::Debug, i.to_string()));
        }
        assert_eq!(events.pop().map(|event| event.message), Some("2".into()));
    }

    #[test]
    fn events_of_the_start_come_first_and_are_not_displaced_by_others() {
        let events = EventQueue::default();
        events.push_first(event(Level::Warn, "first"));
        for i in 0..MAX_EVENTS + 2 {
            events.push(event(Level::Debug, i.to_string()));
        }
        events.push_first(event(Level::Warn, "second"));
        assert_eq!(events.pop().map(|event| event.message), Some("first".into()));
        let messages: Vec<_> = events.drain().into_iter().map(|event| event.message).take(2).collect();
        assert_eq!(messages, ["second", "2"]);
        (0..MAX_EVENTS + 1).for_each(|i| events.push_first(event(Level::Warn, i.to_string())));
        assert_eq!(events.drain().len(), MAX_EVENTS, "bounded");
    }

    #[test]
    fn fields_that_do_not_fit_are_left_out_whole() {
        let event = event(Level::Info, "m").with("short", 1).with("long", "x".repeat(100));
        assert_eq!(event.fields_within(30), r#"{"short":1}"#);
        assert_eq!(event.fields_within(2), "{}");
    }
}
