//! `check`: asks a receiver whether it accepts what a run sends, and says what to do if it does not.
//!
//! Reads the options that a run reads, and sends by the sender of a run: first a request without points, as a preflight, then one
//! sample of its own.
//!
//! | file | content |
//! |---|---|
//! | `examination` | a destination → findings |
//! | `tls` | TLS version and certificate |
//! | `own_series` | the series that are sent |
//! | `finding` | one line of the result |
//! | `printed` | findings → text for a person |

mod examination;
mod tls;
mod own_series;
mod printed;
mod finding;

use serde::Serialize;
use tokio::runtime::Builder;

use self::examination::examine;
use self::finding::{Finding, State};
use self::printed::OPTIONS;
use super::console::Stream;
use super::spec::{Arguments, Failure, Flag, Invocation, Spec};
use crate::config::{ArgumentKind, Config, ConfigErrors};

const JSON: &str = "json";
const URL: &str = "url";

pub(super) const SPEC: Spec = Spec {
    name: "check",
    operands: ("[url]", 0..=1),
    summary: "Checks whether a receiver accepts the metrics of a run",
    details: "\
Sends a request without samples, and then one sample of each of the metrics
<metricPrefix>remote_write_check and <metricPrefix>remote_write_check_histogram,
which end at once. Prints what was found, line by line, and what to do about
what failed. The url takes precedence over the environment and JSON, as that of
--out does.

The exit code is 0 if the receiver accepts metrics, 1 if it does not, and 2 for
arguments that are not valid.",
    flags: &[
        Flag { name: JSON, value: None, doc: "Prints the result as JSON" },
        Flag { name: URL, value: Some("url"), doc: "The same as the argument, as for send" },
    ],
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
    /// Returns false if mistakes in the options prevented a request.
    fn was_asked(&self) -> bool {
        self.findings.iter().all(|finding| finding.subject != OPTIONS)
    }

    fn failed(&self) -> bool {
        self.findings.iter().any(|finding| finding.state == State::Failed)
    }
}

/// The result, which is printed as JSON or as text.
#[derive(Serialize)]
struct CheckResult {
    ok: bool,
    /// Mistakes in the options. There are no destinations then.
    errors: Vec<String>,
    /// Warnings about the options.
    warnings: Vec<String>,
    destinations: Vec<Examination>,
}

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let (url, kind) = url(&invocation.arguments)?;
    let result = match Config::read(&invocation.document.for_output(url, kind)) {
        Ok(config) => {
            let destinations = ask(&config, invocation)?;
            let ok = !destinations.iter().any(Examination::failed);
            CheckResult { ok, errors: Vec::new(), warnings: config.warnings, destinations }
        }
        Err(ConfigErrors(errors)) => {
            let errors = errors.iter().map(ToString::to_string).collect();
            CheckResult { ok: false, errors, warnings: Vec::new(), destinations: Vec::new() }
        }
    };
    if invocation.arguments.has(JSON) {
        let text = serde_json::to_string_pretty(&result).unwrap_or_else(|error| error.to_string());
        invocation.console.print(Stream::Stdout, &(text + "\n"));
    } else {
        printed::print(invocation.console, &result, url);
    }
    match result.errors[..] {
        _ if result.ok => Ok(()),
        [] if result.destinations.iter().all(Examination::was_asked) => {
            Err(Failure::failed("check failed: a receiver does not accept the metrics of a run"))
        }
        _ => Err(Failure::failed("check failed: the configuration is not valid")),
    }
}

/// Returns the URL, empty for that of the other sources, and the argument that has it.
fn url(arguments: &Arguments) -> Result<(&str, ArgumentKind), Failure> {
    match (arguments.value(URL), arguments.operands.first()) {
        (Some(_), Some(_)) => Err(Failure::misused("--url and an argument exclude each other: both are the URL")),
        (Some(url), None) => Ok((url, ArgumentKind::UrlFlag)),
        (None, url) => Ok((url.map(String::as_str).unwrap_or_default(), ArgumentKind::Operand)),
    }
}

/// Asks the receivers of all destinations, until the host cancels the command.
fn ask(config: &Config, invocation: &Invocation<'_>) -> Result<Vec<Examination>, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::failed(format!("failed to wait for the network: {error}")))?;
    runtime.block_on(async {
        tokio::select! {
            examined = examine_all(config) => Ok(examined),
            () = invocation.cancellation.cancelled() => Err(Failure::failed("check interrupted")),
        }
    })
}

async fn examine_all(config: &Config) -> Vec<Examination> {
    let mut examined = Vec::new();
    for destination in &config.destinations {
        examined.push(Examination {
            url: destination.shown_url(),
            source: destination.set_options.url_source().into(),
            findings: examine(destination).await,
        });
    }
    examined
}
