//! Outcome of a request: what a response means for the points that were sent.

use std::time::Duration;

use once_cell::sync::Lazy;
use regex::Regex;

use super::message::unquoted;
use crate::http::Response;
use crate::wire::Protocol;

/// Outcome of the points of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The receiver has stored them, or as many as it reports.
    Accepted,
    /// The receiver may accept them later, not before its `Retry-After`, if there is one.
    Retry(Option<Duration>),
    /// The request has too many points or bytes: they are sent in smaller ones.
    TooLarge,
    /// The receiver does not support the protocol version of the request.
    UnsupportedProtocol,
    /// The receiver will never accept them, except those that it reports as written. `whole` if none of them is known to be
    /// stored, and some may be in a smaller request.
    Rejected {
        /// True if the request may be split.
        whole: bool,
    },
}

impl Outcome {
    /// Returns the outcome of a request of version `protocol` with `points` points.
    ///
    /// Remote Write 1.0 and 2.0, "Retries & Backoff": 5xx and 429 are retried, any other 4xx is not, since the same request
    /// would be rejected again. A request without a response is retried.
    pub(super) fn to(protocol: Protocol, points: usize, response: &Response) -> Self {
        let Some(status) = response.status else { return Self::Retry(None) };
        // A receiver of 2.0 reports what it has written for every request that it has read; without a report, or if it has
        // written nothing of what was sent, it is one of 1.0.
        let written = response.written.filter(|_| protocol == Protocol::V2);
        let unconfirmed = protocol == Protocol::V2 && written.is_none();
        match status {
            200..=299 if response.is_html => Self::Retry(None),
            202 if mentions_copy(&response.message) => Self::Rejected { whole: false },
            200..=299 if unconfirmed || written == Some(0) && points > 0 => Self::UnsupportedProtocol,
            400 if unconfirmed => Self::UnsupportedProtocol,
            200..=299 => Self::Accepted,
            413 => Self::TooLarge,
            400..=599 if points > 1 && mentions_size_limit(&response.message) => Self::TooLarge,
            429 | 500..=599 => Self::Retry(response.retry_after),
            415 => Self::UnsupportedProtocol,
            // Remote Write 1.0 does not say what a receiver stores of a request that it rejects: Prometheus nothing. Mimir reports
            // all points as written, though it has not stored some: that says nothing either. Thanos has 409 for what is out of
            // order, twice or too old.
            400 | 409 | 422 => {
                Self::Rejected { whole: written.is_none_or(|written| written == 0 || written >= points as u64) }
            }
            _ => Self::Rejected { whole: false },
        }
    }
}

/// Reports whether a response body says that a point is older than one that is stored, or equal to it.
pub(super) fn mentions_stored_points(message: &str) -> bool {
    let message = message.to_ascii_lowercase().replace('-', " ");
    let phrases = ["out of order", "duplicate sample", "duplicate timestamp", "same timestamp"];
    phrases.iter().any(|phrase| message.contains(phrase))
}

/// Reports whether a response body says that the points were taken for a copy of those of another replica, and dropped: Mimir and
/// Cortex respond so with 202.
pub(super) fn mentions_copy(message: &str) -> bool {
    unquoted(message).to_lowercase().contains("replicas did not match")
}

/// Reports whether a response body says that an instance behind the receiver is away, so that it cannot store the series of that
/// instance: Mimir and Cortex respond so with 500.
pub(super) fn mentions_absence(message: &str) -> bool {
    let message = unquoted(message).to_lowercase();
    let phrases = ["connection error", "connection refused", "live replicas", "is unavailable", "code = unavailable"];
    phrases.iter().any(|phrase| message.contains(phrase))
}

/// Reports whether a response body is about the time of points: too old, older than others of their series, or in the future.
pub(super) fn mentions_time(message: &str) -> bool {
    let text = message.to_ascii_lowercase().replace('-', " ");
    let phrases = ["too old", "out of bounds", "too far in", "too new", "timestamp", "time window", "in the future"];
    mentions_stored_points(message) || phrases.iter().any(|phrase| text.contains(phrase))
}

/// What receivers say of a request that is too large, in lower case.
static SIZE_LIMIT: Lazy<Regex> = Lazy::new(|| {
    let phrases = [
        "too (large|big)",
        "too many (samples|points)",
        "larger than (the )?(max|allowed|limit)",
        "exceed.*(bytes|(message|request|body|burst) size)",
    ];
    Regex::new(&phrases.join("|")).expect("valid")
});

/// Reports whether a response body says that the request is too large: some receivers do not use status 413 for it.
///
/// Quoted text says nothing, and neither does a limit on labels: a smaller request has the same.
fn mentions_size_limit(message: &str) -> bool {
    let message = unquoted(message).to_lowercase();
    SIZE_LIMIT.is_match(&message) && !message.contains("label")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, written: Option<u64>) -> Response {
        Response { status: Some(status), written, ..Response::default() }
    }

    /// Remote Write 1.0 and 2.0, "Retries & Backoff".
    #[test]
    fn outcomes_follow_the_specifications() {
        for (protocol, written) in [(Protocol::V1, None), (Protocol::V2, Some(1))] {
            let outcome = |status| Outcome::to(protocol, 2, &response(status, written));
            for status in [200, 202, 204] {
                assert_eq!(outcome(status), Outcome::Accepted);
            }
            for status in [429, 500, 502, 503, 504, 599] {
                assert_eq!(outcome(status), Outcome::Retry(None));
            }
            for status in [301, 401, 403, 404, 408] {
                assert_eq!(outcome(status), Outcome::Rejected { whole: false });
            }
            for status in [400, 409, 422] {
                assert_eq!(outcome(status), Outcome::Rejected { whole: protocol == Protocol::V1 });
            }
            assert_eq!(outcome(413), Outcome::TooLarge);
            assert_eq!(outcome(415), Outcome::UnsupportedProtocol);
            assert_eq!(Outcome::to(protocol, 2, &Response::default()), Outcome::Retry(None));
        }
    }

    /// Remote Write 2.0, "Required `Written` Response Headers" and "Unsupported Request Content".
    #[test]
    fn a_response_without_written_headers_means_a_receiver_of_1_0() {
        for status in [200, 204, 400] {
            assert_eq!(Outcome::to(Protocol::V2, 2, &response(status, None)), Outcome::UnsupportedProtocol, "{status}");
        }
        assert_eq!(Outcome::to(Protocol::V2, 2, &response(503, None)), Outcome::Retry(None));
        assert_eq!(Outcome::to(Protocol::V2, 2, &response(404, None)), Outcome::Rejected { whole: false });
    }

    #[test]
    fn a_web_page_is_retried_whatever_the_version() {
        for protocol in [Protocol::V1, Protocol::V2] {
            let page = |status| Response { is_html: true, ..response(status, None) };
            assert_eq!(Outcome::to(protocol, 2, &page(200)), Outcome::Retry(None));
            assert_eq!(Outcome::to(protocol, 2, &page(404)), Outcome::Rejected { whole: false });
        }
    }

    #[test]
    fn receivers_have_many_words_for_a_request_that_is_too_large() {
        for message in [
            // Go, Thanos, VictoriaMetrics, Mimir, Cortex and gRPC, in this order.
            "http: request body too large",
            "write request too large",
            "too big unpacked request; mustn't exceed `-maxInsertRequestSize=20480` bytes; got 30000 bytes",
            "too big data size exceeding -maxInsertRequestSize=20480 bytes",
            "cannot read snappy-encoded data block because its' size exceeds 56000000 bytes",
            "the incoming push request has been rejected because its message size of 9 bytes (uncompressed) is larger than the \
             allowed limit of 5 bytes (err-mimir-distributor-max-write-message-size)",
            "the request has been rejected because its size (compressed) exceeds the limit of 5 bytes",
            "the request has been rejected because the tenant exceeded the ingestion burst size limit, set to 1000, with 2717 items",
            "received message larger than max (9 vs 5)",
            "rpc error: code = ResourceExhausted desc = grpc: received message larger than max (9 vs. 5)",
            "413 Request Entity Too Large",
            "request exceeds the 1048576 bytes limit",
            "the request exceeds the maximum message size",
            "limits: Too many samples in one request",
            r#"{"status":"error","errorType":"bad_data","error":"request body too large"}"#,
        ] {
            assert!(mentions_size_limit(message), "{message}");
        }
        for message in [
            "",
            "out of order sample",
            r#"invalid sample for {check="payload too large is refused"}"#,
            "received a series whose label value length of 3000 exceeds the limit of 2048, label: 'url', value: 'too many samples",
            "label value is 3000 bytes and exceeds the limit of 2048 bytes",
            "series has too many labels (actual: 40, limit: 30) series: 'k6_a{b=\"too big\"}'",
            "per-user series limit of 100 exceeded",
            r#"{"error":"rejected: {check=\"request body too large\"}"}"#,
        ] {
            assert!(!mentions_size_limit(message), "{message}");
        }
    }

    #[test]
    fn an_instance_that_is_away_is_recognised() {
        for message in [
            // Mimir 3 and Cortex.
            r#"send data to ingesters: failed pushing to ingester mimir-3: connection error: desc = "transport: Error while dialing""#,
            "send data to ingesters: at least 1 live replicas required, could only find 0 - unhealthy instances: 127.0.0.1:9095",
            "send data to ingesters: failed pushing to ingester mimir-3: ingester is unavailable (current state: Starting)",
            r#"rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing""#,
        ] {
            assert!(mentions_absence(message), "{message}");
        }
        for message in ["", "native histograms are disabled", r#"cannot store {check="the shop is unavailable"}"#] {
            assert!(!mentions_absence(message), "{message}");
        }
    }

    #[test]
    fn a_size_limit_in_the_body_counts_as_too_large() {
        for (status, message, outcome) in [
            (400, "limits: Too many samples in one request", Outcome::TooLarge),
            (422, "request body too large", Outcome::TooLarge),
            (400, "out of order sample", Outcome::Rejected { whole: true }),
            (500, "too many samples", Outcome::TooLarge),
            (429, "exceeded the ingestion burst size limit, set to 1, with 2 items", Outcome::TooLarge),
            (
                429,
                "exceeded the ingestion rate limit, set to 1 items/s with a maximum allowed burst of 1",
                Outcome::Retry(None),
            ),
        ] {
            let response = Response { message: message.into(), ..response(status, None) };
            assert_eq!(Outcome::to(Protocol::V1, 2, &response), outcome, "{message}");
        }
    }
}
