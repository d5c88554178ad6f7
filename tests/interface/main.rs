//! The C ABI, from Rust and from C, and the structure of the sources.

#[path = "../fixtures/calls/mod.rs"]
mod calls;
#[path = "../fixtures/recording_receiver/mod.rs"]
mod recording_receiver;

mod abi;
mod boundary;
mod commands;
mod compatibility;
mod header;
mod module_order;
mod symbols;
