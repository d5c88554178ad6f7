//! Batches → the receiver, through whatever the network does.
//!
//! In come batches from [`crate::wire`], into a [`Queue`] that is bounded in bytes; a [`Sender`] on a thread of its own
//! ships them in order over HTTP, and tries again for as long as that can help. The way ends at the receiver.

mod answer;
mod backoff;
mod client;
mod queue;
mod sender;

pub use answer::{Answer, classify};
pub use client::{Client, ClientError};
pub use queue::{Batch, Queue};
pub use sender::Sender;
