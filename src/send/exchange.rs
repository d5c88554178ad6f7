//! One request, from its attempts to a final response, in the protocol version that the receiver supports.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::backoff::Backoff;
use super::exemplar_policy::{count, without};
use super::negotiation::SendPermit;
use super::outcome::{Outcome, mentions_absence};
use super::sender::Sender;
use crate::fault;
use crate::http::Response;
use crate::wire::{Encoded, Metric, Point, Protocol};

/// Failures from which on, and the time after which, a request that could be smaller is not simply retried: the receiver may
/// fail because of what is in it.
const PERSISTENT_FAILURES: u32 = 5;
const PERSISTENT_AFTER: Duration = Duration::from_secs(3);

/// Attempts of a request that looks for the points that make the receiver fail, and the pause between them.
const PROBE_ATTEMPTS: u32 = 2;
const PROBE_PAUSE: Duration = Duration::from_millis(100);

/// Number of attempts to get a final response to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempts {
    /// One, whatever its outcome.
    One,
    /// As many as are needed until the receiver may have stored something.
    UntilRead,
    /// A few, if the receiver fails; as many as are needed if it cannot be reached.
    Probe,
    /// As many as are needed, unless the receiver fails persistently and a smaller request may help.
    UntilFinal,
}

/// One request and its response.
pub(super) struct Exchange<'a> {
    /// Held until the response has been evaluated, since it may confirm the protocol version.
    permit: SendPermit<'a>,
    pub(super) outcome: Outcome,
    pub(super) response: Response,
    /// Number of points in the request.
    pub(super) points: usize,
    /// Number of exemplars in the request.
    pub(super) exemplars: usize,
    /// Number of exemplars of its points that are not in the request.
    pub(super) withheld_exemplars: usize,
    /// Bytes of its body.
    pub(super) bytes: usize,
}

impl Exchange<'_> {
    /// Protocol version of the request.
    pub(super) fn protocol(&self) -> Protocol {
        self.permit.protocol
    }

    /// Returns the response, and the permit to the others.
    pub(super) fn into_response(self) -> Response {
        self.response
    }
}

impl Sender {
    /// Sends one request with the first of `points`, as many as the limits allow, in the version that the receiver supports.
    ///
    /// A request in a version that is not supported is sent again in the other one, but only once for each `fell_back`: a
    /// receiver that supports neither gets it once in each. A request that is rejected because of its exemplars is sent again
    /// without them, unless it comes from a backlog: it would be rejected if it came again. The outcome is [`Outcome::Retry`] if the attempts are used up, or
    /// the batch of `shard` has been abandoned.
    pub(super) async fn exchange(
        &self,
        shard: usize,
        all: &[Point],
        metadata: &[&'static Metric],
        mut attempts: Attempts,
        fell_back: &mut bool,
    ) -> Exchange<'_> {
        // A receiver that fails persistently may fail on exemplars.
        let withheld = attempts == Attempts::Probe || self.exemplars.withholds();
        let mut points = if withheld { without(all) } else { Cow::Borrowed(all) };
        let mut rejection = None;
        loop {
            let permit = self.negotiation.acquire().await;
            let protocol = permit.protocol;
            let Encoded { body, points: encoded, exemplars } =
                self.encoder.borrow_mut().encode(protocol, &points, metadata, self.limits.get());
            let bytes = body.len();
            let response = self.send_until_final(shard, protocol, &body, encoded, attempts).await;
            let outcome = Outcome::to(protocol, encoded, &response);
            self.note_receiver(&response);
            if outcome == Outcome::UnsupportedProtocol && !*fell_back && self.negotiation.fall_back(protocol) {
                *fell_back = true;
                self.log_protocol("Receiver does not support this protocol version, trying the other", protocol);
                continue;
            }
            let may_come_again = attempts != Attempts::UntilRead;
            if exemplars > 0 && may_come_again && self.exemplars.suspects(outcome, &response, encoded) {
                points = without(&all[..encoded]);
                rejection = Some(response);
                continue;
            }
            let is_persistent = matches!(outcome, Outcome::Retry(_)) && attempts == Attempts::UntilFinal;
            if exemplars > 0 && is_persistent && !self.queue.is_abandoned(shard) {
                points = without(&all[..encoded]);
                attempts = Attempts::Probe;
                continue;
            }
            match &rejection {
                Some(rejection) if self.exemplars.record_without(outcome, rejection) => {
                    self.health.borrow_mut().record_rejected_exemplars(rejection);
                }
                None if exemplars > 0 => self.exemplars.record_with(outcome),
                None if attempts == Attempts::Probe && matches!(points, Cow::Owned(_)) => {
                    self.exemplars.record_probe(outcome);
                }
                _ => {}
            }
            if encoded > 0 {
                self.stop_if_refused(outcome, &response).await;
            }
            let withheld_exemplars = count(&all[..encoded]) - exemplars;
            return Exchange { permit, outcome, response, points: encoded, exemplars, withheld_exemplars, bytes };
        }
    }

    async fn send_once(&self, protocol: Protocol, body: Bytes) -> Response {
        self.reporter.counters.requests.add(1);
        let begin = Instant::now();
        let response = self.client.send(protocol, body).await;
        self.reporter.note_duration(begin.elapsed());
        response
    }

    /// Sends one request until its outcome is not [`Outcome::Retry`], or the attempts are used up.
    async fn send_until_final(
        &self,
        shard: usize,
        protocol: Protocol,
        body: &Bytes,
        points: usize,
        attempts: Attempts,
    ) -> Response {
        let counters = &self.reporter.counters;
        let mut backoff = Backoff::default();
        let (mut failures, begin) = (0, Instant::now());
        fault::point("sender");
        loop {
            let response = self.send_once(protocol, body.clone()).await;
            let Outcome::Retry(retry_after) = Outcome::to(protocol, points, &response) else {
                return response;
            };
            let others_pass = self.last_accepted.get() > Some(begin);
            failures = if may_be_content(&response, others_pass) { failures + 1 } else { 0 };
            let persistent = failures >= PERSISTENT_FAILURES && begin.elapsed() >= PERSISTENT_AFTER;
            let used_up = match attempts {
                Attempts::One => true,
                Attempts::UntilRead => response.may_be_stored(),
                Attempts::Probe => failures >= PROBE_ATTEMPTS,
                Attempts::UntilFinal => persistent,
            };
            // A probe is part of an outage that is logged already.
            if matches!(attempts, Attempts::UntilFinal | Attempts::UntilRead) {
                let abort = self.health.borrow_mut().record_failure(&response);
                self.abort_test(abort);
            }
            if used_up || self.queue.is_abandoned(shard) {
                return response;
            }
            let pause = backoff.next(retry_after);
            let is_probe = attempts == Attempts::Probe && failures > 0;
            self.queue.pause(shard, if is_probe { PROBE_PAUSE } else { pause }).await;
            if self.queue.is_abandoned(shard) {
                return response;
            }
            counters.requests_retried.add(1);
            counters.points_retried.add(points as u64);
        }
    }

    /// Counts the points of a request by its outcome. Returns how many the receiver reports as stored.
    pub(super) fn count_outcome(&self, exchange: &Exchange<'_>) -> usize {
        let counters = &self.reporter.counters;
        let (protocol, outcome, response) = (exchange.protocol(), exchange.outcome, &exchange.response);
        let points = exchange.points;
        let reported = response.written.filter(|_| protocol == Protocol::V2).map(|written| written as usize);
        let written = match outcome {
            Outcome::Accepted => reported.unwrap_or(points).min(points),
            // Mimir reports all that it has received, though it has not stored some.
            Outcome::Rejected { .. } => reported.filter(|&written| written < points).unwrap_or(0),
            _ => 0,
        };
        let supported = outcome == Outcome::Accepted
            || outcome != Outcome::UnsupportedProtocol && response.written.is_some() && protocol == Protocol::V2;
        if supported {
            self.confirm_protocol(protocol);
        }
        let exemplars_written = match outcome {
            Outcome::Accepted => response.exemplars_written.filter(|_| protocol == Protocol::V2),
            _ => Some(0),
        };
        let exemplars = exchange.exemplars as u64;
        let exemplars_written = exemplars_written.map_or(exemplars, |written| written.min(exemplars));
        counters.exemplars_sent.add(exemplars_written);
        counters.exemplars_failed.add(exemplars - exemplars_written + exchange.withheld_exemplars as u64);
        counters.points_sent.add(written as u64);
        counters.points_failed.add((points - written) as u64);
        let mut health = self.health.borrow_mut();
        if written == points {
            counters.bytes_sent.add(exchange.bytes as u64);
            health.record_success();
        } else if written > 0 {
            health.record_partial(response, written, points - written);
        } else {
            let abort = health.record_rejection(response, points as u64);
            drop(health);
            self.abort_test(abort);
        }
        written
    }
}

/// Reports whether the content of a request may be the reason of a failure. It is not without a connection, or if the receiver
/// says that it is busy, or that one of its instances is away; a gateway that finds nothing behind it may be right, unless
/// `others_pass`.
pub(super) fn may_be_content(response: &Response, others_pass: bool) -> bool {
    match response.status {
        None => response.reached,
        Some(429 | 503) => false,
        Some(502 | 504) => others_pass,
        Some(_) => !mentions_absence(&response.message),
    }
}
