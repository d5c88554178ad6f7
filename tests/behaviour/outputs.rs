//! What tests of delivery ask of an output: its events, its report, and the counts in it.

use std::time::{Duration, Instant};

use k6_remote_write::output::Output;
use k6_remote_write::report::{Event, Level};
use serde_json::Value;

use crate::recording_receiver::PATIENCE;

/// Closes an output and checks that its report adds up. Returns the report without debug events.
pub fn close(output: &Output) -> Value {
    let mut report: Value = serde_json::from_str(output.close().expect("open")).expect("JSON");
    let ends = ["points_sent", "points_failed", "points_dropped", "points_in_unsent_file", "points_lost"];
    let sum: u64 = ends.iter().map(|end| count(&report, end)).sum();
    assert_eq!(sum, count(&report, "points"), "{report:#}");
    let outcomes = ["samples_in", "samples_invalid_name", "samples_invalid_series", "samples_name_conflict"];
    let samples: u64 = outcomes.iter().map(|outcome| count(&report, outcome)).sum();
    assert_eq!(report["samples"], samples, "{report:#}");
    report["events"].as_array_mut().expect("events").retain(|event| event["level"] != "debug");
    report
}

/// Returns a count of the only destination in a report.
pub fn count(report: &Value, name: &str) -> u64 {
    report["destinations"][0][name].as_u64().unwrap_or_else(|| panic!("{name} in {report:#}"))
}

/// Polls until there is an event above debug level.
pub fn await_event(output: &Output) -> Event {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match output.poll_event().expect("open") {
            Some(event) if event.level != Level::Debug => return event,
            Some(_) => {}
            None => std::thread::sleep(Duration::from_millis(5)),
        }
        assert!(Instant::now() < deadline, "no event");
    }
}
