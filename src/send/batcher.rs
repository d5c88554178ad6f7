//! Collects points into batches and adds those to the queue.

use std::sync::Arc;

use super::queue::{Batch, Queue};
use crate::wire::{Metric, Point};

/// Number of neighbouring target series in a shard: few series share one request, many are sent in several at once.
const TARGETS_PER_SHARD: usize = 1000;

/// Role of a point in its series, in the order in which the batches of a shard are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Initial 0 of a cumulative series.
    Start,
    /// Value of a window.
    Value,
    /// Stale marker that ends the series.
    End,
}

/// Collects the points of one destination into batches.
///
/// No batch of a window has two points of one series, so it can be sent twice: if the response to a stored batch is lost, the
/// receiver accepts the same points again. Of two points of one series it would reject the older one as out of order, with
/// status 400, although it has both; a backlog, which is merged, is taken apart before it is sent again. Each [`Role`] therefore has its own batches, which are sent in the order of the roles.
/// A series stays in one shard, and the batches of a shard are sent one after the other: the points of a series arrive in the
/// order of their times.
pub struct Batcher {
    /// Points of the batches that are not full yet: one batch for each shard and role.
    open: Vec<[Vec<Point>; 3]>,
    shard: usize,
    /// Metrics that the next batch describes.
    metadata: Vec<&'static Metric>,
    batch_points: usize,
    queue: Arc<Queue>,
}

impl Batcher {
    /// Creates a batcher that adds batches of at most `batch_points` points to `queue`.
    pub fn new(queue: Arc<Queue>, batch_points: usize) -> Self {
        let open = (0..queue.shards()).map(|_| Default::default()).collect();
        Self { open, shard: 0, metadata: Vec::new(), batch_points, queue }
    }

    /// Assigns the points that follow to target series `number`.
    pub fn begin_target(&mut self, number: usize) {
        self.shard = number / TARGETS_PER_SHARD % self.open.len();
    }

    /// Adds a point. The points of a series must be added in the order of their times.
    pub fn point(&mut self, role: Role, point: Point) {
        let points = &mut self.open[self.shard][role as usize];
        points.push(point);
        if points.len() >= self.batch_points {
            self.flush_shard(self.shard, role);
        }
    }

    /// Adds the metadata of `metric` to the next batch. Remote Write 1.0 leaves it to the sender how often; 2.0 has it in every
    /// series anyway.
    pub fn add_metadata(&mut self, metric: &'static Metric) {
        self.metadata.push(metric);
    }

    /// Adds all points that are not in the queue yet to it.
    pub fn flush(&mut self) {
        for shard in 0..self.open.len() {
            self.flush_shard(shard, Role::End);
        }
    }

    /// Adds the batch of `role` to the queue, after those that must be sent before it.
    fn flush_shard(&mut self, shard: usize, role: Role) {
        for points in &mut self.open[shard][..=role as usize] {
            if !points.is_empty() {
                // Where one batch is full, there are more: their points are not moved while they grow.
                let capacity = if points.len() < self.batch_points { 0 } else { self.batch_points };
                let points = std::mem::replace(points, Vec::with_capacity(capacity));
                let batch = Batch::new(points, std::mem::take(&mut self.metadata));
                self.queue.push(shard, batch);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Reporter;
    use crate::send::queue::tests::metric;
    use crate::wire::{Labels, Value};

    fn batcher(shards: usize, batch_points: usize) -> (Batcher, Arc<Queue>) {
        let queue = Arc::new(Queue::new(1 << 30, shards, Reporter::default().destination("http://host/w")));
        (Batcher::new(Arc::clone(&queue), batch_points), queue)
    }

    fn point(time_ms: i64) -> Point {
        let labels = Arc::new(Labels::encode(&[]));
        Point { metric: metric(), labels, time_ms, start_ms: 0, value: Value::Float(1.0) }
    }

    /// Returns the times of each batch's points, in the order of the queue.
    fn times(queue: &Queue) -> Vec<Vec<i64>> {
        queue.drain().iter().map(|batch| batch.unsent().iter().map(|point| point.time_ms).collect()).collect()
    }

    #[test]
    fn metadata_alone_makes_no_batch() {
        let (mut batcher, queue) = batcher(1, 10);
        batcher.add_metadata(metric());
        batcher.flush();
        assert!(times(&queue).is_empty());
    }

    #[test]
    fn start_value_and_end_of_a_series_are_in_separate_batches_in_this_order() {
        let (mut batcher, queue) = batcher(1, 10);
        for (role, time_ms) in [(Role::End, 3), (Role::Start, 1), (Role::Value, 2)] {
            batcher.point(role, point(time_ms));
        }
        batcher.flush();
        assert_eq!(times(&queue), [[1], [2], [3]]);
    }

    #[test]
    fn a_full_batch_is_queued_after_the_batches_of_earlier_roles() {
        let (mut batcher, queue) = batcher(1, 2);
        for (role, time_ms) in [(Role::End, 3), (Role::Start, 1), (Role::Value, 2), (Role::Value, 2)] {
            batcher.point(role, point(time_ms));
        }
        assert_eq!(times(&queue), [vec![1], vec![2, 2]]);
        batcher.flush();
        assert_eq!(times(&queue), [[3]]);
    }

    #[test]
    fn few_targets_share_a_batch_and_a_target_keeps_its_shard() {
        let (mut batcher, queue) = batcher(3, 10_000);
        for window in 0..2 {
            for number in [0, 1, TARGETS_PER_SHARD - 1, TARGETS_PER_SHARD, 3 * TARGETS_PER_SHARD] {
                batcher.begin_target(number);
                batcher.point(Role::Value, point(number as i64));
            }
            batcher.flush();
            assert_eq!(times(&queue), [vec![0, 1, 999, 3000], vec![1000]], "window {window}");
        }
    }

    #[test]
    fn metadata_is_in_the_next_batch_only() {
        let (mut batcher, queue) = batcher(1, 10);
        batcher.add_metadata(metric());
        for _ in 0..2 {
            batcher.point(Role::Value, point(1));
            batcher.flush();
        }
        let metadata: Vec<_> = queue.drain().iter().map(|batch| batch.metadata().len()).collect();
        assert_eq!(metadata, [1, 0]);
    }
}
