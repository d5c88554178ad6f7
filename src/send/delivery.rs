//! One batch, from its first request until the outcome of every point is known.
//!
//! Usually that is one request. A batch that the receiver does not accept as a whole is split ([`Bisection`]), so that one bad
//! series costs only itself; a series that is rejected alone is held back ([`super::quarantine`]). A receiver that fails on
//! everything, or on many points, is down or partly down, not offended by the content: then the batch waits as a whole.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::bisection::{Bisection, Verdict};
use super::exchange::{Attempts, may_be_content};
use super::outcome::{Outcome, mentions_stored_points};
use super::quarantine::Admission;
use super::queue::Batch;
use super::sender::Sender;
use crate::http::Response;
use crate::wire::{Limits, Point};

/// Number of held back series that are tried again with one batch.
const MAX_TRIALS: usize = 10;

/// Time in which a receiver that has rejected a batch, whatever its parts, gets no parts of the next ones. It doubles with each
/// such batch in a row.
const MIN_HOPELESS_TIME: Duration = Duration::from_secs(2);
const MAX_HOPELESS_TIME: Duration = Duration::from_secs(30);

/// Rounds of a batch of which the receiver accepts some points, before the others are rejected.
const MAX_UNDECIDED_ROUNDS: usize = 10;

/// Number of floats of a batch on which a receiver fails because of what they are. If it fails on more, and not on others, an
/// instance of it is away.
const MAX_BAD_FLOATS: usize = 10;

/// Time for which a batch waits for such an instance. Then the series on which the receiver fails are held back.
const MAX_PARTIAL_OUTAGE: Duration = Duration::from_secs(300);

/// Longest pause between the rounds of a batch.
const MAX_ROUND_PAUSE: Duration = Duration::from_secs(30);

/// Time after which a limit that was found is tested: twice as many points are sent.
const LIMIT_TEST_INTERVAL: Duration = Duration::from_secs(30);

/// How a batch goes on.
#[derive(Debug, PartialEq, Eq)]
enum Round {
    /// The outcome of every point is known.
    Finished,
    /// The receiver fails on every part, or on many: it is down, or an instance of it is. All open points wait.
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
    /// The receiver has failed on many points, and not on others, since then.
    partial_outage: Option<Instant>,
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

    /// Reports whether the receiver fails on so many points, alone, that an instance of it is away rather than that they are bad.
    /// Native histograms do not count: a receiver may fail on all of them.
    fn is_partial_outage(&mut self, batch: &Batch) -> bool {
        batch.failed_floats() > MAX_BAD_FLOATS
            && self.partial_outage.get_or_insert_with(Instant::now).elapsed() < MAX_PARTIAL_OUTAGE
    }
}

impl Sender {
    /// Sends a batch until the outcome of every point is known.
    pub(super) async fn send_batch(&self, shard: usize, batch: &mut Batch) {
        // After a panic, or at an earlier attempt, points may have been passed over.
        batch.restart();
        self.withhold_stale_markers(batch);
        self.try_held_back(shard, batch).await;
        if batch.is_merged() && self.send_merged(shard, batch).await {
            return;
        }
        loop {
            self.send_points(shard, batch).await;
            if !batch.next_part() {
                return;
            }
        }
    }

    /// Sends a backlog in as few requests as the limits allow. Returns true if the outcome of every point is known. At the first
    /// failure after which the receiver may have stored it, the batch is taken apart: it would be rejected if it came again.
    async fn send_merged(&self, shard: usize, batch: &mut Batch) -> bool {
        let mut fell_back = false;
        // VictoriaMetrics accepts it again.
        let attempts = if self.is_victoria_metrics.get() { Attempts::UntilFinal } else { Attempts::UntilRead };
        while !batch.unsent().is_empty() {
            let exchange = self.exchange(shard, batch.unsent(), batch.metadata(), attempts, &mut fell_back).await;
            match exchange.outcome {
                Outcome::Retry(_) | Outcome::TooLarge | Outcome::Rejected { whole: true } => {
                    batch.take_apart(exchange.response.may_be_stored());
                    return false;
                }
                // Some receivers reject a request because of exemplars and store its points.
                Outcome::Rejected { whole: false } if exchange.exemplars > 0 => {
                    batch.take_apart(true);
                    return false;
                }
                Outcome::Accepted | Outcome::Rejected { whole: false } | Outcome::UnsupportedProtocol => {
                    let points = exchange.points;
                    if self.count_outcome(&exchange) > 0 {
                        self.last_accepted.set(Some(Instant::now()));
                    }
                    drop(exchange);
                    batch.advance(points);
                }
            }
        }
        true
    }

    /// Sends points, one of each series, until the outcome of every one is known.
    pub(super) async fn send_points(&self, shard: usize, batch: &mut Batch) {
        let mut progress = Progress {
            evidence_since: Instant::now(),
            probing: false,
            partial_outage: None,
            undecided: 0,
            fell_back: false,
        };
        let mut pause = Duration::from_secs(1);
        loop {
            match self.send_round(shard, batch, &mut progress).await {
                Round::Finished => return,
                Round::Undecided { pause: false } => progress.undecided += 1,
                round => {
                    progress.undecided += usize::from(round != Round::Unavailable);
                    self.queue.pause(shard, pause).await;
                    pause = (pause * 2).min(MAX_ROUND_PAUSE);
                    // What was accepted before the pause shows nothing any more, but these points may.
                    self.queue.adopt(shard, batch);
                    progress.evidence_since = Instant::now();
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
        let mut limit_is_certain = true;
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
                Outcome::Rejected { .. }
                    if batch.may_be_stored() && mentions_stored_points(&exchange.response.message) =>
                {
                    drop(exchange);
                    if batch.is_partly_stored() {
                        self.count_stored(piece.len());
                        batch.advance(piece.len());
                        continue;
                    }
                    batch.restart();
                    return match self.examine_stored(shard, batch).await {
                        true => Round::Undecided { pause: false },
                        false => Round::Unavailable,
                    };
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
                    if self.has_accepted_since(progress) && attempts != Attempts::Probe {
                        self.hold_back(shard, batch, attempts, failure.as_ref()).await;
                    }
                    continue;
                }
            }
            if self.is_hopeless() && self.holds_back(&exchange.response) && attempts == Attempts::UntilFinal {
                self.reject_rest(batch, &exchange.response);
                return Round::Finished;
            }
            // A receiver that finds a request too large may hang up instead of responding.
            let hung_up = exchange.response.status.is_none();
            let too_large = exchange.outcome == Outcome::TooLarge || hung_up;
            limit_is_certain &= !hung_up;
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
                if attempts != Attempts::Probe {
                    self.hold_back(shard, batch, attempts, failure.as_ref()).await;
                } else if progress.is_partial_outage(batch) {
                    return Round::Unavailable;
                }
            }
        }
        if self.has_accepted_since(progress) {
            // The first points may have failed before others were accepted.
            if attempts == Attempts::Probe && progress.is_partial_outage(batch) {
                return Round::Unavailable;
            }
            self.hold_back(shard, batch, attempts, failure.as_ref()).await;
        }
        if let Some(points) = pieces.learned_max_points() {
            self.lower_limit(points, limit_is_certain);
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
    pub(super) async fn try_held_back(&self, shard: usize, batch: &mut Batch) {
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
        let mut tried = HashSet::new();
        let mut available = true;
        while let Some(point) = batch.first_set_aside().cloned() {
            // One point of a series, and none if the receiver is down: that says nothing of the series.
            if !available || !tried.insert(point.series_key()) {
                batch.remove_first_set_aside();
                self.reporter.counters.points_failed.add(1);
                continue;
            }
            let points = std::slice::from_ref(&point);
            let exchange = self.exchange(shard, points, &[], Attempts::One, &mut false).await;
            batch.remove_first_set_aside();
            available = may_be_content(&exchange.response, true);
            if exchange.outcome == Outcome::Accepted {
                self.count_outcome(&exchange);
                quarantine.borrow_mut().release(&point);
            } else {
                self.reporter.counters.points_failed.add(1);
                if available {
                    quarantine.borrow_mut().hold(&point, Instant::now());
                }
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
            if !self.holds_back(response) {
                let abort = self.health.borrow_mut().record_rejection(response, 1);
                self.abort_test(abort);
            } else if self.quarantine.borrow_mut().hold(&point, Instant::now()) {
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
        let all_histograms = batch.open().all(|point| point.value.histogram().is_some());
        if all_histograms && self.holds_back(response) && self.quarantine.borrow_mut().hold_histograms(Instant::now()) {
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
        self.reporter.counters.points_dropped.add(batch.clear() as u64);
    }

    /// Removes stale markers where the receiver keeps only the newest sample of an interval: a marker would be kept in place of
    /// the last value.
    pub(super) fn withhold_stale_markers(&self, batch: &mut Batch) {
        if self.is_victoria_metrics.get() {
            let removed = batch.extract(|point| point.value.is_stale_marker()).len();
            self.reporter.counters.points.subtract(removed as u64);
        }
    }

    fn is_hopeless(&self) -> bool {
        self.hopeless.get().is_some_and(|(since, time)| since.elapsed() < time)
    }

    /// Sends at most `points` points in a request from now on. A limit that is not certain is tested at once when it is found
    /// for the first time: the receiver may have been down.
    fn lower_limit(&self, points: usize, is_certain: bool) {
        let limits = self.limits.get();
        let until_test =
            if limits.points == self.max_points && !is_certain { Duration::ZERO } else { LIMIT_TEST_INTERVAL };
        self.next_limit_test.set(Instant::now() + until_test);
        self.limits.set(Limits { points, ..limits });
    }

    /// Doubles a limit with each batch, from its next test until it is lowered again.
    fn raise_limit(&self) {
        let limits = self.limits.get();
        if limits.points < self.max_points && self.next_limit_test.get() <= Instant::now() {
            self.limits.set(Limits { points: (limits.points * 2).min(self.max_points), ..limits });
        }
    }
}
