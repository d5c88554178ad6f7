//! The structs and enums of the header. Their layout is fixed within an ABI version.

use std::ffi::c_char;

use crate::command::Stream;
pub use crate::k6::Sample;
use crate::report::Level;

/// The version of the ABI. Incremented with every incompatible change, see `docs/abi.md`. `build.rs` reads this line.
pub const ABI_VERSION: u32 = 1;

/// The size of k6rw_error.message in bytes, including the NUL.
pub const ERROR_SIZE: usize = 4096;

/// The size of k6rw_event.message in bytes, including the NUL.
pub const EVENT_MESSAGE_SIZE: usize = 1024;

/// The size of k6rw_event.fields in bytes, including the NUL.
pub const EVENT_FIELDS_SIZE: usize = 4096;

/// A handle of an open output. k6rw_open() returns it, k6rw_free() frees it.
#[derive(Debug)]
pub struct OutputHandle {
    _opaque: (),
}

/// The size of k6rw_chunk.text in bytes, including the NUL.
pub const CHUNK_SIZE: usize = 16384;

/// A handle of a command. k6rw_command_open() returns it, k6rw_command_free() frees it.
#[derive(Debug)]
pub struct CommandHandle {
    _opaque: (),
}

/// Result of a call.
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Status {
    /// Success.
    K6RW_OK = 0,
    /// A required pointer is NULL.
    K6RW_NULL_POINTER = 1,
    /// A length, an enum value or the alignment of a pointer is invalid.
    K6RW_INVALID_ARGUMENT = 2,
    /// A string is not UTF-8.
    K6RW_INVALID_UTF8 = 3,
    /// The configuration, or a file that it names, is invalid. The message lists all mistakes.
    K6RW_INVALID_CONFIG = 4,
    /// The handle was not returned by k6rw_open() or k6rw_command_open(), or it has been freed.
    K6RW_INVALID_HANDLE = 5,
    /// Some samples have an id that k6rw_register_series() did not return. They are ignored, all others are recorded.
    K6RW_UNKNOWN_SERIES = 6,
    /// k6rw_close() was called on the output; or the command has ended, and all its output was polled.
    K6RW_CLOSED = 7,
    /// There is no event. Not an error.
    K6RW_NO_EVENT = 8,
    /// The operating system refused a resource, such as a thread.
    K6RW_SYSTEM = 9,
    /// Internal error. The call may have had a part of its effect. Please report it.
    K6RW_INTERNAL = 10,
    /// The option preflight is on, and a receiver rejected the test request. The message lists all such receivers.
    K6RW_PREFLIGHT_FAILED = 11,
    /// The command is running. Not an error.
    K6RW_RUNNING = 12,
}

/// Type of a k6 metric.
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum MetricTypeCode {
    /// Sum of the values.
    K6RW_METRIC_COUNTER = 0,
    /// Latest value.
    K6RW_METRIC_GAUGE = 1,
    /// Distribution of the values.
    K6RW_METRIC_TREND = 2,
    /// Share of the values that are not zero.
    K6RW_METRIC_RATE = 3,
}

/// Type of the values of a k6 metric.
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum ValueTypeCode {
    /// Numbers without a unit.
    K6RW_VALUE_DEFAULT = 0,
    /// Durations in milliseconds. The receiver gets seconds.
    K6RW_VALUE_TIME = 1,
    /// Sizes in bytes.
    K6RW_VALUE_DATA = 2,
}

/// Level of an event.
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum LevelCode {
    /// Details for debugging.
    K6RW_LEVEL_DEBUG = 0,
    /// Normal operation.
    K6RW_LEVEL_INFO = 1,
    /// A problem that may resolve itself.
    K6RW_LEVEL_WARN = 2,
    /// Data is lost.
    K6RW_LEVEL_ERROR = 3,
    /// The host must abort the test. At most one event for each destination, and only with the option abortOnFailure.
    K6RW_LEVEL_FATAL = 4,
}

impl From<Level> for LevelCode {
    fn from(level: Level) -> Self {
        match level {
            Level::Debug => Self::K6RW_LEVEL_DEBUG,
            Level::Info => Self::K6RW_LEVEL_INFO,
            Level::Warn => Self::K6RW_LEVEL_WARN,
            Level::Error => Self::K6RW_LEVEL_ERROR,
            Level::Fatal => Self::K6RW_LEVEL_FATAL,
        }
    }
}

/// Stream of a command.
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum StreamCode {
    /// Results.
    K6RW_STREAM_STDOUT = 1,
    /// Progress and warnings.
    K6RW_STREAM_STDERR = 2,
}

impl From<Stream> for StreamCode {
    fn from(stream: Stream) -> Self {
        match stream {
            Stream::Stdout => Self::K6RW_STREAM_STDOUT,
            Stream::Stderr => Self::K6RW_STREAM_STDERR,
        }
    }
}

/// A string: UTF-8 with a length, not terminated by NUL.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Text {
    /// The first byte. May be NULL if len is 0.
    pub data: *const c_char,
    /// The length in bytes.
    pub len: usize,
}

/// A tag of a series.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Tag {
    /// The name in k6. The library turns it into a valid label name.
    pub name: Text,
    /// The value. A tag with an empty value is ignored.
    pub value: Text,
}

/// A k6 series: a metric and a set of tags.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Series {
    /// The name of the metric in k6, such as http_req_duration.
    pub metric: Text,
    /// A k6rw_metric_type.
    pub metric_type: u32,
    /// A k6rw_value_type.
    pub value_type: u32,
    /// The tags, in any order. May be NULL if tag_count is 0.
    pub tags: *const Tag,
    /// The number of tags.
    pub tag_count: usize,
}

/// A sample with metadata, such as the id of a trace.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct ExemplarRecord {
    /// The sample.
    pub sample: Sample,
    /// The metadata, in any order. May be NULL if metadata_count is 0.
    pub metadata: *const Tag,
    /// The number of names in the metadata.
    pub metadata_count: usize,
}

/// The message of a failed call. Owned by the caller.
#[derive(Debug)]
#[repr(C)]
pub struct Error {
    /// The message: UTF-8, terminated by NUL, truncated if too long. Empty after K6RW_OK.
    pub message: [c_char; ERROR_SIZE],
    /// The length of the message in bytes, without the NUL.
    pub message_len: usize,
}

/// A line for the log. Owned by the caller.
#[derive(Debug)]
#[repr(C)]
pub struct EventRecord {
    /// A k6rw_level.
    pub level: u32,
    /// The message: UTF-8, terminated by NUL, truncated if too long.
    pub message: [c_char; EVENT_MESSAGE_SIZE],
    /// The length of the message in bytes, without the NUL.
    pub message_len: usize,
    /// The fields: a JSON object, terminated by NUL. Fields that do not fit are left out.
    pub fields: [c_char; EVENT_FIELDS_SIZE],
    /// The length of the fields in bytes, without the NUL.
    pub fields_len: usize,
}

/// A part of the output of a command. Owned by the caller.
#[derive(Debug)]
#[repr(C)]
pub struct ChunkRecord {
    /// A k6rw_stream.
    pub stream: u32,
    /// The text: UTF-8, terminated by NUL. It may end within a line, not within a character.
    pub text: [c_char; CHUNK_SIZE],
    /// The length of the text in bytes, without the NUL.
    pub text_len: usize,
}
