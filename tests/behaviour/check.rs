//! The command `check`: which requests it sends, and what it concludes from responses that real receivers seldom give.

use k6_remote_write::wire::proto::v1::WriteRequest;
use serde_json::{Value, json};

use crate::commands::{Ended, end, start};
use crate::recording_receiver::{Recorder, Reply};

fn check(receiver: &Recorder, options: Value) -> Ended {
    end(&start(&["check", &receiver.url()], options))
}

#[test]
fn a_check_sends_an_empty_request_then_one_sample_of_each_series_and_its_end() {
    let receiver = Recorder::start(|_| Reply::Status(204));
    let ended = check(&receiver, json!({ "labels": "job=k6", "metricPrefix": "my_", "includeTestRunId": true }));
    assert_eq!((ended.code, &*ended.failure), (0, ""), "{}", ended.text);
    let series: Vec<_> = receiver.requests().iter().map(|request| request.message.timeseries.len()).collect();
    assert_eq!(series, [0, 1, 1, 1, 1]);
    let points = receiver.points();
    // Without the id of a run, which would make each check a new series.
    let gauge = &points[r#"my_remote_write_check{job="k6"}"#];
    assert!(gauge[0].1 == 1.0 && gauge[1].1.is_nan() && gauge[0].0 < gauge[1].0, "{gauge:?}");
    assert_eq!(gauge.len(), 2);
}

#[test]
fn a_check_reports_whether_exemplars_are_accepted() {
    let written = |count| Reply::With(204, "X-Prometheus-Remote-Write-Exemplars-Written", count, "");
    let has_exemplars = |message: &WriteRequest| message.timeseries.iter().any(|s| !s.exemplars.is_empty());
    for (receiver, options, expected) in [
        (Recorder::start(move |_| written("1")), json!({}), "· exemplars    exemplars accepted"),
        (Recorder::start(move |_| written("0")), json!({}), "· exemplars    exemplars not accepted"),
        (
            Recorder::start(|_| Reply::Status(204)),
            json!({ "protocol": "1.0" }),
            "· exemplars    exemplars not rejected; Remote Write 1.0",
        ),
        (
            Recorder::judge(move |message| Reply::Status(if has_exemplars(message) { 400 } else { 204 })),
            json!({}),
            "· exemplars    exemplars not accepted",
        ),
    ] {
        let ended = check(&receiver, options);
        assert_eq!(ended.code, 0, "{}", ended.text);
        assert!(ended.text.contains(expected), "{expected}: {}", ended.text);
    }
    let receiver = Recorder::start(|_| Reply::Status(204));
    let ended = check(&receiver, json!({ "exemplars": "" }));
    assert!(!ended.text.contains("exemplars  "), "{}", ended.text);
    assert!(!receiver.requests().iter().any(|request| has_exemplars(&request.message)));
}

#[test]
fn without_stale_markers_a_check_sends_none() {
    let receiver = Recorder::start(|_| Reply::Status(204));
    check(&receiver, json!({ "staleMarkers": false }));
    assert_eq!(receiver.requests().len(), 3);
}

#[test]
fn a_receiver_that_rejects_only_empty_requests_is_accepted_with_a_warning() {
    let receiver = Recorder::judge(|message| Reply::Status(if message.timeseries.is_empty() { 400 } else { 204 }));
    let ended = check(&receiver, json!({}));
    assert_eq!(ended.code, 0, "{}", ended.text);
    assert!(ended.text.contains("! request      rejected without samples: status 400"), "{}", ended.text);
    assert!(ended.text.contains("K6_PROMETHEUS_RW_PREFLIGHT"), "{}", ended.text);
}

#[test]
fn a_receiver_that_rejects_everything_is_asked_in_both_versions_and_fails_once() {
    let receiver = Recorder::start(|_| Reply::Status(400));
    let ended = check(&receiver, json!({}));
    assert_eq!((ended.code, ended.text.matches('✗').count()), (1, 1), "{}", ended.text);
}

#[test]
fn the_last_line_is_a_command_that_works() {
    let receiver = Recorder::start(|_| Reply::Status(204));
    let url = receiver.url();
    for (argument, expected) in [
        (url.clone(), format!("k6 run --out remote-write={url} script.js")),
        (
            format!("url={url},headers.X-Scope-OrgID=t"),
            "k6 run --out remote-write=<the same argument> script.js".into(),
        ),
    ] {
        let ended = end(&start(&["check", &argument], json!({})));
        assert!(ended.code == 0 && ended.text.ends_with(&format!("{expected}\n")), "{}", ended.text);
    }
}

#[test]
fn a_receiver_that_was_not_asked_is_not_blamed() {
    let receiver = Recorder::start(|_| Reply::Status(204));
    let ended = check(&receiver, json!({ "bearerTokenFile": "/dev/null/none" }));
    assert_eq!((ended.code, receiver.requests().len()), (1, 0));
    assert_eq!(ended.failure, "check failed: the configuration is not valid");
    assert!(
        ended.text.contains("The configuration is not valid.") && !ended.text.contains("does not accept"),
        "{ended:?}"
    );
}

#[test]
fn a_check_does_not_retry() {
    let receiver = Recorder::start(|_| Reply::Status(503));
    let ended = check(&receiver, json!({}));
    assert_eq!((ended.code, receiver.requests().len()), (1, 1), "{}", ended.text);
    assert!(ended.text.contains("status 503"), "{}", ended.text);
}
