//! Commands beside the output, which a host offers as a subcommand: `k6 x remote-write check`, `send` and `export`.
//!
//! In comes the JSON document of [`Command::open`]: arguments, and the sources of options that an output has, too. A [`Command`]
//! runs on its own thread; its output is text for the host's terminal, which the host polls. Commands use the modules of the
//! pipeline, so they find what a run would find.
//!
//! | file | content |
//! |---|---|
//! | `running` | a command on its thread, from open to exit code |
//! | `dispatch` | arguments → the command that they name, or help |
//! | `check` | asks a receiver whether it accepts what a run sends |
//! | `send` | sends files of unsent samples |
//! | `export` | a file of unsent samples → OpenMetrics text |
//! | `help` | the text of `--help` |
//! | `arguments` | arguments → flags and operands |
//! | `spec` | name, flags and help of a command |
//! | `document` | the document of the host |
//! | `console` | the host's terminal |
//! | `cancellation` | the host's wish that the command ends |

mod running;
mod dispatch;
mod check;
mod send;
mod export;
mod help;
mod arguments;
mod spec;
mod document;
mod console;
mod cancellation;

pub use console::{Chunk, MAX_CHUNK_BYTES, Stream};
pub use running::{Command, CommandError, End, Poll};
