//! The inbox: series and samples from any thread → the background thread.
//!
//! Pushing takes one short lock, copies, and never waits for the network, for encoding or for a window to close. Samples are
//! collected in blocks, since a channel message costs more than a sample. Next is [`crate::resample`].

mod consumer;
mod inbox;
mod sync;
#[cfg(k6rw_loom)]
mod loom_channel;

pub use consumer::consume;
pub use inbox::{Closed, Inbox, InboxReceiver, Received, inbox};
