//! One line of the result: a subject, what was found, and what to do about it.

use serde::Serialize;
use serde_json::{Map, Value};

/// What a finding means for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// As a run needs it.
    Ok,
    /// Of interest, and no matter for a run.
    Info,
    /// A run works, but should be changed.
    Warning,
    /// A run does not work.
    Failed,
}

/// One finding. All text is without secrets, and on one line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Finding {
    /// What was looked at, such as `protocol`.
    pub subject: &'static str,
    pub state: State,
    /// What was found.
    pub text: String,
    /// What a person can do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The same for programs.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub details: Map<String, Value>,
}

impl Finding {
    pub fn new(subject: &'static str, state: State, text: impl Into<String>) -> Self {
        Self { subject, state, text: text.into(), hint: None, details: Map::new() }
    }

    pub fn with_hint(self, hint: impl Into<Option<String>>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.into(), value.into());
        self
    }
}
