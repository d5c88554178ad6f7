//! Preflight: asks the receiver whether it accepts requests, before the test starts.
//!
//! The request has no points, and is sent like any other. A receiver has checked its path, its credentials and its protocol
//! version by the time it responds, and stores nothing.

use std::fmt;

use thiserror::Error;

use super::hint::hint;
use super::sender::Sender;
use crate::http::Response;

/// Why a receiver does not accept requests.
#[derive(Debug, Error)]
pub struct PreflightError {
    url: String,
    response: Response,
    hint: Option<String>,
}

impl Sender {
    /// Sends a request without points, in the other protocol version too if the receiver does not support the first one.
    /// Afterwards the version is known. Nothing is retried, since the start of the test waits for the result.
    ///
    /// # Errors
    /// The receiver's response, if it did not accept the request.
    pub async fn preflight(&self) -> Result<(), PreflightError> {
        let answer = self.probe(&[]).await;
        if !answer.accepted {
            return Err(PreflightError::new(self.url(), answer.response, self.credentials()));
        }
        Ok(())
    }
}

impl PreflightError {
    /// `url` must not contain secrets; `credentials` describes those that were sent.
    fn new(url: &str, response: Response, credentials: &str) -> Self {
        Self { url: url.into(), hint: hint(&response, credentials), response }
    }

    /// The request was not sent. `url` must not contain secrets.
    pub(super) fn not_sent(url: &str) -> Self {
        let message = "the request was not sent: internal error, please report this";
        Self { url: url.into(), hint: None, response: Response { message: message.into(), ..Response::default() } }
    }
}

impl fmt::Display for PreflightError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.response.status.map(|status| format!("status {status}"));
        let message = Some(self.response.message.clone()).filter(|message| !message.is_empty());
        let parts: Vec<_> = [status, message, self.hint.clone()].into_iter().flatten().collect();
        write!(f, "{}: {}", self.url, parts.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_shows_url_status_message_and_hint() {
        for (status, message, shown) in [
            (Some(401), "who?", "http://h/w: status 401; who?; check the credentials: the request had no credentials"),
            (Some(418), "", "http://h/w: status 418"),
            (None, "no route", "http://h/w: no route"),
        ] {
            let response = Response { status, message: message.into(), ..Response::default() };
            assert_eq!(PreflightError::new("http://h/w", response, "no credentials").to_string(), shown);
        }
    }
}
