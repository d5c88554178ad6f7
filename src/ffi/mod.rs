//! The C ABI: the only door to the library, and the only place with `unsafe`.
//!
//! Every entry point checks what it is given, catches panics, and turns whatever goes wrong into a status and a message. What
//! callers may rely on is written once, at the top of the header that cbindgen makes of this module (`include/cbindgen.toml`).
//!
//! | file | holds |
//! |---|---|
//! | `entry` | the functions of the header |
//! | `layout` | its structs and enums |
//! | `borrow` | pointers and lengths → slices and text |
//! | `handle` | which handles are alive |
//! | `call` | runs the body of an entry point; panics end here |
//! | `error` | why a call fails → its status |

#![allow(unsafe_code)]

mod entry;
mod call;
mod handle;
mod borrow;
mod error;
mod layout;

pub use entry::*;
pub use layout::*;
