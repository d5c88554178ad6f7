//! The receiver of all files of one command.

use std::sync::Arc;
use std::time::Duration;

use super::super::cancellation::Cancellation;
use super::super::spec::{Failure, Invocation};
use super::display::Display;
use crate::config::{Config, Destination};
use crate::http::Client;
use crate::report::{DestinationReporter, Reporter};
use crate::send::{Queue, Sender};

/// What the files of one command share: negotiation and limits of the receiver, and what is known of it.
pub(super) struct Session<'a> {
    pub sender: Sender,
    pub counters: Arc<DestinationReporter>,
    pub display: Display<'a>,
    pub cancellation: &'a Cancellation,
    /// The receiver, without secrets.
    pub url: String,
    /// True if the URL is the default, since none is set.
    pub is_default_url: bool,
    /// Time without an accepted or refused point after which the command ends.
    pub patience: Duration,
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
            is_default_url: is_default_url(destination),
            patience: patience(destination),
            program: &invocation.document.program,
        })
    }
}

fn is_default_url(destination: &Destination) -> bool {
    destination.set_options.iter().all(|set| set.name != "url")
}

/// At least one request has its time.
fn patience(destination: &Destination) -> Duration {
    destination.delivery.flush_timeout.max(destination.endpoint.timeout.saturating_add(Duration::from_secs(1)))
}
