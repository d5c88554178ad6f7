//! The loop of the background thread: blocks of the inbox → the resampler, which closes its windows on the clock.

use std::time::Duration;

use super::{InboxReceiver, Received};
use crate::resample::Resampler;
use crate::time::clock::Clock;

/// Hands everything over to `resampler` until the inbox is closed, then closes its last windows.
pub fn consume<C: Clock>(inbox: &InboxReceiver, mut resampler: Resampler<C>) {
    let mut open = true;
    while open {
        open = hand_over(inbox.receive(resampler.time_left()), inbox, &mut resampler);
        let ended = resampler.due();
        if !ended.is_empty() {
            // What is in the inbox now belongs to these windows; what comes meanwhile to the next.
            for _ in 0..inbox.flush() {
                open &= hand_over(inbox.receive(Duration::ZERO), inbox, &mut resampler);
            }
            resampler.export(ended);
        }
    }
    resampler.close();
}

/// Returns false when nothing more will come.
fn hand_over<C: Clock>(received: Received, inbox: &InboxReceiver, resampler: &mut Resampler<C>) -> bool {
    match received {
        Received::Samples(block) => {
            inbox.take_definitions().iter().for_each(|definition| resampler.register(definition));
            resampler.record(&block);
            inbox.recycle(block);
            true
        }
        Received::Nothing => true,
        Received::Closed => false,
    }
}
