//! What a certificate says, for people.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Name;

use crate::text::{one_line, truncate};

/// Maximum length of a name. It comes from the other side.
const MAX_NAME_CHARS: usize = 100;

/// Maximum number of names that are read.
const MAX_NAMES: usize = 20;

/// A receiver's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The host names and addresses for which it is valid.
    pub names: Vec<String>,
    /// The name of the CA that has signed it.
    pub issuer: String,
    /// Whether it has signed itself, as far as its names say.
    pub is_self_signed: bool,
    /// Time until which it is valid.
    pub not_after: SystemTime,
    /// The same as a date, such as `2026-11-25`, in UTC.
    pub end_date: String,
}

impl Certificate {
    /// Reads a certificate in DER; `None` if it is not one.
    pub fn parse(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let end = certificate.validity().not_after;
        let date = end.to_datetime();
        let alternative = certificate.subject_alternative_name().ok().flatten();
        let names = alternative.iter().flat_map(|extension| &extension.value.general_names);
        let mut names: Vec<_> = names.filter_map(host).take(MAX_NAMES).collect();
        if names.is_empty() {
            names = vec![shown(certificate.subject())];
        }
        Some(Self {
            names,
            issuer: shown(certificate.issuer()),
            is_self_signed: certificate.issuer() == certificate.subject(),
            not_after: UNIX_EPOCH + Duration::from_secs(end.timestamp().try_into().unwrap_or(0)),
            end_date: format!("{}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day()),
        })
    }
}

/// Returns a name as it stands in a URL.
fn host(name: &GeneralName<'_>) -> Option<String> {
    match *name {
        GeneralName::DNSName(name) => Some(clean(name)),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => Some(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?).to_string()),
            _ => Some(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).to_string()),
        },
        _ => None,
    }
}

/// Returns the common name, else the organization, else all of a name.
fn shown(name: &X509Name<'_>) -> String {
    let short = name.iter_common_name().chain(name.iter_organization()).find_map(|part| part.as_str().ok());
    clean(&short.map_or_else(|| name.to_string(), ToString::to_string))
}

fn clean(text: &str) -> String {
    truncate(&one_line(text), MAX_NAME_CHARS)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, date_time_ymd};

    use super::*;

    fn certificate(names: &[&str], organization: Option<&str>) -> Certificate {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).expect("valid");
        params.not_after = date_time_ymd(2031, 2, 3);
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CountryName, "AQ");
        if let Some(organization) = organization {
            params.distinguished_name.push(DnType::OrganizationName, organization);
        }
        let key = KeyPair::generate().expect("made");
        Certificate::parse(params.self_signed(&key).expect("signed").der()).expect("parses")
    }

    #[test]
    fn a_certificate_says_for_whom_by_whom_and_how_long() {
        let read = certificate(&["a.example", "127.0.0.1", "::1"], Some("Load\u{1b}[31m, Inc."));
        assert_eq!(read.names, ["a.example", "127.0.0.1", "::1"]);
        assert!(read.is_self_signed && read.end_date == "2031-02-03");
        assert!(read.issuer.contains("Inc.") && !read.issuer.contains('\u{1b}'), "{}", read.issuer);
    }

    #[test]
    fn a_certificate_without_names_has_those_of_its_subject() {
        assert_eq!(certificate(&[], None).names, ["C=AQ"]);
    }

    #[test]
    fn what_is_not_a_certificate_is_none() {
        assert_eq!(Certificate::parse(b""), None);
        assert_eq!(Certificate::parse(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
    }
}
