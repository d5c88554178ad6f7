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
pub(super) struct EventQueue(Mutex<VecDeque<Event>>);

impl EventQueue {
    pub(super) fn push(&self, event: Event) {
        let mut events = self.0.lock();
        if events.len() == MAX_EVENTS {
            events.pop_front();
        }
        events.push_back(event);
    }

    pub(super) fn pop(&self) -> Option<Event> {
        self.0.lock().pop_front()
    }

    pub(super) fn drain(&self) -> Vec<Event> {
        self.0.lock().drain(..).collect()
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
    fn fields_that_do_not_fit_are_left_out_whole() {
        let event = event(Level::Info, "m").with("short", 1).with("long", "x".repeat(100));
        assert_eq!(event.fields_within(30), r#"{"short":1}"#);
        assert_eq!(event.fields_within(2), "{}");
    }
}
