//! Credentials: which are sent when several are set, and which exclude each other.

use std::net::IpAddr;

use url::Host;

use super::aws;
use super::context::Check;
use crate::config::auth_options::has_authorization;
use crate::config::destination::Destination;
use crate::config::raw::Variables;
use crate::config::spec::Role;
use crate::http::SecretSource;
use crate::secret::MASK;

/// Completes credentials by the URL's and by AWS's own variables, and rejects what cannot be sent together.
pub fn check(to: &mut Destination, environment: &Variables, check: &mut Check<'_>) {
    let sigv4 = check.last_of(&[Role::SigV4]);
    if sigv4.is_some() {
        aws::complete(&mut to.auth.sigv4, environment, &mut to.set_options)
            .into_iter()
            .for_each(|message| check.invalid(message));
    }
    take_from_url(to);
    let auth = &to.auth;
    if auth.password.is_some() && auth.username.is_none() {
        check.invalid_in(Role::Password, "a password requires a username");
    }
    // In the order in which they take precedence, as in k6's own output.
    let kinds = [
        (auth.bearer_token.is_some(), &[Role::BearerToken][..]),
        (has_authorization(&to.endpoint.headers), &[Role::Headers]),
        (auth.username.is_some(), &[Role::Username, Role::Url]),
    ];
    let kinds = kinds.iter().filter(|(is_set, _)| *is_set);
    let kinds: Vec<_> = kinds.map(|(_, roles)| check.last_of(roles).unwrap_or_else(|| check.source.clone())).collect();
    if !(kinds.is_empty() && sigv4.is_none()) && is_unencrypted(to) {
        check.warn(format!("Credentials are sent to {} unencrypted; use https", to.shown_url()));
    }
    match (sigv4, &kinds[..]) {
        (Some(sigv4), [other, ..]) => check.exclusive(sigv4, other.clone()),
        (None, [first, others @ ..]) if !others.is_empty() => {
            let others: Vec<_> = others.iter().map(ToString::to_string).collect();
            check.warn(format!("{first} takes precedence; {} ignored", others.join(", ")));
        }
        _ => {}
    }
    to.endpoint.credentials = to.auth.credentials(&to.endpoint.headers);
}

/// Takes user and password out of the URL. They are used unless options have others.
fn take_from_url(to: &mut Destination) {
    let Some((username, password)) = to.endpoint.url.take_credentials() else { return };
    let auth = &mut to.auth;
    if auth.username.is_none() && auth.bearer_token.is_none() {
        let source = format!("the URL in {}", to.set_options.url_source());
        to.set_options.add("username", MASK, &*source);
        if password.is_some() {
            to.set_options.add("password", MASK, source);
        }
        (auth.username, auth.password) = (Some(username.into()), password.map(SecretSource::from));
    }
}

/// Reports whether requests cross a network without TLS.
fn is_unencrypted(to: &Destination) -> bool {
    let is_loopback = match to.endpoint.url.expose().host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    };
    to.endpoint.url.expose().scheme() == "http" && !is_loopback
}
