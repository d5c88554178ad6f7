//! Health of a receiver: logs when it changes, and detects when `abortOnFailure` must stop the test.
//!
//! A change of state is one line of the log; failures that follow it are only counted.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::hint::hint;
use super::message::cause;
use super::outcome::mentions_time;
use crate::http::Response;
use crate::report::{DestinationReporter, Event, Level, event};

/// The hint where a receiver rejects points of an earlier run because of their time.
const OF_EARLIER_RUN: &str = "the receiver has later samples of these series, or finds these too old";

/// Number of causes of rejections that are logged: a bound for a receiver whose messages all differ.
const MAX_LOGGED_CAUSES: usize = 20;

/// Number of rejected series of one cause that are logged.
const MAX_LOGGED_SERIES: usize = 3;

/// Health of one receiver.
pub(super) struct Health {
    /// Description of the credentials that are sent.
    credentials: &'static str,
    /// Time without a success after which the test must stop.
    abort_after: Option<Duration>,
    /// True if the points are those of an earlier run.
    of_earlier_run: bool,
    /// Start of the current row of requests that have to be retried.
    failing_since: Option<Instant>,
    /// Start of the current time without a success, whatever the reason.
    without_success_since: Option<Instant>,
    abort_requested: bool,
    /// Status and cause of the rejections that were logged.
    logged_causes: HashSet<(Option<u16>, String)>,
    /// Number of rejected series of each cause.
    logged_series: HashMap<(Option<u16>, String), usize>,
    logged_exemplars: bool,
    reporter: Arc<DestinationReporter>,
}

/// Request to abort the test: no write has succeeded for longer than `abortOnFailure`.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Abort {
    /// Time since the last success.
    pub(super) without_success: Duration,
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
            of_earlier_run: false,
            failing_since: None,
            without_success_since: None,
            abort_requested: false,
            logged_causes: HashSet::new(),
            logged_series: HashMap::new(),
            logged_exemplars: false,
            reporter,
        }
    }

    /// Hints are for points of an earlier run from now on.
    pub(super) fn set_of_earlier_run(&mut self) {
        self.of_earlier_run = true;
    }

    /// Records that a request was accepted.
    pub(super) fn record_success(&mut self) {
        self.without_success_since = None;
        self.record_reachable();
    }

    /// Records that a request has to be retried. Logs the first one of a row. Returns [`Abort`], once, if it is due.
    #[must_use]
    pub(super) fn record_failure(&mut self, response: &Response) -> Option<Abort> {
        if self.failing_since.is_none() {
            self.failing_since = Some(Instant::now());
            self.log(event(Level::Warn, "Failed to send batch, retrying"), response);
        }
        self.without_success_since.get_or_insert_with(Instant::now);
        self.due_abort()
    }

    /// Records that `points` points were rejected. Logs each cause once. Returns [`Abort`], once, if it is due.
    #[must_use]
    pub(super) fn record_rejection(&mut self, response: &Response, points: u64) -> Option<Abort> {
        self.record_reachable();
        if self.is_new_cause(response) {
            self.log(event(Level::Error, "Receiver rejected points, not retrying").with("points", points), response);
        }
        self.without_success_since.get_or_insert_with(Instant::now);
        self.due_abort()
    }

    /// Records that a request was rejected in part. What was stored is a success.
    pub(super) fn record_partial(&mut self, response: &Response, written: usize, rejected: usize) {
        self.record_success();
        if self.is_new_cause(response) {
            let line = event(Level::Error, "Receiver stored only part of a request, not retrying the rest");
            self.log(line.with("points_written", written).with("points", rejected), response);
        }
    }

    /// Records that the receiver rejects all points of `series` though it accepts others. Logs some of each cause.
    pub(super) fn record_rejected_series(&mut self, response: &Response, series: &str) {
        self.record_reachable();
        // Points that were rejected with others, by the same cause, are no other state.
        let is_new = self.is_new_cause(response);
        let key = (response.status, cause(&response.message));
        if !self.logged_causes.contains(&key) {
            return;
        }
        let logged = self.logged_series.entry(key.clone()).or_default();
        *logged += 1;
        if is_new || *logged <= MAX_LOGGED_SERIES && self.logged_causes.contains(&key) {
            let line = event(Level::Error, "Receiver rejects a series, dropping its points").with("series", series);
            self.log(line, response);
        }
    }

    /// Records that the receiver rejects all native histograms though it accepts floats.
    pub(super) fn record_rejected_histograms(&mut self, response: &Response) {
        self.record_reachable();
        self.log(event(Level::Error, "Receiver rejects native histograms, dropping them"), response);
    }

    fn is_new_cause(&mut self, response: &Response) -> bool {
        let cause = (response.status, cause(&response.message));
        self.logged_causes.len() < MAX_LOGGED_CAUSES && self.logged_causes.insert(cause)
    }

    /// Records that the receiver accepted points without their exemplars, which it had rejected with them. Logs it once.
    pub(super) fn record_rejected_exemplars(&mut self, response: &Response) {
        if !std::mem::replace(&mut self.logged_exemplars, true) {
            // No hint: those are about points.
            let line = event(Level::Warn, "Receiver rejected exemplars, sending their points without them");
            self.reporter.log(with_response(line, response));
        }
    }

    fn record_reachable(&mut self) {
        if let Some(since) = self.failing_since.take() {
            let seconds = (since.elapsed().as_secs_f64() * 10.0).round() / 10.0;
            self.reporter.log(event(Level::Info, "Receiver is reachable again").with("duration_seconds", seconds));
        }
    }

    /// Returns [`Abort`], once, if the time without a success is longer than `abortOnFailure`.
    #[must_use]
    pub(super) fn due_abort(&mut self) -> Option<Abort> {
        let without_success = self.without_success_since?.elapsed();
        let due = self.abort_after.is_some_and(|limit| without_success >= limit);
        if due && !std::mem::replace(&mut self.abort_requested, true) { Some(Abort { without_success }) } else { None }
    }

    /// Logs an event with status, error and hint of a response.
    fn log(&self, line: Event, response: &Response) {
        let mut line = with_response(line, response);
        let by_time = self.of_earlier_run && mentions_time(&response.message);
        if let Some(hint) = if by_time { Some(OF_EARLIER_RUN.into()) } else { hint(response, self.credentials) } {
            line = line.with("hint", hint);
        }
        self.reporter.log(line);
    }
}

/// Adds status and error of a response.
fn with_response(mut line: Event, response: &Response) -> Event {
    if let Some(status) = response.status {
        line = line.with("status", status);
    }
    if !response.message.is_empty() {
        line = line.with("error", response.message.as_str());
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Reporter;

    fn health(abort_after: Option<Duration>) -> (Health, Reporter) {
        let reporter = Reporter::default();
        let health = Health::new("no credentials", abort_after, reporter.destination("http://host/w"));
        (health, reporter)
    }

    fn status(status: u16) -> Response {
        Response { status: Some(status), ..Response::default() }
    }

    #[test]
    fn an_abort_is_requested_once_and_whatever_the_failure() {
        let (mut health, _reporter) = health(Some(Duration::ZERO));
        assert!(health.record_failure(&status(503)).is_some());
        assert!(health.record_failure(&status(503)).is_none());
        let (mut health, _reporter) = self::health(Some(Duration::ZERO));
        assert!(health.record_rejection(&status(400), 1).is_some());
        let (mut health, _reporter) = self::health(None);
        assert!(health.record_failure(&status(503)).is_none());
    }

    #[test]
    fn a_success_restarts_the_time_until_the_abort() {
        let (mut health, _reporter) = health(Some(Duration::from_secs(1)));
        assert!(health.record_failure(&status(503)).is_none());
        health.without_success_since = Instant::now().checked_sub(Duration::from_secs(2));
        health.record_success();
        assert!(health.record_failure(&status(503)).is_none());
        health.without_success_since = Instant::now().checked_sub(Duration::from_secs(2));
        assert!(health.record_failure(&status(503)).is_some_and(|abort| abort.without_success.as_secs() >= 2));
    }

    #[test]
    fn a_change_of_state_is_logged_once() {
        let (mut health, reporter) = health(None);
        for _ in 0..2 {
            assert_eq!(health.record_failure(&status(503)), None);
        }
        health.record_success();
        health.record_success();
        let messages: Vec<_> = std::iter::from_fn(|| reporter.poll()).map(|event| event.message).collect();
        assert_eq!(messages, ["Failed to send batch, retrying", "Receiver is reachable again"]);
    }

    #[test]
    fn messages_with_other_values_are_no_other_cause() {
        let (mut health, reporter) = health(None);
        let messages = ["too old: 17, {a=\"b\"}", "too old: 19, {a=\"c\"}", "out of order: 17"];
        for message in messages {
            assert_eq!(health.record_rejection(&Response { message: message.into(), ..status(400) }, 1), None);
        }
        assert_eq!(health.record_rejection(&Response { message: messages[0].into(), ..status(422) }, 1), None);
        let logged: Vec<_> =
            std::iter::from_fn(|| reporter.poll()).map(|event| event.fields["error"].clone()).collect();
        assert_eq!(logged, [messages[0], messages[2], messages[0]]);
    }

    #[test]
    fn the_number_of_logged_causes_is_bounded() {
        let (mut health, reporter) = health(None);
        for letters in 0..MAX_LOGGED_CAUSES + 5 {
            let response = Response { message: "x".repeat(letters), ..status(400) };
            for _ in 0..2 {
                assert_eq!(health.record_rejection(&response, 1), None);
            }
        }
        assert_eq!(std::iter::from_fn(|| reporter.poll()).count(), MAX_LOGGED_CAUSES);
    }
}
