//! Locks, atomics and channels of the inbox. Under `--cfg k6rw_loom` they are loom's, which runs the tests of `loom_tests` in
//! every order of their threads: `make model`.

#[cfg(not(k6rw_loom))]
pub(super) use crossbeam_channel as channel;
#[cfg(not(k6rw_loom))]
pub(super) use parking_lot::{Mutex, MutexGuard};
#[cfg(not(k6rw_loom))]
pub(super) use std::sync::atomic;

#[cfg(k6rw_loom)]
pub(super) use super::loom_channel as channel;
#[cfg(k6rw_loom)]
pub(super) use loom::sync::{MutexGuard, atomic};

/// loom's mutex with the interface of parking_lot's.
#[cfg(k6rw_loom)]
#[derive(Default)]
pub(super) struct Mutex<T>(loom::sync::Mutex<T>);

#[cfg(k6rw_loom)]
impl<T> Mutex<T> {
    pub(super) fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().expect("no poison")
    }
}
