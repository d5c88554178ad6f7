//! Ships the batches of one queue, in the order of each shard, for as long as that can help.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::task::{JoinError, spawn_local};

use super::backoff::Backoff;
use super::health::Health;
use super::negotiation::Negotiation;
use super::outcome::Outcome;
use super::preflight::PreflightError;
use super::queue::{Batch, Queue};
use super::unsent;
use crate::fault;
use crate::http::{Client, Response};
use crate::panics::caught;
use crate::report::{DestinationReporter, Level, event};
use crate::wire::{Encoded, Encoder, Limits, Protocol};

/// How often the work on a shard starts. Each panic takes the batch with it that it met; where every one is met by a panic, that
/// helps nobody.
const MAX_SHARD_STARTS: usize = 10;

/// What of a destination's configuration matters here.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// How long a batch waits before it is sent, unless the run ends.
    pub send_after: Duration,
    /// The version of the protocol; without one it is found out.
    pub protocol: Option<Protocol>,
    /// How large a request may be.
    pub limits: Limits,
    /// After how long without a success the test is to stop.
    pub abort_after: Option<Duration>,
    /// Where what could not be sent is written to.
    pub unsent_directory: Option<PathBuf>,
}

/// Sends what comes into a queue: of each shard one batch after the other, of all shards at once.
pub struct Sender {
    client: Client,
    queue: Arc<Queue>,
    send_after: Duration,
    encoder: RefCell<Encoder>,
    negotiation: Negotiation,
    /// Shrinks when the receiver finds requests too large.
    limits: Cell<Limits>,
    health: RefCell<Health>,
    unsent_directory: Option<PathBuf>,
    /// What was under way when time was over.
    interrupted: RefCell<Vec<Batch>>,
    reporter: Arc<DestinationReporter>,
}

impl Sender {
    /// A sender for what comes into `queue`.
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

    /// Asks the receiver whether it takes requests, by one without points in each version of the protocol until it takes one. Tries
    /// none again: whoever asks is waiting. Which version the receiver speaks is known then.
    pub async fn preflight(&self) -> Result<(), PreflightError> {
        let mut tried_other = false;
        loop {
            let protocol = self.negotiation.acquire().await.protocol;
            let Encoded { body, .. } = self.encoder.borrow_mut().encode(protocol, &[], &[], self.limits.get());
            self.reporter.counters.requests.add(1);
            let response = self.client.send(protocol, body).await;
            match Outcome::to(protocol, &response) {
                Outcome::Accepted => {
                    self.note_understood(protocol);
                    return Ok(());
                }
                Outcome::UnsupportedProtocol if !tried_other && self.negotiation.fall_back(protocol) => {
                    tried_other = true
                }
                _ => return Err(PreflightError::new(self.reporter.url(), response, self.client.credentials())),
            }
        }
    }

    /// Sends until the queue is closed and empty, or its deadline has passed; what is left then goes to a file.
    pub async fn run(self) {
        let sender = Rc::new(self);
        let shards = tokio::task::LocalSet::new();
        for shard in 0..sender.queue.shards() {
            shards.spawn_local(Rc::clone(&sender).keep_shard(shard));
        }
        shards.await;
        sender.write_unsent();
    }

    /// Starts the work on a shard anew after a panic.
    async fn keep_shard(self: Rc<Self>, shard: usize) {
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
            self.queue.until(batch.made() + self.send_after).await;
            tokio::select! {
                () = self.send_batch(&mut batch) => {}
                () = self.queue.past_deadline() => return self.interrupted.borrow_mut().push(batch),
            }
        }
    }

    /// Sends a batch in as many requests as the limits ask for.
    async fn send_batch(&self, batch: &mut Batch) {
        let mut tried_other = false;
        while !batch.unsent().is_empty() {
            let permit = self.negotiation.acquire().await;
            let protocol = permit.protocol;
            let Encoded { body, points } =
                self.encoder.borrow_mut().encode(protocol, batch.unsent(), batch.announced(), self.limits.get());
            let response = self.send_request(protocol, &body, points).await;
            match Outcome::to(protocol, &response) {
                Outcome::TooLarge if points > 1 => {
                    let limits = self.limits.get();
                    self.limits.set(Limits { points: limits.points.min(points / 2), ..limits });
                    continue;
                }
                // Once in each version, and no further.
                Outcome::UnsupportedProtocol if !tried_other && self.negotiation.fall_back(protocol) => {
                    tried_other = true;
                    self.note_protocol(
                        "The receiver does not understand this protocol: the same points go in the other",
                        protocol,
                    );
                    continue;
                }
                outcome => self.settle(protocol, outcome, &response, points as u64, body.len() as u64),
            }
            batch.advance(points);
        }
    }

    /// Sends one request until it has an answer that trying again would not change.
    async fn send_request(&self, protocol: Protocol, body: &Bytes, points: usize) -> Response {
        let counters = &self.reporter.counters;
        let mut backoff = Backoff::default();
        fault::point("sender");
        loop {
            counters.requests.add(1);
            let begin = Instant::now();
            let response = self.client.send(protocol, body.clone()).await;
            self.reporter.note_latency(begin.elapsed());
            let Outcome::Retry(retry_after) = Outcome::to(protocol, &response) else { return response };
            let pause = backoff.next(retry_after);
            self.health.borrow_mut().note_failure(&response);
            tokio::time::sleep(pause).await;
            counters.retries.add(1);
            counters.points_retried.add(points as u64);
        }
    }

    /// Counts what became of a request's points.
    fn settle(&self, protocol: Protocol, outcome: Outcome, response: &Response, points: u64, bytes: u64) {
        let counters = &self.reporter.counters;
        let written = match outcome {
            Outcome::Accepted => response.written.filter(|_| protocol == Protocol::V2).unwrap_or(points).min(points),
            _ => response.written.unwrap_or(0).min(points),
        };
        let understood =
            outcome == Outcome::Accepted || outcome != Outcome::UnsupportedProtocol && response.written.is_some();
        if understood {
            self.note_understood(protocol);
        }
        counters.points_delivered.add(written);
        counters.points_refused.add(points - written);
        let mut health = self.health.borrow_mut();
        if written < points {
            health.note_refusal(response, points - written);
        } else {
            counters.bytes_delivered.add(bytes);
            health.note_success();
        }
    }

    fn note_understood(&self, protocol: Protocol) {
        if self.negotiation.settle(protocol) {
            self.note_protocol("The receiver's protocol is known", protocol);
        }
    }

    fn note_protocol(&self, message: &str, protocol: Protocol) {
        self.reporter.log(event(Level::Debug, message).with("protocol", protocol.to_string()));
    }

    fn write_unsent(&self) {
        let mut unsent = self.interrupted.take();
        unsent.extend(self.queue.drain());
        let points: Vec<_> = unsent.iter().flat_map(Batch::unsent).collect();
        unsent::save(&points, self.unsent_directory.as_deref(), &self.reporter);
    }
}
