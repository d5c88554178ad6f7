//! One file: from its first request that was not sent to its last.

use std::cell::Cell;
use std::io;
use std::path::Path;
use std::pin::pin;
use std::time::{Duration, Instant};

use super::session::Session;
use crate::send::{Batch, Refusal, Stop};
use crate::unsent::{self, Batches, Mark, Outcome, Progress, Reader, UnsentBatch};

/// Interval at which progress is shown.
const TICK: Duration = Duration::from_millis(100);

/// What to do about points that are too old.
const TOO_OLD_ADVICE: &str = "to store samples that are older than others of their series, set out_of_order_time_window at the \
                              receiver (Prometheus, Mimir) and send the file again, or import it: ";

/// Why a file was not sent, or not all of it.
pub(super) struct FileError {
    pub message: String,
    /// True if no other file would be sent either.
    pub ends_all: bool,
}

impl FileError {
    fn of_file(message: impl Into<String>) -> Self {
        Self { message: message.into(), ends_all: false }
    }

    fn of_all(message: impl Into<String>) -> Self {
        Self { message: message.into(), ends_all: true }
    }
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        Self::of_file(error.to_string())
    }
}

/// Sends what was not sent of a file, and renames it when it is done.
pub(super) async fn send_file(session: &Session<'_>, path: &Path) -> Result<(), FileError> {
    let mut reader = Reader::open(path).map_err(|error| {
        FileError::of_file(match unsent::sent_name(path).filter(|_| !path.exists()) {
            Some(now) => format!("was sent already: the file is now {}", now.display()),
            None => error.to_string(),
        })
    })?;
    let url_of_run = reader.header().url.clone();
    if session.is_default_url && url_of_run != session.url {
        return Err(FileError::of_all(format!(
            "no receiver is set: set K6_PROMETHEUS_RW_SERVER_URL or --url; the run sent to {url_of_run}"
        )));
    }
    let (file_bytes, header_points) = (path.metadata()?.len(), reader.header().points);
    let mut progress = Progress::open(path, &reader.header().id, &session.receiver)
        .map_err(|error| FileError::of_file(format!("what is sent cannot be recorded beside the file: {error}")))?;
    restart_for_another_receiver(session, &reader.header().id, &mut progress)?;
    let mut file = OpenFile { session, mark: progress.last().unwrap_or_default(), file_bytes, header_points };
    if progress.last().is_some() {
        reader.seek(file.mark.offset)?;
        session.display.note(&format!("{}: continues after {} points that were sent", path.display(), file.mark.sent));
    }
    let of_run = if url_of_run == session.url { String::new() } else { format!(" (the run sent to {url_of_run})") };
    session.display.note(&format!("{}: sending {header_points} points to {}{of_run}", path.display(), session.url));
    if unsent::was_sent(path) {
        session.display.note("this file was sent before: a receiver that has its samples keeps them once");
    }
    let mut batches = Batches::new(reader);
    let result = async {
        checked(session).await?;
        while let Some(batch) = batches.read_batch()? {
            file.send_batch(path, batch, &mut progress).await?;
        }
        Ok(())
    };
    let result: Result<(), FileError> = result.await;
    session.display.end_progress();
    if let Err(error) = result {
        if progress.last().is_none() {
            progress.remove();
        }
        return Err(error);
    }
    file.finish(path, &batches, progress)
}

/// Begins at the start of the file if the user wants that. A part that another receiver has may be missing here, and if it is the
/// same receiver with another URL, it rejects that part as out of order: only the user knows.
fn restart_for_another_receiver(session: &Session<'_>, id: &str, progress: &mut Progress) -> Result<(), FileError> {
    if session.sends_all {
        return Ok(progress.restart(id, &session.receiver)?);
    }
    match progress.other_receiver() {
        Some(other) if !session.sends_rest => Err(FileError::of_file(format!(
            "{} of its points were sent to {other}: add --rest to send only the others to {}, or --all to send all",
            progress.last().unwrap_or_default().sent,
            session.receiver
        ))),
        _ => Ok(()),
    }
}

/// Ends with an error if the receiver rejects requests whatever their points: no point is sent to it.
async fn checked(session: &Session<'_>) -> Result<(), FileError> {
    tokio::select! {
        checked = session.sender.check_before_resend() => checked.map_err(|refusal| refused(session, &refusal)),
        () = session.cancellation.cancelled() => Err(FileError::of_all("interrupted; nothing was sent")),
    }
}

fn refused(session: &Session<'_>, refusal: &Refusal) -> FileError {
    let response = &refusal.response;
    let status = response.status.map(|status| format!("status {status}"));
    let message = Some(response.message.clone()).filter(|message| !message.is_empty());
    let parts: Vec<_> = [status, message, refusal.hint.clone()].into_iter().flatten().collect();
    FileError::of_all(format!(
        "{} does not accept requests: {}; the samples stay in the file",
        session.url,
        parts.join("; ")
    ))
}

/// A file that is being sent.
struct OpenFile<'a> {
    session: &'a Session<'a>,
    /// What was sent, also by earlier calls.
    mark: Mark,
    file_bytes: u64,
    /// Number of points, as the header has it.
    header_points: u64,
}

impl OpenFile<'_> {
    /// Sends a batch, and records each part that is done.
    async fn send_batch(&mut self, path: &Path, batch: UnsentBatch, progress: &mut Progress) -> Result<(), FileError> {
        let Self { session, mark, file_bytes, header_points } = self;
        let counters = &session.counters.counters;
        let outcomes = || (counters.points_sent.get(), counters.points_failed.get());
        let (before, earlier) = (outcomes(), *mark);
        let UnsentBatch { parts, ends, metadata, may_be_stored } = batch;
        let mut batch = Batch::of_parts(parts, metadata, may_be_stored);
        let at = |offset: u64| {
            let now = outcomes();
            Mark { offset, sent: earlier.sent + now.0 - before.0, refused: earlier.refused + now.1 - before.1 }
        };
        let show = |mark: Mark| {
            session.display.progress(mark.offset as f64 / *file_bytes as f64, mark.sent, *header_points);
        };
        let recorded = Cell::new(earlier);
        let mut sending = pin!(session.sender.resend(&mut batch, |parts| {
            recorded.set(at(ends[parts - 1]));
            progress.add(recorded.get())
        }));
        let (mut last_outcomes, mut last_progress) = (before, Instant::now());
        let stopped = loop {
            tokio::select! {
                result = &mut sending => break result.err().map(|stop| match stop {
                    Stop::Refused(refusal) => refused(session, &refusal),
                    Stop::Unrecorded(error) => FileError::of_all(format!("what was sent cannot be recorded: {error}")),
                }),
                () = session.cancellation.cancelled() => break Some(FileError::of_all("interrupted")),
                () = tokio::time::sleep(TICK) => {}
            }
            show(at(earlier.offset));
            if last_outcomes != outcomes() {
                (last_outcomes, last_progress) = (outcomes(), Instant::now());
            } else if last_progress.elapsed() > session.patience {
                let seconds = last_progress.elapsed().as_secs();
                break Some(FileError::of_all(format!(
                    "no sample was accepted for {seconds} s ({})",
                    session.patience_is
                )));
            }
        };
        *mark = recorded.get();
        show(*mark);
        let Some(FileError { message, ends_all }) = stopped else { return Ok(()) };
        let continues =
            format!("the samples that were not sent stay in the file; to continue: {}", session.command(path));
        Err(FileError {
            message: format!("{message}; {} of {header_points} points were sent; {continues}", mark.sent),
            ends_all,
        })
    }

    /// Renames a file of which all was sent, and says what was not.
    fn finish(&self, path: &Path, batches: &Batches, progress: Progress) -> Result<(), FileError> {
        let Self { session, mark, header_points, .. } = self;
        let damaged = batches.damaged_bytes();
        let Some(end) = batches.end().filter(|_| damaged == 0) else {
            let reason = if damaged > 0 { format!("{damaged} bytes are damaged") } else { "it was cut".into() };
            return Err(FileError::of_file(format!(
                "the file is not complete, since {reason}: {} of {header_points} points were sent, which are all that can be read",
                mark.sent + mark.refused
            )));
        };
        let outcome = if mark.refused > 0 { Outcome::Refused } else { Outcome::Sent };
        let renamed = unsent::rename(path, outcome);
        // Marks of a file that keeps its name prevent that it is sent twice.
        let new_path = match &renamed {
            Ok(path) => {
                progress.remove();
                path.display().to_string()
            }
            Err(_) => path.display().to_string(),
        };
        session.display.result(&format!("{}: sent {} points; the file is now {new_path}", path.display(), mark.sent));
        let withheld = end.points.saturating_sub(mark.sent + mark.refused);
        if withheld > 0 {
            let reason = "VictoriaMetrics may keep one instead of the last value";
            session.display.note(&format!("{withheld} stale markers were left out: {reason}"));
        }
        if end.lost > 0 {
            session.display.warn(&format!("{} points of the run are not in the file: its disk failed", end.lost));
        }
        renamed
            .map_err(|error| FileError::of_file(format!("all was sent, but the file cannot be renamed: {error}")))?;
        if mark.refused == 0 {
            return Ok(());
        }
        let advice = if session.sender.has_rejected_by_time() {
            format!("; {TOO_OLD_ADVICE}{} export --help", session.program)
        } else {
            String::new()
        };
        Err(FileError::of_file(format!(
            "the receiver refused {} of {} points; all of them are in {new_path}{advice}",
            mark.refused,
            mark.sent + mark.refused
        )))
    }
}
