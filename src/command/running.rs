//! A command on its thread, from open to exit code.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use once_cell::sync::OnceCell;
use parking_lot::Mutex;
use thiserror::Error;

use super::cancellation::Cancellation;
use super::console::{Chunk, Console};
use super::dispatch::dispatch;
use super::document::CommandDocument;
use super::spec::Failure;
use crate::config::DocumentError;
use crate::panics::catch;
use crate::{fault, threads};

/// Chunks that wait for the host. A command whose output is not polled waits.
const QUEUED_CHUNKS: usize = 64;

/// Why a command does not start.
#[derive(Debug, Error)]
pub enum CommandError {
    /// The document is not JSON of its form.
    #[error("invalid command document: {0}")]
    Document(#[from] DocumentError),
    /// The system has no thread.
    #[error("failed to start a thread: {0}")]
    Thread(#[from] io::Error),
}

/// A command that was started. All methods may be called from any thread.
#[derive(Debug)]
pub struct Command {
    /// Disconnected when the command has ended.
    chunks: Receiver<Chunk>,
    cancellation: Cancellation,
    end: Arc<OnceCell<End>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Result of [`Command::poll`].
#[derive(Debug, PartialEq, Eq)]
pub enum Poll {
    /// Output.
    Chunk(Chunk),
    /// There is no output yet.
    Running,
    /// The command has ended, and all its output was polled.
    Ended,
}

/// The end of a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct End {
    /// Exit code for the process.
    pub code: u32,
    /// Why the command failed. Empty if the code is 0.
    pub failure: String,
}

impl Command {
    /// Starts a command from the JSON of its document: that of [`crate::output::Output::open`] with the fields `arguments`,
    /// `program` and `terminal`. Mistakes in the arguments are failures of the command.
    ///
    /// # Errors
    /// A document that is not of this form, or what the system refuses.
    pub fn open(document: &[u8]) -> Result<Self, CommandError> {
        let document = CommandDocument::parse(document)?;
        let (sender, chunks) = bounded(QUEUED_CHUNKS);
        let console = Console::new(sender, document.terminal);
        let end = Arc::new(OnceCell::new());
        let cancellation = Cancellation::default();
        let thread = threads::spawn("k6rw-command", {
            let (end, cancellation) = (Arc::clone(&end), cancellation.clone());
            move || {
                let result = catch(|| {
                    fault::point("command");
                    dispatch(&document, &console, &cancellation)
                });
                // Before the console is dropped, which disconnects the chunks.
                end.get_or_init(|| match result {
                    Ok(Ok(())) => End::default(),
                    Ok(Err(Failure { code, message })) => End { code, failure: message },
                    Err(panic) => End { code: 1, failure: format!("internal error, please report this: {panic}") },
                });
            }
        })?;
        Ok(Self { chunks, cancellation, end, thread: Mutex::new(Some(thread)) })
    }

    /// Returns the next output, for which it waits at most `timeout`.
    pub fn poll(&self, timeout: Duration) -> Poll {
        match self.chunks.recv_timeout(timeout) {
            Ok(chunk) => Poll::Chunk(chunk),
            Err(RecvTimeoutError::Timeout) => Poll::Running,
            Err(RecvTimeoutError::Disconnected) => Poll::Ended,
        }
    }

    /// Asks the command to end.
    pub fn cancel(&self) {
        self.cancellation.cancel();
    }

    /// Returns how the command has ended; `None` while it runs.
    pub fn end(&self) -> Option<&End> {
        self.end.get()
    }

    /// Cancels the command, drops its output, and waits for its end.
    pub fn abandon(&self) {
        self.cancel();
        while self.chunks.recv().is_ok() {}
        if let Some(thread) = self.thread.lock().take() {
            // The thread catches its own panics.
            let _ = thread.join();
        }
    }
}

impl Drop for Command {
    fn drop(&mut self) {
        self.abandon();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn open(arguments: &[&str]) -> Command {
        let document = json!({ "arguments": arguments, "program": "host" });
        Command::open(document.to_string().as_bytes()).expect("starts")
    }

    /// Polls until the end, and returns the output.
    fn output(command: &Command) -> String {
        let mut text = String::new();
        loop {
            match command.poll(Duration::from_secs(60)) {
                Poll::Chunk(chunk) => text += &chunk.text,
                Poll::Running => panic!("does not end"),
                Poll::Ended => return text,
            }
        }
    }

    #[test]
    fn a_command_ends_with_its_output_and_code_0() {
        let command = open(&["--help"]);
        assert!(output(&command).contains("Usage: host <command>"));
        assert_eq!((command.end(), command.poll(Duration::ZERO)), (Some(&End::default()), Poll::Ended));
    }

    #[test]
    fn a_mistake_in_the_arguments_is_a_failure_with_code_2() {
        let command = open(&["chekc"]);
        assert_eq!(output(&command), "");
        let end = command.end().expect("ended");
        assert_eq!((end.code, &*end.failure), (2, r#"unknown command "chekc"; did you mean check?"#));
    }

    #[test]
    fn a_command_that_nothing_polls_can_be_abandoned() {
        open(&["--help"]).abandon();
        drop(open(&["check", "http://127.0.0.1:1/"]));
    }

    #[test]
    fn a_document_of_another_form_is_an_error() {
        for document in ["", "[]", r#"{"arguments": [1]}"#, r#"{"argument": "http://h/"}"#, r#"{"other": 1}"#] {
            let error = Command::open(document.as_bytes()).expect_err("invalid").to_string();
            assert!(error.starts_with("invalid command document: "), "{document}: {error}");
        }
    }
}
