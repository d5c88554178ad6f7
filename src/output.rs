//! An output, from open to close: starts the stages of the pipeline and the threads between them, and ends them in order.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use once_cell::sync::OnceCell;
use parking_lot::Mutex;
use thiserror::Error;

use crate::config::{
    ApmBlockLease, Config, ConfigErrors, Destination, DestinationLease, Document, DocumentError, SharedReceiver,
};
use crate::http::{Client, ClientError};
use crate::ingest::{Closed, Inbox, InboxReceiver, consume, inbox};
use crate::k6::Sample;
use crate::panics::{Panic, catch};
use crate::report::{Event, Level, Reporter, event};
use crate::resample::Resampler;
use crate::resample::catalog::Catalog;
use crate::resample::metadata::SamplesWithMetadata;
use crate::resample::pipeline::{self, DestinationPipeline};
use crate::resample::registrar::Registrar;
use crate::resample::self_metrics::RunLabels;
use crate::send::{Batcher, PreflightError, Queue, Sender, Worker};
use crate::series::SeriesDefinition;
use crate::threads;
use crate::time::clock::SystemClock;
use crate::time::timeline::Timeline;

/// Why an output does not open.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The configuration document is not JSON of its form.
    #[error("invalid configuration document: {0}")]
    Document(#[from] DocumentError),
    /// Options are not valid.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// The HTTP client cannot be made.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The preflight of some destinations failed.
    #[error("preflight failed, the test does not start:{}", lines(.0))]
    Preflight(Vec<PreflightError>),
    /// The system has no thread, or no socket polling.
    #[error("failed to start a background thread: {0}")]
    Thread(#[from] io::Error),
}

/// An open output. All methods may be called from any thread.
pub struct Output {
    inbox: Arc<Inbox>,
    reporter: Arc<Reporter>,
    running: Mutex<Option<Running>>,
    queues: Vec<Arc<Queue>>,
    flush_cancelled: AtomicBool,
    description: String,
    exemplar_names: Vec<String>,
    exemplar_names_json: String,
    report: OnceCell<String>,
}

/// What [`Output::close`] ends.
struct Running {
    resampler: JoinHandle<()>,
    workers: Vec<Worker>,
    /// Held until the end, so that no other output ships to the same blocks.
    _lease: Option<ApmBlockLease>,
    _destinations: Vec<DestinationLease>,
}

impl Output {
    /// Opens an output from the JSON of a [`Document`] and starts its threads.
    ///
    /// # Errors
    /// All mistakes of the configuration at once, or what the system refuses.
    pub fn open(document: &[u8]) -> Result<Self, OpenError> {
        let mut document = Document::parse(document)?;
        let lease = ApmBlockLease::acquire(&document.script);
        document.blocks_are_leased = lease.is_none();
        let config = Config::read(&document)?;
        let reporter = Arc::new(Reporter::default());
        for warning in &config.warnings {
            reporter.log_first(event(Level::Warn, warning));
        }
        let timeline = Timeline::new(SystemClock::default());
        let mut catalogs = Vec::new();
        let mut pipelines = Vec::new();
        let mut workers = Vec::new();
        let mut queues = Vec::new();
        let mut leases = Vec::new();
        for destination in &config.destinations {
            reporter.log_first(set_options(destination));
            let (lease, same) = DestinationLease::acquire(destination, &document);
            same.iter().for_each(|other| reporter.log(shared_receiver(destination, other)));
            let (catalog, pipeline, worker, queue) =
                start_destination(destination, lease.number(), &config, timeline.last_ms(), &reporter)?;
            leases.push(lease);
            catalogs.push(catalog);
            pipelines.push(pipeline);
            workers.push(worker);
            queues.push(queue);
        }
        let failed: Vec<_> = workers.iter().filter_map(Worker::preflight_error).collect();
        if !failed.is_empty() {
            return Err(OpenError::Preflight(failed));
        }
        let (inbox, receiver) = inbox(Registrar::new(catalogs), Arc::clone(&reporter));
        let resampler = start_resampler(receiver, pipelines, timeline, Arc::clone(&reporter))?;
        let exemplar_names = exemplar_names(&config.destinations);
        Ok(Self {
            inbox,
            reporter,
            queues,
            flush_cancelled: AtomicBool::new(false),
            running: Mutex::new(Some(Running { resampler, workers, _lease: lease, _destinations: leases })),
            description: config.description(),
            exemplar_names_json: serde_json::to_string(&exemplar_names).unwrap_or_default(),
            exemplar_names,
            report: OnceCell::new(),
        })
    }

    /// The destinations and their rates, without secrets.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Returns the id of a series, from 1 on: that of [`Registrar::register`].
    pub fn register(&self, definition: SeriesDefinition) -> Result<u64, Closed> {
        self.inbox.register(&definition)
    }

    /// Hands over samples. Returns the number of those with an unknown id, which are left out.
    pub fn push(&self, samples: &[Sample]) -> Result<usize, Closed> {
        self.inbox.push(samples)
    }

    /// Names of the metadata that a destination makes exemplars of, each once.
    pub fn exemplar_names(&self) -> &[String] {
        &self.exemplar_names
    }

    /// The same, as a JSON list.
    pub fn exemplar_names_json(&self) -> &str {
        &self.exemplar_names_json
    }

    /// Hands over samples with metadata, as [`Self::push`] does.
    pub fn push_with_metadata(&self, samples: SamplesWithMetadata) -> Result<usize, Closed> {
        self.inbox.push_with_metadata(samples)
    }

    /// Takes the next event, also while the output closes.
    pub fn poll_event(&self) -> Result<Option<Event>, Closed> {
        if self.is_closed() { Err(Closed) } else { Ok(self.reporter.poll()) }
    }

    /// Returns true if [`Self::close`] was called.
    pub fn is_closing(&self) -> bool {
        self.inbox.is_closed()
    }

    /// Returns true if [`Self::close`] has ended.
    pub fn is_closed(&self) -> bool {
        self.report.get().is_some()
    }

    /// Makes [`Self::close`], now or later, stop waiting for receivers.
    pub fn cancel_flush(&self) {
        self.flush_cancelled.store(true, Ordering::SeqCst);
        self.queues.iter().for_each(|queue| queue.cancel_flush());
    }

    /// Reports a panic in a call of the host.
    pub fn note_panic(&self, panic: &Panic) {
        self.reporter.panicked("call", panic);
    }

    /// Sends the last windows and all that is queued, within the flush timeout, and returns the report as JSON.
    pub fn close(&self) -> Result<&str, Closed> {
        if !self.inbox.close() {
            return Err(Closed);
        }
        let running = self.running.lock().take();
        if let Some(running) = running {
            self.end(running);
        }
        Ok(self.report.get_or_init(|| self.reporter.report()))
    }

    fn end(&self, running: Running) {
        // The thread catches its own panics.
        let _ = running.resampler.join();
        // All senders flush at the same time, so the slowest decides.
        let closed = Instant::now();
        running.workers.iter().for_each(Worker::close);
        if self.flush_cancelled.load(Ordering::SeqCst) {
            self.cancel_flush();
        }
        running.workers.into_iter().for_each(|worker| worker.join(closed));
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        let _ = self.close();
    }
}

/// Starts the background thread.
fn start_resampler(
    receiver: InboxReceiver,
    pipelines: Vec<DestinationPipeline>,
    timeline: Timeline<SystemClock>,
    reporter: Arc<Reporter>,
) -> io::Result<JoinHandle<()>> {
    let resampler = Resampler::new(pipelines, timeline, Arc::clone(&reporter));
    threads::spawn("k6rw-resample", move || {
        if let Err(panic) = catch(|| consume(&receiver, resampler)) {
            reporter.panicked("resampling thread", &panic);
            receiver.abandon();
        }
    })
}

/// Starts the sender of a destination, and makes the catalog of its series and the pipeline that fills its queue.
fn start_destination(
    destination: &Destination,
    number: usize,
    config: &Config,
    opened_ms: i64,
    reporter: &Reporter,
) -> Result<(Catalog, DestinationPipeline, Worker, Arc<Queue>), OpenError> {
    let reporter = reporter.destination(destination.shown_url());
    if let Some(id) = &destination.test_run.id {
        reporter.note_test_run_id(id);
    }
    let delivery = &destination.delivery;
    let queue = Arc::new(Queue::new(delivery.queue_bytes, delivery.max_shards, Arc::clone(&reporter)));
    let client = Client::new(&destination.endpoint)?;
    let sender = Sender::new(client, delivery.sender.clone(), Arc::clone(&queue), Arc::clone(&reporter));
    let settings = pipeline::Settings {
        rate: destination.window.rate,
        stale_markers: destination.window.stale_markers,
        rules: destination.rules(&config.tags),
        self_metrics: destination.window.self_metrics.then(|| run_labels(config, number)),
    };
    let batcher = Batcher::new(Arc::clone(&queue), delivery.sender.limits.points);
    let (catalog, pipeline) = DestinationPipeline::new(settings, opened_ms, batcher, Arc::clone(&reporter));
    let worker = Worker::start(sender, Arc::clone(&queue), delivery.flush_timeout, delivery.preflight, reporter)?;
    Ok((catalog, pipeline, worker, queue))
}

/// Returns the names of all metadata that these destinations make exemplars of.
fn exemplar_names(destinations: &[Destination]) -> Vec<String> {
    let names = destinations.iter().flat_map(|destination| &destination.labels.exemplars);
    names.collect::<BTreeSet<_>>().into_iter().cloned().collect()
}

/// Returns the debug line with the options of a destination that are set, and where each was written.
fn set_options(destination: &Destination) -> Event {
    let message = "Options that are set; all others have their defaults";
    let line = destination.set_options.iter().fold(event(Level::Debug, message), |line, set| {
        line.with(set.name, format!("{} from {}", set.value, set.source))
    });
    line.with("url", destination.shown_url()).with("url_source", destination.set_options.url_source())
}

/// Returns the warning about another destination that sends the same series to the same receiver.
fn shared_receiver(destination: &Destination, other: &SharedReceiver) -> Event {
    event(Level::Warn, "Two destinations send the same series to one receiver, which counts them twice or rejects them")
        .with("url", destination.shown_url())
        .with("destination", destination.set_options.url_source())
        .with("other_destination", &*other.source)
        .with("hint", other.hint)
}

/// Returns the labels of a destination's self metrics: the tags of the test, and the number of the destination, since two
/// destinations with one receiver must not write one series.
fn run_labels(config: &Config, number: usize) -> RunLabels {
    let tags = config.tags.iter().cloned().chain([("destination".into(), number.to_string())]);
    RunLabels { tags: tags.collect(), run_info: config.run_info.clone() }
}

/// Each error on its own line, as in k6's lists of errors.
fn lines(errors: &[impl ToString]) -> String {
    errors.iter().map(|error| format!("\n\t- {}", error.to_string())).collect()
}
