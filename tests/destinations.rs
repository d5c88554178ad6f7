//! Several destinations in one process: two that send the same series to one receiver, and the numbers of all.

#[path = "fixtures/recording_receiver/mod.rs"]
mod recording_receiver;

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use k6_remote_write::output::Output;
use k6_remote_write::report::Level;
use recording_receiver::{Recorder, Reply};
use serde_json::{Map, Value, json};

const URL: &str = "http://127.0.0.1:1/api/v1/write";

/// The open outputs of a process know of each other, so the tests run one after the other.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens an output that ends without waiting for a receiver.
fn open(mut document: Value) -> Output {
    document["json"]["flushTimeout"] = json!("0s");
    document["json"]["unsentDirectory"] = json!("");
    Output::open(document.to_string().as_bytes()).expect("valid")
}

/// Returns the fields of the warnings about one receiver.
fn warnings(output: &Output) -> Vec<Map<String, Value>> {
    let events = std::iter::from_fn(|| output.poll_event().expect("open"));
    let warnings = events.filter(|event| event.level == Level::Warn && event.message.starts_with("Two destinations"));
    warnings.map(|event| event.fields).collect()
}

fn block(options: Value) -> Value {
    let mut block =
        json!({ "provider": "prometheus", "remoteWriteURL": URL, "flushTimeout": "0s", "unsentDirectory": "" });
    block.as_object_mut().expect("is one").extend(options.as_object().expect("is one").clone());
    block
}

fn script(blocks: impl IntoIterator<Item = Value>) -> Value {
    json!({ "ext": { "apm": blocks.into_iter().map(block).collect::<Vec<_>>() } })
}

#[test]
fn two_destinations_with_one_receiver_are_a_warning_that_names_both() {
    let _alone = alone();
    let environment = json!({ "K6_PROMETHEUS_RW_SERVER_URL": format!("{URL}?db=k6") });
    for (document, first, second) in [
        (
            json!({ "environment": environment, "script": script([json!({})]) }),
            "K6_PROMETHEUS_RW_SERVER_URL (environment)",
            "options.ext.loadimpact.apm[0].remoteWriteURL (script)",
        ),
        (
            json!({ "script": script([json!({}), json!({ "resampleRate": 1 })]) }),
            "options.ext.loadimpact.apm[0].remoteWriteURL (script)",
            "options.ext.loadimpact.apm[1].remoteWriteURL (script)",
        ),
        (
            json!({ "run": { "otherOutputs": ["json", "experimental-prometheus-rw"] } }),
            "--out experimental-prometheus-rw",
            "the default URL",
        ),
        (
            json!({ "argument": URL, "environment": environment, "run": { "otherOutputs": ["experimental-prometheus-rw"] } }),
            "--out experimental-prometheus-rw",
            "the argument of --out",
        ),
    ] {
        let warnings = warnings(&open(document));
        let [fields] = &warnings[..] else { panic!("{first}, {second}: {warnings:?}") };
        assert_eq!((&fields["other_destination"], &fields["destination"]), (&first.into(), &second.into()));
        let way = if first.starts_with("--out") { "K6_PROMETHEUS_RW_METRIC_PREFIX" } else { "metricPrefix" };
        assert!(fields["hint"].as_str().is_some_and(|hint| hint.contains(way)), "{fields:?}");
    }
}

#[test]
fn two_outputs_with_one_receiver_are_a_warning_as_long_as_both_are_open() {
    let _alone = alone();
    let document = || json!({ "argument": URL });
    let first = open(document());
    assert_eq!(warnings(&first), []);
    let second = open(document());
    let found = warnings(&second);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["other_destination"], "the argument of --out");
    drop((first, second));
    assert_eq!(warnings(&open(document())), []);
}

#[test]
fn destinations_whose_series_differ_are_kept_apart() {
    let _alone = alone();
    let only = |metric: &str| json!({ "includeDefaultMetrics": false, "metrics": [metric] });
    for blocks in [
        [json!({}), json!({ "metricPrefix": "other_" })],
        [json!({}), json!({ "labels": { "a": "b" } })],
        [json!({}), json!({ "includeTestRunId": true })],
        [json!({}), json!({ "remoteWriteURL": "http://127.0.0.1:1/other" })],
        [json!({}), json!({ "remoteWriteURL": "http://127.0.0.1:2/api/v1/write" })],
        [json!({ "headers": { "X-Scope-OrgID": "a" } }), json!({ "headers": { "X-Scope-OrgID": "b" } })],
        [json!({}), json!({ "credentials": { "username": "a" } })],
        [only("a"), only("b")],
        [
            only("a"),
            json!({ "metrics": [{ "sourceMetric": "a", "targetMetric": "c" }], "includeDefaultMetrics": false }),
        ],
    ] {
        let shown = format!("{blocks:?}");
        assert_eq!(warnings(&open(json!({ "script": script(blocks) }))), [], "{shown}");
    }
    for run in [json!({ "otherOutputs": ["json"] }), json!({ "otherOutputs": ["experimental-prometheus-rw"] })] {
        assert_eq!(warnings(&open(json!({ "argument": URL, "run": run }))), []);
    }
}

#[test]
fn self_metrics_of_all_open_destinations_have_different_numbers() {
    let _alone = alone();
    let receiver = Recorder::start(|_| Reply::Status(204));
    let open = |prefixes: &[&str]| {
        let block = |prefix| json!({ "remoteWriteURL": receiver.url(), "metricPrefix": prefix, "flushTimeout": "20s" });
        let blocks = prefixes.iter().map(block);
        Output::open(json!({ "script": script(blocks) }).to_string().as_bytes()).expect("valid")
    };
    let close = |output: Output| {
        let before = receiver.points().into_keys().collect::<BTreeSet<_>>();
        drop(output);
        let is_new = |series: &String| series.contains("_remote_write_samples_sent_total{") && !before.contains(series);
        receiver.points().into_keys().filter(is_new).collect::<Vec<_>>()
    };
    let number =
        |prefix: &str, number: usize| format!("{prefix}_remote_write_samples_sent_total{{destination=\"{number}\"}}");
    let (first, second) = (open(&["a_", "b_"]), open(&["c_"]));
    assert_eq!(close(first), [number("a", 1), number("b", 2)]);
    // The lowest that is free.
    let third = open(&["d_"]);
    assert_eq!(close(second), [number("c", 3)]);
    assert_eq!(close(third), [number("d", 1)]);
}
