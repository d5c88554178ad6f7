//! Who ships: what options say of it, and what is sent of that.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use url::Host;

use super::check::Check;
use super::{Destination, aws, option};
use crate::http::{self, AwsKeys, Held, KeyPair};
use crate::secret::Secret;

/// Who ships: a bearer token, or else an `Authorization` among the headers, or else basic authentication.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)] // their names say it
pub struct Credentials {
    pub username: Option<Held>,
    pub password: Option<Held>,
    pub bearer_token: Option<Held>,
}

/// How to sign requests for AWS, if a region is set once all is read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct SigV4 {
    pub region: Option<String>,
    pub service: String,
    pub access_key: Option<String>,
    pub secret_key: Option<Secret>,
    pub session_token: Option<Secret>,
    pub profile: Option<String>,
    /// Where profiles are.
    pub file: PathBuf,
}

impl Default for SigV4 {
    fn default() -> Self {
        Self {
            region: None,
            service: "aps".into(),
            access_key: None,
            secret_key: None,
            session_token: None,
            profile: None,
            file: PathBuf::new(),
        }
    }
}

impl Credentials {
    /// What is sent, of all that there is.
    pub(super) fn sent(&self, sigv4: &SigV4, headers: &[(String, Secret)]) -> http::Credentials {
        if let Some(region) = &sigv4.region {
            let (region, service) = (region.clone(), sigv4.service.clone());
            return http::Credentials::SigV4(http::SigV4 { region, service, keys: sigv4.keys() });
        }
        match (&self.bearer_token, &self.username) {
            (Some(token), _) => http::Credentials::Bearer(token.clone()),
            (None, Some(username)) if !has_authorization(headers) => {
                http::Credentials::Basic { username: username.clone(), password: self.password.clone() }
            }
            _ => http::Credentials::None,
        }
    }
}

impl SigV4 {
    fn keys(&self) -> AwsKeys {
        match (&self.access_key, &self.secret_key) {
            (Some(access_key), Some(secret_key)) => AwsKeys::Given(KeyPair {
                access_key: access_key.clone(),
                secret_key: secret_key.clone(),
                session_token: self.session_token.clone(),
            }),
            _ => AwsKeys::Profile {
                file: self.file.clone(),
                name: self.profile.clone().unwrap_or_else(|| "default".into()),
            },
        }
    }
}

/// Completes credentials by the URL's and by AWS's own variables, and refuses what cannot be sent together.
pub(super) fn check(to: &mut Destination, environment: &BTreeMap<String, String>, check: &mut Check<'_>) {
    let sigv4 = check.written(&aws::OPTIONS).map(|one| one.place.clone());
    if sigv4.is_some() {
        aws::complete(&mut to.sigv4, environment).into_iter().for_each(|problem| check.wrong(problem));
    }
    take_from_url(to);
    let credentials = &to.credentials;
    if credentials.password.is_some() && credentials.username.is_none() {
        check.wrong_in(&[option::PASSWORD, option::PASSWORD_FILE], "is a password without a username");
    }
    // In the order in which they win, as in k6's own output.
    let kinds = [
        (credentials.bearer_token.is_some(), &[option::BEARER_TOKEN, option::BEARER_TOKEN_FILE][..]),
        (has_authorization(&to.headers), &[option::HEADERS]),
        (credentials.username.is_some(), &[option::USERNAME, option::USERNAME_FILE, option::URL]),
    ];
    let kinds: Vec<_> = kinds.iter().filter(|(there, _)| *there).map(|(_, names)| check.place_of(names)).collect();
    if !(kinds.is_empty() && sigv4.is_none()) && crosses_a_network_in_clear(to) {
        check.warn(format!("Credentials go to {} in clear: use https", to.shown_url()));
    }
    match (sigv4, &kinds[..]) {
        (Some(sigv4), [other, ..]) => check.both(sigv4, other.clone(), "both say who ships"),
        (None, [first, others @ ..]) if !others.is_empty() => {
            let (url, others) = (to.shown_url(), others.join(", "));
            check.warn(format!("{first} is what tells {url} who ships: {others} has no effect"));
        }
        _ => {}
    }
}

/// Whether the headers say themselves who ships.
fn has_authorization(headers: &[(String, Secret)]) -> bool {
    headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"))
}

/// User and password of the URL, unless options name others; either way the URL keeps none.
fn take_from_url(to: &mut Destination) {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let username = Some(decoded(to.url.username())).filter(|username| !username.is_empty());
    let password = to.url.password().map(decoded);
    // These fail only for URLs that cannot have them.
    let _ = to.url.set_username("");
    let _ = to.url.set_password(None);
    let credentials = &mut to.credentials;
    if username.is_some() && credentials.username.is_none() && credentials.bearer_token.is_none() {
        (credentials.username, credentials.password) = (username.map(Held::from), password.map(Held::from));
    }
}

fn crosses_a_network_in_clear(to: &Destination) -> bool {
    let is_loopback = match to.url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    };
    to.url.scheme() == "http" && !is_loopback
}
