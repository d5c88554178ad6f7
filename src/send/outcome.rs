//! What an answer means for the points that were sent.

use std::time::Duration;

use crate::http::Response;
use crate::wire::Protocol;

/// What to do with the points of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The receiver has them, or as many as it says.
    Accepted,
    /// The receiver may take them later; not before the time it asks for, if it does.
    Retry(Option<Duration>),
    /// Fewer at once.
    TooLarge,
    /// The receiver does not understand this version of the protocol.
    UnsupportedProtocol,
    /// The receiver will never take them, but for those that it says it has written.
    Rejected,
}

impl Outcome {
    /// Sorts a response to a request of version `protocol`.
    ///
    /// Remote Write 1.0 and 2.0, "Retries & Backoff": 5xx and 429 are tried again, any other 4xx is not, since the same request
    /// would be refused again. No answer at all is tried again.
    pub(super) fn to(protocol: Protocol, response: &Response) -> Self {
        let Some(status) = response.status else { return Self::Retry(None) };
        // A receiver of 2.0 says what it has written whenever it has read a request, so silence means that it is of 1.0.
        let unconfirmed = protocol == Protocol::V2 && response.written.is_none();
        match status {
            200..=299 | 400 if unconfirmed => Self::UnsupportedProtocol,
            200..=299 => Self::Accepted,
            429 | 500..=599 => Self::Retry(response.retry_after),
            415 => Self::UnsupportedProtocol,
            413 => Self::TooLarge,
            400..=499 if mentions_size_limit(&response.message) => Self::TooLarge,
            _ => Self::Rejected,
        }
    }
}

/// Some receivers have no status of their own for what 413 says.
fn mentions_size_limit(words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    ["too many samples", "too large"].iter().any(|sign| words.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, written: Option<u64>) -> Response {
        Response { status: Some(status), written, ..Response::default() }
    }

    /// Remote Write 1.0 and 2.0, "Retries & Backoff".
    #[test]
    fn classes_are_those_of_the_specifications() {
        for (protocol, written) in [(Protocol::V1, None), (Protocol::V2, Some(1))] {
            let outcome = |status| Outcome::to(protocol, &response(status, written));
            for status in [200, 202, 204] {
                assert_eq!(outcome(status), Outcome::Accepted);
            }
            for status in [429, 500, 502, 503, 504, 599] {
                assert_eq!(outcome(status), Outcome::Retry(None));
            }
            for status in [301, 400, 401, 403, 404, 408, 422] {
                assert_eq!(outcome(status), Outcome::Rejected);
            }
            assert_eq!(outcome(413), Outcome::TooLarge);
            assert_eq!(outcome(415), Outcome::UnsupportedProtocol);
            assert_eq!(Outcome::to(protocol, &Response::default()), Outcome::Retry(None));
        }
    }

    /// Remote Write 2.0, "Required `Written` Response Headers" and "Unsupported Request Content".
    #[test]
    fn silence_about_what_was_written_means_a_receiver_of_1_0() {
        for status in [200, 204, 400] {
            assert_eq!(Outcome::to(Protocol::V2, &response(status, None)), Outcome::UnsupportedProtocol, "{status}");
        }
        assert_eq!(Outcome::to(Protocol::V2, &response(503, None)), Outcome::Retry(None));
        assert_eq!(Outcome::to(Protocol::V2, &response(404, None)), Outcome::Rejected);
    }

    #[test]
    fn too_many_is_said_in_words_too() {
        for (status, words, outcome) in [
            (400, "limits: Too many samples in one request", Outcome::TooLarge),
            (422, "request body too large", Outcome::TooLarge),
            (400, "out of order sample", Outcome::Rejected),
            (500, "too many samples", Outcome::Retry(None)),
        ] {
            let response = Response { message: words.into(), ..response(status, None) };
            assert_eq!(Outcome::to(Protocol::V1, &response), outcome, "{words}");
        }
    }
}
