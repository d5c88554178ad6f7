//! Rules about several options together: completes a destination that all its sources have been read into, and rejects what is
//! not valid.

mod auth;
mod aws;
mod context;
mod effect;
mod set_options;

use self::context::Check;
use super::destination::Destination;
use super::error::{ConfigError, Diagnostics, Source};
use super::parse::headers;
use super::raw::Variables;
use super::setting::Setting;
use super::spec::Role;
use crate::unsent;

/// Checks a destination that was written at `source`. AWS's own variables are in the `environment`; `native_feature` says
/// whether k6's feature flag for native histograms is on.
pub fn check(
    to: &mut Destination,
    settings: &[Setting],
    source: &Source,
    environment: &Variables,
    native_feature: bool,
    diagnostics: &mut Diagnostics,
) {
    let mut check = Check { settings, source, diagnostics };
    remove_reserved_headers(to, &mut check);
    to.set_options = set_options::read(settings, to);
    auth::check(to, environment, &mut check);
    check_tls(to, &mut check);
    check_unsent_directory(to, &mut check);
    if to.metrics.include_defaults == Some(false) && to.metrics.entries.as_ref().is_none_or(Vec::is_empty) {
        let message = "must be true unless metrics lists a metric; no metric would be sent";
        check.invalid_in(Role::IncludeDefaultMetrics, message);
    }
    effect::check(to, native_feature, &mut check);
}

fn remove_reserved_headers(to: &mut Destination, check: &mut Check<'_>) {
    let headers = &mut to.endpoint.headers;
    let reserved: Vec<_> =
        headers.iter().map(|(name, _)| name.clone()).filter(|name| headers::is_reserved(name)).collect();
    if !reserved.is_empty() {
        headers.retain(|(name, _)| !headers::is_reserved(name));
        let (source, names) = (check.source_of(Role::Headers), reserved.join(", "));
        check.warn(format!("Ignoring {names} in {source}: reserved for the protocol"));
    }
}

/// Checks that files of unsent samples can be written. The working directory, which is the default, may be one that is read-only on
/// purpose: then it is a warning.
fn check_unsent_directory(to: &Destination, check: &mut Check<'_>) {
    let Some(directory) = &to.delivery.sender.unsent_directory else { return };
    let Err(error) = unsent::check_directory(directory) else { return };
    let shown = directory.display().to_string();
    match check.last_of(&[Role::UnsentDirectory]) {
        Some(source) => check.diagnostics.errors.push(ConfigError::InvalidValue {
            option: "unsentDirectory",
            value: format!("{shown:?}"),
            source,
            expected: format!("must be a directory in which files can be created, or empty for no file: {error}"),
        }),
        None => check.warn(format!(
            "Files cannot be created in the working directory ({error}): samples that cannot be sent would be lost; \
             set unsentDirectory to another directory, or empty for no file"
        )),
    }
}

fn check_tls(to: &Destination, check: &mut Check<'_>) {
    let tls = &to.endpoint.tls;
    if tls.client_certificate.is_some() != tls.client_certificate_key.is_some() {
        check.invalid("clientCertificate and clientCertificateKey must be set together");
    }
    if tls.skip_verify && to.endpoint.url.expose().scheme() == "https" {
        let (source, url) = (check.source_of(Role::SkipVerify), to.shown_url());
        check.warn(format!(
            "TLS certificate verification is disabled for {url} by {source}; set caCertificate to trust a private CA"
        ));
    }
}
