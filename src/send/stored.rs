//! What a receiver has stored of a backlog that it did not confirm: all of it, nothing, or, if it has several instances of which
//! one was away, some series.
//!
//! A merged batch has several points of a series. A receiver that has stored it rejects all but the newest when they come again.

use std::time::Instant;

use super::exchange::Attempts;
use super::outcome::{Outcome, mentions_stored_points};
use super::queue::Batch;
use super::sender::Sender;
use crate::report::{Level, event};
use crate::wire::Point;

/// Number of points that show what is stored: enough to find one that is not, where an instance of three was away.
const SAMPLES: usize = 8;

impl Sender {
    /// Finds out what the receiver has stored of a batch, of which it has called points older than others of their series, which
    /// only this batch can have brought: some of its points are sent, each alone. Of a batch that is stored, the newest points
    /// are left: with them totals are right in any case. Returns false if the receiver fails on one of these points: then the
    /// batch waits.
    pub(super) async fn examine_stored(&self, shard: usize, batch: &mut Batch) -> bool {
        let step = batch.unsent().len().div_ceil(SAMPLES).max(1);
        let samples: Vec<Point> = batch.unsent().iter().step_by(step).cloned().collect();
        let mut stored = 0;
        for point in &samples {
            let exchange =
                self.exchange(shard, std::slice::from_ref(point), &[], Attempts::UntilFinal, &mut false).await;
            if matches!(exchange.outcome, Outcome::Retry(_)) {
                return false;
            }
            stored += usize::from(mentions_stored_points(&exchange.response.message));
        }
        if stored == samples.len() {
            self.count_stored(batch.skip_to_last_part());
        } else if stored > 0 {
            batch.note_partly_stored();
        } else {
            batch.note_not_stored();
        }
        true
    }

    /// Counts points that the receiver has stored without a confirmation.
    pub(super) fn count_stored(&self, points: usize) {
        self.reporter.counters.points_sent.add(points as u64);
        self.last_accepted.set(Some(Instant::now()));
        self.health.borrow_mut().record_success();
        self.reporter
            .log(event(Level::Debug, "Receiver has stored a request that got no response").with("points", points));
    }
}
