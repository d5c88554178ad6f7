//! Queue of the batches that wait to be sent: in order, bounded in bytes.

use std::collections::{HashMap, HashSet, VecDeque};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::report::{DestinationReporter, Level, event};
use crate::wire::{Metric, Point};

/// Number of batches behind the oldest one from which on a shard has a backlog. A window makes up to three batches.
const BACKLOG_BATCHES: usize = 4;

/// Maximum number of points that a batch gets from the one behind it.
const MAX_ADOPTED: usize = 10;

/// Shortest pause before the deadline.
const MIN_LAST_PAUSE: Duration = Duration::from_millis(30);

/// Points that are sent together. They are encoded only when they are sent, in the protocol version that the receiver supports.
#[derive(Debug)]
pub struct Batch {
    points: Vec<Point>,
    metadata: Vec<&'static Metric>,
    created: Instant,
    /// Number of points, from the first on, whose outcome is known, or which are set aside.
    finished: usize,
    /// Points that were passed over: the rest of the batch shows whether the receiver rejects these alone.
    set_aside: Vec<Point>,
    /// Points that the receiver did not accept together with others, and that were not tried alone.
    given_up: Vec<Point>,
    /// True if it has several points of a series.
    merged: bool,
    /// Points that follow when the outcome of all others is known: later ones of the same series.
    parts: VecDeque<Vec<Point>>,
    /// What the receiver has stored of it, though it did not respond so.
    stored: Stored,
    /// Number of panics while it was sent.
    panics: usize,
}

/// What a receiver has stored of a batch that it did not confirm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stored {
    Nothing,
    /// Perhaps all of it.
    Unknown,
    /// Some series, of which it rejects the parts that come again.
    Partly,
}

impl Batch {
    /// Creates a batch of `points`, and of metadata on the metrics `metadata`.
    pub fn new(points: Vec<Point>, metadata: Vec<&'static Metric>) -> Self {
        Self {
            points,
            metadata,
            created: Instant::now(),
            finished: 0,
            set_aside: Vec::new(),
            given_up: Vec::new(),
            merged: false,
            parts: VecDeque::new(),
            stored: Stored::Nothing,
            panics: 0,
        }
    }

    /// Returns all open points in parts with one point of each series, the oldest first; and whether the receiver may have stored
    /// all of them.
    pub fn into_parts(mut self) -> (Vec<Vec<Point>>, bool) {
        self.restart();
        if self.merged {
            self.take_apart(true);
        }
        let may_be_stored = self.may_be_stored();
        let parts = std::iter::once(self.points).chain(self.parts);
        (parts.filter(|part| !part.is_empty()).collect(), may_be_stored)
    }

    /// Creates a batch of parts that are sent one after the other, each with one point of a series at most. `may_be_stored` if the
    /// receiver may have stored all of them.
    pub fn of_parts(parts: Vec<Vec<Point>>, metadata: Vec<&'static Metric>, may_be_stored: bool) -> Self {
        let mut batch = Self { parts: parts.into(), ..Self::new(Vec::new(), metadata) };
        batch.stored = if may_be_stored { Stored::Unknown } else { Stored::Nothing };
        batch.next_part();
        batch
    }

    /// Number of parts that follow the unsent points.
    pub fn later_parts(&self) -> usize {
        self.parts.len()
    }

    /// Merges batches of one shard, the oldest first: all points of a series come together, in their order.
    pub(super) fn merge(batches: Vec<Self>) -> Self {
        let created = batches.first().map_or_else(Instant::now, |batch| batch.created);
        let mut positions: HashMap<(usize, usize), usize> = HashMap::new();
        let mut series: Vec<Vec<Point>> = Vec::new();
        let mut metadata = Vec::new();
        for batch in batches {
            metadata.extend(batch.metadata);
            for point in batch.points {
                let next = series.len();
                let position = *positions.entry(point.series_key()).or_insert(next);
                if position == next {
                    series.push(Vec::new());
                }
                series[position].push(point);
            }
        }
        let points = series.into_iter().flatten().collect();
        Self { created, merged: true, ..Self::new(points, metadata) }
    }

    /// Time at which the batch was created.
    pub fn created(&self) -> Instant {
        self.created
    }

    /// Points that are still to be sent, without those that are set aside.
    pub fn unsent(&self) -> &[Point] {
        &self.points[self.finished..]
    }

    /// All points whose outcome is not known.
    pub fn open(&self) -> impl Iterator<Item = &Point> {
        self.set_aside.iter().chain(&self.given_up).chain(self.unsent()).chain(self.parts.iter().flatten())
    }

    /// Number of points whose outcome is not known.
    pub fn open_points(&self) -> usize {
        let later: usize = self.parts.iter().map(Vec::len).sum();
        self.set_aside.len() + self.given_up.len() + self.unsent().len() + later
    }

    /// Metrics whose metadata is still to be sent.
    pub fn metadata(&self) -> &[&'static Metric] {
        &self.metadata
    }

    /// True if it has several points of a series: a receiver that has stored it rejects it if it comes again.
    pub fn is_merged(&self) -> bool {
        self.merged
    }

    /// Takes a merged batch apart: what is unsent is one point of each series, and the others follow, part by part.
    /// `may_be_stored` if the receiver may have stored all of it.
    pub fn take_apart(&mut self, may_be_stored: bool) {
        let mut counts: HashMap<(usize, usize), usize> = HashMap::new();
        let mut parts: Vec<Vec<Point>> = Vec::new();
        for point in self.points.drain(self.finished..) {
            let count = counts.entry(point.series_key()).or_default();
            if parts.len() == *count {
                parts.push(Vec::new());
            }
            parts[*count].push(point);
            *count += 1;
        }
        (self.parts, self.merged) = (parts.into(), false);
        self.stored = if may_be_stored { Stored::Unknown } else { Stored::Nothing };
        self.next_part();
    }

    /// Makes the next part the unsent points. Returns false if there is none.
    pub fn next_part(&mut self) -> bool {
        match self.parts.pop_front() {
            Some(part) => {
                (self.points, self.finished) = (part, 0);
                true
            }
            None => false,
        }
    }

    /// True if the receiver may have stored all of a batch that was taken apart, and later parts are still to come.
    pub fn may_be_stored(&self) -> bool {
        self.stored != Stored::Nothing && !self.parts.is_empty()
    }

    /// True if the receiver has stored some series of a batch that was taken apart and not others, and later parts are still to
    /// come.
    pub fn is_partly_stored(&self) -> bool {
        self.stored == Stored::Partly && !self.parts.is_empty()
    }

    /// Removes the unsent points and all parts but the last, which becomes the unsent points. Returns the number of those removed.
    pub fn skip_to_last_part(&mut self) -> usize {
        let mut skipped = self.unsent().len();
        while self.parts.len() > 1 {
            skipped += self.parts.pop_front().map_or(0, |part| part.len());
        }
        self.next_part();
        self.stored = Stored::Nothing;
        skipped
    }

    /// Notes that the receiver has not stored the batch.
    pub fn note_not_stored(&mut self) {
        self.stored = Stored::Nothing;
    }

    /// Notes that the receiver has stored all parts of some series, and none of others.
    pub fn note_partly_stored(&mut self) {
        self.stored = Stored::Partly;
    }

    /// Counts a panic while it was sent, and returns how many there were.
    pub fn count_panic(&mut self) -> usize {
        self.panics += 1;
        self.panics
    }

    /// Marks the next `points` points, and the metadata that was sent with them, as finished.
    pub fn advance(&mut self, points: usize) {
        self.finished += points;
        self.metadata.clear();
    }

    /// Passes over the next point. It is still open.
    pub fn set_next_aside(&mut self) {
        self.set_aside.extend(self.unsent().first().cloned());
        self.finished += 1;
    }

    /// Sets aside points that were extracted.
    pub fn set_aside(&mut self, points: impl IntoIterator<Item = Point>) {
        self.set_aside.extend(points);
    }

    /// The first point that is set aside.
    pub fn first_set_aside(&self) -> Option<&Point> {
        self.set_aside.first()
    }

    /// Removes the first point that is set aside: its outcome is known.
    pub fn remove_first_set_aside(&mut self) {
        if !self.set_aside.is_empty() {
            self.set_aside.remove(0);
        }
    }

    /// Passes over the next `points` points, which are not tried alone. They are still open.
    pub fn give_up_next(&mut self, points: usize) {
        self.given_up.extend_from_slice(&self.points[self.finished..self.finished + points]);
        self.finished += points;
    }

    /// Points that were given up.
    pub fn given_up(&self) -> &[Point] {
        &self.given_up
    }

    /// Number of floats that were passed over.
    pub fn failed_floats(&self) -> usize {
        let failed = self.set_aside.iter().chain(&self.given_up);
        failed.filter(|point| point.value.histogram().is_none()).count()
    }

    /// Puts all open points back, those that were passed over first.
    pub fn restart(&mut self) {
        self.points.drain(..self.finished);
        self.finished = 0;
        let passed_over = self.set_aside.drain(..).chain(self.given_up.drain(..));
        self.points.splice(..0, passed_over);
    }

    /// Removes all open points, and returns their number.
    pub fn clear(&mut self) -> usize {
        let points = self.open_points();
        self.restart();
        self.points.clear();
        self.parts.clear();
        points
    }

    /// Removes and returns the unsent points that `remove` selects.
    pub fn extract(&mut self, mut remove: impl FnMut(&Point) -> bool) -> Vec<Point> {
        let finished = self.finished;
        self.points.extract_if(finished.., |point| remove(point)).collect()
    }

    /// Sorts the unsent points: floats before native histograms, the points of a series in their order. Returns the number
    /// of floats.
    pub fn sort_kinds(&mut self) -> usize {
        let unsent = &mut self.points[self.finished..];
        let is_float = |point: &Point| point.value.float().is_some();
        if !unsent.is_sorted_by_key(|point| !is_float(point)) {
            unsent.sort_by_key(|point| !is_float(point));
        }
        unsent.partition_point(is_float)
    }

    /// Memory of the unsent points, without what they share with other points.
    pub fn bytes(&self) -> usize {
        self.unsent().iter().map(Point::bytes).sum()
    }

    /// True if it ends series. Such a batch is sent alone: a receiver that has stored it must accept it again.
    fn ends_series(&self) -> bool {
        self.points.last().is_some_and(|point| point.value.is_stale_marker())
    }
}

/// Queue between the resampling thread, which adds batches and never waits, and the sender. Each shard has its own order.
///
/// When the limit is reached, the oldest batch is dropped, counted and logged: with cumulative series the newest points are
/// worth most. No lock is held while anything is sent.
pub struct Queue {
    state: Mutex<State>,
    changed: Notify,
    shards: usize,
    limit_bytes: usize,
    reporter: Arc<DestinationReporter>,
}

struct State {
    shards: Vec<VecDeque<Waiting>>,
    /// The batch of each shard that the sender has removed and not finished.
    in_flight: Vec<Option<InFlight>>,
    next_number: u64,
    /// Bytes of all batches, also of those in flight.
    bytes: usize,
    points: usize,
    deadline: Option<Instant>,
    /// True if batches were dropped since the queue was last empty: only the first one is logged.
    overflowing: bool,
}

/// A batch that waits.
struct Waiting {
    /// Its number in the order of all shards.
    number: u64,
    batch: Batch,
    /// Its size, which takes a look at each point.
    bytes: usize,
}

/// What the queue knows of a batch in flight.
struct InFlight {
    number: u64,
    bytes: usize,
    /// True if the batch is the oldest of a full queue: the sender drops it instead of retrying.
    abandoned: bool,
}

impl Queue {
    /// Creates an empty queue for at most `limit_bytes` bytes of points. One batch always fits, whatever its size.
    pub fn new(limit_bytes: usize, shards: usize, reporter: Arc<DestinationReporter>) -> Self {
        let queues = (0..shards.max(1)).map(|_| VecDeque::new()).collect();
        let state = State {
            shards: queues,
            in_flight: (0..shards.max(1)).map(|_| None).collect(),
            next_number: 0,
            bytes: 0,
            points: 0,
            deadline: None,
            overflowing: false,
        };
        Self { state: Mutex::new(state), changed: Notify::new(), shards: shards.max(1), limit_bytes, reporter }
    }

    /// Number of shards: how many batches may be in flight at once.
    pub fn shards(&self) -> usize {
        self.shards
    }

    /// Adds a batch at the end of a shard. Never waits.
    pub fn push(&self, shard: usize, batch: Batch) {
        let mut state = self.state.lock();
        self.reporter.counters.points.add(batch.unsent().len() as u64);
        let bytes = batch.bytes();
        while state.bytes + bytes > self.limit_bytes {
            let bytes_before = state.bytes;
            if !state.abandon_oldest() {
                let Some(oldest) = state.pop_oldest() else { break };
                self.reporter.counters.points_dropped.add(oldest.unsent().len() as u64);
            }
            if !std::mem::replace(&mut state.overflowing, true) {
                self.reporter.log(
                    event(Level::Warn, "Queue is full, dropping the oldest points")
                        .with("queue_bytes", bytes_before)
                        .with("queue_limit_bytes", self.limit_bytes),
                );
            }
        }
        state.bytes += bytes;
        state.points += batch.unsent().len();
        let number = state.next_number;
        state.next_number += 1;
        state.shards[shard].push_back(Waiting { number, batch, bytes });
        self.update_gauges(&state);
        drop(state);
        self.changed.notify_waiters();
    }

    /// Removes and returns the oldest batch of a shard; waits for one. `None` when the queue is closed and the shard is empty.
    ///
    /// A backlog is merged: what waits comes as one batch of at most `max_points` points, or as one that has more. The batch
    /// counts for the limit until [`Self::finish`].
    pub async fn next(&self, shard: usize, max_points: usize) -> Option<Batch> {
        loop {
            // Subscribes before it checks, so that no change is missed.
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            {
                let mut state = self.state.lock();
                if let Some(batch) = state.start(shard, max_points) {
                    self.update_gauges(&state);
                    return Some(batch);
                }
                if state.deadline.is_some() {
                    return None;
                }
            }
            changed.await;
        }
    }

    /// Adds some of the points that wait behind a shard's batch in flight to it, of series that it does not have: if the
    /// receiver accepts these, it is not down.
    pub fn adopt(&self, shard: usize, batch: &mut Batch) {
        let mut state = self.state.lock();
        let State { shards, in_flight, .. } = &mut *state;
        let (Some(next), Some(current)) = (shards[shard].front_mut(), &mut in_flight[shard]) else { return };
        let known: HashSet<_> = batch.open().map(Point::series_key).collect();
        let mut adopted = 0;
        let points = next.batch.extract(|point| {
            let adopt = adopted < MAX_ADOPTED && !known.contains(&point.series_key());
            adopted += usize::from(adopt);
            adopt
        });
        let bytes: usize = points.iter().map(Point::bytes).sum();
        current.bytes += bytes;
        next.bytes -= bytes;
        state.points -= points.len();
        batch.points.extend(points);
    }

    /// Ends the flight of a shard's batch.
    pub fn finish(&self, shard: usize) {
        let mut state = self.state.lock();
        if let Some(InFlight { bytes, abandoned: false, .. }) = state.in_flight[shard].take() {
            state.bytes -= bytes;
        }
        self.update_gauges(&state);
    }

    /// Reports whether a shard's batch in flight must be dropped instead of retried, because the queue is full.
    pub fn is_abandoned(&self, shard: usize) -> bool {
        self.state.lock().in_flight[shard].as_ref().is_some_and(|batch| batch.abandoned)
    }

    /// Waits for `pause` before a retry: less if the queue is closed meanwhile, or the shard's batch abandoned. The pauses of a
    /// closed queue end before its deadline.
    pub async fn pause(&self, shard: usize, pause: Duration) {
        let deadline = self.state.lock().deadline;
        let half = |at: Instant| (at.saturating_duration_since(Instant::now()) / 2).max(MIN_LAST_PAUSE);
        let pause = deadline.map_or(pause, |at| pause.min(half(at)));
        let end = Instant::now() + pause;
        while end > Instant::now() {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            if self.is_abandoned(shard) || deadline.is_none() && self.state.lock().deadline.is_some() {
                return;
            }
            let _ = tokio::time::timeout_at(end.into(), changed).await;
        }
    }

    /// Closes the queue: the sender ends when all batches are sent, at the latest after `flush_timeout`.
    pub fn close(&self, flush_timeout: Duration) {
        self.state.lock().deadline = Some(Instant::now() + flush_timeout);
        self.changed.notify_waiters();
    }

    /// Sets the deadline of a closed queue to now.
    pub fn cancel_flush(&self) {
        if let Some(deadline) = &mut self.state.lock().deadline {
            *deadline = Instant::now();
        }
        self.changed.notify_waiters();
    }

    /// Waits until `time`, or until the queue is closed.
    pub async fn wait_until(&self, time: Instant) {
        while time > Instant::now() {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            if self.state.lock().deadline.is_some() {
                return;
            }
            let _ = tokio::time::timeout_at(time.into(), changed).await;
        }
    }

    /// Waits until the queue is closed and its deadline has passed.
    pub async fn wait_for_deadline(&self) {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            let deadline = self.state.lock().deadline;
            match deadline {
                Some(deadline) if deadline <= Instant::now() => return,
                Some(deadline) => {
                    let _ = tokio::time::timeout_at(deadline.into(), changed).await;
                }
                None => changed.await,
            }
        }
    }

    /// Removes and returns all batches, the oldest first. Never waits.
    pub fn drain(&self) -> Vec<Batch> {
        let mut state = self.state.lock();
        let all = std::iter::from_fn(|| state.pop_oldest()).collect();
        self.update_gauges(&state);
        all
    }

    fn update_gauges(&self, state: &State) {
        let counters = &self.reporter.counters;
        counters.queue_bytes_max.raise(state.bytes as u64);
        counters.points_pending.set(state.points as u64);
    }
}

impl State {
    /// Removes the oldest batch of a shard, with those behind it if they are a backlog, and notes that it is in flight.
    fn start(&mut self, shard: usize, max_points: usize) -> Option<Batch> {
        let number = self.shards[shard].front()?.number;
        if let Some(InFlight { bytes, abandoned: false, .. }) = self.in_flight[shard].take() {
            self.bytes -= bytes;
        }
        let bytes_before = self.bytes;
        let mut batches = Vec::from_iter(self.pop(shard));
        if self.shards[shard].len() >= BACKLOG_BATCHES && !batches[0].ends_series() {
            let mut points = batches[0].unsent().len();
            while let Some(Waiting { batch: next, .. }) = self.shards[shard].front()
                && points + next.unsent().len() <= max_points
                && !next.ends_series()
            {
                points += next.unsent().len();
                batches.extend(self.pop(shard));
            }
        }
        let bytes = bytes_before - self.bytes;
        self.bytes = bytes_before;
        self.in_flight[shard] = Some(InFlight { number, bytes, abandoned: false });
        if batches.len() > 1 { Some(Batch::merge(batches)) } else { batches.pop() }
    }

    /// If the oldest batch is in flight, marks it as abandoned, so that it does not count any more.
    fn abandon_oldest(&mut self) -> bool {
        let waiting = self.shards.iter().filter_map(|batches| Some(batches.front()?.number)).min();
        let in_flight = self.in_flight.iter_mut().flatten().filter(|batch| !batch.abandoned);
        let oldest = in_flight.min_by_key(|batch| batch.number);
        let Some(oldest) = oldest.filter(|batch| waiting.is_none_or(|number| batch.number < number)) else {
            return false;
        };
        oldest.abandoned = true;
        self.bytes -= oldest.bytes;
        true
    }

    fn pop(&mut self, shard: usize) -> Option<Batch> {
        let Waiting { batch, bytes, .. } = self.shards[shard].pop_front()?;
        self.bytes -= bytes;
        self.points -= batch.unsent().len();
        self.overflowing &= self.points > 0;
        Some(batch)
    }

    fn pop_oldest(&mut self) -> Option<Batch> {
        let number = |batches: &VecDeque<Waiting>| Some(batches.front()?.number);
        let numbers = self.shards.iter().enumerate().filter_map(|(shard, batches)| Some((number(batches)?, shard)));
        let (_, shard) = numbers.min()?;
        let overflowing = self.overflowing;
        let oldest = self.pop(shard);
        // Dropping a batch does not end the overflow.
        self.overflowing = overflowing;
        oldest
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::report::Reporter;
    use crate::wire::{EncodedLabel, Labels, MetricKind, Value};

    const POINT: usize = size_of::<Point>();

    /// A gauge without metadata, also for tests of what fills the queue.
    pub(in crate::send) fn metric() -> &'static Metric {
        Metric {
            name: "m".into(),
            encoded_name: EncodedLabel::metric_name("m"),
            extra_label: None,
            kind: MetricKind::Gauge,
            help: String::new(),
            unit: "".into(),
        }
        .intern()
    }

    fn batch(len: usize) -> Batch {
        let metric = metric();
        let labels = Arc::new(Labels::encode(&[]));
        let point = Point { metric, labels, time_ms: 0, start_ms: 0, value: Value::Float(0.0) };
        Batch::new(vec![point; len], vec![])
    }

    fn queue(limit_points: usize, shards: usize) -> (Queue, Reporter, Arc<DestinationReporter>) {
        let reporter = Reporter::default();
        let destination = reporter.destination("http://host/w");
        (Queue::new(limit_points * POINT, shards, Arc::clone(&destination)), reporter, destination)
    }

    fn sizes(queue: &Queue) -> Vec<usize> {
        queue.drain().iter().map(|batch| batch.unsent().len()).collect()
    }

    #[test]
    fn a_full_queue_drops_the_oldest_batch_of_all_shards_and_logs_it_once() {
        let (queue, reporter, destination) = queue(10, 2);
        for (shard, len) in [(1, 4), (0, 5), (1, 3), (0, 6)] {
            queue.push(shard, batch(len));
        }
        assert_eq!(destination.counters.points_pending.get(), 9);
        assert_eq!(sizes(&queue), [3, 6]);
        assert_eq!((destination.counters.points_dropped.get(), destination.counters.points.get()), (9, 18));
        assert_eq!(destination.counters.queue_bytes_max.get(), 9 * POINT as u64);
        assert_eq!(destination.counters.points_pending.get(), 0);
        assert!(reporter.poll().is_some_and(|event| event.level == Level::Warn));
        assert!(reporter.poll().is_none());
    }

    #[test]
    fn a_batch_that_is_dropped_has_no_later_part() {
        let mut merged = batch(3);
        merged.merged = true;
        merged.take_apart(true);
        merged.set_next_aside();
        assert_eq!((merged.open_points(), merged.unsent().len()), (3, 0), "one point of the series in each part");
        assert_eq!((merged.clear(), merged.open_points(), merged.next_part()), (3, 0, false));
    }

    #[test]
    fn a_batch_larger_than_the_limit_is_kept() {
        let (queue, ..) = queue(10, 1);
        queue.push(0, batch(100));
        assert_eq!(sizes(&queue), [100]);
    }

    #[tokio::test]
    async fn points_that_move_to_the_batch_in_flight_count_once() {
        let (queue, _reporter, _destination) = queue(100, 1);
        queue.push(0, batch(3));
        queue.push(0, batch(MAX_ADOPTED + 2));
        let mut first = queue.next(0, 1).await.expect("a batch waits");
        queue.adopt(0, &mut first);
        assert_eq!(first.open_points(), 3 + MAX_ADOPTED);
        queue.finish(0);
        assert_eq!(queue.state.lock().bytes, 2 * POINT);
        let rest = queue.next(0, 1).await.expect("a batch waits");
        queue.finish(0);
        assert_eq!((rest.open_points(), queue.state.lock().bytes), (2, 0));
    }

    #[tokio::test]
    async fn batches_of_a_shard_keep_their_order_and_a_closed_queue_ends() {
        let (queue, ..) = queue(100, 2);
        for (shard, len) in [(0, 1), (1, 2), (0, 3)] {
            queue.push(shard, batch(len));
        }
        queue.close(Duration::from_secs(60));
        for (shard, len) in [(0, Some(1)), (0, Some(3)), (0, None), (1, Some(2)), (1, None)] {
            assert_eq!(queue.next(shard, usize::MAX).await.map(|batch| batch.unsent().len()), len);
        }
    }

    #[tokio::test]
    async fn a_waiting_sender_is_woken_by_a_batch_and_by_the_close() {
        let (queue, ..) = queue(100, 1);
        let queue = Arc::new(queue);
        let waiting = tokio::spawn({
            let queue = Arc::clone(&queue);
            async move { (queue.next(0, 1).await.is_some(), queue.next(0, 1).await.is_some()) }
        });
        tokio::task::yield_now().await;
        queue.push(0, batch(1));
        tokio::task::yield_now().await;
        queue.close(Duration::ZERO);
        assert_eq!(waiting.await.expect("ends"), (true, false));
        queue.wait_for_deadline().await;
    }

    #[tokio::test]
    async fn cancel_flush_ends_the_wait_of_a_closed_queue_and_does_not_close_an_open_one() {
        let (queue, ..) = queue(100, 1);
        let queue = Arc::new(queue);
        let waiting = tokio::spawn({
            let queue = Arc::clone(&queue);
            async move { queue.wait_for_deadline().await }
        });
        queue.cancel_flush();
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        queue.close(Duration::from_secs(3600));
        tokio::task::yield_now().await;
        queue.cancel_flush();
        waiting.await.expect("ends");
    }
}
