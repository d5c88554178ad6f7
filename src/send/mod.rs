//! Points → the receiver, through whatever the network does.
//!
//! In come points from [`crate::export`]. A [`Batcher`] gathers them into batches, in shards that keep the order of every series,
//! and a [`Queue`] that is bounded in bytes holds those. A [`Sender`] on a thread of its own has each batch encoded by
//! [`crate::wire`] in the version of the protocol that the receiver speaks, ships it over HTTP, and tries again for as long as that
//! can help. The way ends at the receiver, or in a file.
//!
//! | file | holds |
//! |---|---|
//! | `batcher` | points → batches |
//! | `queue` | the batches that wait |
//! | `worker` | the thread of a sender |
//! | `sender` | the way of a batch through its attempts |
//! | `preflight` | whether the receiver takes metrics at all |
//! | `negotiation` | which version of the protocol the receiver speaks |
//! //! //! //! | `outcome` | what an answer means for what was sent |
//! | `backoff` | how long to wait before trying again |
//! | `health` | what the log hears of all this |
//! | `hint` | what a person can do about it |
//! | `unsent` | what could not be sent, into a file |

mod batcher;
mod worker;
mod sender;
mod health;
mod preflight;
mod hint;
mod negotiation;
mod outcome;
mod backoff;
mod queue;
mod unsent;

pub use batcher::{Batcher, Role};
pub use preflight::PreflightError;
pub use queue::{Batch, Queue};
pub use sender::{Sender, Settings};
pub use worker::Worker;
