//! URLs, which may have secrets in every part but scheme, host and port.

use std::fmt;
use std::mem;

use percent_encoding::percent_decode_str;
use url::{Host, Url};
use zeroize::Zeroize;

use super::credential_names::names_credentials;
use crate::secret::{MASK, Secret};

/// URL of a receiver or a proxy. Shown without user name, password, fragment, values of the query, and segments of the path that
/// are not words, which may be tokens; wiped from memory when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl(Url);

/// Number of digits that a segment of a path may have in a row: a longer number may be a secret.
const MAX_SHOWN_DIGITS: usize = 3;

/// Length of a word in a path that is shown.
const MAX_WORD_CHARS: usize = 20;

impl SecretUrl {
    /// Returns the URL itself. Must not become part of a message.
    pub fn expose(&self) -> &Url {
        &self.0
    }

    /// Returns the URL for people and logs.
    pub fn shown(&self) -> String {
        let mut url = self.0.clone();
        // These fail only for URLs that cannot have them.
        let _ = (url.set_username(""), url.set_password(None));
        url.set_fragment(None);
        let query = url.query().map(shown_query);
        url.set_query(query.as_deref());
        let shown = shown_path(url.path());
        url.set_path(&shown);
        url.to_string()
    }

    /// Reports whether the host is another machine.
    pub fn crosses_network(&self) -> bool {
        match self.0.host() {
            Some(Host::Domain(name)) => name != "localhost" && !name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => !address.is_loopback(),
            Some(Host::Ipv6(address)) => !address.to_canonical().is_loopback(),
            None => false,
        }
    }

    /// Takes user name and password out of the URL, decoded; `None` if it has neither.
    pub fn take_credentials(&mut self) -> Option<(Secret, Option<Secret>)> {
        let decoded = |text: &str| Secret::from(percent_decode_str(text).decode_utf8_lossy().into_owned());
        let username = decoded(self.0.username());
        let password = self.0.password().map(decoded);
        let taken = (!username.is_empty() || password.is_some()).then_some((username, password));
        let _ = (self.0.set_username(""), self.0.set_password(None));
        taken
    }

    /// Returns the parts that are not shown, as they are written; each may be repeated by a receiver. User name and password have
    /// been taken out.
    pub(super) fn secrets(&self) -> impl Iterator<Item = Secret> {
        let url = &self.0;
        let query = url.query().into_iter().flat_map(|query| query.split('&'));
        let values = query.filter_map(|pair| {
            let Some((name, value)) = pair.split_once('=') else { return Some(pair.into()) };
            Some(Secret::from(value)).filter(|value| may_be_secret(name, value))
        });
        let segments = url.path().split('/').filter(|segment| !is_word(segment)).map(Secret::from);
        values.chain(segments).filter(|part| !part.is_empty())
    }
}

impl From<Url> for SecretUrl {
    fn from(url: Url) -> Self {
        Self(url)
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

impl Drop for SecretUrl {
    fn drop(&mut self) {
        // A URL gives its text away only for another one.
        if let Ok(empty) = Url::parse("x:") {
            String::from(mem::replace(&mut self.0, empty)).zeroize();
        }
    }
}

/// Returns user name and password as basic authentication has them (RFC 7617, section 2).
pub(super) fn pair(username: &Secret, password: &Secret) -> Secret {
    format!("{}:{}", username.expose(), password.expose()).into()
}

/// Length of a value that is a secret whatever its name is.
const MIN_SECRET_BYTES: usize = 4;

/// Reports whether the value of a header or of a parameter of this name must be masked in messages: a short one, such as a
/// tenant's number, is usual in any text.
pub(super) fn may_be_secret(name: &str, value: &Secret) -> bool {
    value.expose().len() >= MIN_SECRET_BYTES || names_credentials(name)
}

/// Returns a query with the names of its values alone.
pub(super) fn shown_query(query: &str) -> String {
    let name = |pair: &str| match pair.split_once('=') {
        Some((name, _)) if is_word(name) => format!("{name}={MASK}"),
        _ => MASK.into(),
    };
    query.split('&').map(name).collect::<Vec<_>>().join("&")
}

fn shown_path(path: &str) -> String {
    let segment = |segment| if is_word(segment) { segment } else { MASK };
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// Reports whether people have chosen each part of a segment, such as `v1`, `remote_write`, `Microsoft-PrometheusMetrics` or `12:0`.
fn is_word(segment: &str) -> bool {
    segment.split(['_', '-', '.', ':']).all(|part| {
        let digits = part.bytes().filter(u8::is_ascii_digit).count();
        let letters = part.trim_matches(|c: char| c.is_ascii_digit());
        let is_name = letters.len() <= MAX_WORD_CHARS && letters.bytes().all(|byte| byte.is_ascii_alphabetic());
        // Letters with a number are a version, such as v1 and k6.
        is_name && digits <= MAX_SHOWN_DIGITS && (digits == 0 || letters.len() <= 2) && is_cased_as_words(letters)
    })
}

/// Reports whether capitals only begin words of three letters or more, or are all that there is.
fn is_cased_as_words(letters: &str) -> bool {
    let is_upper = |c: char| c.is_ascii_uppercase();
    letters.chars().all(is_upper) || letters.split(is_upper).skip(1).all(|rest| rest.len() >= 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret_url(text: &str) -> SecretUrl {
        Url::parse(text).expect("valid").into()
    }

    #[test]
    fn only_scheme_host_port_and_words_are_shown() {
        for (url, shown) in [
            ("http://localhost:9090/api/v1/write", "http://localhost:9090/api/v1/write"),
            ("https://me:hunter2@host/w", "https://host/w"),
            ("https://:hunter2@host/w#hunter2", "https://host/w"),
            (
                "https://host/w?db=k6&api_key=hunter2&hunter2&a@b=c&flag",
                "https://host/w?db=***&api_key=***&***&***&***",
            ),
            ("https://host/hunter2/x", "https://host/***/x"),
            ("https://host/push/dGhpcyBpcyBh/w", "https://host/push/***/w"),
            ("https://h/0/a%2Fb/write/", "https://h/0/***/write/"),
            ("https://h/insert/12:3/prometheus/api/v1/write", "https://h/insert/12:3/prometheus/api/v1/write"),
            (
                "https://h/workspaces/ws-1f2e3d4c-5b6a/api/v1/remote_write",
                "https://h/workspaces/***/api/v1/remote_write",
            ),
            ("https://h/streams/Microsoft-PrometheusMetrics/api", "https://h/streams/Microsoft-PrometheusMetrics/api"),
            ("https://h/abcdefghijklmnopqrstuvwxyz", "https://h/***"),
            ("https://h/123456", "https://h/***"),
            ("https://h/k6.js/API/qWeRtYuI", "https://h/k6.js/API/***"),
        ] {
            let url = secret_url(url);
            assert_eq!((url.shown(), format!("{url:?}")), (shown.into(), shown.into()));
        }
    }

    #[test]
    fn what_is_not_shown_is_a_secret() {
        let url = secret_url("https://m%40e:hun%2Fter2@host/api/t0k%2fen1/?key=1&b=x=yz&flag&db=k6#z");
        let secrets: Vec<_> = url.secrets().map(|secret| secret.expose().to_string()).collect();
        assert_eq!(secrets, ["1", "x=yz", "flag", "t0k%2fen1"]);
    }

    #[test]
    fn loopback_is_not_a_network() {
        for (host, crosses) in [
            ("localhost", false),
            ("api.localhost", false),
            ("127.1.2.3", false),
            ("[::1]", false),
            ("[::ffff:127.0.0.1]", false),
            ("localhost.example.com", true),
            ("10.0.0.1", true),
            ("[fe80::1]", true),
            ("prometheus", true),
        ] {
            assert_eq!(secret_url(&format!("http://{host}/")).crosses_network(), crosses, "{host}");
        }
    }

    #[test]
    fn credentials_are_taken_out_decoded() {
        let taken = |text: &str| {
            let mut url = secret_url(text);
            let taken = url.take_credentials();
            assert_eq!(url.expose().as_str(), "http://host/");
            taken.map(|(username, password)| (username.expose().to_string(), password.map(|p| p.expose().to_string())))
        };
        assert_eq!(taken("http://m%40e:hun%2Fter2@host/"), Some(("m@e".into(), Some("hun/ter2".into()))));
        assert_eq!(taken("http://:secret@host/"), Some((String::new(), Some("secret".into()))));
        assert_eq!(taken("http://token@host/"), Some(("token".into(), None)));
        assert_eq!(taken("http://host/"), None);
    }
}
