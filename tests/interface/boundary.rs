//! The C ABI called from Rust, for tools that need all code to be Rust: `make miri` and `make sanitize`. C programs are in
//! tests/abi/.

#![allow(unsafe_code)]

use std::ptr::{null, null_mut, without_provenance_mut};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::calls::{
    call, cancel_flush, close, description, free, open, poll_event, push, push_batch, push_exemplars, register, text,
};
use crate::recording_receiver::{Recorder, Reply, exemplars};
use k6_remote_write::ffi::*;
use serde_json::json;

/// Opens an output without self metrics, with windows of 100 ms. Miri is slow: it gets one window, and no trusted CAs to read.
fn open_to(url: &str) -> *mut OutputHandle {
    let json = json!({
        "pushInterval": if cfg!(miri) { "1h" } else { "100ms" },
        "insecureSkipTLSVerify": true,
        "timeout": "5m",
        "flushTimeout": "5m",
        "selfMetrics": false,
        "unsentDirectory": "",
    });
    let (status, message, output) = open(json!({ "argument": url, "json": json }).to_string().as_bytes());
    assert_eq!(status, Status::K6RW_OK, "{message}");
    output
}

fn samples(series: u64, count: usize) -> Vec<Sample> {
    vec![Sample { series, time_ms: 0, value: 1.0 }; count]
}

#[test]
fn a_whole_run_arrives() {
    let receiver = Recorder::start(|_| Reply::Status(204));
    let output = open_to(&receiver.url());
    assert!(description(output).1.contains(&receiver.url()));
    assert_eq!(register(output, b"reqs", (0, 0), &[(b"method", b"GET"), (b"empty", b"")]), (Status::K6RW_OK, 1));
    assert_eq!(register(output, b"times", (2, 1), &[]), (Status::K6RW_OK, 2));
    assert_eq!(register(output, b"not a name", (1, 0), &[]), (Status::K6RW_OK, 3));
    assert_eq!(push(output, 1, 1.0), Status::K6RW_OK);
    assert_eq!(push_batch(output, &[samples(1, 4100), samples(2, 3)].concat()), Status::K6RW_OK);
    assert_eq!(
        push_batch(output, &[samples(1, 1), samples(9, 1), samples(1, 1)].concat()),
        Status::K6RW_UNKNOWN_SERIES
    );
    let (status, report) = close(output);
    assert_eq!((status, &report.expect("was open")["samples"]), (Status::K6RW_OK, &json!(4106)));
    assert_eq!(free(output), Status::K6RW_OK);
    let totals = receiver.points().remove(r#"k6_reqs_total{method="GET"}"#).expect("there");
    assert_eq!(totals.iter().map(|&(_, value)| value).rfind(|value| !value.is_nan()), Some(4103.0));
}

#[test]
fn a_sample_with_metadata_arrives_whatever_is_wrong_with_it() {
    let receiver = Recorder::start(|_| Reply::Status(204));
    let output = open_to(&receiver.url());
    assert_eq!(register(output, b"reqs", (0, 0), &[]), (Status::K6RW_OK, 1));
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as i64;
    let sample = |series| Sample { series, time_ms: now_ms, value: 1.0 };
    let push = |samples: &[Sample], metadata: &[(&[u8], &[u8])]| push_exemplars(output, samples, metadata);
    assert_eq!(push(&[sample(1)], &[(b"other", b"\xff"), (b"trace_id", b"abc")]), Status::K6RW_OK);
    assert_eq!(push(&[sample(1), sample(1)], &[(b"trace_id", b"\xff")]), Status::K6RW_INVALID_UTF8);
    assert_eq!(push(&[sample(1)], &[(b"\xff", b"x"), (b"trace_id", b"def")]), Status::K6RW_INVALID_UTF8);
    assert_eq!(push(&[sample(1), sample(9)], &[]), Status::K6RW_UNKNOWN_SERIES);
    assert_eq!(close(output).1.expect("was open")["samples"], 5);
    assert_eq!(free(output), Status::K6RW_OK);
    let exemplars = exemplars(receiver.requests().into_iter().map(|request| request.message));
    let labels: Vec<_> = exemplars["k6_reqs_total"].iter().map(|exemplar| &*exemplar.2).collect();
    assert_eq!(labels, [r#"trace_id="abc""#]);
}

#[test]
fn events_have_a_message_and_fields() {
    let output = open_to("http://127.0.0.1:1/");
    register(output, &b"no name ".repeat(1000), (1, 0), &[]);
    let (message, fields) = loop {
        if let (Status::K6RW_OK, Some(event)) = poll_event(output) {
            break event;
        }
        thread::yield_now();
    };
    assert!(!message.is_empty() && fields.is_object(), "{message}: {fields}");
    assert_eq!(cancel_flush(output), Status::K6RW_OK);
    assert_eq!(free(output), Status::K6RW_OK);
}

#[test]
fn what_the_header_forbids_is_an_error() {
    use Status::*;
    let null_handle = null_mut::<OutputHandle>();
    let output = open_to("http://127.0.0.1:1/");
    let misaligned = |address: usize| without_provenance_mut::<u8>(address + 1);
    let series = Series { metric: text(b"m"), metric_type: 0, value_type: 0, tags: null(), tag_count: 0 };
    let with = |change: fn(&mut Series)| {
        let mut series = series;
        change(&mut series);
        let mut id = 0;
        // SAFETY: null or valid, except pointers that are not read, since they are misaligned or have an invalid length.
        call(|error| unsafe { k6rw_register_series(output, &series, &mut id, error) }).0
    };
    let status = |function: &dyn Fn(*mut Error) -> Status| call(function).0;
    // SAFETY: as above. A handle may be any value.
    unsafe {
        assert_eq!(status(&|error| k6rw_open(null(), 1, &mut null_mut(), error)), K6RW_NULL_POINTER);
        assert_eq!(status(&|error| k6rw_open(b"{}".as_ptr().cast(), 2, null_mut(), error)), K6RW_NULL_POINTER);
        assert_eq!(
            status(&|error| k6rw_open(b"{}".as_ptr().cast(), 2, misaligned(16).cast(), error)),
            K6RW_INVALID_ARGUMENT
        );
        assert_eq!(
            status(&|error| k6rw_open(b"{}".as_ptr().cast(), usize::MAX, &mut null_mut(), error)),
            K6RW_INVALID_ARGUMENT
        );
        assert_eq!(status(&|error| k6rw_description(output, null_mut(), error)), K6RW_NULL_POINTER);
        assert_eq!(status(&|error| k6rw_register_series(output, null(), &mut 0, error)), K6RW_NULL_POINTER);
        assert_eq!(
            status(&|error| k6rw_register_series(output, misaligned(16).cast(), &mut 0, error)),
            K6RW_INVALID_ARGUMENT
        );
        assert_eq!(status(&|error| k6rw_register_series(output, &series, null_mut(), error)), K6RW_NULL_POINTER);
        assert_eq!(status(&|error| k6rw_push_batch(output, null(), 1, error)), K6RW_NULL_POINTER);
        assert_eq!(status(&|error| k6rw_push_batch(output, null(), 0, error)), K6RW_OK);
        assert_eq!(status(&|error| k6rw_push_batch(output, misaligned(16).cast(), 1, error)), K6RW_INVALID_ARGUMENT);
        assert_eq!(status(&|error| k6rw_push_exemplars(output, null(), 1, error)), K6RW_NULL_POINTER);
        assert_eq!(status(&|error| k6rw_push_exemplars(output, null(), 0, error)), K6RW_OK);
        assert_eq!(
            status(&|error| k6rw_push_exemplars(output, misaligned(16).cast(), 1, error)),
            K6RW_INVALID_ARGUMENT
        );
        assert_eq!(status(&|error| k6rw_exemplar_names(output, null_mut(), error)), K6RW_NULL_POINTER);
        assert_eq!(status(&|error| k6rw_poll_event(output, null_mut(), error)), K6RW_NULL_POINTER);
        assert_eq!(status(&|error| k6rw_close(output, null_mut(), error)), K6RW_NULL_POINTER);
        // The error may be null or misaligned.
        assert_eq!(k6rw_push(output, 7, 0, 1.0, null_mut()), K6RW_UNKNOWN_SERIES);
        assert_eq!(k6rw_push(output, 7, 0, 1.0, misaligned(16).cast()), K6RW_UNKNOWN_SERIES);
    }
    assert_eq!(with(|series| series.metric = text(b"\xff")), K6RW_INVALID_UTF8);
    assert_eq!(with(|series| series.metric = Text { data: null(), len: 1 }), K6RW_NULL_POINTER);
    assert_eq!(with(|series| series.metric.len = usize::MAX), K6RW_INVALID_ARGUMENT);
    assert_eq!(with(|series| series.metric_type = 4), K6RW_INVALID_ARGUMENT);
    assert_eq!(with(|series| series.value_type = 3), K6RW_INVALID_ARGUMENT);
    assert_eq!(with(|series| series.tag_count = 1), K6RW_NULL_POINTER);
    assert_eq!(with(|series| series.tag_count = usize::MAX), K6RW_INVALID_ARGUMENT);
    for (handle, expected) in [
        (null_handle, K6RW_NULL_POINTER),
        (without_provenance_mut(1), K6RW_INVALID_HANDLE),
        (output.wrapping_byte_add(1), K6RW_INVALID_HANDLE),
    ] {
        assert_eq!((push(handle, 1, 1.0), description(handle).0, close(handle).0), (expected, expected, expected));
    }
    assert_eq!((free(null_handle), free(without_provenance_mut(1))), (K6RW_OK, K6RW_INVALID_HANDLE));
    assert_eq!(cancel_flush(output), K6RW_OK);
    assert_eq!((close(output).0, close(output).0), (K6RW_OK, K6RW_CLOSED));
    assert_eq!(
        (push(output, 1, 1.0), description(output).0, poll_event(output).0),
        (K6RW_CLOSED, K6RW_CLOSED, K6RW_CLOSED)
    );
    assert_eq!((free(output), free(output), cancel_flush(output)), (K6RW_OK, K6RW_INVALID_HANDLE, K6RW_INVALID_HANDLE));
}

/// Registers, pushes and polls until the output is closed. Returns how many samples were accepted.
fn work(output: *mut OutputHandle) -> usize {
    let mut accepted = 0;
    for _ in 0..3 {
        let (status, id) = register(output, b"shared", (0, 0), &[]);
        if status != Status::K6RW_OK || push_batch(output, &samples(id, 5)) != Status::K6RW_OK {
            break;
        }
        accepted += 5;
        poll_event(output);
    }
    accepted
}

#[test]
fn samples_that_are_pushed_before_the_close_are_counted() {
    let receiver = Recorder::start(|_| Reply::Status(204));
    let address = open_to(&receiver.url()).addr();
    thread::scope(|scope| {
        let workers = [(); 3].map(|()| scope.spawn(move || work(without_provenance_mut(address))));
        let (_, report) = close(without_provenance_mut(address));
        let accepted: usize = workers.into_iter().map(|worker| worker.join().expect("ends")).sum();
        assert_eq!(report.expect("was open")["samples"], accepted);
    });
    assert_eq!(free(without_provenance_mut(address)), Status::K6RW_OK);
}

#[test]
fn an_output_may_be_freed_while_other_threads_use_it() {
    let address = open_to("http://127.0.0.1:1/").addr();
    thread::scope(|scope| {
        (0..3).for_each(|_| drop(scope.spawn(move || work(without_provenance_mut(address)))));
        assert_eq!(cancel_flush(without_provenance_mut(address)), Status::K6RW_OK);
        assert_eq!(free(without_provenance_mut(address)), Status::K6RW_OK);
    });
    assert_eq!(push(without_provenance_mut(address), 1, 1.0), Status::K6RW_INVALID_HANDLE);
}
