//! `send`: sends files of unsent samples, by the sender of a run.
//!
//! After each request what was sent is recorded beside the file, so that a command which was interrupted or killed continues with
//! the request that was in flight: receivers accept that twice.
//!
//! | file | content |
//! |---|---|
//! | `session` | a receiver → the sender for all files |
//! | `file` | one file, from its first request that was not sent to its last |
//! | `display` | progress, warnings and results → text |

mod session;
mod file;
mod display;

use std::path::Path;

use tokio::runtime::Builder;

use self::file::{FileError, send_file};
use self::session::Session;
use super::spec::{Failure, Flag, Invocation, Spec};
use crate::config::{ArgumentKind, Config};
use crate::unsent::shown;

const URL: &str = "url";
const REST: &str = "rest";
const ALL: &str = "all";

pub(super) const SPEC: Spec = Spec {
    name: "send",
    operands: ("<file>…", 1..=usize::MAX),
    summary: "Sends files of unsent samples",
    details: "\
Sends what a run has written to files, with the options that the run had in
environment and JSON: retries, credentials, protocol version. The receiver may
be another one.

Ctrl-C keeps what was not sent: the next call continues there. If nothing is
accepted for as long as flushTimeout, and for longer than the timeout of one
request, the command ends in the same way. A file that was sent is renamed to
….sent, and to ….refused if the receiver has refused some of its samples; it
keeps all of them.",
    flags: &[
        Flag { name: URL, value: Some("url"), doc: "The receiver, instead of that of environment and JSON" },
        Flag { name: REST, value: None, doc: "Continues at another receiver, without what was sent before" },
        Flag { name: ALL, value: None, doc: "Sends what was sent before, too" },
    ],
    run,
};

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    if invocation.arguments.operands.iter().any(|operand| operand.contains("://")) {
        return Err(Failure::misused("an argument is a URL, but must be a file: set the receiver by --url"));
    }
    let url = invocation.arguments.value(URL).unwrap_or_default();
    let config = Config::read(&invocation.document.for_output(url, ArgumentKind::UrlFlag))
        .map_err(|errors| Failure::failed(errors.to_string()))?;
    let session = Session::new(&config, invocation)?;
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::failed(format!("failed to wait for the network: {error}")))?;
    let mut failures = Vec::new();
    for path in &invocation.arguments.operands {
        let Err(FileError { message, ends_all }) = runtime.block_on(send_file(&session, Path::new(path))) else {
            continue;
        };
        failures.push(format!("{}: {message}", shown(Path::new(path))));
        if ends_all {
            break;
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(Failure::failed(failures.join("\n"))) }
}
