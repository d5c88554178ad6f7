//! Credentials: which are sent when several are set, and which exclude each other.

use super::aws;
use super::context::Check;
use crate::config::auth_options::has_authorization;
use crate::config::destination::Destination;
use crate::config::raw::Variables;
use crate::config::spec::Role;
use crate::http::names_credentials;
use crate::secret::MASK;

/// Completes credentials by the URL's and by AWS's own variables, and rejects what cannot be sent together.
pub fn check(to: &mut Destination, environment: &Variables, check: &mut Check<'_>) {
    let sigv4 = check.last_of(&[Role::SigV4]);
    if sigv4.is_some() {
        aws::complete(&mut to.auth.sigv4, environment, &mut to.set_options)
            .into_iter()
            .for_each(|message| check.invalid(message));
    }
    let oauth2 = check.last_of(&[Role::OAuth2, Role::OAuth2Secret]);
    if oauth2.is_some() {
        check_oauth2(to, check);
    }
    take_from_url(to);
    let auth = &to.auth;
    // A user name that is not valid is reported already.
    let is_reported = check.has_invalid("username");
    if auth.password.is_some() && auth.username.is_none() && !is_reported {
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
    warn_unencrypted(to, !kinds.is_empty() || sigv4.is_some() || oauth2.is_some(), check);
    if let (Some(sigv4), Some(oauth2)) = (&sigv4, &oauth2) {
        check.exclusive(sigv4.clone(), oauth2.clone());
    }
    match (sigv4.or(oauth2), &kinds[..]) {
        (Some(alone), [other, ..]) => check.exclusive(alone, other.clone()),
        (None, [first, others @ ..]) if !others.is_empty() => {
            let others: Vec<_> = others.iter().map(ToString::to_string).collect();
            check.warn(format!("{first} takes precedence; {} ignored", others.join(", ")));
        }
        _ => {}
    }
    to.endpoint.credentials = to.auth.credentials(&to.endpoint.headers);
}

/// Reports what is missing for a token, and a secret that crosses a network without TLS.
fn check_oauth2(to: &Destination, check: &mut Check<'_>) {
    let missing = to.auth.oauth2.missing();
    if !missing.is_empty() {
        let message = format!("OAuth 2.0 also requires {}", missing.join(" and "));
        check.invalid(&message);
    }
    let Some(url) = &to.auth.oauth2.token_url else { return };
    if url.expose().scheme() == "http" && url.crosses_network() {
        check.warn(format!("The client secret is sent to {} unencrypted; use https", url.shown()));
    }
}

/// Takes user and password out of the URL. They complete those of options.
fn take_from_url(to: &mut Destination) {
    let Some((username, password)) = to.endpoint.url.take_credentials() else { return };
    let source = format!("the URL in {}", to.set_options.url_source());
    let auth = &mut to.auth;
    // The password of another user is of no use.
    if auth.username.is_some() && !username.is_empty() {
        return;
    }
    if auth.username.is_none() {
        to.set_options.add("username", MASK, &*source);
        auth.username = Some(username.into());
    }
    if auth.password.is_none()
        && let Some(password) = password
    {
        to.set_options.add("password", MASK, source);
        auth.password = Some(password.into());
    }
}

/// Warns about credentials that cross a network without TLS.
fn warn_unencrypted(to: &Destination, has_credentials: bool, check: &mut Check<'_>) {
    let url = &to.endpoint.url;
    let in_headers = to.endpoint.headers.iter().any(|(name, _)| names_credentials(name));
    let in_query = url.expose().query_pairs().any(|(name, _)| names_credentials(&name));
    let is_http = url.expose().scheme() == "http";
    if (has_credentials || in_headers || in_query) && is_http && url.crosses_network() {
        check.warn(format!("Credentials are sent to {} unencrypted; use https", url.shown()));
    }
    if let Some(proxy) = to.endpoint.proxy.with_unencrypted_credentials(url) {
        check.warn(format!("Credentials are sent to the {proxy} unencrypted; use a proxy with https"));
    }
}
