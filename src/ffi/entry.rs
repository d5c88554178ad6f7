//! The functions of the header. Each checks its arguments, calls the output, and writes the result.

use std::ffi::c_char;
use std::io;
use std::ptr;
use std::time::Duration;

use super::borrow::{check_out, definition, item, samples_with_metadata, slice, write_out};
use super::call::{call, call_on, write_text};
use super::error::CallError;
use super::handle;
use super::layout::{
    ABI_VERSION, ChunkRecord, CommandHandle, Error, EventRecord, ExemplarRecord, LevelCode, OutputHandle, Sample,
    Series, Status, StreamCode, Text,
};
use super::libc;
use crate::command::{Chunk, Command, Poll};
use crate::fault;
use crate::output::Output;
use crate::panics::catch;
use crate::report::Event;
use crate::threads;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Returns the version of the ABI of the library. If it is not K6RW_ABI_VERSION, do not call any other function.
#[unsafe(no_mangle)]
pub extern "C" fn k6rw_abi_version() -> u32 {
    libc::require();
    ABI_VERSION
}

/// Returns the version of the library, such as 1.2.3. Valid as long as the library is loaded.
#[unsafe(no_mangle)]
pub extern "C" fn k6rw_version() -> Text {
    text(VERSION)
}

/// Opens an output: validates the configuration, starts the background threads, and returns a handle.
///
/// `config` is a JSON object of `config_len` bytes. All fields are optional:
///
/// - "argument": string, the text after `--out remote-write=`.
/// - "environment": object, the environment variables, at least those that begin with K6_PROMETHEUS_ or AWS_.
/// - "json": object or null, `collectors."remote-write"` of k6's JSON configuration.
/// - "script": object, with `options.ext.loadimpact` of the script as "ext" and its `options.cloud` as "cloud". If several
///   open outputs have the same "script", only the first one sends to the destinations in it.
/// - "run": object, with the "tags" of all samples, the "executionSegment" such as "0:1/2", the "features" that are on,
///   the "cloudTestRunId" of k6 Cloud, the "k6Version" such as "v2.2.0", the URL of the "script", the names of the
///   "scenarios", as "otherOutputs" the names of outputs of other kinds, such as "experimental-prometheus-rw", and as
///   "systemMetadata" those of the script's `systemTags` that k6 keeps as metadata.
///
/// Blocks on the network only if the option preflight is on.
///
/// Also returns K6RW_INVALID_CONFIG, K6RW_PREFLIGHT_FAILED, K6RW_SYSTEM.
///
/// # Safety
/// The pointers must be as the conventions of the header require.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn k6rw_open(
    config: *const c_char,
    config_len: usize,
    output: *mut *mut OutputHandle,
    error: *mut Error,
) -> Status {
    // SAFETY: config, output and error are as the header requires.
    unsafe {
        call(error, || {
            check_out(output, "output")?;
            let document = slice(config.cast::<u8>(), config_len, "config")?;
            let opened = on_own_thread(|| Output::open(document))?;
            write_out(output, handle::insert(opened), "output")
        })
    }
}

/// Returns the URLs and intervals of the destinations, for display. The text has no secrets and is valid until k6rw_free().
///
/// # Safety
/// The pointers must be as the conventions of the header require.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn k6rw_description(
    output: *const OutputHandle,
    description: *mut Text,
    error: *mut Error,
) -> Status {
    // SAFETY: description and error are as the header requires; the handle is only compared.
    unsafe {
        call_on(output, error, |output| {
            check_open(output)?;
            write_out(description, text(output.description()), "description")
        })
    }
}

/// Registers a k6 series and returns its id. Ids count from 1.
///
/// An id stands for what is sent. A series that is registered again has its id again, series that differ only in tags that no
/// destination keeps share one, and so do those that no destination sends (not selected, or over maxSeries). A new id is greater
/// than all before. So the caller may forget series whose id was not new, and the memory for them is bounded. A call takes some
/// microseconds; samples do not wait for it.
///
/// A series that cannot be sent has an id, too: if the name of the metric is not valid in Prometheus, if the series has more
/// than 1 MiB of text (its tags are not read then; each counts at least 32 bytes), or if another metric has its name and its labels there. The first of each
/// metric is an event, and the samples are counted in the report, as samples_invalid_name, samples_invalid_series and
/// samples_name_conflict.
///
/// Also returns K6RW_INVALID_UTF8.
///
/// # Safety
/// The pointers must be as the conventions of the header require.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn k6rw_register_series(
    output: *mut OutputHandle,
    series: *const Series,
    id: *mut u64,
    error: *mut Error,
) -> Status {
    // SAFETY: series, all that it points to, id and error are as the header requires; the handle is only compared.
    unsafe {
        call_on(output, error, |output| {
            check_open(output)?;
            check_out(id, "id")?;
            let definition = definition(item(series, "series")?)?;
            write_out(id, output.register(definition)?, "id")
        })
    }
}

/// Records one sample. For several samples, k6rw_push_batch() is faster.
///
/// Also returns K6RW_UNKNOWN_SERIES.
///
/// # Safety
/// The pointers must be as the conventions of the header require.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn k6rw_push(
    output: *mut OutputHandle,
    series: u64,
    time_ms: i64,
    value: f64,
    error: *mut Error,
) -> Status {
    // SAFETY: error is as the header requires; the handle is only compared.
    unsafe { call_on(output, error, |output| push(output, &[Sample { series, time_ms, value }])) }
}

/// Records `len` samples. Other threads that record samples wait meanwhile.
///
/// Also returns K6RW_UNKNOWN_SERIES: the samples with an unknown id are ignored, all others are recorded.
///
/// # Safety
/// The pointers must be as the conventions of the header require.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn k6rw_push_batch(
    output: *mut OutputHandle,
    samples: *const Sample,
    len: usize,
    error: *mut Error,
) -> Status {
    // SAFETY: samples and error are as the header requires; any bytes are a valid k6rw_sample. The handle is only compared.
    unsafe {
        call_on(output, error, |output| match slice(samples, len, "samples") {
            Ok(samples) => push(output, samples),
            // Only here, since `push` checks it too, and its lock is taken for every batch.
            Err(invalid) => check_open(output).and(Err(invalid)),
        })
    }
}

/// Returns the names of the metadata that becomes exemplars, as a JSON list of strings, valid until k6rw_free(). Samples with
/// other metadata only need not be recorded with it.
///
/// # Safety
/// The pointers must be as the conventions of the header require.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn k6rw_exemplar_names(
    output: *const OutputHandle,
    names: *mut Text,
    error: *mut Error,
) -> Status {
    // SAFETY: names and error are as the header requires; the handle is only compared.
    unsafe {
        call_on(output, error, |output| {
            check_open(output)?;
            write_out(names, text(output.exemplar_names_json()), "names")
        })
    }
}

/// Records `len` samples with metadata, instead of k6rw_push_batch(). Some of them become exemplars of their series.
///
/// Also returns K6RW_UNKNOWN_SERIES: the samples with an unknown id are ignored, all others are recorded. Also returns
/// K6RW_INVALID_UTF8: as for any other error in the metadata of a sample, the sample is recorded without it.
///
/// # Safety
/// The pointers must be as the conventions of the header require.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn k6rw_push_exemplars(
    output: *mut OutputHandle,
    exemplars: *const ExemplarRecord,
    len: usize,
    error: *mut Error,
) -> Status {
    // SAFETY: exemplars, all that they point to, and error are as the header requires; the handle is only compared.
    unsafe {
        call_on(output, error, |output| {
            check_open(output)?;
            let exemplars = slice(exemplars, len, "exemplars")?;
            let (samples, metadata) = samples_with_metadata(exemplars, output.exemplar_names());
            fault::point("push");
            let unknown = output.push_with_metadata(samples)?;
            metadata?;
            if unknown == 0 { Ok(()) } else { Err(CallError::UnknownSeries(unknown)) }
        })
    }
}

/// Returns the next event, which is a line for the log. Events are rare: a few polls a second are enough. Also works while
/// k6rw_close() is running.
///
/// Also returns K6RW_NO_EVENT.
///
/// # Safety
/// The pointers must be as the conventions of the header require.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn k6rw_poll_event(
    output: *mut OutputHandle,
    event: *mut EventRecord,
    error: *mut Error,
) -> Status {
    // SAFETY: event and error are as the header requires; the handle is only compared.
    unsafe {
        call_on(output, error, |output| {
            if output.is_closed() {
                return Err(CallError::Closed);
            }
            check_out(event, "event")?;
            let next = output.poll_event()?.ok_or(CallError::NoEvent)?;
            write_event(event, &next);
            Ok(())
        })
    }
}

/// Closes the output: sends the last window and all that is queued, within the flush timeout, and writes unsent samples to
/// a file.
///
/// `report` receives a JSON object that is valid until k6rw_free(). Its "events" are those that were not polled; the last
/// ones sum up the run, one for each destination.
///
/// Blocks until the output is closed. Meanwhile other threads may call k6rw_poll_event() and k6rw_cancel_flush(); all other
/// functions except k6rw_free() return K6RW_CLOSED. Afterwards k6rw_poll_event() does so too.
///
/// # Safety
/// The pointers must be as the conventions of the header require.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn k6rw_close(output: *mut OutputHandle, report: *mut Text, error: *mut Error) -> Status {
    // SAFETY: report and error are as the header requires; the handle is only compared.
    unsafe {
        let handle = output;
        call_on(output, error, |output| {
            fault::point("close");
            check_open(output)?;
            check_out(report, "report")?;
            let closed = output.close()?;
            // If another thread has freed the output meanwhile, the report ends with this call.
            handle::get(handle)?;
            write_out(report, text(closed), "report")
        })
    }
}

/// Makes k6rw_close() stop waiting for receivers, whether it is running in another thread or is called later. Unsent samples
/// are written to a file at once. May be called on a closed output.
///
/// # Safety
/// The pointers must be as the conventions of the header require.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn k6rw_cancel_flush(output: *mut OutputHandle, error: *mut Error) -> Status {
    // SAFETY: error is as the header requires; the handle is only compared.
    unsafe {
        call_on(output, error, |output| {
            output.cancel_flush();
            Ok(())
        })
    }
}

/// Frees an output, and closes it first if it is open. `output` may be NULL. Handles are not reused, so that freeing a handle
/// twice returns K6RW_INVALID_HANDLE.
///
/// While another thread is in k6rw_close(), returns at once: that call ends on its own.
///
/// # Safety
/// The pointers must be as the conventions of the header require.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn k6rw_free(output: *mut OutputHandle, error: *mut Error) -> Status {
    // SAFETY: error is as the header requires; the handle is only compared.
    unsafe {
        call(error, || {
            if output.is_null() {
                return Ok(());
            }
            // It may be closed already.
            let _ = handle::remove(output)?.close();
            Ok(())
        })
    }
}

/// Starts a command, such as a check of a receiver, and returns a handle.
///
/// `document` is a JSON object of `document_len` bytes, with the fields of k6rw_open() but for "argument" and "script", and these.
/// All are optional:
///
/// - "arguments": list of strings, the arguments of the command line, such as `["check", "--json"]`. `["--help"]` lists them.
/// - "program": string, how the user calls this command, such as "k6 x remote-write", for help and advice.
/// - "terminal": object, with "stdout" and "stderr", whether each is a terminal, the "width" of the terminal in columns, and
///   "color", whether colors are allowed.
///
/// Mistakes in the arguments are failures of the command, not of this call.
///
/// Also returns K6RW_INVALID_CONFIG, K6RW_SYSTEM.
///
/// # Safety
/// The pointers must be as the conventions of the header require.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn k6rw_command_open(
    document: *const c_char,
    document_len: usize,
    command: *mut *mut CommandHandle,
    error: *mut Error,
) -> Status {
    // SAFETY: document, command and error are as the header requires.
    unsafe {
        call(error, || {
            check_out(command, "command")?;
            let document = slice(document.cast::<u8>(), document_len, "document")?;
            let opened = on_own_thread(|| Command::open(document))?;
            write_out(command, handle::insert(opened), "command")
        })
    }
}

/// Returns the next part of the command's output, for which it waits at most `timeout_ms` milliseconds. A command whose output
/// is not polled waits.
///
/// Also returns K6RW_RUNNING if there is none yet, and K6RW_CLOSED if there will be none any more.
///
/// # Safety
/// The pointers must be as the conventions of the header require.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn k6rw_command_poll(
    command: *mut CommandHandle,
    timeout_ms: u32,
    chunk: *mut ChunkRecord,
    error: *mut Error,
) -> Status {
    // SAFETY: chunk and error are as the header requires; the handle is only compared.
    unsafe {
        call_on(command, error, |command| {
            check_out(chunk, "chunk")?;
            match command.poll(Duration::from_millis(timeout_ms.into())) {
                Poll::Chunk(next) => {
                    write_chunk(chunk, &next);
                    Ok(())
                }
                Poll::Running => Err(CallError::Running),
                Poll::Ended => Err(CallError::Ended),
            }
        })
    }
}

/// Asks the command to end. It saves what it must not lose, and says so in its output: poll it until K6RW_CLOSED. May be called
/// several times, and after the end.
///
/// # Safety
/// The pointers must be as the conventions of the header require.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn k6rw_command_cancel(command: *mut CommandHandle, error: *mut Error) -> Status {
    // SAFETY: error is as the header requires; the handle is only compared.
    unsafe {
        call_on(command, error, |command| {
            command.cancel();
            Ok(())
        })
    }
}

/// Returns the exit code of a command that has ended: 0 for success, 1 for a failure, 2 for mistakes in the arguments.
///
/// `failure` receives the reason, for the host to log; it is empty if the exit code is 0, and valid until k6rw_command_free().
///
/// Also returns K6RW_RUNNING.
///
/// # Safety
/// The pointers must be as the conventions of the header require.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn k6rw_command_exit_code(
    command: *const CommandHandle,
    exit_code: *mut u32,
    failure: *mut Text,
    error: *mut Error,
) -> Status {
    // SAFETY: exit_code, failure and error are as the header requires; the handle is only compared.
    unsafe {
        call_on(command, error, |command| {
            check_out(exit_code, "exit_code")?;
            check_out(failure, "failure")?;
            let end = command.end().ok_or(CallError::Running)?;
            write_out(exit_code, end.code, "exit_code")?;
            write_out(failure, text(&end.failure), "failure")
        })
    }
}

/// Frees a command. If it is running, cancels it first, waits until it has ended, and drops its output. `command` may be NULL.
/// Handles are not reused, so that freeing a handle twice returns K6RW_INVALID_HANDLE.
///
/// # Safety
/// The pointers must be as the conventions of the header require.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn k6rw_command_free(command: *mut CommandHandle, error: *mut Error) -> Status {
    // SAFETY: error is as the header requires; the handle is only compared.
    unsafe {
        call(error, || {
            if !command.is_null() {
                handle::remove(command)?.abandon();
            }
            Ok(())
        })
    }
}

/// Opens on a separate thread: parsing needs more stack than some threads of hosts have.
fn on_own_thread<T, E>(open: impl FnOnce() -> Result<T, E> + Send) -> Result<T, CallError>
where
    T: Send,
    E: From<io::Error> + Send,
    CallError: From<E>,
{
    Ok(threads::run("k6rw-open", || catch(open)).map_err(E::from)???)
}

fn push(output: &Output, samples: &[Sample]) -> Result<(), CallError> {
    fault::point("push");
    match output.push(samples)? {
        0 => Ok(()),
        unknown => Err(CallError::UnknownSeries(unknown)),
    }
}

/// Returns [`CallError::Closed`] before any other error.
fn check_open(output: &Output) -> Result<(), CallError> {
    if output.is_closing() { Err(CallError::Closed) } else { Ok(()) }
}

fn text(text: &str) -> Text {
    // The address of an empty text may be a small number, which Go takes for a damaged pointer.
    Text { data: if text.is_empty() { ptr::null() } else { text.as_ptr().cast() }, len: text.len() }
}

/// # Safety
/// `record` must be valid for writing, and aligned, as [`check_out`] checks. It need not be initialised.
unsafe fn write_event(record: *mut EventRecord, event: &Event) {
    // SAFETY: the caller guarantees that the record is writable and aligned. Its fields are written through raw pointers, since
    // a reference would require them to be initialised.
    unsafe {
        (&raw mut (*record).level).write(LevelCode::from(event.level) as u32);
        let len = write_text(&raw mut (*record).message, &event.message);
        (&raw mut (*record).message_len).write(len);
        let len = write_text(&raw mut (*record).fields, &event.fields_within(super::layout::EVENT_FIELDS_SIZE - 1));
        (&raw mut (*record).fields_len).write(len);
    }
}

/// # Safety
/// As for [`write_event`].
unsafe fn write_chunk(record: *mut ChunkRecord, chunk: &Chunk) {
    // SAFETY: as in `write_event`.
    unsafe {
        (&raw mut (*record).stream).write(StreamCode::from(chunk.stream) as u32);
        let len = write_text(&raw mut (*record).text, &chunk.text);
        (&raw mut (*record).text_len).write(len);
    }
}
