//! The batches that wait for their receiver, in order, bounded in bytes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::Notify;

use crate::report::{DestinationReporter, Level, event};

/// One request's body.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Compressed. Shared, so that trying again copies nothing.
    pub body: Bytes,
    /// How many points it carries.
    pub points: usize,
}

/// A queue between the resampling thread, which fills it and never waits, and the sender.
///
/// When the bound is reached, the oldest batch is dropped, counted and reported: with cumulative series the newest
/// points are worth most. No lock is held while anything is sent.
pub struct Queue {
    state: Mutex<State>,
    changed: Notify,
    limit_bytes: usize,
    reporter: Arc<DestinationReporter>,
}

#[derive(Default)]
struct State {
    batches: VecDeque<Batch>,
    bytes: usize,
    deadline: Option<Instant>,
    /// Whether batches have been dropped since the queue was last empty: one warning a time.
    overflowing: bool,
}

impl Queue {
    /// An empty queue for at most `limit_bytes` of bodies. One batch always fits, whatever its size.
    pub fn new(limit_bytes: usize, reporter: Arc<DestinationReporter>) -> Self {
        Self { state: Mutex::default(), changed: Notify::new(), limit_bytes, reporter }
    }

    /// Adds a batch at the end. Never waits.
    pub fn push(&self, batch: Batch) {
        let mut state = self.lock();
        while state.bytes + batch.body.len() > self.limit_bytes {
            let Some(oldest) = state.batches.pop_front() else { break };
            state.bytes -= oldest.body.len();
            self.reporter.counters.points_dropped.add(oldest.points as u64);
            if !state.overflowing {
                state.overflowing = true;
                self.reporter.log(
                    event(
                        Level::Warn,
                        "The queue is full and drops its oldest batches until the receiver takes them again",
                    )
                    .with("queue_bytes", state.bytes)
                    .with("queue_limit_bytes", self.limit_bytes),
                );
            }
        }
        state.bytes += batch.body.len();
        self.reporter.counters.queue_bytes_highest.raise(state.bytes as u64);
        state.batches.push_back(batch);
        drop(state);
        self.changed.notify_one();
    }

    /// The oldest batch; waits for one. `None` when the queue is closed and all have been taken.
    pub async fn next(&self) -> Option<Batch> {
        loop {
            {
                let mut state = self.lock();
                if let Some(batch) = state.batches.pop_front() {
                    state.bytes -= batch.body.len();
                    return Some(batch);
                }
                state.overflowing = false;
                if state.deadline.is_some() {
                    return None;
                }
            }
            self.changed.notified().await;
        }
    }

    /// Nothing comes after this: the sender ends when all is sent, at the latest after `flush_timeout`.
    pub fn close(&self, flush_timeout: Duration) {
        self.lock().deadline = Some(Instant::now() + flush_timeout);
        // A permit for whoever looks next, and a call for whoever waits now.
        self.changed.notify_one();
        self.changed.notify_waiters();
    }

    /// When sending must end, once the queue is closed.
    pub fn deadline(&self) -> Option<Instant> {
        self.lock().deadline
    }

    /// Ready when the queue has been closed and its deadline has passed.
    pub async fn past_deadline(&self) {
        loop {
            let closed = self.changed.notified();
            if let Some(deadline) = self.deadline() {
                return tokio::time::sleep_until(deadline.into()).await;
            }
            closed.await;
        }
    }

    /// Takes all that is left, without waiting.
    pub fn drain(&self) -> Vec<Batch> {
        let mut state = self.lock();
        state.bytes = 0;
        state.batches.drain(..).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held; if it ever does, the batches are still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Reporter;

    fn batch(len: usize) -> Batch {
        Batch { body: vec![0; len].into(), points: len }
    }

    fn queue(limit_bytes: usize) -> (Queue, Reporter, Arc<DestinationReporter>) {
        let reporter = Reporter::default();
        let destination = reporter.destination("http://host/w");
        (Queue::new(limit_bytes, Arc::clone(&destination)), reporter, destination)
    }

    #[test]
    fn a_full_queue_drops_the_oldest_and_says_so_once() {
        let (queue, reporter, destination) = queue(10);
        for len in [4, 5, 3, 6] {
            queue.push(batch(len));
        }
        let left: Vec<_> = queue.drain().iter().map(|batch| batch.points).collect();
        assert_eq!(left, [3, 6]);
        assert_eq!(destination.counters.points_dropped.get(), 9);
        assert_eq!(destination.counters.queue_bytes_highest.get(), 9);
        assert!(reporter.poll().is_some_and(|event| event.level == Level::Warn));
        assert!(reporter.poll().is_none());
    }

    #[test]
    fn a_batch_larger_than_the_bound_is_kept() {
        let (queue, ..) = queue(10);
        queue.push(batch(100));
        assert_eq!(queue.drain().len(), 1);
    }

    #[tokio::test]
    async fn batches_leave_in_order_and_a_closed_queue_ends() {
        let (queue, ..) = queue(100);
        queue.push(batch(1));
        queue.push(batch(2));
        queue.close(Duration::from_secs(60));
        assert_eq!(queue.next().await.map(|batch| batch.points), Some(1));
        assert_eq!(queue.next().await.map(|batch| batch.points), Some(2));
        assert!(queue.next().await.is_none());
    }

    #[tokio::test]
    async fn whoever_waits_is_woken_by_a_batch_and_by_the_end() {
        let (queue, ..) = queue(100);
        let queue = Arc::new(queue);
        let waiting = tokio::spawn({
            let queue = Arc::clone(&queue);
            async move { (queue.next().await.is_some(), queue.next().await.is_some()) }
        });
        tokio::task::yield_now().await;
        queue.push(batch(1));
        tokio::task::yield_now().await;
        queue.close(Duration::ZERO);
        assert_eq!(waiting.await.expect("ends"), (true, false));
        queue.past_deadline().await;
    }
}
