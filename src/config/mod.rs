//! Raw inputs → a validated [`Config`].
//!
//! The input is the JSON document of [`Document`], which the host fills with what the user wrote in each source; the result is one
//! [`Config`], or all errors at once. [`crate::output`] opens an output from it.
//!
//! Each source is read into a list of settings, which are then read into a [`Destination`] by the table in `options.rs`, and
//! checked together. Each `apm` block of the script makes a destination; the argument of `--out`, the environment and JSON make
//! one more together.

mod sources;
mod validate;
mod test_run;
mod setting;
mod options;
mod spec;
mod kind;
mod destination;
mod set_options;
mod auth_options;
mod parse;
mod error;
mod raw;

pub use auth_options::{AuthOptions, SigV4Options};
pub use destination::{DeliveryOptions, Destination, MetricOptions, TestRunOptions, WindowOptions};
pub(crate) use error::shown_name;
pub use error::{ConfigError, ConfigErrors, Source};
pub use options::{OPTIONS, options};
pub use parse::metrics::MetricEntry;
pub(crate) use parse::names::nearest as nearest_name;
pub use raw::{Raw, Variables};
pub use set_options::{SetOption, SetOptions};
pub use sources::{ApmBlockLease, ArgumentKind, DestinationLease, Document, DocumentError, Script, SharedReceiver};
pub use spec::OptionSpec;

use std::mem;

use error::Diagnostics;
use sources::document::Run;
use sources::{argument, environment, json, script};
use spec::Role;

/// A valid configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The destinations of metrics; at least one.
    pub destinations: Vec<Destination>,
    /// The tags that every sample of the test has.
    pub tags: Vec<(String, String)>,
    /// Run metadata, as tags.
    pub run_info: Vec<(String, String)>,
    /// What the user should know but need not change.
    pub warnings: Vec<String>,
}

impl Config {
    /// Reads the document: the argument of `--out` takes precedence over the environment, that over JSON, and that over the
    /// defaults; and each of the script's blocks has its own options.
    ///
    /// # Errors
    /// All errors of all sources, each with its option, source, value, and the values that are valid.
    pub fn read(document: &Document) -> Result<Self, ConfigErrors> {
        let mut diagnostics = Diagnostics::default();
        let mut of_blocks = Diagnostics::default();
        let (mut blocks, has_blocks) = script::destinations(document, &mut of_blocks);
        if document.blocks_are_leased {
            (blocks, of_blocks) = (Vec::new(), Diagnostics::default());
        }
        let mut destinations = Vec::from_iter(described(document, has_blocks, &mut diagnostics));
        destinations.append(&mut blocks);
        diagnostics.append(of_blocks);
        if destinations.is_empty() && diagnostics.errors.is_empty() {
            diagnostics.errors.push(ConfigError::NoDestination);
        }
        if let Some(warning) = document.run.metadata_warning(|name| has_exemplars_of(&destinations, name)) {
            diagnostics.warn(warning);
        }
        let warnings = diagnostics.into_result()?;
        destinations.iter_mut().for_each(|destination| complete(destination, &document.run));
        let tags = document.run.tags.clone().into_iter().collect();
        Ok(Self { destinations, tags, run_info: document.run.info(), warnings })
    }

    /// Returns one line for k6's banner: the URLs and the lengths of windows.
    pub fn description(&self) -> String {
        self.destinations.iter().map(Destination::description).collect::<Vec<_>>().join("; ")
    }
}

/// Reports whether a destination makes exemplars of this metadata.
fn has_exemplars_of(destinations: &[Destination], metadata: &str) -> bool {
    destinations.iter().any(|destination| destination.labels.exemplars.iter().any(|name| name == metadata))
}

/// Reads the destination that the argument, the environment and JSON describe together. If the script has blocks, there is one
/// only if it has a URL; otherwise there is always one.
fn described(document: &Document, has_blocks: bool, diagnostics: &mut Diagnostics) -> Option<Destination> {
    let mut environment = environment::read(document, diagnostics);
    // The lowest precedence first: each source overwrites the ones before it.
    let sources = [
        json::read(document, diagnostics),
        mem::take(&mut environment.settings),
        argument::read(document, diagnostics),
    ];
    let mut destination = Destination::default();
    for settings in &sources {
        setting::apply_all(settings, &mut destination, diagnostics);
    }
    let all: Vec<_> = sources.into_iter().flatten().collect();
    let has_url = all.iter().any(|setting| setting.option.role == Some(Role::Url));
    environment.report_ignored_urls(has_url || has_blocks, diagnostics);
    if has_blocks && !has_url {
        for setting in &all {
            diagnostics.warn(format!(
                "Ignoring {}: the script's apm blocks have their own options, and no other URL is set",
                setting.source
            ));
        }
        return None;
    }
    let source =
        Source::new(format!("the destination of {}, environment and JSON", document.argument_kind.short()), "");
    validate::check(
        &mut destination,
        &all,
        &source,
        &document.environment,
        document.run.native_histograms(),
        diagnostics,
    );
    Some(destination)
}

/// Completes a valid destination by what k6 knows of the run.
fn complete(destination: &mut Destination, run: &Run) {
    destination.test_run.id = test_run::id_for(&destination.test_run, &run.cloud_test_run_id);
    destination.delivery.sender.send_after = run.send_after(destination.window.rate);
    destination.labels.instance = run.instance_label(&destination.labels.constant);
    if run.native_histograms() {
        let set = &mut destination.set_options;
        destination.metrics.native_histograms.get_or_insert_with(|| {
            set.add("trendAsNativeHistogram", "true", "k6's feature flag native-histograms");
            true
        });
    }
}

#[cfg(test)]
mod tests;
