//! One HTTP request.

use std::error::Error as _;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use once_cell::sync::Lazy;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use thiserror::Error;
use url::Url;

use super::answer::{Answer, classify};
use crate::wire::v1;

/// How much of an error's body is read: enough for the receiver's words, and a bound for a hostile one.
const MAX_ANSWER_BYTES: usize = 4096;

/// How much of it is shown.
const MAX_SHOWN_CHARS: usize = 300;

const MAX_REDIRECTS: usize = 5;

const USER_AGENT: &str = concat!("k6-remote-write/", env!("CARGO_PKG_VERSION"));

// std's LazyLock would do as well; once_cell is this project's choice for whatever is made once.
static HEADERS: Lazy<HeaderMap> = Lazy::new(|| {
    v1::HEADERS
        .iter()
        .map(|&(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes());
            (name.expect("a constant of the specification"), HeaderValue::from_static(value))
        })
        .collect()
});

/// What stands in the way of an HTTP client.
#[derive(Debug, Error)]
#[error("the HTTP client cannot be made: {}", causes(.0))]
pub struct ClientError(#[from] reqwest::Error);

/// What came of one request.
#[derive(Debug)]
pub struct Outcome {
    /// What it means for the batch.
    pub answer: Answer,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// The receiver's words, or the error's, on one line. Empty for a batch that was taken.
    pub words: String,
}

/// Sends bodies to one URL.
pub struct Client {
    http: reqwest::Client,
    url: Url,
}

impl Client {
    /// A client for `url`. A request, with its answer, may take `timeout`.
    pub fn new(url: Url, timeout: Duration) -> Result<Self, ClientError> {
        // Of use to this library alone, and an error only says that it was installed before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .timeout(timeout)
            .redirect(Policy::custom(|attempt| {
                // Only what keeps method, body and host: a POST that becomes a GET is lost, and credentials belong to a host.
                let kept = matches!(attempt.status().as_u16(), 307 | 308);
                let same_host = attempt.previous().first().is_some_and(|first| first.host() == attempt.url().host());
                if kept && same_host && attempt.previous().len() <= MAX_REDIRECTS {
                    attempt.follow()
                } else {
                    attempt.stop()
                }
            }))
            .build()?;
        Ok(Self { http, url })
    }

    /// Sends one compressed body and says what became of it. Never fails: an error is an outcome too.
    pub async fn send(&self, body: Bytes) -> Outcome {
        let request = self.http.post(self.url.clone()).headers(HEADERS.clone()).body(body);
        match request.send().await {
            Ok(response) => read(response).await,
            Err(error) => Outcome { answer: Answer::TryAgain(None), status: None, words: causes(&error.without_url()) },
        }
    }
}

async fn read(mut response: reqwest::Response) -> Outcome {
    let status = response.status().as_u16();
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let answer = classify(status, retry_after, SystemTime::now());
    // Read even when taken, within the bound: a connection is used again only when its answer was read.
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk[..chunk.len().min(MAX_ANSWER_BYTES - body.len())]);
        if body.len() >= MAX_ANSWER_BYTES {
            break;
        }
    }
    let words = if answer == Answer::Taken { String::new() } else { one_line(&String::from_utf8_lossy(&body)) };
    Outcome { answer, status: Some(status), words }
}

/// An error with all its causes, of which the last is the one that helps.
fn causes(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer within the timeout".into();
    }
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words = format!("{words}: {cause}");
        source = cause.source();
    }
    one_line(&words)
}

/// Text from outside on one line of bounded length, without control characters that could forge log lines.
fn one_line(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let clean = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    match clean.char_indices().nth(MAX_SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &clean[..end]),
        None => clean,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_from_outside_stay_on_one_bounded_line() {
        assert_eq!(one_line("out of\r\norder\tsample\u{1b}[31m\n"), "out of order sample [31m");
        let long = one_line(&"ä".repeat(5000));
        assert_eq!(long.chars().count(), MAX_SHOWN_CHARS + 1);
        assert!(long.ends_with('…'));
    }
}
