//! What comes back for a request, read within bounds: a receiver may answer anything, and without end.

use std::error::Error as _;
use std::time::{Duration, SystemTime};

use reqwest::header::RETRY_AFTER;

use super::redact::Redactor;

/// How much of an error's body is read: enough for the receiver's words, and a bound for a hostile one.
const MAX_ANSWER_BYTES: usize = 4096;

/// How much of it is shown.
const MAX_SHOWN_CHARS: usize = 300;

/// How long a good answer's body, which means nothing (Remote Write 2.0, "Response"), is read so that its connection can be used
/// again.
const BODY_READ_TIMEOUT: Duration = Duration::from_millis(100);

/// What a receiver of 2.0 says that it has written. k6 has no exemplars.
const WRITTEN: [&str; 2] =
    ["X-Prometheus-Remote-Write-Samples-Written", "X-Prometheus-Remote-Write-Histograms-Written"];

/// What came back for one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// What `Retry-After` asks for.
    pub retry_after: Option<Duration>,
    /// How many points the receiver says that it has written (Remote Write 2.0, "Required `Written` Response Headers").
    pub written: Option<u64>,
    /// The receiver's words, or the error's, on one line. Empty for a request that was taken.
    pub message: String,
}

/// Reads a response, without the secrets that it may repeat.
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
        response.message = cut(redactor.hide(&words(&body(received).await)));
    }
    response
}

/// An error with all its causes, of which the last is the one that helps.
pub(super) fn causes(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer within the timeout".into();
    }
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words = format!("{words}: {cause}");
        source = cause.source();
    }
    cut(one_line(&words))
}

/// As much of an answer's body as is of use. The request's timeout bounds the time.
async fn body(mut response: reqwest::Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk[..chunk.len().min(MAX_ANSWER_BYTES - body.len())]);
        if body.len() >= MAX_ANSWER_BYTES {
            break;
        }
    }
    body
}

fn words(body: &[u8]) -> String {
    let mut words = one_line(&String::from_utf8_lossy(body));
    if body.len() >= MAX_ANSWER_BYTES {
        // The last word may be the beginning of a secret, which nobody would know any more.
        words.truncate(words.rfind(' ').unwrap_or(0));
    }
    words
}

/// Text from outside on one line, without characters that could forge log lines, or turn what is read around.
fn one_line(text: &str) -> String {
    let clean: String = text.chars().map(|c| if is_unsafe_for_logs(c) { ' ' } else { c }).collect();
    clean.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Controls, and the marks of Unicode that reverse or hide text (UTR 36, "Bidirectional Text Spoofing").
fn is_unsafe_for_logs(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// As much of it as a log line needs.
fn cut(words: String) -> String {
    match words.char_indices().nth(MAX_SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_from_outside_stay_on_one_bounded_line() {
        assert_eq!(one_line("out of\r\norder\tsample\u{1b}[31m\n"), "out of order sample [31m");
        assert_eq!(one_line("a\u{202e}b\u{2028}c\u{200b}\u{85}"), "a b c");
        let long = cut("ä".repeat(5000));
        assert_eq!(long.chars().count(), MAX_SHOWN_CHARS + 1);
        assert!(long.ends_with('…'));
    }

    #[test]
    fn retry_after_comes_as_seconds_or_as_a_date() {
        let after = |text| parse_retry_after(text, SystemTime::UNIX_EPOCH);
        assert_eq!(after("7"), Some(Duration::from_secs(7)));
        assert_eq!(after("Thu, 01 Jan 1970 00:00:09 GMT"), Some(Duration::from_secs(9)));
        for text in ["", "soon", "-1", "1.5", "99999999999999999999999"] {
            assert_eq!(after(text), None, "{text}");
        }
    }

    #[test]
    fn a_date_in_the_past_means_now() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(3600);
        assert_eq!(parse_retry_after("Thu, 01 Jan 1970 00:00:09 GMT", now), Some(Duration::ZERO));
    }
}
