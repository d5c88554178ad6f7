//! Negotiation of the protocol version with the receiver.

use std::cell::Cell;

use tokio::sync::{Mutex, MutexGuard};

use crate::wire::Protocol;

/// Protocol version of a receiver: set by the user, or detected from its responses.
///
/// Until a response has confirmed the version, only one request is sent at a time, so that no points are lost to a receiver
/// that accepts a request of another version without storing it.
pub(super) struct Negotiation {
    /// True if the user has set the version.
    fixed: bool,
    protocol: Cell<Protocol>,
    confirmed: Cell<bool>,
    permit: Mutex<()>,
}

/// Permit to send one request.
pub(super) struct SendPermit<'a> {
    /// Version of the request.
    pub(super) protocol: Protocol,
    /// Held while the version is not confirmed.
    _exclusive: Option<MutexGuard<'a, ()>>,
}

impl Negotiation {
    /// Starts with `protocol`, which then never changes. Without one, 2.0 is tried first.
    pub(super) fn new(protocol: Option<Protocol>) -> Self {
        Self {
            fixed: protocol.is_some(),
            protocol: Cell::new(protocol.unwrap_or(Protocol::V2)),
            confirmed: Cell::new(protocol.is_some()),
            permit: Mutex::new(()),
        }
    }

    /// Waits for the permit to send a request.
    pub(super) async fn acquire(&self) -> SendPermit<'_> {
        let exclusive = if self.confirmed.get() { None } else { Some(self.permit.lock().await) };
        // Another request may have confirmed the version meanwhile.
        let exclusive = exclusive.filter(|_| !self.confirmed.get());
        SendPermit { protocol: self.protocol.get(), _exclusive: exclusive }
    }

    /// Confirms that the receiver supports `protocol`. Returns true the first time.
    pub(super) fn confirm(&self, protocol: Protocol) -> bool {
        self.protocol.set(protocol);
        !self.confirmed.replace(true)
    }

    /// Changes to the other version, as the receiver does not support `protocol`. Returns false if the user has set the version.
    pub(super) fn fall_back(&self, protocol: Protocol) -> bool {
        if self.fixed {
            return false;
        }
        self.protocol.set(protocol.other());
        // No response confirms 1.0, so it counts as confirmed when 2.0 is not supported.
        self.confirmed.set(protocol == Protocol::V2);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn requests_wait_for_each_other_until_the_version_is_confirmed() {
        let negotiation = Negotiation::new(None);
        let first = negotiation.acquire().await;
        assert_eq!(first.protocol, Protocol::V2);
        let soon = std::time::Duration::from_millis(1);
        assert!(tokio::time::timeout(soon, negotiation.acquire()).await.is_err());
        assert!(negotiation.confirm(Protocol::V2));
        drop(first);
        let (_a, _b) = (negotiation.acquire().await, negotiation.acquire().await);
        assert!(!negotiation.confirm(Protocol::V2));
    }

    #[tokio::test]
    async fn the_other_version_follows_one_that_is_not_supported() {
        let negotiation = Negotiation::new(None);
        assert!(negotiation.fall_back(Protocol::V2));
        assert_eq!(negotiation.acquire().await.protocol, Protocol::V1);
        assert!(negotiation.fall_back(Protocol::V1));
        assert_eq!(negotiation.acquire().await.protocol, Protocol::V2);
    }

    #[tokio::test]
    async fn a_version_that_the_user_has_set_never_changes() {
        let negotiation = Negotiation::new(Some(Protocol::V1));
        assert!(!negotiation.fall_back(Protocol::V1));
        let (a, _b) = (negotiation.acquire().await, negotiation.acquire().await);
        assert_eq!(a.protocol, Protocol::V1);
    }
}
