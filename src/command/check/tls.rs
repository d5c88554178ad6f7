//! TLS version and certificate of a receiver.

use std::time::{Duration, SystemTime};

use super::finding::{Finding, State};
use crate::config::Destination;
use crate::http::{Certificate, TlsVersion};
use crate::send::Answer;

const SUBJECT: &str = "TLS";

/// Time before the end of a certificate from which on it is a warning.
const ENDS_SOON: Duration = Duration::from_secs(14 * 24 * 3600);

/// Maximum number of names that are shown.
const MAX_NAMES: usize = 3;

/// Says what was agreed, or which certificate was not accepted; `None` if the receiver did not get as far.
pub(super) fn session(destination: &Destination, answer: &Answer) -> Option<Finding> {
    if destination.endpoint.url.expose().scheme() != "https" {
        return Some(Finding::new(SUBJECT, State::Info, "none, since the URL is http"));
    }
    let version = answer.response.tls.as_ref().map(|session| match session.version {
        TlsVersion::V1_2 => "1.2",
        TlsVersion::V1_3 => "1.3",
    });
    let Some(certificate) = &answer.certificate else {
        return version.map(|version| Finding::new(SUBJECT, State::Ok, version));
    };
    let text = version.iter().map(ToString::to_string).chain([described(certificate)]);
    let text = text.collect::<Vec<_>>().join(", ");
    let finding = match version {
        _ if !answer.accepted && version.is_none() => Finding::new(SUBJECT, State::Info, text),
        _ if destination.endpoint.tls.skip_verify => {
            Finding::new(SUBJECT, State::Warning, format!("{text}; verification is disabled"))
        }
        _ if ends_soon(certificate) => Finding::new(SUBJECT, State::Warning, text)
            .with_hint("the certificate ends within 14 days: renew it".to_string()),
        _ => Finding::new(SUBJECT, State::Ok, text),
    };
    let finding = finding
        .with("names", certificate.names.clone())
        .with("issuer", &*certificate.issuer)
        .with("valid_until", &*certificate.end_date);
    Some(match version {
        Some(version) => finding.with("version", version),
        None => finding,
    })
}

fn described(certificate: &Certificate) -> String {
    let shown: Vec<_> = certificate.names.iter().take(MAX_NAMES).map(String::as_str).collect();
    let others = certificate.names.len() - shown.len();
    let others = if others > 0 { format!(" and {others} more") } else { String::new() };
    let issuer =
        if certificate.is_self_signed { "self-signed".into() } else { format!("issued by {}", certificate.issuer) };
    format!("certificate for {}{others}, {issuer}, valid until {}", shown.join(", "), certificate.end_date)
}

fn ends_soon(certificate: &Certificate) -> bool {
    certificate.not_after.duration_since(SystemTime::now()).is_ok_and(|left| left < ENDS_SOON)
}
