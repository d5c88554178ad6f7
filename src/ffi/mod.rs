//! The C ABI: the only door to the library, and the only place with `unsafe`.
//!
//! Every entry point checks what it is given, catches panics, and turns whatever goes wrong into a status and a message. What
//! callers may rely on is written once, at the top of the header that cbindgen makes of this module (`cbindgen.toml`).
//!
//! | file | holds |
//! |---|---|
//! | `entry` | the functions of the header |
//! | `layout` | its structs and enums |
//! | `borrow` | pointers and lengths → slices and text |
//! | `handle` | which handles are alive |
//! | `outcome` | errors → statuses and messages; panics end here |

#![allow(unsafe_code)]

mod borrow;
mod entry;
mod handle;
mod layout;
mod outcome;

pub use entry::*;
pub use layout::*;
