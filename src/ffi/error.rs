//! Why a call fails, and which status that is.

use thiserror::Error as ThisError;

use super::layout::Status;
use crate::http::ClientError;
use crate::ingest::Closed;
use crate::output::OpenError;
use crate::panics::Panic;

/// Why a call fails.
#[derive(Debug, ThisError)]
pub(super) enum CallError {
    #[error("{0} is null")]
    NullPointer(&'static str),
    #[error("{0}")]
    InvalidArgument(String),
    #[error("{0} is not UTF-8: the first wrong byte is at {1}")]
    InvalidUtf8(&'static str, usize),
    #[error("the handle is none that k6rw_open gave, or it has been freed")]
    InvalidHandle,
    #[error("{0} of the samples have ids that k6rw_register_series never gave: they were left out, all others taken")]
    UnknownSeries(usize),
    #[error("the output is closed")]
    Closed,
    #[error("no event waits")]
    NoEvent,
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("the library failed: {0}")]
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
            Self::Open(OpenError::Client(ClientError::Http(_)) | OpenError::Thread(_)) => Status::K6RW_SYSTEM,
            Self::Open(OpenError::Preflight(_)) => Status::K6RW_PREFLIGHT_FAILED,
            Self::Panic(_) => Status::K6RW_INTERNAL,
        }
    }
}
