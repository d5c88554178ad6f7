//! Locks, counters and channels of the inbox: std's and crossbeam's. Under `--cfg k6rw_loom` they are loom's, which tries every
//! order in which threads can take turns: `make model`.

#[cfg(not(k6rw_loom))]
pub(super) use crossbeam_channel as channel;
#[cfg(not(k6rw_loom))]
pub(super) use std::sync::{Mutex, MutexGuard, atomic};

#[cfg(k6rw_loom)]
pub(super) use super::loom_channel as channel;
#[cfg(k6rw_loom)]
pub(super) use loom::sync::{Mutex, MutexGuard, atomic};
