//! One output, from opening to closing: puts the rooms of the pipeline together, and the threads between them.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use thiserror::Error;

use crate::config::{ApmBlockLease, Config, ConfigErrors, Destination, Document};
use crate::http::{Client, ClientError};
use crate::ingest::{Closed, Inbox, consume, inbox};
use crate::k6::Sample;
use crate::panics::{Panic, catch};
use crate::report::{DestinationReporter, Event, Level, Reporter, event};
use crate::resample::Resampler;
use crate::resample::pipeline::{self, DestinationPipeline};
use crate::resample::self_metrics::About;
use crate::send::{Batcher, PreflightError, Queue, Sender};
use crate::series::SeriesDefinition;
use crate::time::clock::{Clock, SystemClock};

/// How long the end of a run may take without a word.
const SLOW_CLOSE_NOTICE: Duration = Duration::from_secs(2);

/// How much longer than its deadline a sender may take to end, and to write what is left to a file, before the output ends without
/// it.
const CLOSE_GRACE: Duration = Duration::from_secs(10);

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
    /// Receivers that do not take metrics, where that was to be asked before.
    #[error("preflight: the test does not start, since its metrics would not get through:{}", lines(.0))]
    Preflight(Vec<PreflightError>),
    /// The system gives no thread, or no socket polling.
    #[error("a background thread cannot be started: {0}")]
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
    report: OnceLock<String>,
}

/// What ends when the output is closed.
struct Running {
    resampler: JoinHandle<()>,
    deliveries: Vec<Delivery>,
    /// Of the script's blocks: until the end they are nobody else's.
    _lease: Option<ApmBlockLease>,
}

/// The sending half of one destination.
struct Delivery {
    queue: Arc<Queue>,
    flush_timeout: Duration,
    reporter: Arc<DestinationReporter>,
    /// What is wrong, if anything is; disconnected when that is known, or when nobody wanted to know.
    preflight: Receiver<PreflightError>,
    /// Disconnected when the sender has ended.
    sender_ended: Receiver<()>,
}

impl Output {
    /// Opens an output from the JSON of a [`Document`] and starts its threads.
    ///
    /// # Errors
    /// All that is wrong with the configuration at once, or what the system refuses.
    pub fn open(document: &[u8]) -> Result<Self, OpenError> {
        let mut document = Document::parse(document)?;
        let lease = ApmBlockLease::acquire(&document.script);
        document.blocks_are_leased = lease.is_none();
        let config = Config::read(&document)?;
        let reporter = Arc::new(Reporter::default());
        for warning in &config.warnings {
            reporter.log(event(Level::Warn, warning));
        }
        let mut pipelines = Vec::new();
        let mut deliveries = Vec::new();
        for (number, destination) in config.destinations.iter().enumerate() {
            let (pipeline, delivery) = start_destination(destination, number + 1, &config, &reporter)?;
            pipelines.push(pipeline);
            deliveries.push(delivery);
        }
        let failed: Vec<_> = deliveries.iter().filter_map(|delivery| delivery.preflight.recv().ok()).collect();
        if !failed.is_empty() {
            return Err(OpenError::Preflight(failed));
        }
        let (inbox, outlet) = inbox(Arc::clone(&reporter));
        let resampler = Resampler::new(pipelines, SystemClock, Arc::clone(&reporter));
        let resampler = thread::Builder::new().name("k6rw-resample".into()).spawn({
            let reporter = Arc::clone(&reporter);
            move || {
                if let Err(panic) = catch(|| consume(&outlet, resampler)) {
                    reporter.panicked("resampling thread", &panic);
                    outlet.abandon();
                }
            }
        })?;
        let queues = deliveries.iter().map(|delivery| Arc::clone(&delivery.queue)).collect();
        Ok(Self {
            inbox,
            reporter,
            queues,
            flush_cancelled: AtomicBool::new(false),
            running: Mutex::new(Some(Running { resampler, deliveries, _lease: lease })),
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

    /// The next event for the log; also while the output closes.
    pub fn poll_event(&self) -> Result<Option<Event>, Closed> {
        if self.has_ended() { Err(Closed) } else { Ok(self.reporter.poll()) }
    }

    /// Whether [`Self::close`] has done its work.
    pub fn has_ended(&self) -> bool {
        self.report.get().is_some()
    }

    /// Has [`Self::close`], now or when it comes, not wait for receivers any longer.
    pub fn cancel_flush(&self) {
        self.flush_cancelled.store(true, Ordering::SeqCst);
        self.queues.iter().for_each(|queue| queue.cancel_flush());
    }

    /// Tells of a panic in a call from outside.
    pub fn note_panic(&self, panic: &Panic) {
        self.reporter.panicked("call", panic);
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
        // It catches its own panics.
        let _ = running.resampler.join();
        // All at once, so that together they take no longer than the slowest.
        let now = Instant::now();
        for delivery in &running.deliveries {
            delivery.queue.close(delivery.flush_timeout);
        }
        if self.flush_cancelled.load(Ordering::SeqCst) {
            self.cancel_flush();
        }
        for delivery in running.deliveries {
            delivery.end(now);
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        let _ = self.close();
    }
}

impl Drop for Delivery {
    /// Ends the sender also where an output was never opened, since another destination could not be started.
    fn drop(&mut self) {
        self.queue.close(Duration::ZERO);
    }
}

impl Delivery {
    /// Waits for the sender of a queue that was closed at `closed`.
    fn end(self, closed: Instant) {
        if self.sender_ended.recv_deadline(closed + SLOW_CLOSE_NOTICE) == Err(RecvTimeoutError::Timeout) {
            self.reporter.log(
                event(Level::Info, "The receiver has not taken everything yet: k6 waits for it; Ctrl-C ends the wait")
                    .with("timeout_seconds", self.flush_timeout.as_secs()),
            );
        }
        // It ends by its deadline. Whatever holds it up longer must not hold up k6.
        let _ = self.sender_ended.recv_deadline(closed + self.flush_timeout.saturating_add(CLOSE_GRACE));
        // Whatever became of the sender, no point is forgotten.
        let counters = &self.reporter.counters;
        counters.points_undelivered.add(counters.points_open());
    }
}

/// Starts the sender of one destination, and makes the pipeline that feeds it.
fn start_destination(
    destination: &Destination,
    number: usize,
    config: &Config,
    reporter: &Reporter,
) -> Result<(DestinationPipeline, Delivery), OpenError> {
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
        self_metrics: destination.window.self_metrics.then(|| about(config, number)),
    };
    let batcher = Batcher::new(Arc::clone(&queue), delivery.sender.limits.points);
    let pipeline = DestinationPipeline::new(settings, SystemClock.now_ms(), batcher, Arc::clone(&reporter));
    let flush_timeout = delivery.flush_timeout;
    let (preflight, sender_ended) = start_sender(sender, delivery.preflight, Arc::clone(&reporter))?;
    Ok((pipeline, Delivery { queue, flush_timeout, reporter, preflight, sender_ended }))
}

/// What the output's own metrics say: the tags of the test, and which of its destinations they are about. Two of those may
/// have one receiver, and must not write one series.
fn about(config: &Config, number: usize) -> About {
    let tags = config.tags.iter().cloned().chain([("destination".into(), number.to_string())]);
    About { tags: tags.collect(), run: config.run_info.clone() }
}

/// A receiver that hangs up while a body is written to it makes a SIGPIPE, which ends a program that does not ignore it. Only
/// programs of Rust do by themselves, and Go does for its own threads. The threads that this one starts inherit it. Miri knows no
/// signals.
fn block_sigpipe() {
    #[cfg(all(unix, not(miri)))]
    {
        use nix::sys::signal::{SigSet, Signal};
        // Fails only for a signal that does not exist.
        let _ = SigSet::from(Signal::SIGPIPE).thread_block();
    }
}

/// Starts a sender's thread. What it returns is what [`Delivery`] has of it.
fn start_sender(
    sender: Sender,
    preflight: bool,
    reporter: Arc<DestinationReporter>,
) -> io::Result<(Receiver<PreflightError>, Receiver<()>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (ending, ended) = bounded::<()>(0);
    let (telling, told) = bounded(1);
    let telling = preflight.then_some(telling);
    thread::Builder::new().name("k6rw-send".into()).spawn(move || {
        let _ending = ending;
        block_sigpipe();
        let work = async {
            if let Some(telling) = telling
                && let Err(failed) = sender.preflight().await
            {
                let _ = telling.send(failed);
            }
            sender.run().await;
        };
        if let Err(panic) = catch(|| runtime.block_on(work)) {
            reporter.panicked("sender", &panic);
        }
    })?;
    Ok((told, ended))
}

/// Each on a line of its own, as k6 has lists of errors.
fn lines(errors: &[impl ToString]) -> String {
    errors.iter().map(|error| format!("\n\t- {}", error.to_string())).collect()
}
