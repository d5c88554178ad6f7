//! Decides whether requests have exemplars. A point is worth more: a receiver that rejects exemplars, or fails on them, gets the
//! points without.

use std::borrow::Cow;
use std::cell::Cell;
use std::time::{Duration, Instant};

use super::message::unquoted;
use super::outcome::Outcome;
use crate::http::Response;
use crate::wire::Point;

/// Time for which a receiver that rejects exemplars gets none.
const WITHHELD_TIME: Duration = Duration::from_secs(60);

/// Number of times in a row that the receiver has failed on requests with exemplars, and not on those without, until it gets none
/// for a while. Once may be a receiver that has come back, for several shards within this time.
const MAX_FAILURES: u32 = 2;
const SAME_FAILURE_TIME: Duration = Duration::from_secs(2);

/// What is known of a receiver and exemplars.
#[derive(Debug, Default)]
pub(super) struct ExemplarPolicy {
    withheld_until: Cell<Option<Instant>>,
    /// True once the receiver has accepted exemplars.
    accepted: Cell<bool>,
    /// Time until which rejections that do not mention exemplars are not because of them, if it has.
    cleared_until: Cell<Option<Instant>>,
    failures: Cell<u32>,
    last_failure: Cell<Option<Instant>>,
}

impl ExemplarPolicy {
    /// Returns true if requests are to be sent without exemplars.
    pub(super) fn withholds(&self) -> bool {
        is_before(&self.withheld_until)
    }

    /// Returns true if a request with `points` points and exemplars may have been rejected because of the exemplars. A request with
    /// one point always may: it cannot be split, and the point would be lost.
    pub(super) fn suspects(&self, outcome: Outcome, response: &Response, points: usize) -> bool {
        let is_cleared = points > 1 && self.accepted.get() && is_before(&self.cleared_until);
        let is_by_content = matches!(response.status, Some(400 | 409 | 422)) && !is_cleared;
        // A response to 2.0 without a count of written samples may be a rejection, too.
        let is_rejected = matches!(outcome, Outcome::Rejected { .. } | Outcome::UnsupportedProtocol);
        is_rejected && (mentions_exemplars(response) || is_by_content)
    }

    /// Records the outcome of a request with exemplars that was not rejected because of them.
    pub(super) fn record_with(&self, outcome: Outcome) {
        if outcome == Outcome::Accepted {
            self.accepted.set(true);
            self.failures.set(0);
        }
    }

    /// Records the outcome of a request without exemplars, after `rejection` of the same request with them. Returns true if they
    /// were the reason.
    pub(super) fn record_without(&self, outcome: Outcome, rejection: &Response) -> bool {
        let until = Instant::now().checked_add(WITHHELD_TIME);
        if outcome != Outcome::Accepted {
            if matches!(outcome, Outcome::Rejected { .. }) {
                self.cleared_until.set(until);
            }
            return mentions_exemplars(rejection);
        }
        // What is out of order once need not be the next time: these may have been stored by a request without a response.
        if !mentions_exemplars(rejection) || !mentions_order(rejection) {
            self.withheld_until.set(until);
        }
        true
    }

    /// Records the outcome of a probe, from which exemplars were removed.
    pub(super) fn record_probe(&self, outcome: Outcome) {
        self.record_probe_at(outcome, Instant::now());
    }

    fn record_probe_at(&self, outcome: Outcome, now: Instant) {
        let is_same = self.last_failure.get().is_some_and(|last| now < last + SAME_FAILURE_TIME);
        if outcome != Outcome::Accepted || is_same {
            return;
        }
        self.last_failure.set(Some(now));
        self.failures.set(self.failures.get() + 1);
        if self.failures.get() >= MAX_FAILURES {
            self.withheld_until.set(now.checked_add(WITHHELD_TIME));
        }
    }
}

fn is_before(time: &Cell<Option<Instant>>) -> bool {
    time.get().is_some_and(|time| Instant::now() < time)
}

/// Reports whether a response body is about exemplars. Thanos rejects a request whose exemplars are out of order, though it has
/// stored its points.
fn mentions_exemplars(response: &Response) -> bool {
    unquoted(&response.message).to_ascii_lowercase().contains("exemplar")
}

fn mentions_order(response: &Response) -> bool {
    let message = response.message.to_ascii_lowercase().replace('-', " ");
    ["out of order", "duplicate"].iter().any(|phrase| message.contains(phrase))
}

/// Returns the number of exemplars of these points.
pub(super) fn count(points: &[Point]) -> usize {
    points.iter().map(|point| point.value.exemplars().len()).sum()
}

/// Returns the points without exemplars.
pub(super) fn without(points: &[Point]) -> Cow<'_, [Point]> {
    match count(points) {
        0 => Cow::Borrowed(points),
        _ => Cow::Owned(points.iter().map(Point::without_exemplars).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REJECTED: Outcome = Outcome::Rejected { whole: false };

    fn response(status: u16, message: &str) -> Response {
        Response { status: Some(status), message: message.into(), ..Response::default() }
    }

    #[test]
    fn a_rejection_may_be_because_of_exemplars_if_it_mentions_them_or_is_about_the_content() {
        let policy = ExemplarPolicy::default();
        for (outcome, status, message, suspected) in [
            (REJECTED, 409, "add 1 exemplars: out of order exemplar", true),
            (Outcome::UnsupportedProtocol, 415, "unsupported field exemplars", true),
            (Outcome::UnsupportedProtocol, 400, "bad request", true),
            (Outcome::UnsupportedProtocol, 415, "", false),
            (REJECTED, 403, "exemplars are not allowed", true),
            (REJECTED, 400, "bad request", true),
            (REJECTED, 403, "forbidden", false),
            (REJECTED, 403, r#"forbidden: {url="exemplar"}"#, false),
            (Outcome::Retry(None), 500, "exemplar", false),
            (Outcome::Accepted, 200, "", false),
        ] {
            assert_eq!(policy.suspects(outcome, &response(status, message), 2), suspected, "{status} {message}");
        }
    }

    #[test]
    fn a_receiver_that_rejects_exemplars_gets_none_for_a_while() {
        let policy = ExemplarPolicy::default();
        assert!(policy.record_without(Outcome::Accepted, &response(409, "out of order exemplar")));
        assert!(!policy.withholds(), "the next ones may be in order");
        assert!(policy.record_without(Outcome::Accepted, &response(400, "exemplars are not supported")));
        assert!(policy.withholds());
    }

    #[test]
    fn a_rejection_that_comes_without_exemplars_too_clears_them() {
        let policy = ExemplarPolicy::default();
        let rejection = response(400, "too old");
        assert!(!policy.record_without(Outcome::Retry(None), &rejection));
        assert!(policy.suspects(REJECTED, &rejection, 2), "a failure shows nothing");
        assert!(!policy.record_without(REJECTED, &rejection));
        assert!(policy.suspects(REJECTED, &rejection, 2), "it has not accepted exemplars yet");
        policy.record_with(Outcome::Accepted);
        assert!(!policy.suspects(REJECTED, &rejection, 2) && !policy.withholds());
        assert!(policy.suspects(REJECTED, &response(400, "invalid exemplar"), 2));
        assert!(policy.suspects(REJECTED, &rejection, 1), "its point would be lost");
    }

    #[test]
    fn a_receiver_that_fails_only_with_exemplars_gets_none_after_the_second_time() {
        let policy = ExemplarPolicy::default();
        let start = Instant::now();
        let probe = |seconds, outcome| policy.record_probe_at(outcome, start + Duration::from_secs(seconds));
        probe(0, Outcome::Accepted);
        policy.record_with(Outcome::Accepted);
        probe(3, Outcome::Accepted);
        probe(4, Outcome::Accepted);
        probe(6, Outcome::Retry(None));
        assert!(!policy.withholds());
        probe(6, Outcome::Accepted);
        assert!(policy.withholds());
    }
}
