//! The host's wish that the command ends.

use std::sync::Arc;

use tokio::sync::watch;

/// Shared by the host's thread and the command's.
#[derive(Debug, Clone)]
pub(super) struct Cancellation(Arc<watch::Sender<bool>>);

impl Default for Cancellation {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Cancellation {
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }

    /// Reports whether the host has cancelled the command.
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the host has cancelled the command.
    pub async fn cancelled(&self) {
        // Fails only if there is no sender any more, which `self` is.
        let _ = self.0.subscribe().wait_for(|cancelled| *cancelled).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_cancellation_is_seen_whether_it_comes_before_or_after() {
        let cancellation = Cancellation::default();
        let waiting = tokio::spawn({
            let cancellation = cancellation.clone();
            async move { cancellation.cancelled().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        cancellation.cancel();
        waiting.await.expect("ends");
        cancellation.cancelled().await;
    }
}
