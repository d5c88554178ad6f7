//! Series that are too large: they are registered, so that their samples are counted, and cost no other series.

use crate::calls::{close, free, open, push, register};
use crate::recording_receiver::{Recorder, Reply};
use k6_remote_write::ffi::{OutputHandle, Status};
use serde_json::{Value, json};

const COUNTER: (u32, u32) = (0, 0);

fn open_to(recorder: &Recorder, options: &Value) -> *mut OutputHandle {
    let (status, message, output) = open(json!({ "argument": recorder.url(), "json": options }).to_string().as_bytes());
    assert_eq!(status, Status::K6RW_OK, "{message}");
    output
}

/// Registers a counter with a tag of this size, and adds samples to it.
fn count(output: *mut OutputHandle, metric: &str, tag_bytes: usize, samples: usize) {
    let value = "x".repeat(tag_bytes);
    let (status, id) = register(output, metric.as_bytes(), COUNTER, &[(b"tag", value.as_bytes())]);
    assert_eq!(status, Status::K6RW_OK);
    (0..samples).for_each(|_| assert_eq!(push(output, id, 1.0), Status::K6RW_OK));
}

fn report(output: *mut OutputHandle) -> Value {
    let (_, report) = close(output);
    assert_eq!(free(output), Status::K6RW_OK);
    let mut report = report.expect("open");
    report["events"].as_array_mut().expect("events").retain(|event| event["level"] != "debug");
    report
}

#[test]
fn samples_of_a_series_that_is_too_large_are_counted() {
    let recorder = Recorder::start(|_| Reply::Status(204));
    let output = open_to(&recorder, &json!({ "selfMetrics": false }));
    count(output, "large", 2 << 20, 3);
    count(output, "large", 3 << 20, 2);
    count(output, "small", 1, 7);
    let report = report(output);
    let counts = &report["destinations"][0];
    assert_eq!((&counts["samples_in"], &counts["samples_invalid_series"]), (&json!(7), &json!(5)));
    let [line, last] = &report["events"].as_array().expect("events")[..] else { panic!("{report:#}") };
    assert_eq!((&line["level"], &line["message"]), (&json!("error"), &json!("Failed to register series")));
    assert_eq!(line["fields"]["metric"], "large");
    let error = line["fields"]["error"].as_str().expect("text");
    assert_eq!(error, "series has 2097160 bytes of text: must be at most 1048576");
    assert_eq!((&last["level"], &last["fields"]["samples_invalid_series"]), (&json!("error"), &json!(5)));
    assert_eq!(recorder.points().into_keys().collect::<Vec<_>>(), [r#"k6_small_total{tag="x"}"#]);
}

#[test]
fn a_series_that_no_view_selects_is_no_loss() {
    let recorder = Recorder::start(|_| Reply::Status(204));
    let output = open_to(&recorder, &json!({ "metrics": "small", "includeDefaultMetrics": false }));
    count(output, "large", 2 << 20, 3);
    count(output, "small", 1, 7);
    let report = report(output);
    assert_eq!(report["destinations"][0]["samples_invalid_series"], 0);
    assert_eq!(report["events"][0]["level"], "info", "{report:#}");
}
