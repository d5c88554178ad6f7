//! What options mean together: completes a destination that all its sources have been read into, and refuses what cannot be.

mod auth;
mod aws;
mod context;

use std::collections::BTreeMap;

use self::context::Check;
use super::error::Diagnostics;
use super::parse::headers;
use super::setting::Setting;
use super::{Destination, options};

/// Checks a destination; `place` says where it comes from, if no single option does. AWS's own variables are in the
/// `environment`.
pub fn check(
    to: &mut Destination,
    settings: &[Setting<'_>],
    place: &str,
    environment: &BTreeMap<String, String>,
    diagnostics: &mut Diagnostics,
) {
    let mut check = Check { settings, place, diagnostics };
    auth::check(to, environment, &mut check);
    check_tls(to, &mut check);

    let reserved: Vec<_> =
        to.headers.iter().map(|(name, _)| name.clone()).filter(|name| headers::is_reserved(name)).collect();
    if !reserved.is_empty() {
        to.headers.retain(|(name, _)| !headers::is_reserved(name));
        let (place, names) = (check.place_of(&[options::HEADERS]), reserved.join(", "));
        check.warn(format!("{place}: {names} belongs to the protocol, and is not set"));
    }
    if to.include_default_metrics == Some(false) && to.metrics.as_ref().is_none_or(Vec::is_empty) {
        let problem = "is false, and metrics lists none: nothing would be shipped";
        check.wrong_in(&[options::INCLUDE_DEFAULT_METRICS], problem);
    }
    if to.test_run_id.is_some() && !to.include_test_run_id {
        let place = check.place_of(&[options::TEST_RUN_ID]);
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
            check.place_of(&[options::INSECURE_SKIP_TLS_VERIFY]),
            to.shown_url()
        ));
    }
}
