//! One batch, from its first request until the outcome of every point is known.
//!
//! Usually that is one request. A batch that the receiver does not accept as a whole is split ([`Bisection`]), so that one bad
//! series costs only itself; a series that is rejected alone is held back ([`super::quarantine`]). A receiver that fails on
//! everything is down, not offended by the content: then the batch waits as a whole.

use std::time::{Duration, Instant};

use super::bisection::{Bisection, Verdict};
use super::exchange::{Attempts, Exchange};
use super::outcome::{Outcome, mentions_stored_points};
use super::quarantine::Admission;
use super::queue::Batch;
use super::sender::Sender;
use crate::http::Response;
use crate::wire::{Limits, Point, Value};

/// Number of held back series that are tried again with one batch.
const MAX_TRIALS: usize = 10;

/// Time in which a receiver that has rejected a batch, whatever its parts, gets no parts of the next ones. It doubles with each
/// such batch in a row.
const MIN_HOPELESS_TIME: Duration = Duration::from_secs(2);
const MAX_HOPELESS_TIME: Duration = Duration::from_secs(30);

/// Rounds of a batch of which the receiver accepts some points, before the others are rejected.
const MAX_UNDECIDED_ROUNDS: usize = 10;

/// Longest pause between the rounds of a batch.
const MAX_ROUND_PAUSE: Duration = Duration::from_secs(30);

/// Time after which a limit that was found is tested: twice as many points are sent.
const LIMIT_TEST_INTERVAL: Duration = Duration::from_secs(30);

/// How a batch goes on.
#[derive(Debug, PartialEq, Eq)]
enum Round {
    /// The outcome of every point is known.
    Finished,
    /// The receiver fails on every part: it is down. All open points wait.
    Unavailable,
    /// The receiver has accepted other points, and not those that are open. They are tried again, after a pause if it fails on
    /// them: it may be down again.
    Undecided { pause: bool },
}

/// State of a batch from round to round.
struct Progress {
    /// What was accepted since then shows that the receiver is not down.
    evidence_since: Instant,
    /// True once the receiver has failed persistently.
    probing: bool,
    /// Number of rounds that left points undecided.
    undecided: usize,
    fell_back: bool,
}

impl Progress {
    /// Starts to look for the points on which the receiver fails. What it accepted before shows nothing: it may be down since.
    fn probe(&mut self) -> Attempts {
        if !std::mem::replace(&mut self.probing, true) {
            self.evidence_since = Instant::now();
        }
        Attempts::Probe
    }
}

impl Sender {
    /// Sends a batch until the outcome of every point is known.
    pub(super) async fn send_batch(&self, shard: usize, batch: &mut Batch) {
        self.withhold_stale_markers(batch);
        self.try_held_back(shard, batch).await;
        let mut progress = Progress { evidence_since: Instant::now(), probing: false, undecided: 0, fell_back: false };
        let mut pause = Duration::from_secs(1);
        loop {
            match self.send_round(shard, batch, &mut progress).await {
                Round::Finished => return,
                Round::Undecided { pause: false } => progress.undecided += 1,
                round => {
                    progress.undecided += usize::from(round != Round::Unavailable);
                    self.queue.pause(shard, pause).await;
                    pause = (pause * 2).min(MAX_ROUND_PAUSE);
                }
            }
            batch.restart();
        }
    }

    /// Sends all open points once, in as many requests as the limits and the receiver require.
    async fn send_round(&self, shard: usize, batch: &mut Batch, progress: &mut Progress) -> Round {
        let floats = batch.sort_kinds();
        self.raise_limit();
        let mut pieces = Bisection::new(batch.unsent().len(), floats, self.limits.get().points);
        let mut attempts = Attempts::UntilFinal;
        // Of the points that failed alone before anything was accepted.
        let mut failure = None;
        while let Some(mut piece) = pieces.next() {
            let points = &batch.unsent()[..piece.len()];
            let exchange = self.exchange(shard, points, batch.metadata(), attempts, &mut progress.fell_back).await;
            let end = piece.start + exchange.points;
            pieces.put_back(end..piece.end);
            piece.end = end;
            match exchange.outcome {
                Outcome::Retry(_) if self.queue.is_abandoned(shard) => {
                    self.drop_abandoned(batch);
                    return Round::Finished;
                }
                // A single point on which the receiver fails must not be retried for ever.
                Outcome::TooLarge if exchange.response.status >= Some(500) => attempts = progress.probe(),
                Outcome::Retry(_) => attempts = progress.probe(),
                Outcome::Rejected { .. } if batch.is_merged() && is_stored(&exchange) => {
                    self.count_stored(&exchange);
                    pieces.accept(piece.len());
                    batch.advance(piece.len());
                    continue;
                }
                Outcome::TooLarge | Outcome::Rejected { whole: true } => {}
                Outcome::Accepted | Outcome::Rejected { whole: false } | Outcome::UnsupportedProtocol => {
                    if self.count_outcome(&exchange) > 0 {
                        pieces.accept(piece.len());
                        self.hopeless.set(None);
                        self.last_accepted.set(Some(Instant::now()));
                    }
                    drop(exchange);
                    batch.advance(piece.len());
                    if self.has_accepted_since(progress) {
                        self.hold_back(shard, batch, attempts, failure.as_ref()).await;
                    }
                    continue;
                }
            }
            if self.is_hopeless() && attempts == Attempts::UntilFinal {
                self.reject_rest(batch, &exchange.response);
                return Round::Finished;
            }
            let too_large = exchange.outcome == Outcome::TooLarge;
            // Without its permit: another request may follow at once.
            let response = exchange.into_response();
            let points = piece.len();
            match pieces.fail(piece, too_large) {
                Verdict::Split => continue,
                Verdict::Alone => batch.set_next_aside(),
                Verdict::GiveUp => batch.give_up_next(points),
            }
            failure = Some(response);
            if self.has_accepted_since(progress) {
                self.hold_back(shard, batch, attempts, failure.as_ref()).await;
            }
        }
        if let Some(points) = pieces.learned_max_points() {
            self.limits.set(Limits { points, ..self.limits.get() });
            self.limit_tested.set(Instant::now());
        }
        let Some(response) = failure.filter(|_| batch.open_points() > 0) else { return Round::Finished };
        if self.has_accepted_since(progress) {
            let known = self.hold_back_histograms(batch, &response);
            if !known && progress.undecided < MAX_UNDECIDED_ROUNDS {
                return Round::Undecided { pause: attempts == Attempts::Probe };
            }
        } else if attempts == Attempts::Probe {
            return Round::Unavailable;
        } else {
            self.note_hopeless(batch);
        }
        self.reject_rest(batch, &response);
        Round::Finished
    }

    /// Reports whether the receiver has accepted points, also of other shards, that show that it is not down.
    fn has_accepted_since(&self, progress: &Progress) -> bool {
        self.last_accepted.get() > Some(progress.evidence_since)
    }

    /// Removes the points of held back series: most are dropped, some are tried again, each in a request of its own.
    async fn try_held_back(&self, shard: usize, batch: &mut Batch) {
        if self.quarantine.borrow().is_empty() {
            return;
        }
        let now = Instant::now();
        let quarantine = &self.quarantine;
        let held_back = batch.extract(|point| quarantine.borrow().admit(point, now) != Admission::Send);
        let is_due = |point: &Point| quarantine.borrow().admit(point, now) == Admission::Try;
        let (due, dropped): (Vec<_>, Vec<_>) = held_back.into_iter().partition(is_due);
        self.reporter.counters.points_failed.add((dropped.len() + due.len().saturating_sub(MAX_TRIALS)) as u64);
        batch.set_aside(due.into_iter().take(MAX_TRIALS));
        while let Some(point) = batch.first_set_aside().cloned() {
            let points = std::slice::from_ref(&point);
            let exchange = self.exchange(shard, points, &[], Attempts::One, &mut false).await;
            batch.remove_first_set_aside();
            if exchange.outcome == Outcome::Accepted {
                self.count_outcome(&exchange);
                quarantine.borrow_mut().release(&point);
            } else {
                self.reporter.counters.points_failed.add(1);
                quarantine.borrow_mut().hold(&point, Instant::now());
            }
        }
    }

    /// Holds back the series of the points that have failed alone: others were accepted, so it is because of them. A point on
    /// which the receiver failed is tried once more, since a receiver that comes back accepts others, too.
    async fn hold_back(&self, shard: usize, batch: &mut Batch, attempts: Attempts, response: Option<&Response>) {
        let Some(response) = response else { return };
        while let Some(point) = batch.first_set_aside().cloned() {
            if attempts == Attempts::Probe {
                let points = std::slice::from_ref(&point);
                let exchange = self.exchange(shard, points, &[], Attempts::Probe, &mut false).await;
                if exchange.outcome == Outcome::Accepted {
                    batch.remove_first_set_aside();
                    self.count_outcome(&exchange);
                    continue;
                }
            }
            batch.remove_first_set_aside();
            self.reporter.counters.points_failed.add(1);
            if self.quarantine.borrow_mut().hold(&point, Instant::now()) {
                self.health.borrow_mut().record_rejected_series(response, &point.series_name());
            }
        }
    }

    /// Notes that the receiver has accepted nothing of a batch, if it was not asked for every point.
    fn note_hopeless(&self, batch: &Batch) {
        if !batch.given_up().is_empty() {
            let time = self.hopeless.get().map_or(MIN_HOPELESS_TIME, |(_, time)| (time * 2).min(MAX_HOPELESS_TIME));
            self.hopeless.set(Some((Instant::now(), time)));
        }
    }

    /// Holds back all native histograms if these are all that the receiver does not accept. Returns true if they are.
    fn hold_back_histograms(&self, batch: &Batch, response: &Response) -> bool {
        let all_histograms = batch.open().all(|point| matches!(point.value, Value::Histogram(_)));
        if all_histograms && self.quarantine.borrow_mut().hold_histograms(Instant::now()) {
            self.health.borrow_mut().record_rejected_histograms(response);
        }
        all_histograms
    }

    /// Counts all open points as rejected.
    fn reject_rest(&self, batch: &mut Batch, response: &Response) {
        batch.restart();
        let points = batch.unsent().len();
        batch.advance(points);
        self.reporter.counters.points_failed.add(points as u64);
        let abort = self.health.borrow_mut().record_rejection(response, points as u64);
        self.abort_test(abort);
    }

    /// Counts all open points as dropped: the queue is full, and they are the oldest.
    fn drop_abandoned(&self, batch: &mut Batch) {
        batch.restart();
        let points = batch.unsent().len();
        batch.advance(points);
        self.reporter.counters.points_dropped.add(points as u64);
    }

    /// Removes stale markers where the receiver keeps only the newest sample of an interval: a marker would be kept in place of
    /// the last value.
    fn withhold_stale_markers(&self, batch: &mut Batch) {
        if self.keeps_newest.get() {
            let removed = batch.extract(|point| point.value.is_stale_marker()).len();
            self.reporter.counters.points.subtract(removed as u64);
        }
    }

    fn is_hopeless(&self) -> bool {
        self.hopeless.get().is_some_and(|(since, time)| since.elapsed() < time)
    }

    /// Doubles a limit that was found some time ago: it may have been lowered for a bad series, or raised at the receiver.
    fn raise_limit(&self) {
        let limits = self.limits.get();
        if limits.points < self.max_points && self.limit_tested.get().elapsed() >= LIMIT_TEST_INTERVAL {
            self.limit_tested.set(Instant::now());
            self.limits.set(Limits { points: (limits.points * 2).min(self.max_points), ..limits });
        }
    }

    /// Counts points that the receiver rejects because an earlier attempt has stored them.
    fn count_stored(&self, exchange: &Exchange<'_>) {
        self.reporter.counters.points_sent.add(exchange.points as u64);
        self.health.borrow_mut().record_success();
        self.log_protocol("Receiver has stored an attempt that got no response", exchange.protocol());
    }
}

/// Reports whether a request was rejected because an attempt without a response was stored.
fn is_stored(exchange: &Exchange<'_>) -> bool {
    exchange.may_be_stored && mentions_stored_points(&exchange.response.message)
}
