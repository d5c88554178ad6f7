//! `check`: asks a receiver whether it accepts what a run sends, and says what to do if it does not.
//!
//! Reads the options that a run reads, and sends by the sender of a run: first a request without points, as a preflight, then one
//! sample of its own.
//!
//! | file | content |
//! |---|---|
//! | `examination` | a destination → findings |
//! | `own_series` | the series that are sent |
//! | `finding` | one line of the result |
//! | `printed` | findings → text for a person |

mod examination;
mod own_series;
mod printed;
mod finding;

use serde::Serialize;
use tokio::runtime::Builder;

use self::examination::examine;
use self::finding::{Finding, State};
use super::console::Stream;
use super::spec::{Failure, Flag, Invocation, Spec};
use crate::config::Config;

const JSON: &str = "json";

pub(super) const SPEC: Spec = Spec {
    name: "check",
    operands: ("[url]", 0..=1),
    summary: "Checks whether a receiver accepts the metrics of a run",
    details: "\
Sends a request without samples, and then one sample of the metric
<metricPrefix>remote_write_check, which ends at once. Prints what was found,
line by line, and what to do about what failed. The url takes precedence over
the environment and JSON, as that of --out does.

The exit code is 0 if the receiver accepts metrics, and 1 if it does not.",
    flags: &[Flag { name: JSON, value: None, doc: "Prints the result as JSON" }],
    run,
};

/// The result for one destination.
#[derive(Debug, Serialize)]
struct Examination {
    /// Without secrets.
    url: String,
    /// Where the URL was written.
    source: String,
    findings: Vec<Finding>,
}

impl Examination {
    fn failed(&self) -> bool {
        self.findings.iter().any(|finding| finding.state == State::Failed)
    }
}

/// The result as JSON.
#[derive(Serialize)]
struct Document<'a> {
    ok: bool,
    error: Option<&'a str>,
    warnings: &'a [String],
    destinations: &'a [Examination],
}

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let argument = invocation.arguments.operands.first().map(String::as_str).unwrap_or_default();
    let config = match Config::read(&invocation.document.for_output(argument)) {
        Ok(config) => config,
        Err(errors) => {
            let message = errors.to_string();
            if invocation.arguments.has(JSON) {
                print_json(
                    invocation,
                    &Document { ok: false, error: Some(&message), warnings: &[], destinations: &[] },
                );
            }
            return Err(Failure::failed(message));
        }
    };
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::failed(format!("failed to wait for the network: {error}")))?;
    let examined = runtime.block_on(async {
        tokio::select! {
            examined = examine_all(&config) => Some(examined),
            () = invocation.cancellation.cancelled() => None,
        }
    });
    let Some(examined) = examined else { return Err(Failure::failed("check interrupted")) };
    if invocation.arguments.has(JSON) {
        let ok = !examined.iter().any(Examination::failed);
        print_json(invocation, &Document { ok, error: None, warnings: &config.warnings, destinations: &examined });
    } else {
        printed::print(invocation.console, &config.warnings, &examined, argument.is_empty());
    }
    let failed: Vec<_> = examined.iter().filter(|examined| examined.failed()).map(|examined| &*examined.url).collect();
    match &failed[..] {
        [] => Ok(()),
        failed => {
            Err(Failure::failed(format!("check failed: {} does not accept the metrics of a run", failed.join(", "))))
        }
    }
}

async fn examine_all(config: &Config) -> Vec<Examination> {
    let mut examined = Vec::new();
    for destination in &config.destinations {
        examined.push(Examination {
            url: destination.shown_url(),
            source: destination.set_options.url_source().to_string(),
            findings: examine(destination).await,
        });
    }
    examined
}

fn print_json(invocation: &Invocation<'_>, document: &Document<'_>) {
    let text = serde_json::to_string_pretty(document).unwrap_or_else(|error| error.to_string());
    invocation.console.print(Stream::Stdout, &(text + "\n"));
}
