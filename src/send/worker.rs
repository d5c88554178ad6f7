//! The thread of a destination's sender.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};

use super::preflight::PreflightError;
use super::queue::Queue;
use super::sender::Sender;
use crate::panics::catch;
use crate::report::{DestinationReporter, Level, event};
use crate::{fault, threads};

/// The time after which a close that still waits is logged.
const SLOW_CLOSE_NOTICE: Duration = Duration::from_secs(2);

/// The time that a sender may take beyond its deadline without an outcome of any point. It writes unsent samples to a file.
const CLOSE_GRACE: Duration = Duration::from_secs(10);

/// A running sender. Dropping it stops the sender without waiting for it.
pub struct Worker {
    queue: Arc<Queue>,
    flush_timeout: Duration,
    reporter: Arc<DestinationReporter>,
    /// Receives the result of the preflight, if there is one. Disconnected without a result if the sender has panicked.
    preflight: Option<Receiver<Result<(), PreflightError>>>,
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
        let (preflight_sender, preflight) = preflight.then(|| bounded(1)).unzip();
        threads::spawn("k6rw-send", {
            let reporter = Arc::clone(&reporter);
            move || {
                let _ended = ended_sender;
                let work = async {
                    if let Some(preflight) = preflight_sender {
                        fault::point("preflight");
                        let _ = preflight.send(sender.preflight().await);
                    }
                    sender.run().await;
                };
                if let Err(panic) = catch(|| runtime.block_on(work)) {
                    reporter.panicked("sender", &panic);
                }
            }
        })?;
        Ok(Self { queue, flush_timeout, reporter, preflight, ended })
    }

    /// Waits for the preflight, and returns its error. A receiver that was not asked has not passed.
    pub fn preflight_error(&self) -> Option<PreflightError> {
        match self.preflight.as_ref()?.recv() {
            Ok(result) => result.err(),
            Err(_) => Some(PreflightError::not_sent(self.reporter.url())),
        }
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
        self.wait_for_end(closed, CLOSE_GRACE);
        let counters = &self.reporter.counters;
        counters.points_lost.add(counters.points_without_outcome());
    }

    /// Waits until the sender has ended, or, after its deadline, until no point gets an outcome for as long as `grace`: a slow disk
    /// may take its time, and a sender that makes no progress must not hold up k6.
    fn wait_for_end(&self, closed: Instant, grace: Duration) {
        let open = || self.reporter.counters.points_without_outcome();
        let mut deadline = closed + self.flush_timeout.saturating_add(grace);
        let mut before = open();
        while self.ended.recv_deadline(deadline) == Err(RecvTimeoutError::Timeout) {
            let now = open();
            if now == before {
                return;
            }
            (before, deadline) = (now, Instant::now() + grace);
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.queue.close(Duration::ZERO);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Reporter;

    #[test]
    fn a_preflight_without_a_result_has_failed() {
        let reporter = Reporter::default().destination("http://host/w");
        let queue = Arc::new(Queue::new(1, 1, Arc::clone(&reporter)));
        let (ended_sender, ended) = bounded(0);
        let (preflight_sender, preflight) = bounded(1);
        drop((ended_sender, preflight_sender));
        let worker = Worker { queue, flush_timeout: Duration::ZERO, reporter, preflight: Some(preflight), ended };
        let error = worker.preflight_error().expect("not asked").to_string();
        assert_eq!(error, "http://host/w: the request was not sent: internal error, please report this");
    }

    #[test]
    fn a_sender_that_makes_progress_is_waited_for_beyond_its_deadline_and_no_other() {
        let grace = Duration::from_millis(100);
        for makes_progress in [true, false] {
            let reporter = Reporter::default().destination("http://host/w");
            reporter.counters.points.add(100);
            let queue = Arc::new(Queue::new(1, 1, Arc::clone(&reporter)));
            let (ended_sender, ended) = bounded::<()>(0);
            let flush_timeout = Duration::ZERO;
            let worker = Worker { queue, flush_timeout, reporter: Arc::clone(&reporter), preflight: None, ended };
            let begin = Instant::now();
            let sender = std::thread::spawn(move || {
                let _ended = ended_sender;
                for _ in 0..10 {
                    std::thread::sleep(grace / 2);
                    reporter.counters.points_in_unsent_file.add(u64::from(makes_progress));
                }
            });
            worker.wait_for_end(begin, grace);
            let waited = begin.elapsed();
            assert_eq!(waited >= grace * 4, makes_progress, "{waited:?}");
            sender.join().expect("does not panic");
        }
    }
}
