//! Gathers points into batches and hands them to the queue.

use std::sync::Arc;

use super::queue::{Batch, Queue};
use crate::wire::{Metric, Point};

/// How many neighbouring targets share a shard: few series travel in one request, many in several at once.
const TARGETS_PER_SHARD: usize = 1000;

/// What a point is to its series, in the order in which the batches of a shard are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The 0 that a cumulative series starts with.
    Start,
    /// What a window has to tell.
    Value,
    /// The stale marker that ends the series.
    End,
}

/// Gathers the points of one destination.
///
/// No batch has two points of one series, so that each may be sent twice: a receiver that stored a batch, but whose answer
/// got lost, takes the same points again. Of two points it would refuse the older one as out of order, and answer 400 though
/// it has both. So what starts, goes on and ends travels in batches of its own, in this order. A series belongs to one shard for
/// good, and the batches of a shard are sent one after the other: the points of a series arrive in the order of their times.
pub struct Batcher {
    /// The batches that fill up: one for each shard and role.
    open: Vec<[Vec<Point>; 3]>,
    shard: usize,
    announced: Vec<Arc<Metric>>,
    batch_points: usize,
    queue: Arc<Queue>,
}

impl Batcher {
    /// A batcher that hands batches of at most `batch_points` to `queue`.
    pub fn new(queue: Arc<Queue>, batch_points: usize) -> Self {
        let open = (0..queue.shards()).map(|_| Default::default()).collect();
        Self { open, shard: 0, announced: Vec::new(), batch_points, queue }
    }

    /// The points that follow are of target `number`.
    pub fn begin_target(&mut self, number: usize) {
        self.shard = number / TARGETS_PER_SHARD % self.open.len();
    }

    /// Adds a point. The points of a series come in the order of their times.
    pub fn point(&mut self, role: Role, point: Point) {
        let points = &mut self.open[self.shard][role as usize];
        points.push(point);
        if points.len() >= self.batch_points {
            self.flush_shard(self.shard, role);
        }
    }

    /// Has the receiver told what a metric is, with the next batch. Remote Write 1.0 leaves it to the sender how often; in 2.0 it is
    /// told with every series anyway.
    pub fn announce(&mut self, metric: &Arc<Metric>) {
        self.announced.push(Arc::clone(metric));
    }

    /// Hands over all that has been added since the last batch.
    pub fn flush(&mut self) {
        for shard in 0..self.open.len() {
            self.flush_shard(shard, Role::End);
        }
    }

    /// Hands over the batch of `role` and those that must come before it.
    fn flush_shard(&mut self, shard: usize, role: Role) {
        for points in &mut self.open[shard][..=role as usize] {
            if !points.is_empty() {
                let batch = Batch::new(std::mem::take(points), std::mem::take(&mut self.announced));
                self.queue.push(shard, batch);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Reporter;
    use crate::wire::{EncodedLabel, Labels, MetricKind, Value};

    fn batcher(shards: usize, batch_points: usize) -> (Batcher, Arc<Queue>) {
        let queue = Arc::new(Queue::new(1 << 30, shards, Reporter::default().destination("http://host/w")));
        (Batcher::new(Arc::clone(&queue), batch_points), queue)
    }

    fn metric() -> Arc<Metric> {
        Arc::new(Metric {
            name: "m".into(),
            encoded_name: EncodedLabel::metric_name("m"),
            extra_label: None,
            kind: MetricKind::Gauge,
            help: String::new(),
            unit: "",
        })
    }

    fn point(time_ms: i64) -> Point {
        let labels = Arc::new(Labels::encode(&[]));
        Point { metric: metric(), labels, time_ms, start_ms: 0, value: Value::Float(1.0) }
    }

    /// The times of each batch's points, in the order in which the batches came.
    fn times(queue: &Queue) -> Vec<Vec<i64>> {
        queue.drain().iter().map(|batch| batch.unsent().iter().map(|point| point.time_ms).collect()).collect()
    }

    #[test]
    fn nothing_makes_no_batch() {
        let (mut batcher, queue) = batcher(1, 10);
        batcher.announce(&metric());
        batcher.flush();
        assert!(times(&queue).is_empty());
    }

    #[test]
    fn start_value_and_end_of_a_series_never_share_a_batch_and_leave_in_this_order() {
        let (mut batcher, queue) = batcher(1, 10);
        for (role, time_ms) in [(Role::End, 3), (Role::Start, 1), (Role::Value, 2)] {
            batcher.point(role, point(time_ms));
        }
        batcher.flush();
        assert_eq!(times(&queue), [[1], [2], [3]]);
    }

    #[test]
    fn a_full_batch_takes_those_before_it_along() {
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
    fn an_announcement_travels_once_with_the_next_batch() {
        let (mut batcher, queue) = batcher(1, 10);
        batcher.announce(&metric());
        for _ in 0..2 {
            batcher.point(Role::Value, point(1));
            batcher.flush();
        }
        let announced: Vec<_> = queue.drain().iter().map(|batch| batch.announced().len()).collect();
        assert_eq!(announced, [1, 0]);
    }
}
