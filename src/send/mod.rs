//! Points → the receiver, with retries.
//!
//! In come points from [`crate::export`]. A [`Batcher`] collects them into batches, in shards that keep the order of every
//! series; a [`Queue`], bounded in bytes, holds the batches. On its own thread, a [`Sender`] encodes each batch by
//! [`crate::wire`] in the protocol version that the receiver supports, sends it, and retries for as long as that can help. Out
//! go requests to the next module, [`crate::http`]; what is still unsent at the flush timeout goes to a file.
//!
//! | file | content |
//! |---|---|
//! | `batcher` | points → batches |
//! | `queue` | batches that wait to be sent |
//! | `worker` | thread of a sender |
//! | `preflight` | asks before the test whether the receiver accepts requests |
//! | `probe` | single requests outside a run |
//! | `sender` | tasks of the shards, and what they share |
//! | `delivery` | a batch's pieces, until the outcome of every point is known |
//! | `resend` | batches of an earlier run |
//! | `exchange` | one request, from its attempts to a final response |
//! | `unsent` | batches → a file of unsent samples |
//! | `stored` | what a receiver has stored of a backlog that it did not confirm |
//! | `earlier_run` | what a sender notices while it sends batches of an earlier run |
//! | `bisection` | which pieces of a batch to send next |
//! | `quarantine` | series that are held back because the receiver rejects them |
//! | `negotiation` | protocol version that the receiver supports |
//! | `exemplar_policy` | whether requests have exemplars |
//! | `backoff` | pauses between attempts |
//! | `health` | log lines on the receiver's state, `abortOnFailure` |
//! | `hint` | what a person can do about a failure |
//! | `outcome` | what a response means for the points of its request |
//! | `message` | a receiver's message without the values that it quotes |

mod batcher;
mod worker;
mod preflight;
mod probe;
mod stored;
mod delivery;
mod resend;
mod exchange;
mod sender;
mod unsent;
mod earlier_run;
mod bisection;
mod quarantine;
mod queue;
mod negotiation;
mod exemplar_policy;
mod backoff;
mod health;
mod hint;
mod outcome;
mod message;

pub use batcher::{Batcher, Role};
pub use preflight::PreflightError;
pub use probe::{Answer, CLOCK_ACCURACY_MS};
pub use queue::{Batch, Queue};
pub use resend::{Refusal, Stop};
pub use sender::{Sender, Settings};
pub use worker::Worker;
