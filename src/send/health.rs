//! What the log hears of delivery: one line for a change of state, not for each failure.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::hint::hint;
use crate::http::Response;
use crate::report::{DestinationReporter, Event, Level, event};

/// How many causes of refusals are told apart; a receiver that finds new words every time is logged no further.
const MAX_REFUSALS: usize = 20;

/// How a destination fares.
pub(super) struct Health {
    /// Which credentials are sent.
    credentials: &'static str,
    /// After how long without a success the test is to stop.
    abort_after: Option<Duration>,
    /// Since when requests have to be sent again, while that is so.
    failing_since: Option<Instant>,
    /// Since when nothing gets through, for whatever reason, while that is so.
    blocked_since: Option<Instant>,
    aborted: bool,
    /// The refusals that have been logged: one line a cause.
    refusals: HashSet<(Option<u16>, String)>,
    reporter: Arc<DestinationReporter>,
}

impl Health {
    pub(super) fn new(
        credentials: &'static str,
        abort_after: Option<Duration>,
        reporter: Arc<DestinationReporter>,
    ) -> Self {
        Self {
            credentials,
            abort_after,
            failing_since: None,
            blocked_since: None,
            aborted: false,
            refusals: HashSet::new(),
            reporter,
        }
    }

    /// A request was taken.
    pub(super) fn note_success(&mut self) {
        self.blocked_since = None;
        self.note_answer();
    }

    /// A request has to be sent again. The first of a row is logged, the others are counted.
    pub(super) fn note_failure(&mut self, response: &Response) {
        if self.failing_since.is_none() {
            self.failing_since = Some(Instant::now());
            self.log_reply(
                Level::Warn,
                "The receiver does not take what is sent: it waits in the queue, is tried again, and k6 goes on",
                response,
            );
        }
        self.note_blocked();
    }

    /// Points were refused for good.
    pub(super) fn note_refusal(&mut self, response: &Response, points: u64) {
        self.note_answer();
        let cause = (response.status, response.message.clone());
        if self.refusals.len() < MAX_REFUSALS && self.refusals.insert(cause) {
            let message = if response.written.is_some() {
                "The receiver wrote only a part of what was sent: the rest is lost"
            } else {
                "The receiver refused points for good: they are lost"
            };
            let line = self.with_reply(event(Level::Error, message), response);
            self.reporter.log(line.with("points", points));
        }
        self.note_blocked();
    }

    fn note_answer(&mut self) {
        if let Some(since) = self.failing_since.take() {
            let seconds = (since.elapsed().as_secs_f64() * 10.0).round() / 10.0;
            self.reporter.log(event(Level::Info, "The receiver answers again").with("duration_seconds", seconds));
        }
    }

    fn note_blocked(&mut self) {
        let since = *self.blocked_since.get_or_insert_with(Instant::now);
        if self.abort_after.is_some_and(|limit| since.elapsed() >= limit) && !std::mem::replace(&mut self.aborted, true)
        {
            let seconds = since.elapsed().as_secs_f64().round();
            self.reporter.log(
                event(Level::Fatal, "Metrics do not get through, so the test is stopped, as abortOnFailure asks")
                    .with("duration_seconds", seconds),
            );
        }
    }

    fn log_reply(&self, level: Level, message: &str, response: &Response) {
        let line = self.with_reply(event(level, message), response);
        self.reporter.log(line);
    }

    fn with_reply(&self, mut line: Event, response: &Response) -> Event {
        if let Some(status) = response.status {
            line = line.with("status", status);
        }
        if !response.message.is_empty() {
            line = line.with("error", response.message.as_str());
        }
        match hint(response, self.credentials) {
            Some(hint) => line.with("hint", hint),
            None => line,
        }
    }
}
