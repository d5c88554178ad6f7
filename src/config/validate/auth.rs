//! Which credentials are sent when several are set, and which exclude each other.

use std::collections::BTreeMap;
use std::net::IpAddr;

use percent_encoding::percent_decode_str;
use url::Host;

use super::aws;
use super::context::Check;
use crate::config::auth_options::has_authorization;
use crate::config::{Destination, options};
use crate::http::SecretSource;

/// Completes credentials by the URL's and by AWS's own variables, and refuses what cannot be sent together.
pub fn check(to: &mut Destination, environment: &BTreeMap<String, String>, check: &mut Check<'_>) {
    let sigv4 = check.last_of(&aws::OPTIONS).map(|one| one.place.clone());
    if sigv4.is_some() {
        aws::complete(&mut to.sigv4, environment).into_iter().for_each(|problem| check.wrong(problem));
    }
    take_from_url(to);
    let credentials = &to.credentials;
    if credentials.password.is_some() && credentials.username.is_none() {
        check.wrong_in(&[options::PASSWORD, options::PASSWORD_FILE], "is a password without a username");
    }
    // In the order in which they win, as in k6's own output.
    let kinds = [
        (credentials.bearer_token.is_some(), &[options::BEARER_TOKEN, options::BEARER_TOKEN_FILE][..]),
        (has_authorization(&to.headers), &[options::HEADERS]),
        (credentials.username.is_some(), &[options::USERNAME, options::USERNAME_FILE, options::URL]),
    ];
    let kinds: Vec<_> = kinds.iter().filter(|(there, _)| *there).map(|(_, names)| check.place_of(names)).collect();
    if !(kinds.is_empty() && sigv4.is_none()) && crosses_a_network_in_clear(to) {
        check.warn(format!("AuthOptions go to {} in clear: use https", to.shown_url()));
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
        (credentials.username, credentials.password) =
            (username.map(SecretSource::from), password.map(SecretSource::from));
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
