//! One output, from opening to closing: puts the rooms of the house together, and the threads between them.

use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded};
use thiserror::Error;

use crate::clock::{Clock, SystemClock};
use crate::config::{Config, ConfigErrors, Destination, Document};
use crate::deliver::{Client, ClientError, Queue, Sender};
use crate::inbox::{Closed, Inbox, Sample, inbox};
use crate::lane::{Lane, Settings};
use crate::report::{DestinationReporter, Event, Level, Reporter, event};
use crate::resample::Resampler;
use crate::series::SeriesDefinition;
use crate::wire::Encoder;

/// How much longer than its deadline a sender may take to end, before the output ends without it.
const GRACE: Duration = Duration::from_secs(1);

/// Why an output does not open.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The host's document is not of its form.
    #[error("invalid configuration document: {0}")]
    Document(#[from] serde_json::Error),
    /// What the user wrote is not valid.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// No HTTP client.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The system gives no thread, or no socket polling.
    #[error("a background thread cannot be started: {0}")]
    Thread(#[from] io::Error),
}

/// An open output. All methods may be called from any thread.
pub struct Output {
    inbox: Arc<Inbox>,
    reporter: Arc<Reporter>,
    running: Mutex<Option<Running>>,
    description: String,
    report: OnceLock<String>,
}

/// What ends when the output is closed.
struct Running {
    resampler: JoinHandle<()>,
    deliveries: Vec<Delivery>,
}

/// The sending half of one destination.
struct Delivery {
    queue: Arc<Queue>,
    flush_timeout: Duration,
    reporter: Arc<DestinationReporter>,
    /// Disconnected when the sender has ended.
    sender_ended: Receiver<()>,
}

impl Output {
    /// Opens an output from the JSON of a [`Document`] and starts its threads.
    ///
    /// # Errors
    /// All that is wrong with the configuration at once, or what the system refuses.
    pub fn open(document: &[u8]) -> Result<Self, OpenError> {
        let config = Config::read(&Document::parse(document)?)?;
        let reporter = Arc::new(Reporter::default());
        for warning in &config.warnings {
            reporter.log(event(Level::Warn, warning));
        }
        let mut lanes = Vec::new();
        let mut deliveries = Vec::new();
        for destination in &config.destinations {
            let (lane, delivery) = start_destination(destination, &reporter)?;
            lanes.push(lane);
            deliveries.push(delivery);
        }
        let (inbox, outlet) = inbox(Arc::clone(&reporter));
        let resampler = Resampler::new(lanes, SystemClock, Arc::clone(&reporter));
        let resampler = thread::Builder::new().name("k6rw-resample".into()).spawn(move || resampler.run(&outlet))?;
        Ok(Self {
            inbox,
            reporter,
            running: Mutex::new(Some(Running { resampler, deliveries })),
            description: config.description(),
            report: OnceLock::new(),
        })
    }

    /// Where to and how often, without secrets.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Gives a series its id, from 1 on.
    pub fn register(&self, definition: SeriesDefinition) -> Result<u64, Closed> {
        self.inbox.register(definition)
    }

    /// Hands over samples; returns how many had an unknown id.
    pub fn push(&self, samples: &[Sample]) -> Result<usize, Closed> {
        self.inbox.push(samples)
    }

    /// Whether [`Self::close`] was called.
    pub fn is_closed(&self) -> bool {
        self.inbox.is_closed()
    }

    /// The next event for the log.
    pub fn poll_event(&self) -> Result<Option<Event>, Closed> {
        if self.is_closed() { Err(Closed) } else { Ok(self.reporter.poll()) }
    }

    /// Ships the last windows and all that is queued, within the flush timeout, and returns the report as JSON.
    pub fn close(&self) -> Result<&str, Closed> {
        if !self.inbox.close() {
            return Err(Closed);
        }
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(running) = running {
            self.end(running);
        }
        let report = self.reporter.report();
        Ok(self.report.get_or_init(|| serde_json::to_string(&report).unwrap_or_else(|error| error.to_string())))
    }

    fn end(&self, running: Running) {
        if running.resampler.join().is_err() {
            self.reporter
                .log(event(Level::Error, "The resampling thread failed: samples are lost. Please report this"));
        }
        // All at once, so that together they take no longer than the slowest.
        for delivery in &running.deliveries {
            delivery.queue.close(delivery.flush_timeout);
        }
        for delivery in running.deliveries {
            delivery.end();
        }
    }
}

impl Delivery {
    fn end(self) {
        // It ends by its deadline. Whatever holds it up longer must not hold up k6.
        let _ = self.sender_ended.recv_timeout(self.flush_timeout.saturating_add(GRACE));
        let left: u64 = self.queue.drain().iter().map(|batch| batch.points as u64).sum();
        self.reporter.counters.points_undelivered.add(left);
    }
}

/// Starts the sender of one destination, and makes the lane that feeds it.
fn start_destination(destination: &Destination, reporter: &Reporter) -> Result<(Lane, Delivery), OpenError> {
    let reporter = reporter.destination(destination.shown_url());
    let queue = Arc::new(Queue::new(destination.queue_bytes, Arc::clone(&reporter)));
    let client = Client::new(destination.url.clone(), destination.timeout)?;
    let sender = Sender::new(client, Arc::clone(&queue), Arc::clone(&reporter));
    let settings =
        Settings { rate: destination.rate, stale_markers: destination.stale_markers, rules: destination.rules() };
    let encoder = Encoder::new(Arc::clone(&queue));
    let lane = Lane::new(settings, SystemClock.now_ms(), encoder, Arc::clone(&reporter));
    let flush_timeout = destination.flush_timeout;
    Ok((lane, Delivery { queue, flush_timeout, reporter, sender_ended: start_sender(sender)? }))
}

fn start_sender(sender: Sender) -> io::Result<Receiver<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (ending, ended) = bounded::<()>(0);
    thread::Builder::new().name("k6rw-send".into()).spawn(move || {
        // Dropped, and so told, also if the thread panics.
        let _ending = ending;
        runtime.block_on(sender.run());
    })?;
    Ok(ended)
}
