//! The option preflight: which request is sent before the test, and what a failure reports.

use std::time::{Duration, Instant};

use crate::recording_receiver::{Recorder, Reply};
use k6_remote_write::k6::MetricType;
use k6_remote_write::k6::Sample;
use k6_remote_write::output::{OpenError, Output};
use k6_remote_write::series::SeriesDefinition;
use k6_remote_write::wire::Protocol;
use serde_json::{Value, json};

/// The timeout of a request. Everything else may take seconds on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Opens an output with a block for each URL.
fn open(urls: &[&str], protocol: &str) -> Result<Output, OpenError> {
    let block = |url: &&str| {
        json!({
            "provider": "prometheus", "remoteWriteURL": url, "includeDefaultMetrics": false, "metrics": ["c"],
            "pushInterval": "100ms", "timeout": TIMEOUT.as_millis() as u64, "protocol": protocol, "selfMetrics": false, "unsentDirectory": "",
            "preflight": true,
        })
    };
    let blocks: Vec<_> = urls.iter().map(block).collect();
    Output::open(json!({ "script": { "ext": { "apm": blocks } } }).to_string().as_bytes())
}

/// Returns the error of a preflight.
fn preflight_error(urls: &[&str], protocol: &str) -> String {
    match open(urls, protocol) {
        Err(error @ OpenError::Preflight(_)) => error.to_string(),
        Err(error) => panic!("not by preflight: {error}"),
        Ok(_) => panic!("opened"),
    }
}

/// Sends one sample and returns the report of the destination.
fn send(output: &Output) -> Value {
    let series = output.register(SeriesDefinition::new("c", MetricType::Counter)).expect("open");
    output.push(&[Sample { series, time_ms: 0, value: 1.0 }]).expect("open");
    let report: Value = serde_json::from_str(output.close().expect("open")).expect("JSON");
    report["destinations"][0].clone()
}

#[test]
fn the_first_request_has_no_points_and_detects_the_protocol() {
    for (protocol, aware, sent) in [
        ("auto", true, vec![Protocol::V2]),
        ("auto", false, vec![Protocol::V2, Protocol::V1]),
        ("1.0", false, vec![Protocol::V1]),
        ("2.0", true, vec![Protocol::V2]),
    ] {
        let recorder = Recorder::start(move |_| if aware { Reply::Status(204) } else { Reply::Unaware(204) });
        let output = open(&[&recorder.url()], protocol).expect("accepted");
        let asked = recorder.requests();
        assert_eq!(asked.iter().map(|request| request.protocol).collect::<Vec<_>>(), sent, "{protocol}");
        assert!(asked.iter().all(|request| request.message.timeseries.is_empty()));

        let report = send(&output);
        assert_eq!(report["points_sent"], report["points"], "{protocol}");
        assert_eq!(recorder.points().into_keys().collect::<Vec<_>>(), ["k6_c_total"], "and nothing else");
        let later = recorder.requests().split_off(asked.len());
        assert!(later.iter().all(|request| Some(&request.protocol) == sent.last()), "{protocol}: it is known");
    }
}

#[test]
fn all_receivers_that_fail_are_listed_with_message_and_hint() {
    let accepting = Recorder::start(|_| Reply::Status(204));
    let disabled = Recorder::start(|_| Reply::With(404, "X-A", "b", "not enabled"));
    let locked = Recorder::start(|_| Reply::Status(401));
    let text = preflight_error(&[&accepting.url(), &disabled.url(), &locked.url()], "auto");
    let lines: Vec<_> = text.split("\n\t- ").collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[0].ends_with("preflight failed, the test does not start:"), "{text}");
    assert!(lines[1].starts_with(&format!("{}: status 404; not enabled; ", disabled.url())), "{text}");
    assert!(lines[1].contains("--web.enable-remote-write-receiver"), "{text}");
    assert!(lines[2].contains("status 401; check the credentials: the request had no credentials"), "{text}");
    assert!(accepting.points().is_empty());
}

#[test]
fn a_failure_that_would_be_retried_later_is_an_error_here() {
    let busy = Recorder::start(|_| Reply::Status(503));
    assert!(preflight_error(&[&busy.url()], "auto").contains("status 503"));
    assert_eq!(busy.requests().len(), 1);
}

#[test]
fn receivers_that_hang_are_waited_for_in_parallel() {
    let hanging: Vec<_> = (0..8).map(|_| Recorder::start(|_| Reply::Late(Duration::from_secs(60), 204))).collect();
    let urls: Vec<_> = hanging.iter().map(Recorder::url).collect();
    let before = Instant::now();
    let text = preflight_error(&urls.iter().map(String::as_str).collect::<Vec<_>>(), "auto");
    assert!(before.elapsed() < 5 * TIMEOUT, "{:?}", before.elapsed());
    assert_eq!(text.matches("raise `timeout`").count(), 8, "{text}");
}

#[test]
fn a_receiver_that_does_not_support_the_configured_protocol_fails() {
    let unaware = Recorder::start(|_| Reply::Unaware(204));
    assert!(preflight_error(&[&unaware.url()], "2.0").contains("did not confirm that it has stored the points"));
}

#[test]
fn a_redirect_to_another_receiver_fails() {
    let moved = Recorder::start(|_| Reply::With(308, "Location", "http://127.0.0.2:1/", ""));
    assert!(preflight_error(&[&moved.url()], "auto").contains("the URL has moved"));
}
