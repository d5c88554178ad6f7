//! The structs and enums of the header. Their layout is the contract of one ABI version.

use std::ffi::c_char;

pub use crate::k6::Sample;

/// Counts up with every change that a program compiled against an older header would not survive: `docs/abi.md` has the rules.
/// `build.rs` reads this line.
pub const ABI_VERSION: u32 = 1;

/// Bytes for the text of an error, its final NUL among them.
pub const ERROR_SIZE: usize = 4096;

/// Bytes for the message of an event, its final NUL among them.
pub const EVENT_MESSAGE_SIZE: usize = 1024;

/// Bytes for the fields of an event, their final NUL among them.
pub const EVENT_FIELDS_SIZE: usize = 4096;

/// An open output. Opaque: made by k6rw_open(), ended by k6rw_free().
#[derive(Debug)]
pub struct OutputHandle {
    _opaque: (),
}

/// What became of a call.
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Status {
    /// Done.
    K6RW_OK = 0,
    /// A pointer is null that must not be.
    K6RW_NULL_POINTER = 1,
    /// A length, an enum's value or a pointer's alignment is not possible.
    K6RW_INVALID_ARGUMENT = 2,
    /// Text is not UTF-8.
    K6RW_INVALID_UTF8 = 3,
    /// The configuration is not valid, and the message has every mistake; or a file that it names is not.
    K6RW_INVALID_CONFIG = 4,
    /// The handle is not one that k6rw_open() gave, or it has been freed.
    K6RW_INVALID_HANDLE = 5,
    /// Samples had ids that k6rw_register_series() never gave. They were left out; all others were taken.
    K6RW_UNKNOWN_SERIES = 6,
    /// The output has been closed.
    K6RW_CLOSED = 7,
    /// No event waits. Not an error.
    K6RW_NO_EVENT = 8,
    /// The system refused what the library needs, such as a thread.
    K6RW_SYSTEM = 9,
    /// The library failed. The call had no effect, or only a part of it; please report it.
    K6RW_INTERNAL = 10,
    /// The option preflight is on, and a receiver does not take metrics. The message has all that do not, and why.
    K6RW_PREFLIGHT_FAILED = 11,
}

/// The type of a k6 metric.
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum MetricTypeCode {
    /// Sums its values.
    K6RW_METRIC_COUNTER = 0,
    /// Keeps its latest value.
    K6RW_METRIC_GAUGE = 1,
    /// Keeps the distribution of its values.
    K6RW_METRIC_TREND = 2,
    /// Keeps the share of its values that are not zero.
    K6RW_METRIC_RATE = 3,
}

/// What the values of a k6 metric are.
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum ValueTypeCode {
    /// Plain numbers.
    K6RW_VALUE_DEFAULT = 0,
    /// Durations in milliseconds. They are shipped in seconds.
    K6RW_VALUE_TIME = 1,
    /// Amounts of data in bytes.
    K6RW_VALUE_DATA = 2,
}

/// How serious an event is.
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum LevelCode {
    /// For those who look for it.
    K6RW_LEVEL_DEBUG = 0,
    /// Good to know.
    K6RW_LEVEL_INFO = 1,
    /// May heal by itself.
    K6RW_LEVEL_WARN = 2,
    /// Something is lost.
    K6RW_LEVEL_ERROR = 3,
    /// The test is to stop. Comes only if the option abortOnFailure is set, and once.
    K6RW_LEVEL_FATAL = 4,
}

/// Text as pointer and length: UTF-8, not ended by NUL. The pointer may be null if the length is 0.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Text {
    /// The first byte.
    pub data: *const c_char,
    /// The number of bytes.
    pub len: usize,
}

/// A tag of a series.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Tag {
    /// As k6 has it: made a valid label name by the library.
    pub name: Text,
    /// An empty value leaves the label out.
    pub value: Text,
}

/// A k6 metric and one of its tag sets.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Series {
    /// The metric's name in k6, such as http_req_duration.
    pub metric: Text,
    /// One of k6rw_metric_type.
    pub metric_type: u32,
    /// One of k6rw_value_type.
    pub value_type: u32,
    /// The tags in any order. May be null if tag_count is 0.
    pub tags: *const Tag,
    /// The number of tags.
    pub tag_count: usize,
}

/// Receives the message of a call that failed. Owned by the caller, who need not initialise it.
#[derive(Debug)]
#[repr(C)]
pub struct Error {
    /// The message: UTF-8, ended by NUL, cut if it is longer than the array. Empty after a call that did not fail.
    pub message: [c_char; ERROR_SIZE],
    /// Its bytes without the NUL.
    pub message_len: usize,
}

/// Receives a line for the log. Owned by the caller, who need not initialise it.
#[derive(Debug)]
#[repr(C)]
pub struct EventRecord {
    /// One of k6rw_level.
    pub level: u32,
    /// The message: one sentence, UTF-8, ended by NUL, cut if it is longer than the array.
    pub message: [c_char; EVENT_MESSAGE_SIZE],
    /// Its bytes without the NUL.
    pub message_len: usize,
    /// A JSON object with the event's fields, ended by NUL. Fields that do not fit into the array are left out.
    pub fields: [c_char; EVENT_FIELDS_SIZE],
    /// Its bytes without the NUL.
    pub fields_len: usize,
}
