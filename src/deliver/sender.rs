//! Ships the batches of one queue, in order, for as long as that can help.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use super::answer::{Answer, hint};
use super::backoff::Backoff;
use super::client::{Client, Outcome};
use super::queue::{Batch, Queue};
use crate::report::{DestinationReporter, Level, event};

/// Sends one batch after the other, so that the points of a series keep their order.
pub struct Sender {
    client: Client,
    queue: Arc<Queue>,
    reporter: Arc<DestinationReporter>,
    /// Since when nothing gets through, while that is so.
    failing_since: Option<Instant>,
    /// The refusals that have been logged: one line a cause.
    refusals: HashSet<(Option<u16>, String)>,
}

/// How many causes of refusals are told apart; a receiver that finds new words every time is logged no further.
const MAX_REFUSALS: usize = 20;

impl Sender {
    /// A sender for what comes into `queue`.
    pub fn new(client: Client, queue: Arc<Queue>, reporter: Arc<DestinationReporter>) -> Self {
        Self { client, queue, reporter, failing_since: None, refusals: HashSet::new() }
    }

    /// Sends until the queue is closed and empty, or its deadline has passed; what is left then is counted as not
    /// delivered.
    pub async fn run(mut self) {
        let queue = Arc::clone(&self.queue);
        while let Some(batch) = queue.next().await {
            let points = batch.points as u64;
            tokio::select! {
                () = self.deliver(batch) => {}
                () = queue.past_deadline() => {
                    let left = queue.drain().iter().map(|batch| batch.points as u64).sum::<u64>();
                    self.reporter.counters.points_undelivered.add(points + left);
                    return;
                }
            }
        }
    }

    async fn deliver(&mut self, batch: Batch) {
        let reporter = Arc::clone(&self.reporter);
        let counters = &reporter.counters;
        let mut backoff = Backoff::default();
        loop {
            counters.requests.add(1);
            let outcome = self.client.send(batch.body.clone()).await;
            match outcome.answer {
                Answer::Taken => {
                    counters.points_delivered.add(batch.points as u64);
                    counters.bytes_delivered.add(batch.body.len() as u64);
                    return self.note_recovery();
                }
                Answer::Refused => {
                    counters.points_refused.add(batch.points as u64);
                    self.note_recovery();
                    return self.note_refusal(outcome);
                }
                Answer::TryAgain(retry_after) => {
                    counters.retries.add(1);
                    let pause = backoff.next(retry_after);
                    self.note_failure(outcome);
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }

    /// The first of a row of failures is logged, the others are counted.
    fn note_failure(&mut self, outcome: Outcome) {
        if self.failing_since.is_some() {
            return;
        }
        self.failing_since = Some(Instant::now());
        let mut line = event(
            Level::Warn,
            "The receiver does not take what is sent: it waits in the queue, is tried again, and k6 goes on",
        );
        if let Some(status) = outcome.status {
            line = line.with("status", status);
        }
        self.reporter.log(line.with("error", outcome.words));
    }

    fn note_recovery(&mut self) {
        if let Some(since) = self.failing_since.take() {
            let seconds = (since.elapsed().as_secs_f64() * 10.0).round() / 10.0;
            self.reporter.log(event(Level::Info, "The receiver answers again").with("after_seconds", seconds));
        }
    }

    fn note_refusal(&mut self, outcome: Outcome) {
        let cause = (outcome.status, outcome.words);
        if self.refusals.len() >= MAX_REFUSALS || self.refusals.contains(&cause) {
            return;
        }
        let mut line = event(Level::Error, "The receiver refused points for good: they are lost")
            .with("status", cause.0.unwrap_or_default())
            .with("error", cause.1.clone());
        if let Some(hint) = cause.0.and_then(hint) {
            line = line.with("hint", hint);
        }
        self.reporter.log(line);
        self.refusals.insert(cause);
    }
}
