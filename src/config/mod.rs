//! Raw inputs → a validated [`Config`].
//!
//! In comes the JSON document of [`Document`], which the host fills with what the user wrote and where; out goes one
//! [`Config`], or every mistake at once. Whoever opens an output reads it: [`crate::output`].
//!
//! Each source is read into a list of options with their values, which are then taken into a [`Destination`] by the one table
//! in `options.rs`, and checked together. The script's `apm` blocks make a destination each; the argument of `--out`, the
//! environment and JSON describe one more together.

mod sources;
mod validate;
mod setting;
mod options;
mod destination;
mod auth_options;
mod parse;
mod test_run;
mod error;

pub use auth_options::{AuthOptions, SigV4Options};
pub use destination::Destination;
pub use error::{ConfigError, ConfigErrors};
pub use options::{OPTIONS, OptionSpec};
pub use parse::metrics::MetricEntry;
pub use sources::{ApmBlockLease, Document, Script};

use error::Diagnostics;
use sources::{argument, environment, json, script};

/// All that the user wrote, valid.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where metrics go; at least one place.
    pub destinations: Vec<Destination>,
    /// The tags that every sample of the test has.
    pub tags: Vec<(String, String)>,
    /// What ran, as tags.
    pub run_info: Vec<(String, String)>,
    /// What the user should know but need not change.
    pub warnings: Vec<String>,
}

impl Config {
    /// Reads the document: the argument of `--out` over the environment over JSON, over the defaults; and the script's blocks.
    ///
    /// # Errors
    /// All mistakes of all sources, each with its option, source, value, and what is allowed.
    pub fn read(document: &Document) -> Result<Self, ConfigErrors> {
        let mut diagnostics = Diagnostics::default();
        let mut of_blocks = Diagnostics::default();
        let (mut blocks, there_are_blocks) = script::destinations(document, &mut of_blocks);
        if document.blocks_are_leased {
            (blocks, of_blocks) = (Vec::new(), Diagnostics::default());
        }
        let mut destinations = Vec::from_iter(described(document, there_are_blocks, &mut diagnostics));
        destinations.append(&mut blocks);
        diagnostics.errors.append(&mut of_blocks.errors);
        diagnostics.warnings.append(&mut of_blocks.warnings);
        if destinations.is_empty() && diagnostics.errors.is_empty() {
            diagnostics.errors.push(ConfigError::Wrong {
                place: "one --out remote-write too many".into(),
                problem:
                    "names no URL, and the script's apm blocks are shipped to by another; give it one, or leave it out"
                        .into(),
            });
        }
        if !diagnostics.errors.is_empty() {
            return Err(ConfigErrors(diagnostics.errors));
        }
        for destination in &mut destinations {
            destination.test_run_id = test_run::id_for(destination, &document.run.cloud_test_run_id);
            destination.send_after = document.run.send_after(destination.rate);
            destination.labels.extend(document.run.instance_label(&destination.labels));
            if document.run.native_histograms() {
                destination.trend_as_native_histogram.get_or_insert(true);
            }
        }
        let tags = document.run.tags.clone().into_iter().collect();
        Ok(Self { destinations, tags, run_info: document.run.info(), warnings: diagnostics.warnings })
    }

    /// One line for k6's banner: where to, and how often.
    pub fn description(&self) -> String {
        self.destinations.iter().map(Destination::description).collect::<Vec<_>>().join("; ")
    }
}

/// The destination that the argument, the environment and JSON describe together. With blocks in the script there is one
/// only if it has a URL; without, there is always one.
fn described(document: &Document, there_are_blocks: bool, diagnostics: &mut Diagnostics) -> Option<Destination> {
    // The lowest precedence first: each source overwrites what the ones before it said.
    let sources =
        [json::read(document, diagnostics), environment::read(document, diagnostics), argument::read(document)];
    let mut destination = Destination::default();
    for settings in &sources {
        setting::apply_all(settings, &mut destination, diagnostics);
    }
    let all: Vec<_> = sources.into_iter().flatten().collect();
    if there_are_blocks && !all.iter().any(|setting| setting.option.name == options::URL) {
        diagnostics.warnings.extend(all.iter().map(|setting| {
            format!(
                "{} has no effect: it is no option of the script's apm blocks, and no other URL is named",
                setting.place
            )
        }));
        return None;
    }
    let environment = &document.environment;
    validate::check(&mut destination, &all, "the destination of --out, environment and JSON", environment, diagnostics);
    Some(destination)
}

#[cfg(test)]
mod tests;
