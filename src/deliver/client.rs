//! One HTTP request.

use std::error::Error as _;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use thiserror::Error;
use url::Url;

use super::answer::{Reply, parse_retry_after};
use crate::wire::Protocol;

/// How much of an error's body is read: enough for the receiver's words, and a bound for a hostile one.
const MAX_ANSWER_BYTES: usize = 4096;

/// How much of it is shown.
const MAX_SHOWN_CHARS: usize = 300;

const MAX_REDIRECTS: usize = 5;

const USER_AGENT: &str = concat!("k6-remote-write/", env!("CARGO_PKG_VERSION"));

/// How long a good answer's body, which means nothing (Remote Write 2.0, "Response"), is read so that its connection can be used
/// again.
const BODY_PATIENCE: Duration = Duration::from_millis(100);

/// What a receiver of 2.0 says that it has written. k6 has no exemplars.
const WRITTEN: [&str; 2] =
    ["X-Prometheus-Remote-Write-Samples-Written", "X-Prometheus-Remote-Write-Histograms-Written"];

/// What stands in the way of an HTTP client.
#[derive(Debug, Error)]
#[error("the HTTP client cannot be made: {}", causes(.0))]
pub struct ClientError(#[from] reqwest::Error);

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

    /// Which credentials go with every request, for people.
    pub fn credentials(&self) -> &'static str {
        if self.url.username().is_empty() && self.url.password().is_none() {
            "none"
        } else {
            "a user name and a password"
        }
    }

    /// Sends one compressed body of this version and says what came back. Never fails: an error is a reply too.
    pub async fn send(&self, protocol: Protocol, body: Bytes) -> Reply {
        let request = self.http.post(self.url.clone()).headers(headers(protocol)).body(body);
        match request.send().await {
            Ok(response) => read(response).await,
            Err(error) => Reply { words: causes(&error.without_url()), ..Reply::default() },
        }
    }
}

fn headers(protocol: Protocol) -> HeaderMap {
    let header = |(name, value): (&'static str, _)| {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a constant of the specification");
        (name, HeaderValue::from_static(value))
    };
    protocol.headers().into_iter().map(header).collect()
}

async fn read(response: reqwest::Response) -> Reply {
    let text = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let counts: Vec<u64> = WRITTEN.iter().filter_map(|name| text(name)?.trim().parse().ok()).collect();
    let mut reply = Reply {
        status: Some(response.status().as_u16()),
        retry_after: text(RETRY_AFTER.as_str()).and_then(|text| parse_retry_after(text, SystemTime::now())),
        written: (!counts.is_empty()).then(|| counts.iter().fold(0_u64, |sum, count| sum.saturating_add(*count))),
        words: String::new(),
    };
    if response.status().is_success() {
        let _ = tokio::time::timeout(BODY_PATIENCE, read_body(response)).await;
    } else {
        reply.words = one_line(&String::from_utf8_lossy(&read_body(response).await));
    }
    reply
}

/// As much of an answer's body as is of use. The request's timeout bounds the time.
async fn read_body(mut response: reqwest::Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk[..chunk.len().min(MAX_ANSWER_BYTES - body.len())]);
        if body.len() >= MAX_ANSWER_BYTES {
            break;
        }
    }
    body
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
