//! What a sender notices while it sends batches of an earlier run.

use std::cell::{Cell, RefCell};

use tokio::sync::Notify;

use super::outcome::{Outcome, mentions_time};
use crate::http::Response;

/// State of a sender that sends batches of an earlier run.
#[derive(Debug, Default)]
pub(super) struct EarlierRun {
    refusal: RefCell<Option<Response>>,
    refused: Notify,
    /// True once points were rejected because of their time.
    rejected_by_time: Cell<bool>,
}

impl EarlierRun {
    /// Takes note of a response. Returns true if it rejects requests whatever their points.
    pub(super) fn note(&self, outcome: Outcome, response: &Response) -> bool {
        let refused = match outcome {
            Outcome::Rejected { .. } => !matches!(response.status, Some(400 | 409 | 422)),
            Outcome::UnsupportedProtocol => true,
            Outcome::Accepted | Outcome::Retry(_) | Outcome::TooLarge => false,
        };
        if refused {
            self.refusal.replace(Some(response.clone()));
            self.refused.notify_one();
        } else if matches!(outcome, Outcome::Rejected { .. }) && mentions_time(&response.message) {
            self.rejected_by_time.set(true);
        }
        refused
    }

    /// Waits for a response that rejects requests whatever their points.
    pub(super) async fn refusal(&self) -> Response {
        loop {
            if let Some(response) = self.refusal.take() {
                return response;
            }
            self.refused.notified().await;
        }
    }

    /// Reports whether points were rejected because of their time.
    pub(super) fn has_rejected_by_time(&self) -> bool {
        self.rejected_by_time.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_receiver_that_rejects_requests_whatever_their_points_is_noted_and_bad_points_are_not() {
        let earlier_run = EarlierRun::default();
        let response =
            |status: u16| Response { status: Some(status), message: "too old".into(), ..Response::default() };
        for (status, whole) in [(400, true), (409, false), (422, true)] {
            assert!(!earlier_run.note(Outcome::Rejected { whole }, &response(status)), "{status}");
        }
        assert!(earlier_run.has_rejected_by_time());
        for outcome in [Outcome::Accepted, Outcome::Retry(None), Outcome::TooLarge] {
            assert!(!earlier_run.note(outcome, &response(500)));
        }
        for status in [301, 401, 403, 404, 407] {
            assert!(earlier_run.note(Outcome::Rejected { whole: false }, &response(status)), "{status}");
            assert_eq!(earlier_run.refusal().await.status, Some(status));
        }
        assert!(earlier_run.note(Outcome::UnsupportedProtocol, &response(415)));
    }
}
