//! What options mean together: completes a destination that all its sources have been read into, and refuses what cannot be.

use std::net::IpAddr;

use percent_encoding::percent_decode_str;
use url::Host;

use super::error::ConfigError;
use super::option;
use super::written::Written;
use super::{Destination, Findings, headers};

const AUTHORIZATION: &str = "authorization";

/// Checks a destination; `place` says where it comes from, if no single option does.
pub(super) fn check(to: &mut Destination, written: &[Written<'_>], place: &str, findings: &mut Findings) {
    let place_of = |name: &str| {
        let of_option = written.iter().rev().find(|one| one.option.name == name);
        of_option.map_or_else(|| place.to_string(), |one| one.place.clone())
    };
    let mut wrong =
        |place: String, problem: &str| findings.errors.push(ConfigError::Wrong { place, problem: problem.into() });
    let mut warnings = Vec::new();

    take_credentials_from_url(to);
    let credentials = &to.credentials;
    if credentials.password.is_some() && credentials.username.is_none() {
        wrong(place_of(option::PASSWORD), "is a password without a username");
    }
    let own_header = to.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(AUTHORIZATION));
    if credentials.bearer_token.is_some() && (credentials.username.is_some() || own_header) {
        let token = place_of(option::BEARER_TOKEN);
        warnings.push(format!("{token} is what is sent: the other credentials of {} have no effect", to.shown_url()));
    } else if credentials.username.is_some() && own_header {
        let header = place_of(option::HEADERS);
        warnings.push(format!(
            "The Authorization header of {header} is what is sent: username and password have no effect"
        ));
    }
    if (credentials.username.is_some() || credentials.bearer_token.is_some() || own_header)
        && crosses_a_network_in_clear(to)
    {
        warnings.push(format!("Credentials go to {} in clear: use https", to.shown_url()));
    }

    let reserved: Vec<_> =
        to.headers.iter().map(|(name, _)| name.clone()).filter(|name| headers::is_reserved(name)).collect();
    if !reserved.is_empty() {
        to.headers.retain(|(name, _)| !headers::is_reserved(name));
        let names = reserved.join(", ");
        warnings.push(format!("{}: {names} belongs to the protocol, and is not set", place_of(option::HEADERS)));
    }

    let sigv4 = [to.sigv4.region.is_some(), to.sigv4.access_key.is_some(), to.sigv4.secret_key.is_some()];
    if sigv4 == [true; 3] {
        wrong(place_of(option::SIGV4_REGION), "asks for signatures of AWS, which this version does not make yet");
    } else if sigv4 != [false; 3] {
        wrong(
            place.to_string(),
            "has a part of sigV4Region, sigV4AccessKey and sigV4SecretKey; allowed are all, or none",
        );
    }
    match (&to.tls.client_certificate, &to.tls.client_certificate_key) {
        (None, None) => {}
        (Some(_), Some(_)) => {
            wrong(
                place_of(option::CLIENT_CERTIFICATE),
                "asks for a client certificate, which this version does not send yet",
            );
        }
        _ => {
            wrong(place.to_string(), "has one of clientCertificate and clientCertificateKey; allowed are both, or none")
        }
    }

    if to.include_default_metrics == Some(false) && to.metrics.as_ref().is_none_or(Vec::is_empty) {
        wrong(place_of(option::INCLUDE_DEFAULT_METRICS), "is false, and metrics lists none: nothing would be shipped");
    }
    if to.test_run_id.is_some() && !to.include_test_run_id {
        warnings.push(format!("{} has no effect without includeTestRunId", place_of(option::TEST_RUN_ID)));
    }
    findings.warnings.extend(warnings);
}

/// User and password of the URL, unless options name others; either way the URL keeps none.
fn take_credentials_from_url(to: &mut Destination) {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let username = Some(decoded(to.url.username())).filter(|username| !username.is_empty());
    let password = to.url.password().map(|password| decoded(password).into());
    // These fail only for URLs that cannot have them.
    let _ = to.url.set_username("");
    let _ = to.url.set_password(None);
    let credentials = &mut to.credentials;
    if username.is_some() && credentials.username.is_none() && credentials.bearer_token.is_none() {
        (credentials.username, credentials.password) = (username, password);
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
