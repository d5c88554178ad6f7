//! What reaches a receiver, whatever it answers: a whole output against a recording receiver.

mod recording;

use std::time::{Duration, Instant};

use k6_remote_write::inbox::Sample;
use k6_remote_write::output::Output;
use k6_remote_write::report::Level;
use k6_remote_write::series::{Contents, MetricType, SeriesDefinition};
use k6_remote_write::wire::STALE_MARKER;
use recording::{PATIENCE, Recorder, Reply};
use serde_json::{Value, json};

fn open(url: &str, options: Value) -> Output {
    let mut json = json!({ "pushInterval": "100ms", "timeout": "1s", "flushTimeout": "10s" });
    for (name, value) in options.as_object().expect("an object") {
        json[name] = value.clone();
    }
    Output::open(json!({ "argument": url, "json": json }).to_string().as_bytes()).expect("valid")
}

fn counter(output: &Output, metric: &str) -> u64 {
    let definition = SeriesDefinition {
        metric: metric.into(),
        metric_type: MetricType::Counter,
        contents: Contents::Plain,
        tags: vec![("method".into(), "GET".into())],
    };
    output.register(definition).expect("open")
}

fn add(output: &Output, series: u64, value: f64) {
    output.push(&[Sample { series, time_ms: 0, value }]).expect("open");
}

/// Closes. The report's events are those that k6 shows.
fn close(output: &Output) -> Value {
    let mut report: Value = serde_json::from_str(output.close().expect("open")).expect("JSON");
    report["events"].as_array_mut().expect("events").retain(|event| event["level"] != "debug");
    report
}

/// What the report says of the one destination.
fn to(report: &Value) -> &Value {
    &report["destinations"][0]
}

/// The last line of the run.
fn summary(report: &Value) -> &Value {
    report["events"].as_array().and_then(|events| events.last()).expect("a summary")
}

/// Polls until an event has come.
fn await_event(output: &Output) -> k6_remote_write::report::Event {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match output.poll_event().expect("open") {
            Some(event) if event.level != Level::Debug => return event,
            Some(_) => {}
            None => std::thread::sleep(Duration::from_millis(5)),
        }
        assert!(Instant::now() < deadline, "no event came");
    }
}

const SERIES: &str = r#"k6_c_total{method="GET"}"#;

/// The values of the counter in their order, each once, without the stale marker that must end them.
fn values(recorder: &Recorder) -> Vec<f64> {
    let mut points = recorder.points().remove(SERIES).expect("shipped");
    points.dedup_by_key(|(time_ms, value)| (*time_ms, value.to_bits()));
    assert!(points.windows(2).all(|pair| pair[0].0 < pair[1].0), "{points:?}");
    let mut values: Vec<_> = points.into_iter().map(|(_, value)| value).collect();
    assert_eq!(values.pop().map(f64::to_bits), Some(STALE_MARKER.to_bits()), "{values:?}");
    values
}

#[test]
fn a_request_is_what_the_specification_asks_for() {
    let recorder = Recorder::start(|_| Reply::Status(204));
    let output = open(&recorder.url(), json!({}));
    let c = counter(&output, "c");
    add(&output, c, 1.0);
    let report = close(&output);
    let request = recorder.requests().remove(0);
    // Remote Write 1.0, "Protocol".
    assert_eq!((&*request.method, &*request.path), ("POST", "/api/v1/write"));
    for (name, value) in [
        ("content-type", "application/x-protobuf"),
        ("content-encoding", "snappy"),
        ("x-prometheus-remote-write-version", "0.1.0"),
    ] {
        assert_eq!(request.headers.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert!(request.headers["user-agent"].starts_with("k6-remote-write/"));
    let labels: Vec<_> = request.message.timeseries[0].labels.iter().map(|l| (&*l.name, &*l.value)).collect();
    assert_eq!(labels, [("__name__", "k6_c_total"), ("method", "GET")]);
    assert_eq!(values(&recorder).last(), Some(&1.0));
    assert_eq!((&report["samples"], &to(&report)["points_undelivered"]), (&json!(1), &json!(0)));
    assert_eq!(summary(&report)["level"], "info");
}

#[test]
fn every_window_arrives_through_a_time_of_errors() {
    let recorder = Recorder::start(|number| match number {
        1..=4 => Reply::Status([503, 500, 429, 502][number - 1]),
        _ => Reply::Status(200),
    });
    let output = open(&recorder.url(), json!({}));
    let c = counter(&output, "c");
    for request in 1..=8 {
        add(&output, c, 1.0);
        recorder.await_requests(request);
    }
    let warning = await_event(&output);
    assert_eq!((warning.level, warning.fields.get("status")), (Level::Warn, Some(&json!(503))));
    let recovery = await_event(&output);
    assert_eq!(recovery.level, Level::Info);
    let report = close(&output);
    assert_eq!(values(&recorder).last(), Some(&8.0));
    assert_eq!((&to(&report)["retries"], &to(&report)["points_undelivered"]), (&json!(4), &json!(0)));
    assert_eq!(report["events"].as_array().map(Vec::len), Some(1), "one line for all failures: {report:#}");
    let requests = recorder.requests();
    let bodies: Vec<_> = requests[1..=5].iter().map(|request| &request.message).collect();
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "the same batch again, nothing before it");
}

#[test]
fn retry_after_is_honoured() {
    let recorder = Recorder::start(|number| match number {
        0 => Reply::With(429, "Retry-After", "1", "slow down"),
        _ => Reply::Status(204),
    });
    let output = open(&recorder.url(), json!({}));
    let c = counter(&output, "c");
    add(&output, c, 1.0);
    let requests = recorder.await_requests(2);
    assert!(requests[1].at - requests[0].at >= Duration::from_millis(990));
    close(&output);
    assert_eq!(values(&recorder).last(), Some(&1.0));
}

#[test]
fn what_is_refused_is_lost_alone_counted_and_told_once_for_each_cause() {
    let recorder = Recorder::start(|number| match number {
        0 | 1 => Reply::With(400, "X-Test", "1", "out of order\nsample \u{7}here"),
        _ => Reply::Status(204),
    });
    let output = open(&recorder.url(), json!({}));
    let c = counter(&output, "c");
    add(&output, c, 1.0);
    recorder.await_requests(3);
    let event = await_event(&output);
    assert_eq!((event.level, &event.fields["error"]), (Level::Error, &json!("out of order sample here")));
    add(&output, c, 1.0);
    let report = close(&output);
    assert_eq!(values(&recorder).last(), Some(&2.0));
    // The first batch had the zero, the second the first value.
    assert_eq!((&to(&report)["points_refused"], &to(&report)["retries"]), (&json!(2), &json!(0)));
    assert_eq!(report["events"].as_array().map(Vec::len), Some(1), "{report:#}");
    assert_eq!(summary(&report)["level"], "error");
}

#[test]
fn a_404_says_what_to_do() {
    let recorder = Recorder::start(|_| Reply::Status(404));
    let output = open(&recorder.url(), json!({}));
    counter(&output, "c");
    let event = await_event(&output);
    let hint = event.fields["hint"].as_str().expect("a hint");
    assert!(hint.contains("--web.enable-remote-write-receiver"), "{hint}");
    close(&output);
}

#[test]
fn a_receiver_that_comes_late_gets_everything() {
    // A port that was free a moment ago.
    let address = Recorder::start(|_| Reply::Status(204)).address();
    let output = open(&format!("http://{address}/api/v1/write"), json!({}));
    let c = counter(&output, "c");
    add(&output, c, 1.0);
    let warning = await_event(&output);
    assert!(warning.fields["error"].as_str().is_some_and(|words| words.contains("refused")), "{warning:?}");
    add(&output, c, 1.0);
    let recorder = Recorder::listen(&address, |_| Reply::Status(204));
    recorder.await_requests(3);
    let report = close(&output);
    let values = values(&recorder);
    assert_eq!((values.first(), values.last()), (Some(&0.0), Some(&2.0)));
    assert_eq!((&to(&report)["points_undelivered"], &to(&report)["points_refused"]), (&json!(0), &json!(0)));
}

#[test]
fn a_receiver_that_hangs_is_given_up_after_the_timeout_and_tried_again() {
    let recorder = Recorder::start(|number| match number {
        0 => Reply::Late(Duration::from_millis(1500), 204),
        _ => Reply::Status(204),
    });
    let output = open(&recorder.url(), json!({ "timeout": "300ms" }));
    let c = counter(&output, "c");
    add(&output, c, 1.0);
    let warning = await_event(&output);
    assert_eq!(warning.fields["error"], json!("no answer within the timeout"));
    recorder.await_requests(2);
    let report = close(&output);
    assert_eq!((&to(&report)["points_undelivered"], summary(&report)["level"].as_str()), (&json!(0), Some("info")));
    assert_eq!(values(&recorder).last(), Some(&1.0));
}

#[test]
fn a_batch_that_is_sent_twice_brings_the_same_points_and_nothing_older() {
    // The receiver stores every batch, but the answer to the first three comes too late.
    let recorder = Recorder::start(|number| match number {
        0..=2 => Reply::Late(Duration::from_millis(600), 204),
        _ => Reply::Status(204),
    });
    let output = open(&recorder.url(), json!({ "timeout": "200ms" }));
    let c = counter(&output, "c");
    add(&output, c, 1.0);
    recorder.await_requests(6);
    close(&output);
    let arrived = recorder.points().remove(SERIES).expect("shipped");
    assert!(arrived.windows(2).all(|pair| pair[0].0 <= pair[1].0), "{arrived:?}");
    assert!(arrived.len() > values(&recorder).len() + 1, "nothing came twice: {arrived:?}");
}

#[test]
fn the_end_waits_no_longer_than_the_flush_timeout_and_tells_what_is_left() {
    let recorder = Recorder::start(|_| Reply::Status(503));
    let output = open(&recorder.url(), json!({ "flushTimeout": "400ms" }));
    let c = counter(&output, "c");
    add(&output, c, 1.0);
    recorder.await_requests(1);
    let before = Instant::now();
    let report = close(&output);
    let took = before.elapsed();
    assert!(took >= Duration::from_millis(400) && took < Duration::from_secs(5), "{took:?}");
    assert!(to(&report)["points_undelivered"].as_u64() >= Some(3), "{report:#}");
    assert_eq!(to(&report)["points_delivered"], 0);
    assert_eq!(summary(&report)["fields"]["points_not_delivered_in_time"], to(&report)["points_undelivered"]);
    assert_eq!(summary(&report)["level"], "error");
}

#[test]
fn a_hanging_receiver_does_not_hold_up_the_end() {
    let recorder = Recorder::start(|_| Reply::Late(Duration::from_secs(2), 204));
    let output = open(&recorder.url(), json!({ "timeout": "60s", "flushTimeout": "200ms" }));
    let c = counter(&output, "c");
    add(&output, c, 1.0);
    recorder.await_requests(1);
    let before = Instant::now();
    let report = close(&output);
    assert!(before.elapsed() < Duration::from_millis(1500), "{:?}", before.elapsed());
    assert!(to(&report)["points_undelivered"].as_u64() > Some(0));
}

#[test]
fn a_full_queue_drops_the_oldest_and_the_total_still_arrives() {
    let recorder = Recorder::start(|number| Reply::Status(if number < 8 { 503 } else { 204 }));
    let output = open(&recorder.url(), json!({ "queueBytes": 150 }));
    let c = counter(&output, "c");
    for request in 1..=8 {
        add(&output, c, 1.0);
        recorder.await_requests(request);
    }
    let report = close(&output);
    assert!(to(&report)["points_dropped"].as_u64() > Some(0), "{report:#}");
    let points = recorder.points().remove(SERIES).expect("shipped");
    assert!(points.iter().any(|&(_, value)| value == 8.0), "{points:?}");
    assert_eq!(summary(&report)["level"], "error");
}

#[test]
fn a_redirect_that_keeps_the_method_is_followed_on_one_host() {
    let recorder = Recorder::start(|number| match number {
        0 => Reply::With(308, "Location", "/moved", ""),
        _ => Reply::Status(204),
    });
    let output = open(&recorder.url(), json!({}));
    let c = counter(&output, "c");
    add(&output, c, 1.0);
    let requests = recorder.await_requests(2);
    assert_eq!((&*requests[1].path, &*requests[1].method), ("/moved", "POST"));
    assert_eq!(requests[0].message, requests[1].message);
    assert_eq!(to(&close(&output))["points_refused"], 0);
}

#[test]
fn a_redirect_that_loses_the_body_is_refused_and_told() {
    let recorder = Recorder::start(|_| Reply::With(302, "Location", "/moved", ""));
    let output = open(&recorder.url(), json!({}));
    let c = counter(&output, "c");
    add(&output, c, 1.0);
    let event = await_event(&output);
    assert_eq!((event.level, &event.fields["status"]), (Level::Error, &json!(302)));
    assert!(event.fields["hint"].as_str().is_some_and(|hint| hint.contains("moved")));
    close(&output);
    assert!(recorder.requests().iter().all(|request| request.path == "/api/v1/write"));
}

#[test]
fn after_close_everything_answers_closed() {
    let recorder = Recorder::start(|_| Reply::Status(204));
    let output = open(&recorder.url(), json!({}));
    let c = counter(&output, "c");
    close(&output);
    assert!(output.close().is_err() && output.poll_event().is_err());
    assert!(output.push(&[Sample { series: c, time_ms: 0, value: 1.0 }]).is_err());
}
