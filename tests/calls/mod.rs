//! Short forms of the C functions, for tests that call the library as C does.

#![allow(unsafe_code)]
#![allow(dead_code)] // each test file uses only some functions

use std::ffi::{CStr, c_char};
use std::mem::MaybeUninit;
use std::ptr::{null, null_mut};

use k6_remote_write::ffi::*;
use serde_json::Value;

/// Calls a function with an error, and checks that there is a message if and only if it failed.
pub fn call(function: impl FnOnce(*mut Error) -> Status) -> (Status, String) {
    let mut error = MaybeUninit::<Error>::uninit();
    let status = function(error.as_mut_ptr());
    // SAFETY: every function initialises its error.
    let message = unsafe { CStr::from_ptr((&raw const (*error.as_ptr()).message).cast::<c_char>()) };
    let message = message.to_str().expect("UTF-8").to_owned();
    assert_eq!(message.is_empty(), status == Status::K6RW_OK, "{status:?}: {message}");
    (status, message)
}

pub fn open(document: &[u8]) -> (Status, String, *mut OutputHandle) {
    let mut output = null_mut();
    // SAFETY: all pointers are valid.
    let (status, message) =
        call(|error| unsafe { k6rw_open(document.as_ptr().cast(), document.len(), &mut output, error) });
    (status, message, output)
}

pub fn description(output: *const OutputHandle) -> (Status, String) {
    let mut text = Text { data: null(), len: 0 };
    // SAFETY: all pointers are valid, and a handle may be any value.
    let (status, _) = call(|error| unsafe { k6rw_description(output, &mut text, error) });
    (status, owned(text))
}

pub fn text(bytes: &[u8]) -> Text {
    Text { data: bytes.as_ptr().cast(), len: bytes.len() }
}

pub fn register(output: *mut OutputHandle, metric: &[u8], codes: (u32, u32), tags: &[(&[u8], &[u8])]) -> (Status, u64) {
    let tags: Vec<_> = tags.iter().map(|&(name, value)| Tag { name: text(name), value: text(value) }).collect();
    let series = Series {
        metric: text(metric),
        metric_type: codes.0,
        value_type: codes.1,
        tags: tags.as_ptr(),
        tag_count: tags.len(),
    };
    let mut id = 0;
    // SAFETY: all pointers are valid, and a handle may be any value.
    let (status, _) = call(|error| unsafe { k6rw_register_series(output, &series, &mut id, error) });
    (status, id)
}

pub fn push(output: *mut OutputHandle, series: u64, value: f64) -> Status {
    // SAFETY: the error is valid, and a handle may be any value.
    call(|error| unsafe { k6rw_push(output, series, 0, value, error) }).0
}

pub fn push_batch(output: *mut OutputHandle, samples: &[Sample]) -> Status {
    // SAFETY: all pointers are valid, and a handle may be any value.
    call(|error| unsafe { k6rw_push_batch(output, samples.as_ptr(), samples.len(), error) }).0
}

/// Returns the next event's message and fields.
pub fn poll_event(output: *mut OutputHandle) -> (Status, Option<(String, Value)>) {
    let mut event = MaybeUninit::<EventRecord>::uninit();
    // SAFETY: all pointers are valid, and a handle may be any value.
    let (status, _) = call(|error| unsafe { k6rw_poll_event(output, event.as_mut_ptr(), error) });
    let event = (status == Status::K6RW_OK).then(|| {
        // SAFETY: both strings are initialised and terminated by NUL, though not all of the record.
        let [message, fields] = unsafe {
            let event = event.as_ptr();
            [(&raw const (*event).message).cast::<c_char>(), (&raw const (*event).fields).cast()]
                .map(|text| CStr::from_ptr(text).to_str().expect("UTF-8"))
        };
        (message.to_owned(), serde_json::from_str(fields).expect("JSON"))
    });
    (status, event)
}

pub fn close(output: *mut OutputHandle) -> (Status, Option<Value>) {
    let mut report = Text { data: null(), len: 0 };
    // SAFETY: all pointers are valid, and a handle may be any value.
    let (status, _) = call(|error| unsafe { k6rw_close(output, &mut report, error) });
    (status, (status == Status::K6RW_OK).then(|| serde_json::from_str(&owned(report)).expect("JSON")))
}

pub fn cancel_flush(output: *mut OutputHandle) -> Status {
    // SAFETY: the error is valid, and a handle may be any value.
    call(|error| unsafe { k6rw_cancel_flush(output, error) }).0
}

pub fn free(output: *mut OutputHandle) -> Status {
    // SAFETY: the error is valid, and a handle may be any value.
    call(|error| unsafe { k6rw_free(output, error) }).0
}

fn owned(text: Text) -> String {
    if text.len == 0 {
        return String::new();
    }
    // SAFETY: the library returned it, and its output was not freed yet.
    let bytes = unsafe { std::slice::from_raw_parts(text.data.cast::<u8>(), text.len) };
    std::str::from_utf8(bytes).expect("UTF-8").to_owned()
}
