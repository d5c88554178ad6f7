//! What a person can do about what a receiver answers, where there is a usual cause.

use crate::http::Response;

const NO_REMOTE_WRITE: &str = "this path takes no remote write: Prometheus and many others have it at /api/v1/write";

/// Signs in the receiver's or the error's words, lower case, and what to do.
const BY_WORDS: &[(&str, &str)] = &[
    (
        "out of order",
        "another run writes the same series, or wrote them later than this one: give each run a tag of its own, \
         such as --tag testid=…",
    ),
    ("duplicate sample", "another run writes the same series: give each run a tag of its own, such as --tag testid=…"),
    ("too old", "the receiver has newer points than it accepts older ones beside: look at the clocks of both machines"),
    ("out of bounds", "the receiver takes no points of this time: look at the clocks of both machines"),
    ("too far in the future", "the receiver takes no points of this time: look at the clocks of both machines"),
    ("limit", "the receiver limits what it takes: raise its limit, or ship fewer series"),
    ("unsupported path", NO_REMOTE_WRITE),
    ("refused", "nobody listens there: is the receiver running, and is the port right?"),
    ("dns error", "the name of the host is not known: look at the URL"),
    ("failed to lookup", "the name of the host is not known: look at the URL"),
    ("invalidcontenttype", "the receiver speaks http, not https: look at the URL"),
    ("corrupt message", "the receiver speaks http, not https: look at the URL"),
    ("certificate expired", "the receiver's certificate is out of date: renew it, or look at this machine's clock"),
    ("certificate not valid yet", "the receiver's certificate begins later: look at the clocks of both machines"),
    ("not valid for name", "the receiver's certificate is for another name: look at the URL, or set `tlsServerName`"),
    (
        "certificaterequired",
        "the receiver wants a certificate of this side: set `clientCertificate` and `clientCertificateKey`",
    ),
    ("protocolversion", "the receiver speaks no TLS 1.3: `tlsMinVersion` \"1.2\" allows the version before"),
    ("fatal alert", "the receiver refuses this side's certificate, or wants one: look at `clientCertificate`"),
    (
        "certificate",
        "the receiver's certificate is not trusted: `caCertificate`, or SSL_CERT_FILE, names a file of authorities to trust",
    ),
    ("proxy authorization", "the proxy wants a user name and a password: put them into its URL"),
    ("no answer within", "the receiver is slow or does not answer: `timeout` is how long it is waited for"),
];

/// `credentials` says which were sent.
pub(super) fn hint(response: &Response, credentials: &str) -> Option<String> {
    let by_status = match response.status {
        Some(301 | 302 | 303 | 307 | 308) => Some("the URL has moved: set the one that the receiver names"),
        Some(404) => Some(
            "wrong path, or the receiver is not enabled: Prometheus takes remote write at /api/v1/write when it is \
             started with --web.enable-remote-write-receiver",
        ),
        Some(405) => Some(NO_REMOTE_WRITE),
        Some(407) => Some("the proxy wants a user name and a password: put them into its URL"),
        Some(413) => Some("the receiver does not even take a single point: look at its limits"),
        Some(415) => Some("the receiver does not take this version of the protocol: set `protocol` to auto"),
        Some(200..=299) => Some(
            "the receiver does not confirm what it has written, as one of Remote Write 1.0 would, which has stored nothing: \
             set `protocol` to auto or 1.0",
        ),
        Some(401 | 403) => return Some(format!("the receiver wants other credentials; sent were {credentials}")),
        Some(429) => Some("the receiver limits what it takes: raise its limit, or ship fewer series"),
        _ => None,
    };
    let words = response.message.to_ascii_lowercase();
    let by_words = || BY_WORDS.iter().find(|(sign, _)| words.contains(sign)).map(|(_, hint)| *hint);
    by_status.or_else(by_words).map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint_on(status: Option<u16>, words: &str) -> String {
        let response = Response { status, message: words.into(), ..Response::default() };
        hint(&response, "a bearer token").unwrap_or_default()
    }

    #[test]
    fn every_usual_cause_has_its_hint() {
        for (status, words, part) in [
            (Some(404), "404 page not found", "--web.enable-remote-write-receiver"),
            (Some(401), "", "sent were a bearer token"),
            (Some(403), "", "sent were a bearer token"),
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
            (None, "no answer within the timeout", "timeout"),
        ] {
            let hint = hint_on(status, words);
            assert!(hint.contains(part), "{status:?} {words}: {hint}");
        }
    }

    #[test]
    fn without_a_usual_cause_there_is_none() {
        assert_eq!(hint_on(Some(400), "nobody knows why"), "");
    }
}
