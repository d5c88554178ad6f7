//! The errors of a call, and their statuses.

use thiserror::Error as ThisError;

use super::layout::Status;
use crate::command::CommandError;
use crate::http::ClientError;
use crate::ingest::Closed;
use crate::output::OpenError;
use crate::panics::Panic;

/// The error of a call.
#[derive(Debug, ThisError)]
pub(super) enum CallError {
    #[error("{0} is NULL")]
    NullPointer(&'static str),
    #[error("{0}")]
    InvalidArgument(String),
    #[error("{0} is not UTF-8: invalid byte at offset {1}")]
    InvalidUtf8(&'static str, usize),
    #[error("{} is not a valid handle: {} did not return it, or it has been freed", .0.0, .0.1)]
    InvalidHandle((&'static str, &'static str)),
    #[error("{0} samples were ignored: k6rw_register_series did not return their ids")]
    UnknownSeries(usize),
    #[error("output is closed")]
    Closed,
    #[error("there is no event")]
    NoEvent,
    #[error("command has ended, and all its output was polled")]
    Ended,
    #[error("command is running")]
    Running,
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error("internal error: {0}")]
    Panic(#[from] Panic),
}

impl From<Closed> for CallError {
    fn from(Closed: Closed) -> Self {
        Self::Closed
    }
}

impl CallError {
    pub(super) fn status(&self) -> Status {
        match self {
            Self::NullPointer(_) => Status::K6RW_NULL_POINTER,
            Self::InvalidArgument(_) => Status::K6RW_INVALID_ARGUMENT,
            Self::InvalidUtf8(..) => Status::K6RW_INVALID_UTF8,
            Self::InvalidHandle(_) => Status::K6RW_INVALID_HANDLE,
            Self::UnknownSeries(_) => Status::K6RW_UNKNOWN_SERIES,
            Self::Closed | Self::Ended => Status::K6RW_CLOSED,
            Self::Running => Status::K6RW_RUNNING,
            Self::NoEvent => Status::K6RW_NO_EVENT,
            Self::Open(
                OpenError::Document(_)
                | OpenError::Config(_)
                | OpenError::Client(ClientError::Credentials(_) | ClientError::Transport(_) | ClientError::Url(_)),
            ) => Status::K6RW_INVALID_CONFIG,
            Self::Open(OpenError::Client(ClientError::Thread(_)) | OpenError::Thread(_)) => Status::K6RW_SYSTEM,
            Self::Open(OpenError::Preflight(_)) => Status::K6RW_PREFLIGHT_FAILED,
            Self::Command(CommandError::Document(_)) => Status::K6RW_INVALID_CONFIG,
            Self::Command(CommandError::Thread(_)) => Status::K6RW_SYSTEM,
            Self::Panic(_) => Status::K6RW_INTERNAL,
        }
    }
}
