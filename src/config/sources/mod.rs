//! Reads each source into settings.

pub mod document;
mod apm_blocks;
pub mod apm_lease;
pub mod destination_lease;
pub mod script;
pub mod json;
pub mod argument;
pub mod environment;
pub mod object;
pub mod other_names;

pub use apm_lease::ApmBlockLease;
pub use destination_lease::{DestinationLease, SharedReceiver};
pub use document::{ArgumentKind, Document, DocumentError, Script};
