//! Sends the batches of one queue, each for as long as a retry can help, and writes the unsent ones to a file.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio::task::{JoinError, spawn_local};

use super::earlier_run::EarlierRun;
use super::exemplar_policy::ExemplarPolicy;
use super::health::{Abort, Health};
use super::negotiation::Negotiation;
use super::quarantine::Quarantine;
use super::queue::{Batch, Queue};
use super::unsent;
use crate::http::{Client, Response};
use crate::panics::caught;
use crate::report::{DestinationReporter, Level, event};
use crate::wire::{Encoder, Limits, Protocol};

/// Panics of one batch, after which it is not sent again, but written to the file of unsent samples.
const MAX_PANICS: usize = 3;

/// Interval at which the time without a success is compared with `abortOnFailure`.
const HEALTH_INTERVAL: Duration = Duration::from_millis(250);

/// Sender settings of a destination.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// Time that a batch waits before it is sent, unless the run ends.
    pub send_after: Duration,
    /// Protocol version; without one it is negotiated.
    pub protocol: Option<Protocol>,
    /// Maximum size of a request.
    pub limits: Limits,
    /// Time without a success after which the test must stop.
    pub abort_after: Option<Duration>,
    /// Directory for the file of unsent samples.
    pub unsent_directory: Option<PathBuf>,
}

/// Sends the batches of a queue: those of a shard one after the other, those of different shards concurrently.
pub struct Sender {
    pub(super) client: Client,
    pub(super) queue: Arc<Queue>,
    send_after: Duration,
    pub(super) encoder: RefCell<Encoder>,
    pub(super) negotiation: Negotiation,
    pub(super) exemplars: ExemplarPolicy,
    /// Reduced when the receiver rejects requests as too large; the points at most to `max_points` again.
    pub(super) limits: Cell<Limits>,
    pub(super) max_points: usize,
    /// Time from which on a limit that was found is tested.
    pub(super) next_limit_test: Cell<Instant>,
    /// Time at which the receiver rejected a batch whatever its parts, and for how long it gets no parts.
    pub(super) hopeless: Cell<Option<(Instant, Duration)>>,
    /// Time at which the receiver last accepted points, of any shard.
    pub(super) last_accepted: Cell<Option<Instant>>,
    pub(super) quarantine: RefCell<Quarantine>,
    /// True once a response came from VictoriaMetrics: it may keep only the newest sample of an interval, and accepts every
    /// sample again.
    pub(super) is_victoria_metrics: Cell<bool>,
    pub(super) health: RefCell<Health>,
    unsent_directory: Option<PathBuf>,
    /// For batches of an earlier run.
    pub(super) earlier_run: Option<EarlierRun>,
    /// Batches that are not sent again, because sending them panicked.
    set_aside: RefCell<Vec<Batch>>,
    /// The batch of each shard that is being sent.
    in_flight: Vec<Mutex<Option<Batch>>>,
    pub(super) reporter: Arc<DestinationReporter>,
}

impl Sender {
    /// Creates a sender for the batches of `queue`.
    pub fn new(client: Client, settings: Settings, queue: Arc<Queue>, reporter: Arc<DestinationReporter>) -> Self {
        let health = Health::new(client.credentials(), settings.abort_after, Arc::clone(&reporter));
        let in_flight = (0..queue.shards()).map(|_| Mutex::default()).collect();
        Self {
            client,
            queue,
            send_after: settings.send_after,
            encoder: RefCell::default(),
            negotiation: Negotiation::new(settings.protocol),
            exemplars: ExemplarPolicy::default(),
            limits: Cell::new(settings.limits),
            max_points: settings.limits.points,
            next_limit_test: Cell::new(Instant::now()),
            hopeless: Cell::new(None),
            last_accepted: Cell::new(None),
            quarantine: RefCell::default(),
            is_victoria_metrics: Cell::new(false),
            health: RefCell::new(health),
            unsent_directory: settings.unsent_directory,
            earlier_run: None,
            set_aside: RefCell::default(),
            in_flight,
            reporter,
        }
    }

    /// Makes it a sender for batches of an earlier run: only [`Self::resend`] and [`Self::preflight`] are to be called.
    pub fn for_earlier_run(self) -> Self {
        self.health.borrow_mut().set_of_earlier_run();
        Self { earlier_run: Some(EarlierRun::default()), ..self }
    }

    /// The destination's URL, without secrets.
    pub(super) fn url(&self) -> &str {
        self.reporter.url()
    }

    /// Description of the credentials that are sent.
    pub(super) fn credentials(&self) -> &'static str {
        self.client.credentials()
    }

    /// Sends until the queue is closed and empty, or its deadline has passed; unsent batches then go to a file.
    pub async fn run(self) {
        let sender = Rc::new(self);
        let shards = tokio::task::LocalSet::new();
        for shard in 0..sender.queue.shards() {
            shards.spawn_local(Rc::clone(&sender).supervise_shard(shard));
        }
        tokio::select! {
            () = shards => {}
            () = sender.watch_health() => {}
        }
        sender.write_unsent();
    }

    /// Runs the task of a shard, and restarts it after a panic with the same batch, which may be sent at the next attempt.
    async fn supervise_shard(self: Rc<Self>, shard: usize) {
        let mut panics = 0;
        loop {
            let sender = Rc::clone(&self);
            match spawn_local(async move { sender.send_shard(shard).await }).await.map_err(JoinError::try_into_panic) {
                Err(Ok(payload)) => self.reporter.panicked("sender", &caught(&*payload)),
                _ => return,
            }
            let current = self.in_flight[shard].lock().await.as_mut().map(Batch::count_panic);
            panics = current.unwrap_or(panics + 1);
            if panics < MAX_PANICS {
                continue;
            }
            let Some(batch) = self.in_flight[shard].lock().await.take() else { return };
            self.queue.finish(shard);
            self.set_aside.borrow_mut().push(batch);
        }
    }

    async fn send_shard(&self, shard: usize) {
        // Behind a lock that no other task takes: a panic leaves the batch where it is.
        let mut current = self.in_flight[shard].lock().await;
        loop {
            if current.is_none() {
                let next = self.queue.next(shard, self.limits.get().points).await;
                let Some(batch) = next else { return };
                self.queue.wait_until(batch.created() + self.send_after).await;
                *current = Some(batch);
            }
            let Some(batch) = current.as_mut() else { return };
            tokio::select! {
                () = self.send_batch(shard, batch) => {}
                () = self.queue.wait_for_deadline() => return,
            }
            *current = None;
            self.queue.finish(shard);
        }
    }

    /// Aborts the test: k6 stops when it reads an event of [`Level::Fatal`].
    pub(super) fn abort_test(&self, abort: Option<Abort>) {
        if let Some(Abort { without_success }) = abort {
            self.reporter.log(
                event(Level::Fatal, "Aborting the test: no write has succeeded for longer than abortOnFailure")
                    .with("duration_seconds", without_success.as_secs_f64().round()),
            );
        }
    }

    /// Records that the receiver supports a protocol version.
    pub(super) fn confirm_protocol(&self, protocol: Protocol) {
        if self.negotiation.confirm(protocol) {
            self.log_protocol("Detected protocol version", protocol);
        }
    }

    pub(super) fn log_protocol(&self, message: &str, protocol: Protocol) {
        self.reporter.log(event(Level::Debug, message).with("protocol", protocol.to_string()));
    }

    /// Remembers what a response says of the receiver.
    pub(super) fn note_receiver(&self, response: &Response) {
        if response.is_victoria_metrics && !self.is_victoria_metrics.replace(true) {
            self.reporter.log(event(Level::Debug, "Detected VictoriaMetrics, not sending stale markers"));
        }
    }

    /// Watches for the time without a success that `abortOnFailure` allows. Never ends.
    async fn watch_health(&self) {
        loop {
            tokio::time::sleep(HEALTH_INTERVAL).await;
            let abort = self.health.borrow_mut().due_abort();
            self.abort_test(abort);
        }
    }

    fn write_unsent(&self) {
        let mut unsent = self.set_aside.take();
        let in_flight = self.in_flight.iter().filter_map(|current| current.try_lock().ok()?.take());
        unsent.extend(in_flight);
        unsent.extend(self.queue.drain());
        // The limits of the options, not those that this receiver had.
        let limits = Limits { points: self.max_points, ..self.limits.get() };
        unsent::save(unsent, self.unsent_directory.as_deref(), limits, &self.reporter);
    }
}
