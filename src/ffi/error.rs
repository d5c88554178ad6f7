//! The errors of a call, and their statuses.

use thiserror::Error as ThisError;

use super::layout::Status;
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
    #[error("output is not a valid handle: k6rw_open did not return it, or it has been freed")]
    InvalidHandle,
    #[error("{0} samples were ignored: k6rw_register_series did not return their ids")]
    UnknownSeries(usize),
    #[error("output is closed")]
    Closed,
    #[error("there is no event")]
    NoEvent,
    #[error(transparent)]
    Open(#[from] OpenError),
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
            Self::InvalidHandle => Status::K6RW_INVALID_HANDLE,
            Self::UnknownSeries(_) => Status::K6RW_UNKNOWN_SERIES,
            Self::Closed => Status::K6RW_CLOSED,
            Self::NoEvent => Status::K6RW_NO_EVENT,
            Self::Open(
                OpenError::Document(_)
                | OpenError::Config(_)
                | OpenError::Client(ClientError::Credentials(_) | ClientError::Tls(_)),
            ) => Status::K6RW_INVALID_CONFIG,
            Self::Open(OpenError::Client(ClientError::Http(_) | ClientError::Thread(_)) | OpenError::Thread(_)) => {
                Status::K6RW_SYSTEM
            }
            Self::Open(OpenError::Preflight(_)) => Status::K6RW_PREFLIGHT_FAILED,
            Self::Panic(_) => Status::K6RW_INTERNAL,
        }
    }
}
