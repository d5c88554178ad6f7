//! The part of crossbeam's channels that the inbox uses, made of loom's mutex and condition variable. Timeouts never expire, so
//! that a receiver that is not woken is a deadlock, which loom reports.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

pub(super) use crossbeam_channel::{RecvTimeoutError, SendError, TryRecvError, TrySendError};
use loom::sync::{Condvar, Mutex};

struct Channel<T> {
    messages: Mutex<VecDeque<T>>,
    arrived: Condvar,
    capacity: usize,
}

pub(super) struct Sender<T>(Arc<Channel<T>>);

pub(super) struct Receiver<T>(Arc<Channel<T>>);

pub(super) fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    bounded(usize::MAX)
}

pub(super) fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let channel = Arc::new(Channel { messages: Mutex::default(), arrived: Condvar::new(), capacity });
    (Sender(Arc::clone(&channel)), Receiver(channel))
}

impl<T> Sender<T> {
    pub(super) fn send(&self, message: T) -> Result<(), SendError<T>> {
        self.0.messages.lock().expect("no poison").push_back(message);
        self.0.arrived.notify_one();
        Ok(())
    }

    pub(super) fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        let mut messages = self.0.messages.lock().expect("no poison");
        if messages.len() >= self.0.capacity {
            return Err(TrySendError::Full(message));
        }
        messages.push_back(message);
        Ok(())
    }
}

impl<T> Receiver<T> {
    pub(super) fn recv_timeout(&self, _timeout: Duration) -> Result<T, RecvTimeoutError> {
        let mut messages = self.0.messages.lock().expect("no poison");
        loop {
            if let Some(message) = messages.pop_front() {
                return Ok(message);
            }
            messages = self.0.arrived.wait(messages).expect("no poison");
        }
    }

    pub(super) fn try_recv(&self) -> Result<T, TryRecvError> {
        self.0.messages.lock().expect("no poison").pop_front().ok_or(TryRecvError::Empty)
    }

    pub(super) fn len(&self) -> usize {
        self.0.messages.lock().expect("no poison").len()
    }
}
