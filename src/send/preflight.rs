//! Whether a receiver takes metrics, asked before there are any to lose.
//!
//! What is sent is a request without points, the way that every request goes. A receiver answers it as it would any other: by then it
//! has seen the path, the credentials and the version of the protocol, and it stores nothing.

use std::fmt;

use thiserror::Error;

use super::hint::hint;
use crate::http::Response;

/// Why a receiver does not take metrics.
#[derive(Debug, Error)]
pub struct PreflightError {
    url: String,
    response: Response,
    hint: Option<String>,
}

impl PreflightError {
    /// `url` is without secrets, `credentials` says which were sent.
    pub(super) fn new(url: &str, response: Response, credentials: &str) -> Self {
        Self { url: url.into(), hint: hint(&response, credentials), response }
    }
}

impl fmt::Display for PreflightError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.response.status.map(|status| format!("status {status}"));
        let words = Some(self.response.message.clone()).filter(|words| !words.is_empty());
        let parts: Vec<_> = [status, words, self.hint.clone()].into_iter().flatten().collect();
        write!(f, "{}: {}", self.url, parts.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_answered_is_told_with_what_to_do() {
        for (status, words, told) in [
            (Some(401), "who?", "http://h/w: status 401; who?; the receiver wants other credentials; sent were none"),
            (Some(418), "", "http://h/w: status 418"),
            (None, "no wire", "http://h/w: no wire"),
        ] {
            let response = Response { status, message: words.into(), ..Response::default() };
            assert_eq!(PreflightError::new("http://h/w", response, "none").to_string(), told);
        }
    }
}
