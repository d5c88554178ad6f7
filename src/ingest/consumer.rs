//! The loop of the background thread: takes blocks from the inbox, hands them to the resampler, and closes windows on time.

use std::time::Duration;

use super::{InboxReceiver, Received};
use crate::resample::Resampler;
use crate::time::clock::Clock;

/// Hands all samples to `resampler` until the inbox is closed, then closes the last windows.
pub fn consume<C: Clock>(inbox: &InboxReceiver, mut resampler: Resampler<C>) {
    let mut open = true;
    while open {
        open = hand_over(inbox.receive(resampler.time_left()), inbox, &mut resampler);
        let ended = resampler.due();
        if !ended.is_empty() {
            // Samples that are in the inbox now belong to these windows, later ones to the next.
            for _ in 0..inbox.flush() {
                open &= hand_over(inbox.receive(Duration::ZERO), inbox, &mut resampler);
            }
            resampler.export(ended);
        }
    }
    resampler.close();
}

/// Returns false when the inbox is closed and empty.
fn hand_over<C: Clock>(received: Received, inbox: &InboxReceiver, resampler: &mut Resampler<C>) -> bool {
    match received {
        Received::Samples(block) => {
            inbox.new_ids().for_each(|id| resampler.add(id));
            resampler.record(&block);
            inbox.recycle(block);
            true
        }
        Received::Metadata(samples) => {
            inbox.new_ids().for_each(|id| resampler.add(id));
            resampler.record_metadata(&samples);
            true
        }
        Received::Nothing => true,
        Received::Closed => false,
    }
}
