//! Response to a request, read within bounds and without secrets.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::StatusCode;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, DATE, LOCATION, RETRY_AFTER};
use tokio::time::Instant;
use url::{ParseError, Url};

use super::body::{Body, Content};
use super::redact::Redactor;
use super::secret_url::shown_query;
use super::session::TlsSession;
use super::transport::RequestError;
use super::web_page;
use crate::text::{one_line, truncate};

/// Maximum length of a message.
const MAX_MESSAGE_CHARS: usize = 300;

/// Maximum length of the title of a web page in a message.
const MAX_TITLE_CHARS: usize = 100;

/// Maximum time for reading the body of a success, which has no meaning (Remote Write 2.0, "Response"). It is read so that the
/// connection can be reused.
const BODY_READ_TIMEOUT: Duration = Duration::from_millis(100);

/// Headers in which a receiver of 2.0 reports how many points it has written.
const WRITTEN: [&str; 2] =
    ["X-Prometheus-Remote-Write-Samples-Written", "X-Prometheus-Remote-Write-Histograms-Written"];

/// Header in which a receiver of 2.0 reports how many exemplars it has written.
const WRITTEN_EXEMPLARS: &str = "X-Prometheus-Remote-Write-Exemplars-Written";

/// Header of every response of VictoriaMetrics and vmagent.
const VICTORIA_METRICS: &str = "X-Server-Hostname";

/// Response to one request, or the error in its place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Response {
    /// HTTP status; `None` if there was no response.
    pub status: Option<u16>,
    /// Pause that `Retry-After` requests.
    pub retry_after: Option<Duration>,
    /// Time of the receiver's clock, in seconds, when it answered.
    pub date: Option<SystemTime>,
    /// True if the request may have reached the receiver.
    pub reached: bool,
    /// True if the receiver is of VictoriaMetrics, which names its host in every response.
    pub is_victoria_metrics: bool,
    /// What failed if there is no response.
    pub failed_at: FailedAt,
    /// The TLS session with the receiver; `None` for plain http.
    pub tls: Option<Arc<TlsSession>>,
    /// Number of points that the receiver reports as written (Remote Write 2.0, "Required `Written` Response Headers").
    pub written: Option<u64>,
    /// Number of exemplars that the receiver reports as written.
    pub exemplars_written: Option<u64>,
    /// Whether a web page answered instead of a receiver, whatever the status.
    pub is_html: bool,
    /// Where a redirect that was not followed leads, without secrets.
    pub location: Option<String>,
    /// Body or error on one line, without secrets. Empty if the request was accepted.
    pub message: String,
}

/// What a request failed at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FailedAt {
    /// The receiver, or the path to it.
    #[default]
    Receiver,
    /// The proxy.
    Proxy,
    /// The issuer of the credentials, without which nothing was sent.
    Issuer,
}

impl Response {
    /// Reports whether the receiver may have stored points of the request, though it has not responded so.
    pub fn may_be_stored(&self) -> bool {
        self.reached && !matches!(self.status, Some(413 | 429))
    }
}

/// Reads a response, and redacts the secrets that it repeats.
pub(super) async fn read(received: reqwest::Response, deadline: Instant, redactor: &Redactor) -> Response {
    let status = received.status();
    let text = |name: &str| received.headers().get(name).and_then(|value| value.to_str().ok());
    let counts: Vec<u64> = WRITTEN.iter().filter_map(|name| text(name)?.trim().parse().ok()).collect();
    let mut response = Response {
        status: Some(status.as_u16()),
        reached: true,
        tls: received.extensions().get().cloned(),
        is_victoria_metrics: received.headers().contains_key(VICTORIA_METRICS),
        date: text(DATE.as_str()).and_then(|text| httpdate::parse_http_date(text).ok()),
        retry_after: text(RETRY_AFTER.as_str()).and_then(|text| parse_retry_after(text, SystemTime::now())),
        written: (!counts.is_empty()).then(|| counts.iter().fold(0_u64, |sum, count| sum.saturating_add(*count))),
        exemplars_written: text(WRITTEN_EXEMPLARS).and_then(|count| count.trim().parse().ok()),
        ..Response::default()
    };
    let location = received.headers().get(LOCATION).filter(|_| status.is_redirection());
    let location = location.map(|location| {
        let location = redactor.redact(location.as_bytes());
        message_of(&without_secrets(&String::from_utf8_lossy(&location)), redactor)
    });
    response.location = location.filter(|location| !location.is_empty());
    let has_type = text(CONTENT_TYPE.as_str()).is_some_and(web_page::is_type);
    let encoding = text(CONTENT_ENCODING.as_str()).map(|encoding| redactor.redact_text(encoding));
    let has_meaning = !status.is_success() || has_type;
    let deadline = if has_meaning { deadline } else { deadline.min(Instant::now() + BODY_READ_TIMEOUT) };
    let body = Body::read(received, deadline).await;
    let (content, complete) = match body.decompressed(encoding.as_deref()) {
        Ok(body) => match body.content() {
            // Before anything else reads, cleans or cuts it.
            Content::Text(_) => (body.redacted(redactor).content(), body.complete),
            unreadable => (unreadable, true),
        },
        Err(description) => (Content::Unreadable(description), true),
    };
    let is_page = match &content {
        Content::Text(text) => web_page::is_page(text, has_type) || has_type && text.is_empty() && !complete,
        Content::Unreadable(_) => has_type,
    };
    // Only a receiver reports what it has written.
    response.is_html = is_page && response.written.is_none();
    // 202 may say that the points were not stored.
    if status.is_success() && status != StatusCode::ACCEPTED && !response.is_html {
        return response;
    }
    let (Content::Text(text) | Content::Unreadable(text)) = content;
    let message = match &response.location {
        _ if response.is_html && status.is_success() => described(&web_page::title_or_text(&text), redactor),
        Some(location) => format!("redirect to {location}"),
        None if is_page => web_page::title_and_text(&text),
        None => text,
    };
    response.message = message_of(&message, redactor);
    response
}

/// Returns the description of a web page that came instead of a confirmation.
fn described(title: &str, redactor: &Redactor) -> String {
    let title = truncate(&redactor.redact_text(&one_line(title)), MAX_TITLE_CHARS);
    if title.is_empty() { "web page".into() } else { format!("web page \"{title}\"") }
}

/// Returns the response in place of one that did not come.
pub(super) fn failed(error: &RequestError, redactor: &Redactor) -> Response {
    let message = message_of(&redactor.redact_text(&error.to_string()), redactor);
    let failed_at = if error.is_at_proxy() { FailedAt::Proxy } else { FailedAt::Receiver };
    Response { reached: error.reached(), failed_at, message, ..Response::default() }
}

/// Returns a text on one line and without secrets, also those that the line has only now.
fn message_of(text: &str, redactor: &Redactor) -> String {
    truncate(&redactor.redact_text(&one_line(text)), MAX_MESSAGE_CHARS)
}

/// Returns a `Location` without user name, password, values of the query and fragment.
fn without_secrets(location: &str) -> String {
    let location = location.trim().replace('\\', "/");
    let location = location.split('#').next().unwrap_or_default();
    let (path, query) = location.split_once('?').map_or((location, None), |(path, query)| (path, Some(query)));
    let path = match path.strip_prefix("//") {
        Some(host) => without_user(&format!("http://{host}")).replacen("http:", "", 1),
        None => without_user(path),
    };
    let query = query.map(|query| format!("?{}", shown_query(query)));
    path + &query.unwrap_or_default()
}

/// Returns a URL without user name and password. A relative one has none.
fn without_user(url: &str) -> String {
    match Url::parse(url) {
        Ok(mut url) => {
            let _ = (url.set_username(""), url.set_password(None));
            url.into()
        }
        Err(ParseError::RelativeUrlWithoutBase) => url.into(),
        Err(_) => url.rsplit('@').next().unwrap_or_default().into(),
    }
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
    fn a_location_has_no_secrets() {
        for (location, shown) in [
            (
                "https://u:hunter2@h:1/p?t=hunter2&a=1;b=hunter2&hunter2&=x#hunter2",
                "https://h:1/p?t=***&a=***&***&=***",
            ),
            ("HTTPS:u:hunter2@h/p", "https://h/p"),
            ("//u:hunter2@h/p?t=hunter2", "//h/p?t=***"),
            ("/\\u:hunter2@h/p", "//h/p"),
            ("https://u:hunter2@h:port/p", "h:port/p"),
            ("/login?rd=https://x#hunter2", "/login?rd=***"),
            ("../@me/write", "../@me/write"),
            ("?t=hunter2", "?t=***"),
            ("", ""),
        ] {
            assert_eq!(without_secrets(location), shown, "{location}");
        }
    }

    #[test]
    fn a_message_is_cut_after_it_is_masked() {
        let mut redactor = Redactor::default();
        redactor.add("open  sesame".into());
        let long = format!("{}open  sesame", "a ".repeat(MAX_MESSAGE_CHARS / 2 - 2));
        assert!(message_of(&redactor.redact_text(&long), &redactor).ends_with("a ***"));
    }

    #[test]
    fn a_date_in_the_past_means_no_pause() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(3600);
        assert_eq!(parse_retry_after("Thu, 01 Jan 1970 00:00:09 GMT", now), Some(Duration::ZERO));
    }
}
