//! The thread of a destination's sender.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};

use super::preflight::PreflightError;
use super::queue::Queue;
use super::sender::Sender;
use crate::panics::catch;
use crate::report::{DestinationReporter, Level, event};

/// The time after which a close that still waits is logged.
const SLOW_CLOSE_NOTICE: Duration = Duration::from_secs(2);

/// The time that a sender may take beyond its deadline, to write unsent samples to a file.
const CLOSE_GRACE: Duration = Duration::from_secs(10);

/// A running sender. Dropping it stops the sender without waiting for it.
pub struct Worker {
    queue: Arc<Queue>,
    flush_timeout: Duration,
    reporter: Arc<DestinationReporter>,
    /// Disconnected without an error when the preflight has passed, or if there is none.
    preflight: Receiver<PreflightError>,
    /// Disconnected when the sender has ended.
    ended: Receiver<()>,
}

impl Worker {
    /// Starts the thread of `sender`, which sends what comes into `queue`.
    pub fn start(
        sender: Sender,
        queue: Arc<Queue>,
        flush_timeout: Duration,
        preflight: bool,
        reporter: Arc<DestinationReporter>,
    ) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (ended_sender, ended) = bounded::<()>(0);
        let (preflight_sender, preflight_receiver) = bounded(1);
        let preflight_sender = preflight.then_some(preflight_sender);
        thread::Builder::new().name("k6rw-send".into()).spawn({
            let reporter = Arc::clone(&reporter);
            move || {
                let _ended = ended_sender;
                block_sigpipe();
                let work = async {
                    if let Some(preflight) = preflight_sender
                        && let Err(failed) = sender.preflight().await
                    {
                        let _ = preflight.send(failed);
                    }
                    sender.run().await;
                };
                if let Err(panic) = catch(|| runtime.block_on(work)) {
                    reporter.panicked("sender", &panic);
                }
            }
        })?;
        Ok(Self { queue, flush_timeout, reporter, preflight: preflight_receiver, ended })
    }

    /// Waits for the preflight, and returns its error.
    pub fn preflight_error(&self) -> Option<PreflightError> {
        self.preflight.recv().ok()
    }

    /// Closes the queue: the sender ends when all is sent, or at the flush timeout.
    pub fn close(&self) {
        self.queue.close(self.flush_timeout);
    }

    /// Waits for a sender that was closed at `closed`, and counts what it left behind.
    pub fn join(self, closed: Instant) {
        if self.ended.recv_deadline(closed + SLOW_CLOSE_NOTICE) == Err(RecvTimeoutError::Timeout) {
            self.reporter.log(
                event(
                    Level::Info,
                    "Waiting for the receiver to accept the remaining samples; press Ctrl-C to stop waiting",
                )
                .with("timeout_seconds", self.flush_timeout.as_secs()),
            );
        }
        // A sender that does not end in time must not hold up k6.
        let _ = self.ended.recv_deadline(closed + self.flush_timeout.saturating_add(CLOSE_GRACE));
        let counters = &self.reporter.counters;
        counters.points_lost.add(counters.points_without_outcome());
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.queue.close(Duration::ZERO);
    }
}

/// Blocks SIGPIPE for this thread and those that it starts: a receiver that closes a connection during a write raises it, and it
/// ends a program that does not ignore it. Rust programs ignore it, and Go programs in their own threads. Miri has no signals.
fn block_sigpipe() {
    #[cfg(all(unix, not(miri)))]
    {
        use nix::sys::signal::{SigSet, Signal};
        // Fails only for a signal that does not exist.
        let _ = SigSet::from(Signal::SIGPIPE).thread_block();
    }
}
