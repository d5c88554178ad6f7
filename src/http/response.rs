//! Response to a request, read within bounds: a receiver may send anything, and never stop.

use std::error::Error as _;
use std::time::{Duration, SystemTime};

use reqwest::header::RETRY_AFTER;

use super::redact::Redactor;
use crate::text::{one_line, truncate};

/// Maximum number of bytes that are read of an error's body: enough for a message, and a bound for a hostile receiver.
const MAX_BODY_BYTES: usize = 4096;

/// Maximum length of a message.
const MAX_MESSAGE_CHARS: usize = 300;

/// Maximum time for reading the body of a success, which has no meaning (Remote Write 2.0, "Response"). It is read so that the
/// connection can be reused.
const BODY_READ_TIMEOUT: Duration = Duration::from_millis(100);

/// Headers in which a receiver of 2.0 reports what it has written. Those for exemplars are missing: k6 has none.
const WRITTEN: [&str; 2] =
    ["X-Prometheus-Remote-Write-Samples-Written", "X-Prometheus-Remote-Write-Histograms-Written"];

/// Response to one request, or the error in its place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Response {
    /// HTTP status; `None` if there was no response.
    pub status: Option<u16>,
    /// Pause that `Retry-After` requests.
    pub retry_after: Option<Duration>,
    /// Number of points that the receiver reports as written (Remote Write 2.0, "Required `Written` Response Headers").
    pub written: Option<u64>,
    /// Body or error on one line, without secrets. Empty if the request was accepted.
    pub message: String,
}

/// Reads a response, and redacts the secrets that it repeats.
pub(super) async fn read(received: reqwest::Response, redactor: &mut Redactor) -> Response {
    let text = |name: &str| received.headers().get(name).and_then(|value| value.to_str().ok());
    let counts: Vec<u64> = WRITTEN.iter().filter_map(|name| text(name)?.trim().parse().ok()).collect();
    let mut response = Response {
        status: Some(received.status().as_u16()),
        retry_after: text(RETRY_AFTER.as_str()).and_then(|text| parse_retry_after(text, SystemTime::now())),
        written: (!counts.is_empty()).then(|| counts.iter().fold(0_u64, |sum, count| sum.saturating_add(*count))),
        message: String::new(),
    };
    if received.status().is_success() {
        let _ = tokio::time::timeout(BODY_READ_TIMEOUT, body(received)).await;
    } else {
        response.message = truncate(&redactor.redact(&message(&body(received).await)), MAX_MESSAGE_CHARS);
    }
    response
}

/// Returns an error with all its causes; the last one is the most specific.
pub(super) fn causes(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no response within the timeout".into();
    }
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message = format!("{message}: {cause}");
        source = cause.source();
    }
    truncate(&one_line(&message), MAX_MESSAGE_CHARS)
}

/// Reads the start of a body. The time is bounded by the timeout of the request.
async fn body(mut response: reqwest::Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk[..chunk.len().min(MAX_BODY_BYTES - body.len())]);
        if body.len() >= MAX_BODY_BYTES {
            break;
        }
    }
    body
}

/// Returns the text of a body on one line.
fn message(body: &[u8]) -> String {
    let mut message = one_line(&String::from_utf8_lossy(body));
    if body.len() >= MAX_BODY_BYTES {
        // The last word may be the start of a secret, which could not be recognized.
        message.truncate(message.rfind(' ').unwrap_or(0));
    }
    message
}

/// Parses `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3).
fn parse_retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let after = |text| parse_retry_after(text, SystemTime::UNIX_EPOCH);
        assert_eq!(after("7"), Some(Duration::from_secs(7)));
        assert_eq!(after("Thu, 01 Jan 1970 00:00:09 GMT"), Some(Duration::from_secs(9)));
        for text in ["", "soon", "-1", "1.5", "99999999999999999999999"] {
            assert_eq!(after(text), None, "{text}");
        }
    }

    #[test]
    fn a_date_in_the_past_means_no_pause() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(3600);
        assert_eq!(parse_retry_after("Thu, 01 Jan 1970 00:00:09 GMT", now), Some(Duration::ZERO));
    }
}
