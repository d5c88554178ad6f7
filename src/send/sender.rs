//! Sends the batches of one queue, each for as long as a retry can help, and writes the unsent ones to a file.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::task::{JoinError, spawn_local};

use super::backoff::Backoff;
use super::health::{Abort, Health};
use super::negotiation::{Negotiation, SendPermit};
use super::outcome::Outcome;
use super::queue::{Batch, Queue};
use super::unsent;
use crate::fault;
use crate::http::{Client, Response};
use crate::panics::caught;
use crate::report::{DestinationReporter, Level, event};
use crate::wire::{Encoded, Encoder, Limits, Metric, Point, Protocol};

/// Maximum number of times that the task of a shard is started. Each panic loses the batch that caused it; if every batch causes
/// one, another start does not help.
const MAX_SHARD_STARTS: usize = 10;

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
    client: Client,
    queue: Arc<Queue>,
    send_after: Duration,
    encoder: RefCell<Encoder>,
    negotiation: Negotiation,
    /// Reduced when the receiver rejects requests as too large.
    limits: Cell<Limits>,
    health: RefCell<Health>,
    unsent_directory: Option<PathBuf>,
    /// Batches that were in flight at the deadline.
    interrupted: RefCell<Vec<Batch>>,
    reporter: Arc<DestinationReporter>,
}

/// Number of attempts to get a final response to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempts {
    /// One, whatever its outcome.
    One,
    /// As many as are needed until the outcome is not [`Outcome::Retry`].
    UntilFinal,
}

/// One request and its response.
pub(super) struct Exchange<'a> {
    /// Held until the response has been evaluated, since it may confirm the protocol version.
    permit: SendPermit<'a>,
    pub(super) outcome: Outcome,
    pub(super) response: Response,
    /// Number of points in the request, and bytes of its body.
    points: usize,
    bytes: usize,
}

impl Exchange<'_> {
    /// Protocol version of the request.
    pub(super) fn protocol(&self) -> Protocol {
        self.permit.protocol
    }
}

impl Sender {
    /// Creates a sender for the batches of `queue`.
    pub fn new(client: Client, settings: Settings, queue: Arc<Queue>, reporter: Arc<DestinationReporter>) -> Self {
        let health = Health::new(client.credentials(), settings.abort_after, Arc::clone(&reporter));
        Self {
            client,
            queue,
            send_after: settings.send_after,
            encoder: RefCell::default(),
            negotiation: Negotiation::new(settings.protocol),
            limits: Cell::new(settings.limits),
            health: RefCell::new(health),
            unsent_directory: settings.unsent_directory,
            interrupted: RefCell::default(),
            reporter,
        }
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
        shards.await;
        sender.write_unsent();
    }

    /// Runs the task of a shard, and restarts it after a panic.
    async fn supervise_shard(self: Rc<Self>, shard: usize) {
        for _ in 0..MAX_SHARD_STARTS {
            let sender = Rc::clone(&self);
            match spawn_local(async move { sender.send_shard(shard).await }).await.map_err(JoinError::try_into_panic) {
                Err(Ok(payload)) => self.reporter.panicked("sender", &caught(&*payload)),
                _ => return,
            }
        }
    }

    async fn send_shard(&self, shard: usize) {
        while let Some(mut batch) = self.queue.next(shard).await {
            self.queue.wait_until(batch.created() + self.send_after).await;
            tokio::select! {
                () = self.send_batch(&mut batch) => {}
                () = self.queue.wait_for_deadline() => return self.interrupted.borrow_mut().push(batch),
            }
        }
    }

    /// Sends a batch in as many requests as the limits require.
    async fn send_batch(&self, batch: &mut Batch) {
        let mut fell_back = false;
        while !batch.unsent().is_empty() {
            let exchange = self.exchange(batch.unsent(), batch.metadata(), Attempts::UntilFinal, &mut fell_back).await;
            if exchange.outcome == Outcome::TooLarge && exchange.points > 1 {
                let limits = self.limits.get();
                self.limits.set(Limits { points: limits.points.min(exchange.points / 2), ..limits });
                continue;
            }
            self.count_outcome(&exchange);
            batch.advance(exchange.points);
        }
    }

    /// Sends one request with the first of `points`, as many as the limits allow, in the version that the receiver supports.
    ///
    /// A request in a version that is not supported is sent again in the other one, but only once for each `fell_back`: a
    /// receiver that supports neither gets it once in each.
    pub(super) async fn exchange(
        &self,
        points: &[Point],
        metadata: &[Arc<Metric>],
        attempts: Attempts,
        fell_back: &mut bool,
    ) -> Exchange<'_> {
        loop {
            let permit = self.negotiation.acquire().await;
            let protocol = permit.protocol;
            let Encoded { body, points } =
                self.encoder.borrow_mut().encode(protocol, points, metadata, self.limits.get());
            let bytes = body.len();
            let response = match attempts {
                Attempts::One => self.send_once(protocol, body).await,
                Attempts::UntilFinal => self.send_until_final(protocol, &body, points).await,
            };
            let outcome = Outcome::to(protocol, &response);
            if outcome == Outcome::UnsupportedProtocol && !*fell_back && self.negotiation.fall_back(protocol) {
                *fell_back = true;
                self.log_protocol("Receiver does not support this protocol version, trying the other", protocol);
                continue;
            }
            return Exchange { permit, outcome, response, points, bytes };
        }
    }

    async fn send_once(&self, protocol: Protocol, body: Bytes) -> Response {
        self.reporter.counters.requests.add(1);
        self.client.send(protocol, body).await
    }

    /// Sends one request until its outcome is not [`Outcome::Retry`].
    async fn send_until_final(&self, protocol: Protocol, body: &Bytes, points: usize) -> Response {
        let counters = &self.reporter.counters;
        let mut backoff = Backoff::default();
        fault::point("sender");
        loop {
            let begin = Instant::now();
            let response = self.send_once(protocol, body.clone()).await;
            self.reporter.note_duration(begin.elapsed());
            let Outcome::Retry(retry_after) = Outcome::to(protocol, &response) else { return response };
            let pause = backoff.next(retry_after);
            let abort = self.health.borrow_mut().record_failure(&response);
            self.abort_test(abort);
            tokio::time::sleep(pause).await;
            counters.requests_retried.add(1);
            counters.points_retried.add(points as u64);
        }
    }

    /// Counts the points of a request by its outcome.
    fn count_outcome(&self, exchange: &Exchange<'_>) {
        let counters = &self.reporter.counters;
        let (protocol, outcome, response) = (exchange.protocol(), exchange.outcome, &exchange.response);
        let points = exchange.points as u64;
        let written = match outcome {
            Outcome::Accepted => response.written.filter(|_| protocol == Protocol::V2).unwrap_or(points).min(points),
            _ => response.written.unwrap_or(0).min(points),
        };
        let supported =
            outcome == Outcome::Accepted || outcome != Outcome::UnsupportedProtocol && response.written.is_some();
        if supported {
            self.confirm_protocol(protocol);
        }
        counters.points_sent.add(written);
        counters.points_failed.add(points - written);
        let mut health = self.health.borrow_mut();
        if written < points {
            let abort = health.record_rejection(response, points - written);
            self.abort_test(abort);
        } else {
            counters.bytes_sent.add(exchange.bytes as u64);
            health.record_success();
        }
    }

    /// Aborts the test: k6 stops when it reads an event of [`Level::Fatal`].
    fn abort_test(&self, abort: Option<Abort>) {
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

    fn log_protocol(&self, message: &str, protocol: Protocol) {
        self.reporter.log(event(Level::Debug, message).with("protocol", protocol.to_string()));
    }

    fn write_unsent(&self) {
        let mut unsent = self.interrupted.take();
        unsent.extend(self.queue.drain());
        let points: Vec<_> = unsent.iter().flat_map(Batch::unsent).collect();
        unsent::save(&points, self.unsent_directory.as_deref(), &self.reporter);
    }
}
