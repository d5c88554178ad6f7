//! Hints: what a person can do about a failed request, for the usual causes.

use crate::http::Response;

const NO_REMOTE_WRITE: &str =
    "this path does not accept remote write: Prometheus and many other receivers accept it at /api/v1/write";

const LIMITED: &str = "the receiver limits what it accepts: raise its limit, or send fewer series";

const PROXY_CREDENTIALS: &str = "the proxy requires a user name and a password: add them to its URL";

/// Phrases of a response body or an error, in lower case, each with its hint. The first one that matches counts.
const BY_MESSAGE: &[(&str, &str)] = &[
    (
        "out of order",
        "another run writes the same series, or has written newer points to them: give each run its own tag, such as \
         --tag testid=…",
    ),
    ("duplicate sample", "another run writes the same series: give each run its own tag, such as --tag testid=…"),
    ("too old", "the points are older than the receiver accepts: check the clocks of both machines"),
    ("out of bounds", "the receiver does not accept points of this time: check the clocks of both machines"),
    ("too far in the future", "the receiver does not accept points of this time: check the clocks of both machines"),
    ("limit", LIMITED),
    ("unsupported path", NO_REMOTE_WRITE),
    ("refused", "connection refused: is the receiver running on this port?"),
    ("dns error", "unknown host name: check the URL"),
    ("failed to lookup", "unknown host name: check the URL"),
    ("invalidcontenttype", "the receiver expects http, not https: use http in the URL"),
    ("corrupt message", "the receiver expects http, not https: use http in the URL"),
    ("certificate expired", "the receiver's certificate has expired: renew it, or check this machine's clock"),
    ("certificate not valid yet", "the receiver's certificate is not valid yet: check the clocks of both machines"),
    ("not valid for name", "the receiver's certificate is for another name: check the URL, or set `tlsServerName`"),
    (
        "certificaterequired",
        "the receiver requires a client certificate: set `clientCertificate` and `clientCertificateKey`",
    ),
    ("protocolversion", "the receiver does not support TLS 1.3: set `tlsMinVersion` to \"1.2\""),
    ("fatal alert", "the receiver rejected the client certificate, or requires one: check `clientCertificate`"),
    (
        "certificate",
        "the receiver's certificate is not trusted: set `caCertificate` or SSL_CERT_FILE to a file of trusted CAs",
    ),
    ("proxy authorization", PROXY_CREDENTIALS),
    ("no response within", "the receiver is slow or does not respond: raise `timeout` if it needs more time"),
];

/// Returns the hint for a response, if its cause is a usual one. `credentials` describes those that were sent.
pub(super) fn hint(response: &Response, credentials: &str) -> Option<String> {
    let by_status = match response.status {
        Some(301 | 302 | 303 | 307 | 308) => Some("the URL has moved: set the URL that the receiver redirects to"),
        Some(404) => Some(
            "wrong path, or remote write is not enabled: Prometheus accepts it at /api/v1/write if it is started with \
             --web.enable-remote-write-receiver",
        ),
        Some(405) => Some(NO_REMOTE_WRITE),
        Some(407) => Some(PROXY_CREDENTIALS),
        Some(413) => Some("the receiver rejects even a single point as too large: check its limits"),
        Some(415) => Some("the receiver does not support this protocol version: set `protocol` to auto"),
        Some(200..=299) => Some(
            "the receiver did not confirm that it has stored the points, so it probably supports only Remote Write 1.0: \
             set `protocol` to auto or 1.0",
        ),
        Some(401 | 403) => return Some(format!("check the credentials: the request had {credentials}")),
        Some(429) => Some(LIMITED),
        _ => None,
    };
    let message = response.message.to_ascii_lowercase();
    let by_message = || BY_MESSAGE.iter().find(|(phrase, _)| message.contains(phrase)).map(|(_, hint)| *hint);
    by_status.or_else(by_message).map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint_on(status: Option<u16>, message: &str) -> String {
        let response = Response { status, message: message.into(), ..Response::default() };
        hint(&response, "a bearer token").unwrap_or_default()
    }

    #[test]
    fn each_usual_cause_has_a_hint() {
        for (status, message, part) in [
            (Some(404), "404 page not found", "--web.enable-remote-write-receiver"),
            (Some(401), "", "the request had a bearer token"),
            (Some(403), "", "the request had a bearer token"),
            (Some(308), "", "moved"),
            (Some(405), "", "/api/v1/write"),
            (Some(400), "unsupported path requested: \"/api/v1/wrong\"", "/api/v1/write"),
            (Some(415), "", "protocol"),
            (Some(204), "", "1.0"),
            (Some(400), "out of order sample", "--tag testid"),
            (Some(400), "too old sample", "clock"),
            (Some(400), "out of bounds", "clock"),
            (Some(400), "per-user series limit of 100 exceeded", "limit"),
            (None, "tcp connect error: Connection refused (os error 111)", "port"),
            (None, "dns error: failed to lookup address", "host"),
            (Some(407), "", "proxy"),
            (None, "tunnel error: proxy authorization required", "proxy"),
            (None, "invalid peer certificate: UnknownIssuer", "caCertificate"),
            (None, "invalid peer certificate: certificate expired: verification time 2 (UNIX)", "clock"),
            (None, "invalid peer certificate: certificate not valid for name \"a\"", "tlsServerName"),
            (None, "received fatal alert: CertificateRequired", "clientCertificateKey"),
            (None, "received fatal alert: ProtocolVersion", "tlsMinVersion"),
            (None, "received fatal alert: UnknownCA", "clientCertificate"),
            (None, "received corrupt message of type InvalidContentType", "not https"),
            (None, "no response within the timeout", "timeout"),
        ] {
            let hint = hint_on(status, message);
            assert!(hint.contains(part), "{status:?} {message}: {hint}");
        }
    }

    #[test]
    fn an_unusual_cause_has_no_hint() {
        assert_eq!(hint_on(Some(400), "something else"), "");
    }
}
