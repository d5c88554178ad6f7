//! The C ABI, and the only module with `unsafe`.
//!
//! Every entry point checks its arguments, catches panics, and returns errors as a status and a message. The conventions for
//! callers are at the top of the header, which cbindgen generates from this module (`include/cbindgen.toml`). Next is [`crate::output`].
//!
//! | file | holds |
//! |---|---|
//! | `entry` | the functions of the header |
//! | `call` | runs the body of an entry point; catches panics |
//! | `handle` | the table of handles |
//! | `borrow` | pointers and lengths → slices and strings |
//! | `layout` | structs and enums of the header |
//! | `error` | the errors of a call, and their statuses |
//! | `libc` | a check of the libc when a program is linked |

#![allow(unsafe_code)]

mod entry;
mod call;
mod handle;
mod borrow;
mod error;
mod layout;
mod libc;

pub use entry::*;
pub use layout::*;
