//! Files of unsent samples: what a run could not send, whole, for `k6 x remote-write send`.
//!
//! [`crate::send`] writes a file at the end of a run, and reads it again to send it. The file has requests of Remote Write 2.0 as
//! [`crate::wire`] encodes them, each with its length and its checksum: what was written is readable, wherever the file ends.
//!
//! | file | content |
//! |---|---|
//! | `openmetrics` | a file → OpenMetrics text |
//! | `classic` | native histograms → the buckets of classic ones |
//! | `batches` | a file → batches |
//! | `progress` | how much of a file was sent |
//! | `writer` | requests → a file |
//! | `reader` | a file → requests |
//! | `format` | the bytes of a file |
//! | `directory` | the directory in which files are written |
//! | `send_command` | the command that sends a file |
//! | `names` | the names of a file until it is done |

mod openmetrics;
mod classic;
mod batches;
mod progress;
mod writer;
mod reader;
mod format;
mod directory;
mod send_command;
mod names;

pub use batches::{Batches, UnsentBatch};
pub use directory::check as check_directory;
pub use format::{End, Header, Part};
pub use names::{Outcome, rename, sent_name, shown, was_sent};
pub use openmetrics::{Exported, export};
pub use progress::{Mark, Progress};
pub use reader::{Entry, OpenError, Reader, Request};
pub use send_command::send_command;
pub use writer::Writer;
