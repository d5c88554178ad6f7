//! Sends batches of an earlier run, from a file of unsent samples, by the rules of a run but for these:
//!
//! - A receiver that rejects requests whatever their points, such as one that does not know the credentials, ends it: the points
//!   stay in the file.
//! - Points that a receiver finds too old, or older than others of their series, say nothing of the later ones of the series: no
//!   series is held back because of them.

use std::io;

use super::earlier_run::EarlierRun;
use super::exchange::Attempts;
use super::hint::hint;
use super::outcome::{Outcome, mentions_time};
use super::queue::Batch;
use super::sender::Sender;
use crate::http::Response;

/// Why a batch is not sent to its end. Its points stay in the file.
#[derive(Debug)]
pub enum Stop {
    /// The receiver rejects requests whatever their points.
    Refused(Refusal),
    /// What was sent cannot be recorded.
    Unrecorded(io::Error),
}

/// A response that rejects requests whatever their points.
#[derive(Debug)]
pub struct Refusal {
    /// The response.
    pub response: Response,
    /// What a person can do about it.
    pub hint: Option<String>,
}

impl Sender {
    /// Sends a batch of an earlier run until the outcome of every point is known, however long that takes. The sender must be one
    /// of [`Sender::for_earlier_run`]. `record` gets the number of parts that are done, after each and before the next. If the future
    /// is dropped, the receiver may have stored some points of the part that follows.
    ///
    /// # Errors
    /// A receiver that rejects requests whatever their points, or an error of `record`. The points that are open then are not
    /// counted.
    pub async fn resend(&self, batch: &mut Batch, record: impl FnMut(usize) -> io::Result<()>) -> Result<(), Stop> {
        self.reporter.counters.points.add(batch.open_points() as u64);
        let refusal = async {
            match &self.earlier_run {
                Some(earlier_run) => earlier_run.refusal().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            result = self.resend_parts(batch, record) => result.map_err(Stop::Unrecorded),
            response = refusal => Err(Stop::Refused(self.refusal_of(response))),
        }
    }

    /// Reports whether points of an earlier run were rejected because of their time.
    pub fn has_rejected_by_time(&self) -> bool {
        self.earlier_run.as_ref().is_some_and(EarlierRun::has_rejected_by_time)
    }

    /// Asks the receiver, with a request without points, whether it rejects requests whatever their points. A receiver that cannot
    /// be reached does not reject them.
    ///
    /// # Errors
    /// The response that rejects the request.
    pub async fn check_before_resend(&self) -> Result<(), Refusal> {
        let exchange = self.exchange(0, &[], &[], Attempts::One, &mut false).await;
        match exchange.outcome {
            Outcome::Accepted => {
                self.confirm_protocol(exchange.protocol());
                Ok(())
            }
            Outcome::Retry(_) => Ok(()),
            Outcome::TooLarge | Outcome::UnsupportedProtocol | Outcome::Rejected { .. } => {
                Err(self.refusal_of(exchange.into_response()))
            }
        }
    }

    fn refusal_of(&self, response: Response) -> Refusal {
        Refusal { hint: hint(&response, self.credentials()), response }
    }

    async fn resend_parts(&self, batch: &mut Batch, mut record: impl FnMut(usize) -> io::Result<()>) -> io::Result<()> {
        let parts = batch.later_parts() + 1;
        loop {
            batch.restart();
            self.withhold_stale_markers(batch);
            self.try_held_back(0, batch).await;
            self.send_points(0, batch).await;
            record(parts - batch.later_parts())?;
            if !batch.next_part() {
                return Ok(());
            }
        }
    }

    /// Never ends if the response rejects requests whatever their points, which ends [`Self::resend`]. In a run such points are
    /// rejected.
    pub(super) async fn stop_if_refused(&self, outcome: Outcome, response: &Response) {
        if self.earlier_run.as_ref().is_some_and(|earlier_run| earlier_run.note(outcome, response)) {
            std::future::pending::<()>().await;
        }
    }

    /// Reports whether a series whose point was rejected by this response is held back.
    pub(super) fn holds_back(&self, response: &Response) -> bool {
        self.earlier_run.is_none() || !mentions_time(&response.message)
    }
}
