//! One output, from opening to closing: puts the rooms of the house together, and the threads between them.

use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded};
use thiserror::Error;

use crate::clock::SystemClock;
use crate::config::{Config, ConfigErrors, Document};
use crate::deliver::{Client, ClientError, Queue, Sender};
use crate::inbox::{Closed, Inbox, Sample, inbox};
use crate::report::{Event, Level, Reporter, event};
use crate::resample::{Resampler, Settings};
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
    queue: Arc<Queue>,
    threads: Mutex<Option<Threads>>,
    flush_timeout: Duration,
    description: String,
    report: OnceLock<String>,
}

struct Threads {
    resampler: JoinHandle<()>,
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
        let queue = Arc::new(Queue::new(config.queue_bytes, Arc::clone(&reporter)));
        let client = Client::new(config.url.clone(), config.timeout)?;
        let sender = Sender::new(client, Arc::clone(&queue), Arc::clone(&reporter));
        let (inbox, outlet) = inbox(Arc::clone(&reporter));
        let resampler = Resampler::new(
            Settings {
                rate: config.rate,
                stale_markers: config.stale_markers,
                metric_prefix: config.metric_prefix.clone(),
            },
            SystemClock,
            Encoder::new(Arc::clone(&queue)),
            Arc::clone(&reporter),
        );
        let sender_ended = start_sender(sender)?;
        let resampler = thread::Builder::new().name("k6rw-resample".into()).spawn(move || resampler.run(&outlet))?;
        Ok(Self {
            inbox,
            reporter,
            queue,
            threads: Mutex::new(Some(Threads { resampler, sender_ended })),
            flush_timeout: config.flush_timeout,
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

    /// Ships the last window and all that is queued, within the flush timeout, and returns the report as JSON.
    pub fn close(&self) -> Result<&str, Closed> {
        if !self.inbox.close() {
            return Err(Closed);
        }
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(threads) = threads {
            self.end(threads);
        }
        let report = self.reporter.report();
        Ok(self.report.get_or_init(|| serde_json::to_string(&report).unwrap_or_else(|error| error.to_string())))
    }

    fn end(&self, threads: Threads) {
        if threads.resampler.join().is_err() {
            self.reporter
                .log(event(Level::Error, "The resampling thread failed: samples are lost. Please report this"));
        }
        self.queue.close(self.flush_timeout);
        // It ends by its deadline. Whatever holds it up longer must not hold up k6.
        let _ = threads.sender_ended.recv_timeout(self.flush_timeout.saturating_add(GRACE));
        let left: u64 = self.queue.drain().iter().map(|batch| batch.points as u64).sum();
        self.reporter.counters.points_undelivered.add(left);
    }
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
