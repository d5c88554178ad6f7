//! What an answer means for the points that were sent.

use std::time::Duration;

use crate::http::Reply;
use crate::wire::Protocol;

/// What to do with the points of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// The receiver has them, or as many as it says.
    Taken,
    /// The receiver may take them later; not before the time it asks for, if it does.
    TryAgain(Option<Duration>),
    /// Fewer at once.
    TooMany,
    /// The receiver does not understand this version of the protocol.
    OtherVersion,
    /// The receiver will never take them, but for those that it says it has written.
    Refused,
}

impl Answer {
    /// Sorts a reply to a request of version `protocol`.
    ///
    /// Remote Write 1.0 and 2.0, "Retries & Backoff": 5xx and 429 are tried again, any other 4xx is not, since the same request
    /// would be refused again. No answer at all is tried again.
    pub(super) fn to(protocol: Protocol, reply: &Reply) -> Self {
        let Some(status) = reply.status else { return Self::TryAgain(None) };
        // A receiver of 2.0 says what it has written whenever it has read a request, so silence means that it is of 1.0.
        let unconfirmed = protocol == Protocol::V2 && reply.written.is_none();
        match status {
            200..=299 | 400 if unconfirmed => Self::OtherVersion,
            200..=299 => Self::Taken,
            429 | 500..=599 => Self::TryAgain(reply.retry_after),
            415 => Self::OtherVersion,
            413 => Self::TooMany,
            400..=499 if says_too_many(&reply.words) => Self::TooMany,
            _ => Self::Refused,
        }
    }
}

/// Some receivers have no status of their own for what 413 says.
fn says_too_many(words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    ["too many samples", "too large"].iter().any(|sign| words.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, written: Option<u64>) -> Reply {
        Reply { status: Some(status), written, ..Reply::default() }
    }

    /// Remote Write 1.0 and 2.0, "Retries & Backoff".
    #[test]
    fn classes_are_those_of_the_specifications() {
        for (protocol, written) in [(Protocol::V1, None), (Protocol::V2, Some(1))] {
            let answer = |status| Answer::to(protocol, &reply(status, written));
            for status in [200, 202, 204] {
                assert_eq!(answer(status), Answer::Taken);
            }
            for status in [429, 500, 502, 503, 504, 599] {
                assert_eq!(answer(status), Answer::TryAgain(None));
            }
            for status in [301, 400, 401, 403, 404, 408, 422] {
                assert_eq!(answer(status), Answer::Refused);
            }
            assert_eq!(answer(413), Answer::TooMany);
            assert_eq!(answer(415), Answer::OtherVersion);
            assert_eq!(Answer::to(protocol, &Reply::default()), Answer::TryAgain(None));
        }
    }

    /// Remote Write 2.0, "Required `Written` Response Headers" and "Unsupported Request Content".
    #[test]
    fn silence_about_what_was_written_means_a_receiver_of_1_0() {
        for status in [200, 204, 400] {
            assert_eq!(Answer::to(Protocol::V2, &reply(status, None)), Answer::OtherVersion, "{status}");
        }
        assert_eq!(Answer::to(Protocol::V2, &reply(503, None)), Answer::TryAgain(None));
        assert_eq!(Answer::to(Protocol::V2, &reply(404, None)), Answer::Refused);
    }

    #[test]
    fn too_many_is_said_in_words_too() {
        for (status, words, answer) in [
            (400, "limits: Too many samples in one request", Answer::TooMany),
            (422, "request body too large", Answer::TooMany),
            (400, "out of order sample", Answer::Refused),
            (500, "too many samples", Answer::TryAgain(None)),
        ] {
            let reply = Reply { words: words.into(), ..reply(status, None) };
            assert_eq!(Answer::to(Protocol::V1, &reply), answer, "{words}");
        }
    }
}
