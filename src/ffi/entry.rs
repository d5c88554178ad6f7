//! The functions of the header, each a few lines: check, call, answer.

use std::ffi::c_char;

use super::borrow::{check_out, definition, item, slice, write_out};
use super::call::{call, call_on, write_text};
use super::error::CallError;
use super::handle;
use super::layout::{ABI_VERSION, Error, EventRecord, OutputHandle, Sample, Series, Status, Text};
use crate::fault;
use crate::output::Output;
use crate::report::Event;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The version of the ABI that the library has. A program checks it against K6RW_ABI_VERSION of its header before any other
/// call: if they differ, it must make none.
#[unsafe(no_mangle)]
pub extern "C" fn k6rw_abi_version() -> u32 {
    ABI_VERSION
}

/// The library's own version, such as 1.2.3. Valid for as long as the library is loaded.
#[unsafe(no_mangle)]
pub extern "C" fn k6rw_version() -> Text {
    text(VERSION)
}

/// Opens an output: reads the configuration, starts the background threads, and gives a handle.
///
/// `config` is one JSON object of `config_len` bytes with what the user wrote, unread. All of its fields may be missing:
/// "argument" (string: what follows --out remote-write=), "environment" (object: at least all of K6_PROMETHEUS_RW_*
/// and AWS_*), "json" (object or null: k6's collectors."remote-write"), "script" (object: "ext" is the script's options.ext.loadimpact,
/// "cloud" its options.cloud), "run" (object: "tags" of every sample, "executionSegment" such as "0:1/2", "features" that are
/// on, "cloudTestRunId": k6 Cloud's id of this run, if it has one, "k6Version" such as "v2.2.0", "script": the script's URL,
/// "scenarios": an array of their names). Of several open outputs that are given the same "script", the first ships to the
/// blocks in it.
///
/// K6RW_INVALID_CONFIG with every mistake of the configuration at once, K6RW_PREFLIGHT_FAILED if preflight failed. Without K6RW_OK there is no handle to free.
///
/// # Safety
/// The pointers are as the header's first paragraphs ask.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn k6rw_open(
    config: *const c_char,
    config_len: usize,
    output: *mut *mut OutputHandle,
    error: *mut Error,
) -> Status {
    // SAFETY: config, output and error are what the header asks for.
    unsafe {
        call(error, || {
            check_out(output, "the place for the output")?;
            let document = slice(config.cast::<u8>(), config_len, "the configuration")?;
            let opened = Output::open(document).map_err(CallError::from)?;
            write_out(output, handle::insert(opened), "the place for the output")
        })
    }
}

/// Where the output ships to and how often, for people; without secrets. Valid until k6rw_free().
///
/// # Safety
/// The pointers are as the header's first paragraphs ask.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn k6rw_description(
    output: *const OutputHandle,
    description: *mut Text,
    error: *mut Error,
) -> Status {
    // SAFETY: description and error are what the header asks for; the handle is only compared.
    unsafe {
        call_on(output, error, |output| {
            open(output)?;
            write_out(description, text(output.description()), "the place for the description")
        })
    }
}

/// Registers a k6 series before its first sample and gives its id, a small number from 1 on. Copies all text.
///
/// A metric whose name Prometheus does not take gets an id too, with a warning among the events; its samples are counted
/// and left out.
///
/// # Safety
/// The pointers are as the header's first paragraphs ask.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn k6rw_register_series(
    output: *mut OutputHandle,
    series: *const Series,
    id: *mut u64,
    error: *mut Error,
) -> Status {
    // SAFETY: series, all that it points to, id and error are what the header asks for; the handle is only compared.
    unsafe {
        call_on(output, error, |output| {
            open(output)?;
            check_out(id, "the place for the id")?;
            let definition = definition(item(series, "the series")?)?;
            write_out(id, output.register(definition)?, "the place for the id")
        })
    }
}

/// Hands over one sample. Never blocks on the network. For more than one at a time, k6rw_push_batch() is several times cheaper.
///
/// # Safety
/// The pointers are as the header's first paragraphs ask.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn k6rw_push(
    output: *mut OutputHandle,
    series: u64,
    time_ms: i64,
    value: f64,
    error: *mut Error,
) -> Status {
    // SAFETY: error is what the header asks for; the handle is only compared.
    unsafe { call_on(output, error, |output| push(output, &[Sample { series, time_ms, value }])) }
}

/// Hands over `len` samples. Copies them: the caller may reuse the array at once. Never blocks on the network.
///
/// K6RW_UNKNOWN_SERIES if some have ids that were never given: those are left out, all others are taken.
///
/// # Safety
/// The pointers are as the header's first paragraphs ask.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn k6rw_push_batch(
    output: *mut OutputHandle,
    samples: *const Sample,
    len: usize,
    error: *mut Error,
) -> Status {
    // SAFETY: samples and error are what the header asks for; any bytes are a valid k6rw_sample. The handle is only compared.
    unsafe {
        call_on(output, error, |output| {
            open(output)?;
            push(output, slice(samples, len, "the samples")?)
        })
    }
}

/// Takes the next line for the log, or answers K6RW_NO_EVENT. Never blocks. Events are few; to ask some times a second is enough.
///
/// # Safety
/// The pointers are as the header's first paragraphs ask.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn k6rw_poll_event(
    output: *mut OutputHandle,
    event: *mut EventRecord,
    error: *mut Error,
) -> Status {
    // SAFETY: event and error are what the header asks for; the handle is only compared.
    unsafe {
        call_on(output, error, |output| {
            if output.is_closed() {
                return Err(CallError::Closed);
            }
            check_out(event, "the place for the event")?;
            let next = output.poll_event()?.ok_or(CallError::NoEvent)?;
            write_event(event, &next);
            Ok(())
        })
    }
}

/// Closes the last window, ships all that is queued within the flush timeout, writes what is left to a file, and gives the report:
/// a JSON object, valid until k6rw_free(), whose "events" are the lines that were not polled, the last of which sums up the run.
/// Blocks until then; meanwhile other threads may still take events, and may call k6rw_cancel_flush().
///
/// After it, every function but k6rw_cancel_flush() and k6rw_free() answers K6RW_CLOSED, in every thread.
///
/// # Safety
/// The pointers are as the header's first paragraphs ask.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn k6rw_close(output: *mut OutputHandle, report: *mut Text, error: *mut Error) -> Status {
    // SAFETY: report and error are what the header asks for; the handle is only compared.
    unsafe {
        let handle = output;
        call_on(output, error, |output| {
            fault::point("close");
            open(output)?;
            check_out(report, "the place for the report")?;
            let closed = output.close()?;
            // Freed meanwhile, by another thread: the report goes with this call.
            handle::get(handle)?;
            write_out(report, text(closed), "the place for the report")
        })
    }
}

/// Has k6rw_close(), under way in another thread or still to come, not wait for receivers any longer. What is not sent yet goes to a
/// file at once. Never blocks.
///
/// # Safety
/// The pointers are as the header's first paragraphs ask.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn k6rw_cancel_flush(output: *mut OutputHandle, error: *mut Error) -> Status {
    // SAFETY: error is what the header asks for; the handle is only compared.
    unsafe {
        call_on(output, error, |output| {
            output.cancel_flush();
            Ok(())
        })
    }
}

/// Ends the handle and frees what belongs to it. An output that is still open is closed first, as k6rw_close() does. Null is
/// allowed and does nothing. A handle that was freed before is K6RW_INVALID_HANDLE: no handle is given twice.
///
/// # Safety
/// The pointers are as the header's first paragraphs ask.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn k6rw_free(output: *mut OutputHandle, error: *mut Error) -> Status {
    // SAFETY: error is what the header asks for; the handle is only compared.
    unsafe {
        call(error, || {
            if output.is_null() {
                return Ok(());
            }
            // Already closed is as good.
            let _ = handle::remove(output)?.close();
            Ok(())
        })
    }
}

fn push(output: &Output, samples: &[Sample]) -> Result<(), CallError> {
    fault::point("push");
    match output.push(samples)? {
        0 => Ok(()),
        unknown => Err(CallError::UnknownSeries(unknown)),
    }
}

/// Answers "closed" before anything else is looked at.
fn open(output: &Output) -> Result<(), CallError> {
    if output.is_closing() { Err(CallError::Closed) } else { Ok(()) }
}

fn text(text: &str) -> Text {
    Text { data: text.as_ptr().cast(), len: text.len() }
}

/// # Safety
/// `record` must be valid for writing, and aligned, as [`check_out`] checks. It need not be initialised.
unsafe fn write_event(record: *mut EventRecord, event: &Event) {
    // SAFETY: the caller promises that the record is writable and aligned; its fields are written through raw pointers, since
    // a reference would claim that they are initialised.
    unsafe {
        (&raw mut (*record).level).write(event.level as u32);
        let len = write_text(&raw mut (*record).message, &event.message);
        (&raw mut (*record).message_len).write(len);
        let len = write_text(&raw mut (*record).fields, &event.fields_within(super::layout::EVENT_FIELDS_SIZE - 1));
        (&raw mut (*record).fields_len).write(len);
    }
}
