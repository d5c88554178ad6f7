//! Hints: what a person can do about a failed request, for the usual causes.

use super::message::unquoted;
use super::outcome::mentions_copy;
use crate::http::{FailedAt, Response};

const NO_REMOTE_WRITE: &str =
    "this path does not accept remote write: Prometheus and many other receivers accept it at /api/v1/write";

const LIMITED: &str = "the receiver limits what it accepts: raise its limit, or send fewer series";

const OTHER_RUN: &str = "another run writes the same series, or has written newer points to them: give each run its own tag, such as \
                         --tag testid=…";

const SAME_TIME: &str = "another run writes the same series: give each run its own tag, such as --tag testid=…";

const TOO_OLD: &str = "the points are older than the receiver accepts: check the clocks of both machines";

const CLOCKS: &str = "the receiver does not accept points of this time: check the clocks of both machines";

const LONG_VALUE: &str = "a label value, often a URL, is longer than the receiver accepts: set `maxLabelValueBytes` to its limit, or \
                          leave the tag out with `dropTags`";

const LONG_NAME: &str = "the name of a tag is longer than the receiver accepts: leave the tag out with `dropTags`";

const MANY_LABELS: &str =
    "a series has more labels than the receiver accepts: leave tags out with `dropTags`, or raise its limit";

const MANY_BUCKETS: &str =
    "the receiver limits the buckets of native histograms: raise its limit, or set `trendAs: [\"classic\"]`";

const REQUEST_SIZE: &str =
    "the receiver limits the size of a request: raise its limit, or lower `maxBytesPerSend` and `maxSamplesPerSend`";

const PROXY_CREDENTIALS: &str = "the proxy requires a user name and a password, or others: set them in its URL";

/// Phrases of an error of a proxy, in lower case, each with its hint.
const BY_PROXY_ERROR: &[(&str, &str)] = &[
    ("status 407", PROXY_CREDENTIALS),
    ("credentials not accepted", PROXY_CREDENTIALS),
    ("does not support user/pass", PROXY_CREDENTIALS),
    ("answered with status", "the proxy does not connect to the receiver: check its log and its rules"),
    ("socks error: failed to create underlying connection", PROXY_UNREACHABLE),
    ("socks error", "the proxy does not connect to the receiver: check its log and its rules"),
    ("invalidcontenttype", "the proxy expects http, not https: use http in its URL"),
    ("corrupt message", "the proxy expects http, not https: use http in its URL"),
    ("not valid for name", "the proxy's certificate is for another name: check the proxy's URL"),
    (
        "certificate",
        "the proxy's certificate is not trusted: set `caCertificate` (or, on Linux, SSL_CERT_FILE) to a file with the CA that signed it",
    ),
];

/// Phrases of an error of those that issue credentials, in lower case, each with its hint.
const BY_ISSUER_ERROR: &[(&str, &str)] = &[
    ("invalid_client", "check `oauth2ClientId` and `oauth2ClientSecret`"),
    ("unauthorized_client", "check `oauth2ClientId`: the identity provider allows it no client credentials"),
    ("invalid_scope", "check `oauth2Scopes`: Azure wants one scope that ends with /.default"),
    ("invalid_resource", "check `oauth2Scopes`"),
    ("status 401", "check `oauth2ClientId` and `oauth2ClientSecret`"),
    ("status 400", "check the options of OAuth 2.0: `oauth2Scopes`, `oauth2EndpointParams`"),
    ("status 4", "check `oauth2TokenUrl`"),
    ("status 3", "check `oauth2TokenUrl`: redirects are not followed"),
    ("status 200", "check `oauth2TokenUrl`"),
    (
        "cargo feature",
        "single sign-on and credential_process are not supported: run \
         eval \"$(aws configure export-credentials --format env)\" before k6",
    ),
    (
        "accessdenied",
        "check the role's trust policy, and that AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE or the profile's role_arn are right",
    ),
    (
        "no providers in chain",
        "AWS's keys were found nowhere: set AWS_PROFILE or keys, or give this machine or pod a role; in a container on EC2, \
         the instance's metadata service needs a hop limit of 2",
    ),
    (
        "no aws keys",
        "check the role and the profile; in a container on EC2, the instance's metadata service needs a hop limit of 2",
    ),
    (
        "certificate",
        "its certificate is not trusted: set `caCertificate` (or, on Linux, SSL_CERT_FILE) to a file with the CA that signed it",
    ),
    ("dns error", "unknown host name: check `oauth2TokenUrl`"),
    ("refused", "connection refused: check `oauth2TokenUrl`"),
];

const ISSUER_FAILS: &str = "the issuer of the credentials fails: the request is retried";

const PROXY_UNREACHABLE: &str = "the proxy cannot be reached: check its URL, and that it runs; to do without it, set `proxy` to \
                                 direct, or add the receiver's host to NO_PROXY";

/// Phrases of a response body or an error, in lower case, each with its hint. The first one that matches counts.
const BY_MESSAGE: &[(&str, &str)] = &[
    // Grafana Alloy, and the OpenTelemetry Collector that it is built from.
    (
        "job or instance cannot be found",
        "the receiver demands the labels job and instance: set `labels: job=k6,instance=…`, with a name for this machine",
    ),
    (
        "native histograms are disabled",
        "the receiver does not accept native histograms: enable them there, or set `trendAs: [\"classic\"]`",
    ),
    ("native-histogram-buckets", MANY_BUCKETS),
    ("not-reducible-native-histogram", MANY_BUCKETS),
    ("too many buckets", MANY_BUCKETS),
    ("native histogram bucket count", MANY_BUCKETS),
    // Mimir's words, then Cortex's.
    ("label value length", LONG_VALUE),
    ("label-value-too-long", LONG_VALUE),
    ("label value too long", LONG_VALUE),
    ("label name length", LONG_NAME),
    ("label-name-too-long", LONG_NAME),
    ("label name too long", LONG_NAME),
    ("number of labels exceeds", MANY_LABELS),
    ("max-label-names", MANY_LABELS),
    ("too many labels", MANY_LABELS),
    ("label names; limit", MANY_LABELS),
    ("labels size bytes exceeded", MANY_LABELS),
    // Mimir has an out-of-order time window, too.
    ("too old", TOO_OLD),
    ("out-of-order time window", TOO_OLD),
    ("too far in the past", TOO_OLD),
    ("out of order", OTHER_RUN),
    ("out-of-order samples", OTHER_RUN),
    ("duplicate sample", SAME_TIME),
    ("the same timestamp", SAME_TIME),
    ("duplicate-timestamp", SAME_TIME),
    ("out of bounds", CLOCKS),
    ("too far in the future", CLOCKS),
    ("timestamp too new", CLOCKS),
    ("larger than max", REQUEST_SIZE),
    ("larger than the allowed", REQUEST_SIZE),
    ("too large", REQUEST_SIZE),
    ("too big", REQUEST_SIZE),
    ("limit", LIMITED),
    ("unsupported path", NO_REMOTE_WRITE),
    ("refused", "is the receiver running on this port?"),
    ("dns error", "unknown host name: check the URL"),
    ("failed to lookup", "unknown host name: check the URL"),
    ("invalidcontenttype", "the receiver expects http, not https: use http in the URL"),
    ("corrupt message", "the receiver expects http, not https: use http in the URL"),
    ("certificate expired", "the receiver's certificate has expired: renew it, or check this machine's clock"),
    ("certificate not valid yet", "the receiver's certificate is not valid yet: check the clocks of both machines"),
    (
        "not valid for any names",
        "the receiver's certificate has no subjectAltName, and its common name does not count: make one with \
         openssl req -x509 -addext subjectAltName=DNS:<host> …",
    ),
    ("not valid for name", "the receiver's certificate is for another name: check the URL, or set `tlsServerName`"),
    (
        "certificaterequired",
        "the receiver requires a client certificate: set `clientCertificate` and `clientCertificateKey`",
    ),
    ("protocolversion", "the receiver does not support TLS 1.3: set `tlsMinVersion` to \"1.2\""),
    ("fatal alert", "the receiver rejected the client certificate, or requires one: check `clientCertificate`"),
    (
        "certificate",
        "the receiver's certificate is not trusted: set `caCertificate` (or, on Linux, SSL_CERT_FILE) to a file of trusted CAs",
    ),
    ("no response within", "the receiver is slow or does not respond: raise `timeout` if it needs more time"),
];

/// The flag of Prometheus that enables remote write.
const ENABLE: &str = "--web.enable-remote-write-receiver";

/// Message of Mimir and Cortex to a request without a tenant, with status 401.
const NO_TENANT: &str = "no org id";

/// Returns the hint for a response, if its cause is a usual one. `credentials` describes those that were sent.
pub(super) fn hint(response: &Response, credentials: &str) -> Option<String> {
    if let Some(location) = &response.location {
        return Some(format!("the URL has moved: set it to {location}, or add credentials if that is a login page"));
    }
    let of_others = match response.failed_at {
        FailedAt::Receiver => None,
        FailedAt::Proxy => Some((BY_PROXY_ERROR, PROXY_UNREACHABLE)),
        FailedAt::Issuer => Some((BY_ISSUER_ERROR, ISSUER_FAILS)),
    };
    if let Some((phrases, otherwise)) = of_others {
        return Some(first_match(phrases, &response.message).unwrap_or(otherwise).into());
    }
    let message = unquoted(&response.message).to_lowercase();
    let by_status = match response.status {
        Some(401 | 403) if message.contains(NO_TENANT) => {
            Some("the receiver demands a tenant: set `headers: X-Scope-OrgID:…`, with the name of yours")
        }
        Some(301 | 302 | 303 | 307 | 308) => Some("the URL has moved: set the URL that the receiver redirects to"),
        // Prometheus says it itself.
        Some(404) if message.contains(ENABLE) => return None,
        Some(404) => Some(
            "wrong path, or remote write is not enabled: Prometheus accepts it at /api/v1/write if it is started with \
             --web.enable-remote-write-receiver, Mimir and Cortex at /api/v1/push",
        ),
        Some(405) => Some(NO_REMOTE_WRITE),
        Some(407) => Some(PROXY_CREDENTIALS),
        Some(413) => Some("the receiver rejects even a single point as too large: check its limits"),
        Some(415) => Some("the receiver does not support this protocol version: set `protocol` to auto"),
        Some(200..=299) if response.is_html => {
            Some("a web page answered instead of a receiver: check the URL's path, or log in at the proxy")
        }
        Some(202) if mentions_copy(&response.message) => Some(
            "the receiver stores one replica of each cluster, and takes this instance for another replica because of its labels: \
             leave out the label of the replica",
        ),
        Some(200..=299) => Some(
            "the receiver did not confirm that it has stored the points, so it probably supports only Remote Write 1.0: \
             set `protocol` to auto or 1.0",
        ),
        Some(401 | 403) => return Some(format!("check the credentials: the request had {credentials}")),
        Some(429) => Some(LIMITED),
        _ => None,
    };
    by_status.or_else(|| first_match(BY_MESSAGE, &response.message)).map(String::from)
}

fn first_match(phrases: &[(&str, &'static str)], message: &str) -> Option<&'static str> {
    let message = unquoted(message).to_lowercase();
    phrases.iter().find(|(phrase, _)| message.contains(phrase)).map(|(_, hint)| *hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint_on(status: Option<u16>, message: &str) -> String {
        let response = Response { status, message: message.into(), ..Response::default() };
        hint(&response, "a bearer token").unwrap_or_default()
    }

    #[test]
    fn a_hint_does_not_repeat_the_message() {
        let message = "remote write receiver needs to be enabled with --web.enable-remote-write-receiver";
        assert_eq!(hint_on(Some(404), message), "");
    }

    #[test]
    fn each_usual_cause_has_a_hint() {
        for (status, message, part) in [
            (Some(404), "404 page not found", "--web.enable-remote-write-receiver"),
            (Some(401), "", "the request had a bearer token"),
            (Some(401), "no org id", "X-Scope-OrgID"),
            (Some(403), "", "the request had a bearer token"),
            (Some(308), "", "moved"),
            (Some(405), "", "/api/v1/write"),
            (Some(400), "unsupported path requested: \"/api/v1/wrong\"", "/api/v1/write"),
            (Some(415), "", "protocol"),
            (Some(204), "", "1.0"),
            (Some(202), "replicas did not match, rejecting sample: replica=b, elected=a", "the label of the replica"),
            (Some(400), "out of order sample", "--tag testid"),
            (Some(400), "too old sample", "clock"),
            (Some(400), "out of bounds", "clock"),
            (Some(400), "per-user series limit of 100 exceeded", "fewer series"),
            (
                Some(400),
                "per-user series limit of 100 exceeded (err-mimir-max-series-per-user). To adjust the related \
              per-tenant limit, configure -ingester.max-global-series-per-user",
                "fewer series",
            ),
            (Some(429), "tenant is above active series limit", "fewer series"),
            (Some(500), "job or instance cannot be found from labels", "labels: job=k6,instance="),
            (Some(500), "native histograms are disabled", "trendAs: [\"classic\"]"),
            (Some(422), "native histograms are disabled for series {a=\"b\"}", "enable them"),
            (
                Some(400),
                "received a native histogram sample with too many buckets, timestamp: 1 series: k6_a{}, buckets: 200, \
              limit: 160",
                "trendAs",
            ),
            (Some(400), "native histogram bucket count exceeded for metric (limit: 2) metric: \"k6_a\"", "trendAs"),
            (
                Some(400),
                "received a series whose label value length of 3000 exceeds the limit of 2048, label: 'url', value: \
              'http' (truncated) series: 'k6_a' (err-mimir-label-value-too-long)",
                "maxLabelValueBytes",
            ),
            (Some(400), "label value too long for metric (actual: 3, limit: 2) metric: \"k6_a\"", "maxLabelValueBytes"),
            (Some(400), "label name too long for metric (actual: 3, limit: 2)", "dropTags"),
            (Some(400), "received a series whose label name length exceeds the limit, label: 'a'", "dropTags"),
            (
                Some(400),
                "received a series whose number of labels exceeds the limit (actual: 40, limit: 30)",
                "more labels",
            ),
            (Some(400), "series has too many labels (actual: 40, limit: 30) series: 'k6_a'", "more labels"),
            (Some(400), "labels size bytes exceeded for metric (actual: 3, limit: 2)", "more labels"),
            (
                Some(400),
                "another sample with a more recent timestamp has already been ingested and out-of-order samples are not \
              allowed (err-mimir-sample-out-of-order)",
                "--tag testid",
            ),
            (
                Some(400),
                "this sample is beyond the out-of-order time window of 1m (err-mimir-sample-timestamp-too-old)",
                "clock",
            ),
            (
                Some(400),
                "another sample with the same timestamp, but a different value, has already been ingested",
                "--tag testid",
            ),
            (Some(400), "timestamp too new: 17 metric: \"k6_a\"", "clock"),
            (Some(500), "grpc: received message larger than max (9 vs. 5)", "maxBytesPerSend"),
            (Some(400), "too big unpacked request; mustn't exceed `-maxInsertRequestSize=5` bytes", "maxBytesPerSend"),
            (Some(400), r#"{"error":"out of bounds"}"#, "clock"),
            (None, "tcp connect error: Connection refused (os error 111)", "port"),
            (None, "dns error: failed to lookup address", "host"),
            (Some(407), "", "proxy"),
            (None, "invalid peer certificate: UnknownIssuer", "caCertificate"),
            (None, "invalid peer certificate: certificate expired: verification time 2 (UNIX)", "clock"),
            (None, "invalid peer certificate: certificate not valid for name \"a\"", "tlsServerName"),
            (
                None,
                "invalid peer certificate: certificate not valid for name \"a\"; certificate is not valid for any names",
                "subjectAltName",
            ),
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
    fn a_failure_of_the_proxy_is_not_one_of_the_receiver() {
        for (message, part) in [
            ("CONNECT was answered with status 407", "user name"),
            ("CONNECT was not answered with status 200", "rules"),
            ("SOCKS error: failed to create underlying connection", "NO_PROXY"),
            ("SOCKS error: credentials not accepted", "user name"),
            ("SOCKS error: connection refused", "rules"),
            ("tcp connect error: Connection refused (os error 111)", "NO_PROXY"),
            ("dns error: failed to lookup address information", "check its URL"),
            ("invalid peer certificate: UnknownIssuer", "the proxy's certificate"),
            ("received corrupt message of type InvalidContentType", "the proxy expects http"),
        ] {
            let message = format!("proxy http://proxy.test:3128 of HTTP_PROXY: {message}");
            let response = Response { failed_at: FailedAt::Proxy, message, ..Response::default() };
            let hint = hint(&response, "no credentials").unwrap_or_default();
            assert!(hint.contains("proxy") && hint.contains(part), "{}: {hint}", response.message);
        }
    }

    #[test]
    fn a_redirect_is_hinted_with_its_location() {
        let response = Response { status: Some(301), location: Some("https://h/write".into()), ..Response::default() };
        assert!(hint(&response, "").is_some_and(|hint| hint.contains("moved: set it to https://h/write")));
    }

    #[test]
    fn a_web_page_has_a_hint_only_as_a_success() {
        let page =
            |status| hint(&Response { status: Some(status), is_html: true, ..Response::default() }, "no credentials");
        assert!(page(200).is_some_and(|hint| hint.contains("a web page answered")));
        assert!(page(401).is_some_and(|hint| hint.contains("no credentials")));
    }

    #[test]
    fn an_unusual_cause_has_no_hint() {
        assert_eq!(hint_on(Some(400), "something else"), "");
        assert_eq!(hint_on(Some(400), "wrong label \"out of order\" of {check=\"too old, limit\"}"), "");
    }
}
