//! What an HTTP answer means for the batch that was sent.

use std::time::{Duration, SystemTime};

/// What to do with the batch.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// The receiver has it.
    Taken,
    /// The receiver may take it later; not before the time it asks for, if it does.
    TryAgain(Option<Duration>),
    /// The receiver will never take it.
    Refused,
}

/// Sorts an answer by its status (Remote Write 1.0, "Retries & Backoff"): 5xx and 429 are tried again, any other 4xx is not,
/// since the same batch would be refused again. `retry_after` is the header of that name.
pub fn classify(status: u16, retry_after: Option<&str>, now: SystemTime) -> Answer {
    match status {
        200..=299 => Answer::Taken,
        429 | 500..=599 => Answer::TryAgain(retry_after.and_then(|text| parse_retry_after(text, now))),
        _ => Answer::Refused,
    }
}

/// RFC 9110, section 10.2.3: seconds, or a date.
fn parse_retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// What a person can do about a status that has a usual cause.
pub(super) fn hint(status: u16) -> Option<&'static str> {
    match status {
        301 | 302 | 307 | 308 => Some("the URL has moved: set the one that the receiver names"),
        401 | 403 => Some("the receiver wants other credentials than were sent, or none were"),
        404 => Some(
            "wrong path, or the receiver is not enabled: Prometheus takes remote write at /api/v1/write when it is \
             started with --web.enable-remote-write-receiver",
        ),
        405 => Some("this path takes no remote write: Prometheus and many others have it at /api/v1/write"),
        413 => Some("the receiver limits the size of a request"),
        415 => Some("the receiver does not take Remote Write 1.0"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    #[test]
    fn classes_are_those_of_the_specification() {
        for status in [200, 202, 204] {
            assert_eq!(classify(status, None, NOW), Answer::Taken);
        }
        for status in [429, 500, 502, 503, 504, 599] {
            assert_eq!(classify(status, None, NOW), Answer::TryAgain(None));
        }
        for status in [301, 400, 401, 403, 404, 413, 415, 422] {
            assert_eq!(classify(status, None, NOW), Answer::Refused);
        }
    }

    #[test]
    fn retry_after_comes_as_seconds_or_as_a_date() {
        let after = |text| classify(503, Some(text), NOW);
        assert_eq!(after("7"), Answer::TryAgain(Some(Duration::from_secs(7))));
        assert_eq!(after("Thu, 01 Jan 1970 00:00:09 GMT"), Answer::TryAgain(Some(Duration::from_secs(9))));
        for text in ["", "soon", "-1", "1.5", "99999999999999999999999"] {
            assert_eq!(after(text), Answer::TryAgain(None), "{text}");
        }
    }

    #[test]
    fn a_date_in_the_past_means_now() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(3600);
        let answer = classify(429, Some("Thu, 01 Jan 1970 00:00:09 GMT"), now);
        assert_eq!(answer, Answer::TryAgain(Some(Duration::ZERO)));
    }
}
