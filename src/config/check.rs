//! What options mean together: completes a destination that all its sources have been read into, and refuses what cannot be.

use std::collections::BTreeMap;

use super::error::ConfigError;
use super::option;
use super::written::Written;
use super::{Destination, Findings, credentials, headers};

/// What is found while a destination is checked.
pub(super) struct Check<'a> {
    written: &'a [Written<'a>],
    /// Where the destination comes from, if no single option does.
    place: &'a str,
    findings: &'a mut Findings,
}

impl Check<'_> {
    /// The last option of these that was written.
    pub fn written(&self, names: &[&str]) -> Option<&Written<'_>> {
        self.written.iter().rev().find(|one| names.contains(&one.option.name))
    }

    /// Where it was written.
    pub fn place_of(&self, names: &[&str]) -> String {
        self.written(names).map_or_else(|| self.place.to_string(), |one| one.place.clone())
    }

    /// What is wrong with options together; the rest of a sentence.
    pub fn wrong(&mut self, problem: impl Into<String>) {
        self.findings.errors.push(ConfigError::Wrong { place: self.place.into(), problem: problem.into() });
    }

    /// What is wrong with one of these options.
    pub fn wrong_in(&mut self, names: &[&str], problem: &str) {
        let place = self.place_of(names);
        self.findings.errors.push(ConfigError::Wrong { place, problem: problem.into() });
    }

    /// Two options that exclude each other.
    pub fn both(&mut self, first: String, second: String, what: &'static str) {
        self.findings.errors.push(ConfigError::Both { first, second, what });
    }

    /// What the user should know but need not change.
    pub fn warn(&mut self, warning: String) {
        self.findings.warnings.push(warning);
    }
}

/// Checks a destination; `place` says where it comes from, if no single option does. AWS's own variables are in the
/// `environment`.
pub(super) fn check(
    to: &mut Destination,
    written: &[Written<'_>],
    place: &str,
    environment: &BTreeMap<String, String>,
    findings: &mut Findings,
) {
    let mut check = Check { written, place, findings };
    credentials::check(to, environment, &mut check);
    check_tls(to, &mut check);

    let reserved: Vec<_> =
        to.headers.iter().map(|(name, _)| name.clone()).filter(|name| headers::is_reserved(name)).collect();
    if !reserved.is_empty() {
        to.headers.retain(|(name, _)| !headers::is_reserved(name));
        let (place, names) = (check.place_of(&[option::HEADERS]), reserved.join(", "));
        check.warn(format!("{place}: {names} belongs to the protocol, and is not set"));
    }
    if to.include_default_metrics == Some(false) && to.metrics.as_ref().is_none_or(Vec::is_empty) {
        let problem = "is false, and metrics lists none: nothing would be shipped";
        check.wrong_in(&[option::INCLUDE_DEFAULT_METRICS], problem);
    }
    if to.test_run_id.is_some() && !to.include_test_run_id {
        let place = check.place_of(&[option::TEST_RUN_ID]);
        check.warn(format!("{place} has no effect without includeTestRunId"));
    }
}

fn check_tls(to: &Destination, check: &mut Check<'_>) {
    if to.tls.client_certificate.is_some() != to.tls.client_certificate_key.is_some() {
        check.wrong("has one of clientCertificate and clientCertificateKey; allowed are both, or none");
    }
    if to.tls.skip_verify && to.url.scheme() == "https" {
        check.warn(format!(
            "{}: whoever answers at {} is believed, and may read all that is sent; caCertificate names an authority to believe",
            check.place_of(&[option::INSECURE_SKIP_TLS_VERIFY]),
            to.shown_url()
        ));
    }
}
