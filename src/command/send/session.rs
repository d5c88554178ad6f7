//! The receiver of all files of one command.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::super::cancellation::Cancellation;
use super::super::spec::{Failure, Invocation};
use super::display::Display;
use super::{ALL, REST, URL};
use crate::config::{Config, Destination};
use crate::http::{Client, names_credentials};
use crate::report::{DestinationReporter, Reporter};
use crate::send::{Queue, Sender};
use crate::unsent::{send_command, shown};

/// What the files of one command share: negotiation and limits of the receiver, and what is known of it.
pub(super) struct Session<'a> {
    pub sender: Sender,
    pub counters: Arc<DestinationReporter>,
    pub display: Display<'a>,
    pub cancellation: &'a Cancellation,
    /// The receiver, without secrets.
    pub url: String,
    /// The URL, and what else decides where samples are stored: the tenant in a header. Without secrets.
    pub receiver: String,
    /// True if the URL is the default, since none is set.
    pub is_default_url: bool,
    /// Time without an accepted or refused point after which the command ends.
    pub patience: Duration,
    /// The option that this time comes from.
    pub patience_is: &'static str,
    /// True if what was sent before is sent again.
    pub sends_all: bool,
    /// True if what was sent to another URL is not sent again.
    pub sends_rest: bool,
    /// The URL that was given as an argument.
    url_argument: Option<String>,
    /// How the user calls this command.
    pub program: &'a str,
}

impl<'a> Session<'a> {
    pub fn new(config: &Config, invocation: &Invocation<'a>) -> Result<Self, Failure> {
        // Without a script, a configuration has exactly one.
        let [destination] = &config.destinations[..] else {
            return Err(Failure::failed("more than one destination is configured"));
        };
        let reporter = Reporter::default();
        let counters = reporter.destination(destination.shown_url());
        let display = Display::new(invocation.console, reporter);
        config.warnings.iter().for_each(|warning| display.warn(warning));
        let (patience, patience_is) = patience(destination);
        let client = Client::new(&destination.endpoint).map_err(|error| Failure::failed(error.to_string()))?;
        // Nothing is queued: the next batch is read when the one before is done.
        let queue = Arc::new(Queue::new(1, 1, Arc::clone(&counters)));
        let sender = Sender::new(client, destination.delivery.sender.clone(), queue, Arc::clone(&counters));
        Ok(Self {
            sender: sender.for_earlier_run(),
            counters,
            display,
            cancellation: invocation.cancellation,
            url: destination.shown_url(),
            receiver: receiver(destination),
            is_default_url: is_default_url(destination),
            patience,
            patience_is,
            sends_all: invocation.arguments.has(ALL),
            sends_rest: invocation.arguments.has(REST),
            url_argument: invocation.arguments.value(URL).map(|_| destination.shown_url()),
            program: &invocation.document.program,
        })
    }

    /// Returns the command that sends this file again.
    pub fn command(&self, path: &Path) -> String {
        send_command(self.program, self.url_argument.as_deref(), &shown(path))
    }
}

/// Returns the URL and a checksum of the headers, but for credentials: these may change.
fn receiver(destination: &Destination) -> String {
    let mut headers: Vec<_> =
        destination.endpoint.headers.iter().filter(|(name, _)| !names_credentials(name)).collect();
    headers.sort_by_key(|(name, _)| name);
    if headers.is_empty() {
        return destination.shown_url();
    }
    let mut checksum = crc32fast::Hasher::new();
    for (name, value) in headers {
        checksum.update(format!("{}:{}\n", name.to_ascii_lowercase(), value.expose()).as_bytes());
    }
    format!("{} with headers {:08x}", destination.shown_url(), checksum.finalize())
}

fn is_default_url(destination: &Destination) -> bool {
    destination.set_options.iter().all(|set| set.name != "url")
}

/// Returns the time, and the option that it comes from. At least one request has its time.
fn patience(destination: &Destination) -> (Duration, &'static str) {
    let one_request = destination.endpoint.timeout.saturating_add(Duration::from_secs(1));
    match destination.delivery.flush_timeout {
        flush_timeout if flush_timeout >= one_request => (flush_timeout, "flushTimeout"),
        _ => (one_request, "timeout, which is longer than flushTimeout"),
    }
}
