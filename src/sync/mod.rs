//! Locks, counters and channels of the inbox: std's and crossbeam's. Under `--cfg k6rw_loom` they are loom's, which tries every
//! order in which threads can take turns: `make model`.

#[cfg(not(k6rw_loom))]
pub(crate) use crossbeam_channel as channel;
#[cfg(not(k6rw_loom))]
pub(crate) use std::sync::{Mutex, MutexGuard, atomic};

#[cfg(k6rw_loom)]
pub(crate) mod channel;
#[cfg(k6rw_loom)]
pub(crate) use loom::sync::{Mutex, MutexGuard, atomic};
