//! Which version of the protocol the receiver speaks.

use std::cell::Cell;

use tokio::sync::{Mutex, MutexGuard};

use crate::wire::Protocol;

/// Finds the version out, unless the user has said it.
///
/// Until an answer has shown that the receiver understands what it gets, one request at a time is sent, so that nothing is lost to a
/// receiver that takes another version and says nothing.
pub(super) struct Negotiation {
    fixed: bool,
    protocol: Cell<Protocol>,
    settled: Cell<bool>,
    permit: Mutex<()>,
}

/// Leave to send one request.
pub(super) struct SendPermit<'a> {
    /// In this version.
    pub(super) protocol: Protocol,
    /// SecretSource while the version is not settled.
    _alone: Option<MutexGuard<'a, ()>>,
}

impl Negotiation {
    /// With `protocol` there is nothing to find out. Otherwise 2.0 is tried first.
    pub(super) fn new(protocol: Option<Protocol>) -> Self {
        Self {
            fixed: protocol.is_some(),
            protocol: Cell::new(protocol.unwrap_or(Protocol::V2)),
            settled: Cell::new(protocol.is_some()),
            permit: Mutex::new(()),
        }
    }

    /// Waits for leave to send.
    pub(super) async fn acquire(&self) -> SendPermit<'_> {
        let alone = if self.settled.get() { None } else { Some(self.permit.lock().await) };
        // It may have been settled meanwhile.
        let alone = alone.filter(|_| !self.settled.get());
        SendPermit { protocol: self.protocol.get(), _alone: alone }
    }

    /// The receiver has understood a request of this version.
    pub(super) fn settle(&self, protocol: Protocol) -> bool {
        self.protocol.set(protocol);
        !self.settled.replace(true)
    }

    /// The receiver has not understood `protocol`. False if there is no other to try.
    pub(super) fn fall_back(&self, protocol: Protocol) -> bool {
        if self.fixed {
            return false;
        }
        self.protocol.set(protocol.other());
        // No answer of a receiver of 1.0 shows that it is one: it is what is left.
        self.settled.set(protocol == Protocol::V2);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn until_it_is_settled_requests_wait_for_each_other() {
        let negotiation = Negotiation::new(None);
        let first = negotiation.acquire().await;
        assert_eq!(first.protocol, Protocol::V2);
        let soon = std::time::Duration::from_millis(1);
        assert!(tokio::time::timeout(soon, negotiation.acquire()).await.is_err());
        assert!(negotiation.settle(Protocol::V2));
        drop(first);
        let (_a, _b) = (negotiation.acquire().await, negotiation.acquire().await);
        assert!(!negotiation.settle(Protocol::V2));
    }

    #[tokio::test]
    async fn what_is_not_understood_is_tried_in_the_other_version() {
        let negotiation = Negotiation::new(None);
        assert!(negotiation.fall_back(Protocol::V2));
        assert_eq!(negotiation.acquire().await.protocol, Protocol::V1);
        assert!(negotiation.fall_back(Protocol::V1));
        assert_eq!(negotiation.acquire().await.protocol, Protocol::V2);
    }

    #[tokio::test]
    async fn a_version_that_the_user_chose_stays() {
        let negotiation = Negotiation::new(Some(Protocol::V1));
        assert!(!negotiation.fall_back(Protocol::V1));
        let (a, _b) = (negotiation.acquire().await, negotiation.acquire().await);
        assert_eq!(a.protocol, Protocol::V1);
    }
}
