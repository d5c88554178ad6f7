//! The batches that wait for their receiver, in order, bounded in bytes.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::report::{DestinationReporter, Level, event};
use crate::wire::{Metric, Point};

/// Points that are shipped together. Not encoded yet: that is for the version of the protocol that the receiver speaks.
#[derive(Debug)]
pub struct Batch {
    points: Vec<Point>,
    made: Instant,
    /// How many of them, from the first on, need not be sent any more.
    done: usize,
    announced: Vec<Arc<Metric>>,
}

impl Batch {
    /// A batch of these points, which also tells what the metrics `announced` are.
    pub fn new(points: Vec<Point>, announced: Vec<Arc<Metric>>) -> Self {
        Self { points, made: Instant::now(), done: 0, announced }
    }

    /// When it was made.
    pub fn made(&self) -> Instant {
        self.made
    }

    /// The points that are still to be sent.
    pub fn unsent(&self) -> &[Point] {
        &self.points[self.done..]
    }

    /// The metrics that are still to be described.
    pub fn announced(&self) -> &[Arc<Metric>] {
        &self.announced
    }

    /// The next `points` need not be sent any more, and what came with them.
    pub fn advance(&mut self, points: usize) {
        self.done += points;
        self.announced.clear();
    }

    /// The memory that its points take. What they share with others is not counted.
    pub fn bytes(&self) -> usize {
        let beside: usize = self.unsent().iter().map(|point| point.value.heap_bytes()).sum();
        size_of_val(self.unsent()) + beside
    }
}

/// A queue between the resampling thread, which fills it and never waits, and the sender. It has a line for each shard.
///
/// When the bound is reached, the oldest batch is dropped, counted and reported: with cumulative series the newest
/// points are worth most. No lock is held while anything is sent.
pub struct Queue {
    state: Mutex<State>,
    changed: Notify,
    shards: usize,
    limit_bytes: usize,
    reporter: Arc<DestinationReporter>,
}

struct State {
    /// Each batch with its number in the order of all shards.
    lines: Vec<VecDeque<(u64, Batch)>>,
    next_number: u64,
    bytes: usize,
    points: usize,
    deadline: Option<Instant>,
    /// Whether batches have been dropped since the queue was last empty: one warning a time.
    overflowing: bool,
}

impl Queue {
    /// An empty queue for at most `limit_bytes` of points. One batch always fits, whatever its size.
    pub fn new(limit_bytes: usize, shards: usize, reporter: Arc<DestinationReporter>) -> Self {
        let lines = (0..shards.max(1)).map(|_| VecDeque::new()).collect();
        let state = State { lines, next_number: 0, bytes: 0, points: 0, deadline: None, overflowing: false };
        Self { state: Mutex::new(state), changed: Notify::new(), shards: shards.max(1), limit_bytes, reporter }
    }

    /// How many batches may be under way at once.
    pub fn shards(&self) -> usize {
        self.shards
    }

    /// Adds a batch at the end of a shard's line. Never waits.
    pub fn push(&self, shard: usize, batch: Batch) {
        let mut state = self.state.lock();
        self.reporter.counters.points.add(batch.unsent().len() as u64);
        while state.bytes + batch.bytes() > self.limit_bytes {
            let bytes_before = state.bytes;
            let Some(oldest) = state.pop_oldest() else { break };
            self.reporter.counters.points_dropped.add(oldest.unsent().len() as u64);
            if !std::mem::replace(&mut state.overflowing, true) {
                self.reporter.log(
                    event(
                        Level::Warn,
                        "The queue is full and drops its oldest batches until the receiver takes them again",
                    )
                    .with("queue_bytes", bytes_before)
                    .with("queue_limit_bytes", self.limit_bytes),
                );
            }
        }
        state.bytes += batch.bytes();
        state.points += batch.unsent().len();
        let number = state.next_number;
        state.next_number += 1;
        state.lines[shard].push_back((number, batch));
        self.note_level(&state);
        drop(state);
        self.changed.notify_waiters();
    }

    /// The oldest batch of a shard; waits for one. `None` when the queue is closed and all have been taken.
    pub async fn next(&self, shard: usize) -> Option<Batch> {
        loop {
            // Listens before it looks, so that no change is missed.
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            {
                let mut state = self.state.lock();
                if let Some(batch) = state.pop(shard) {
                    self.note_level(&state);
                    return Some(batch);
                }
                if state.deadline.is_some() {
                    return None;
                }
            }
            changed.await;
        }
    }

    /// Nothing comes after this: the sender ends when all is sent, at the latest after `flush_timeout`.
    pub fn close(&self, flush_timeout: Duration) {
        self.state.lock().deadline = Some(Instant::now() + flush_timeout);
        self.changed.notify_waiters();
    }

    /// If the queue is closed, its deadline is now.
    pub fn cancel_flush(&self) {
        if let Some(deadline) = &mut self.state.lock().deadline {
            *deadline = Instant::now();
        }
        self.changed.notify_waiters();
    }

    /// Ready at this time, or as soon as the queue is closed.
    pub async fn until(&self, time: Instant) {
        while time > Instant::now() {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            if self.state.lock().deadline.is_some() {
                return;
            }
            let _ = tokio::time::timeout_at(time.into(), changed).await;
        }
    }

    /// Ready when the queue has been closed and its deadline has passed.
    pub async fn past_deadline(&self) {
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

    /// Takes all that is left, the oldest first, without waiting.
    pub fn drain(&self) -> Vec<Batch> {
        let mut state = self.state.lock();
        let all = std::iter::from_fn(|| state.pop_oldest()).collect();
        self.note_level(&state);
        all
    }

    fn note_level(&self, state: &State) {
        let counters = &self.reporter.counters;
        counters.queue_bytes_max.raise(state.bytes as u64);
        counters.points_pending.set(state.points as u64);
    }
}

impl State {
    fn pop(&mut self, shard: usize) -> Option<Batch> {
        let (_, batch) = self.lines[shard].pop_front()?;
        self.bytes -= batch.bytes();
        self.points -= batch.unsent().len();
        self.overflowing &= self.points > 0;
        Some(batch)
    }

    fn pop_oldest(&mut self) -> Option<Batch> {
        let number = |line: &VecDeque<(u64, Batch)>| line.front().map(|(number, _)| *number);
        let numbers = self.lines.iter().enumerate().filter_map(|(shard, line)| Some((number(line)?, shard)));
        let (_, shard) = numbers.min()?;
        let overflowing = self.overflowing;
        let oldest = self.pop(shard);
        // Dropping does not end the overflow.
        self.overflowing = overflowing;
        oldest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Reporter;
    use crate::wire::{EncodedLabel, Labels, MetricKind, Value};

    const POINT: usize = size_of::<Point>();

    fn batch(len: usize) -> Batch {
        let metric = Arc::new(Metric {
            name: "m".into(),
            encoded_name: EncodedLabel::metric_name("m"),
            extra_label: None,
            kind: MetricKind::Gauge,
            help: String::new(),
            unit: "",
        });
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
    fn a_full_queue_drops_the_oldest_of_all_shards_and_says_so_once() {
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
    fn a_batch_larger_than_the_bound_is_kept() {
        let (queue, ..) = queue(10, 1);
        queue.push(0, batch(100));
        assert_eq!(sizes(&queue), [100]);
    }

    #[tokio::test]
    async fn batches_of_a_shard_leave_in_order_and_a_closed_queue_ends() {
        let (queue, ..) = queue(100, 2);
        for (shard, len) in [(0, 1), (1, 2), (0, 3)] {
            queue.push(shard, batch(len));
        }
        queue.close(Duration::from_secs(60));
        for (shard, len) in [(0, Some(1)), (0, Some(3)), (0, None), (1, Some(2)), (1, None)] {
            assert_eq!(queue.next(shard).await.map(|batch| batch.unsent().len()), len);
        }
    }

    #[tokio::test]
    async fn whoever_waits_is_woken_by_a_batch_and_by_the_end() {
        let (queue, ..) = queue(100, 1);
        let queue = Arc::new(queue);
        let waiting = tokio::spawn({
            let queue = Arc::clone(&queue);
            async move { (queue.next(0).await.is_some(), queue.next(0).await.is_some()) }
        });
        tokio::task::yield_now().await;
        queue.push(0, batch(1));
        tokio::task::yield_now().await;
        queue.close(Duration::ZERO);
        assert_eq!(waiting.await.expect("ends"), (true, false));
        queue.past_deadline().await;
    }

    #[tokio::test]
    async fn hurry_ends_the_wait_of_a_closed_queue_and_does_not_close_one() {
        let (queue, ..) = queue(100, 1);
        let queue = Arc::new(queue);
        let waiting = tokio::spawn({
            let queue = Arc::clone(&queue);
            async move { queue.past_deadline().await }
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
