//! Single requests outside a run: what a receiver answers, by the rules of a run.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::exchange::Attempts;
use super::hint::hint;
use super::outcome::Outcome;
use super::sender::Sender;
use crate::http::{Certificate, Response};
use crate::wire::{Point, Protocol};

/// What a receiver answered to one request.
#[derive(Debug)]
pub struct Answer {
    /// Whether a run would count the points of the request as sent.
    pub accepted: bool,
    /// Protocol version of the request that was answered last.
    pub protocol: Protocol,
    /// The answer.
    pub response: Response,
    /// The receiver's certificate, for https, whether it is trusted or not.
    pub certificate: Option<Certificate>,
    /// Number of exemplars that the receiver accepted, or reports as written; `None` if the request had none.
    pub exemplars: Option<usize>,
    /// What a person can do about it, if it is not accepted.
    pub hint: Option<String>,
    /// Time from that request to the end of its answer.
    pub duration: Duration,
    /// The receiver's clock minus this machine's, in milliseconds, within [`CLOCK_ACCURACY_MS`] and the duration.
    pub clock_offset_ms: Option<i64>,
}

/// A receiver sends its time in whole seconds.
pub const CLOCK_ACCURACY_MS: u64 = 500;

impl Sender {
    /// Sends one request with `points`, which may be none, in the other protocol version too if the receiver does not support the
    /// first one. Afterwards the version is known. Nothing is retried.
    pub async fn probe(&self, points: &[Point]) -> Answer {
        let exchange = self.exchange(0, points, &[], Attempts::One, &mut false).await;
        let accepted = exchange.outcome == Outcome::Accepted;
        let protocol = exchange.protocol();
        if accepted {
            self.confirm_protocol(protocol);
        }
        let sent = exchange.exemplars;
        let has_exemplars = sent + exchange.withheld_exemplars > 0;
        let response = exchange.into_response();
        let written = response.exemplars_written.filter(|_| protocol == Protocol::V2);
        let exemplars = has_exemplars.then(|| written.map_or(sent, |written| sent.min(written as usize)));
        let clock_offset_ms = response.date.map(|date| {
            // The time may have been cut down to the second.
            epoch_ms(date) + CLOCK_ACCURACY_MS as i64 - epoch_ms(SystemTime::now())
        });
        let hint = hint(&response, self.credentials()).filter(|_| !accepted);
        let certificate = match &response.tls {
            Some(session) => Certificate::parse(&session.certificate),
            None => self.client.presented_certificate(),
        };
        let duration = self.reporter.last_duration().unwrap_or_default();
        Answer { accepted, protocol, response, certificate, exemplars, hint, duration, clock_offset_ms }
    }
}

fn epoch_ms(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
