//! Delivery to a receiver with all kinds of responses: a whole output against a recording receiver, in both protocol versions.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant, SystemTime};

use crate::outputs::{await_event, close, count};
use crate::recording_receiver::{Recorder, Reply};
use k6_remote_write::k6::MetricType;
use k6_remote_write::k6::Sample;
use k6_remote_write::output::Output;
use k6_remote_write::report::Level;
use k6_remote_write::series::SeriesDefinition;
use k6_remote_write::wire::proto::v2;
use k6_remote_write::wire::{Protocol, STALE_MARKER};
use serde_json::{Value, json};

/// Runs a test with each version, concurrently, since faults take time.
fn in_both(test: impl Fn(Protocol) + Sync) {
    std::thread::scope(|scope| {
        for protocol in [Protocol::V1, Protocol::V2] {
            let test = &test;
            std::thread::Builder::new()
                .name(format!("in {protocol}"))
                .spawn_scoped(scope, move || test(protocol))
                .expect("a thread");
        }
    });
}

/// Opens an output with windows of 100 ms, without self metrics and without a file of unsent samples.
fn open(url: &str, options: Value) -> Output {
    let mut json = json!({
        "pushInterval": "100ms", "timeout": "1s", "flushTimeout": "10s", "selfMetrics": false, "unsentDirectory": "",
    });
    for (name, value) in options.as_object().expect("an object") {
        json[name] = value.clone();
    }
    Output::open(json!({ "argument": url, "json": json }).to_string().as_bytes()).expect("valid")
}

fn open_in(protocol: Protocol, url: &str, mut options: Value) -> Output {
    options["protocol"] = protocol.to_string().into();
    open(url, options)
}

fn counter(output: &Output, metric: &str) -> u64 {
    let definition = SeriesDefinition::new(metric, MetricType::Counter).with_tags([("method", "GET")]);
    output.register(definition).expect("open")
}

fn gauge(metric: &str) -> SeriesDefinition {
    SeriesDefinition::new(metric, MetricType::Gauge).with_tags([("method", "GET")])
}

fn add(output: &Output, series: u64, value: f64) {
    output.push(&[Sample { series, time_ms: 0, value }]).expect("open");
}

/// Returns the last event of a report.
fn summary(report: &Value) -> &Value {
    report["events"].as_array().and_then(|events| events.last()).expect("a summary")
}

const SERIES: &str = r#"k6_c_total{method="GET"}"#;

/// Returns points in the order of their arrival, without repetitions.
fn distinct(points: &[(i64, f64)]) -> Vec<(i64, f64)> {
    let mut known = HashSet::new();
    points.iter().copied().filter(|(time_ms, value)| known.insert((*time_ms, value.to_bits()))).collect()
}

/// Returns the values of the counter in order, without repetitions and without the stale marker at their end.
fn values(recorder: &Recorder) -> Vec<f64> {
    let points = distinct(&recorder.points().remove(SERIES).expect("stored"));
    assert!(points.windows(2).all(|pair| pair[0].0 < pair[1].0), "{points:?}");
    let mut values: Vec<_> = points.into_iter().map(|(_, value)| value).collect();
    assert_eq!(values.pop().map(f64::to_bits), Some(STALE_MARKER.to_bits()), "{values:?}");
    values
}

/// Expects that nothing is lost: every point was stored, in order, from a first 0 to the total.
fn expect_nothing_lost(recorder: &Recorder, report: &Value, total: f64) {
    let stored: usize = recorder.points().values().map(|points| distinct(points).len()).sum();
    assert_eq!(stored as u64, count(report, "points"), "{report:#}");
    assert_eq!(count(report, "points_sent"), count(report, "points"), "{report:#}");
    let values = values(recorder);
    assert_eq!((values.first(), values.last()), (Some(&0.0), Some(&total)), "{values:?}");
    assert_eq!(summary(report)["level"], "info", "{report:#}");
}

/// Sends one counter, with one sample for each of `windows` requests, to a receiver with these responses. Nothing may be lost.
fn expect_nothing_lost_through(
    protocol: Protocol,
    windows: usize,
    reply: impl Fn(usize) -> Reply + Send + 'static,
) -> Recorder {
    let recorder = Recorder::start(reply);
    let output = open_in(protocol, &recorder.url(), json!({ "timeout": "300ms" }));
    let c = counter(&output, "c");
    for request in 1..=windows {
        add(&output, c, 1.0);
        recorder.await_requests(request);
    }
    let report = close(&output);
    expect_nothing_lost(&recorder, &report, windows as f64);
    recorder
}

#[test]
fn a_request_follows_the_specifications() {
    in_both(|protocol| {
        let recorder = expect_nothing_lost_through(protocol, 2, |_| Reply::Status(204));
        let request = recorder.requests().remove(0);
        // Remote Write 1.0 and 2.0, "Protocol".
        assert_eq!((&*request.method, &*request.path), ("POST", "/api/v1/write"));
        let (content_type, version) = match protocol {
            Protocol::V1 => ("application/x-protobuf", "0.1.0"),
            Protocol::V2 => ("application/x-protobuf;proto=io.prometheus.write.v2.Request", "2.0.0"),
        };
        for (name, value) in [
            ("content-type", content_type),
            ("content-encoding", "snappy"),
            ("x-prometheus-remote-write-version", version),
        ] {
            assert_eq!(request.headers.get(name).map(String::as_str), Some(value), "{name}");
        }
        assert!(request.headers["user-agent"].starts_with("k6-remote-write/"));
        // Remote Write 1.0, "Labels", and 2.0, "Series Labels".
        let labels: Vec<_> = request.message.timeseries[0].labels.iter().map(|l| (&*l.name, &*l.value)).collect();
        assert_eq!(labels, [("__name__", "k6_c_total"), ("method", "GET")]);
    });
}

/// Remote Write 2.0, "Metadata" and "Samples and Histogram Samples".
#[test]
fn in_2_0_every_series_has_its_metadata_and_its_start_time() {
    let recorder = expect_nothing_lost_through(Protocol::V2, 3, |_| Reply::Status(204));
    let messages: Vec<_> = recorder.requests().into_iter().filter_map(|request| request.message_v2).collect();
    let series: Vec<_> =
        messages.iter().flat_map(|message| message.timeseries.iter().map(move |s| (message, s))).collect();
    let start_time = series[0].1.samples[0].timestamp;
    assert!(series.len() >= 4, "a zero, windows and a stale marker");
    for (message, series) in series {
        let metadata = series.metadata.expect("has metadata");
        assert_eq!(metadata.r#type(), v2::metadata::MetricType::Counter);
        assert_eq!(message.symbols[metadata.help_ref as usize], "k6 c: sum of the run so far");
        assert_eq!(message.symbols[metadata.unit_ref as usize], "");
        assert_eq!(series.samples[0].start_timestamp, start_time);
    }
}

/// Remote Write 1.0 and 2.0, "Retries & Backoff".
#[test]
fn every_window_arrives_after_a_series_of_errors() {
    in_both(|protocol| {
        let recorder = Recorder::start(|number| match number {
            1..=5 => Reply::Status([503, 500, 429, 502, 504][number - 1]),
            _ => Reply::Status(200),
        });
        let output = open_in(protocol, &recorder.url(), json!({}));
        let c = counter(&output, "c");
        for request in 1..=9 {
            add(&output, c, 1.0);
            recorder.await_requests(request);
        }
        let warning = await_event(&output);
        assert_eq!((warning.level, warning.fields.get("status")), (Level::Warn, Some(&json!(503))));
        assert_eq!(await_event(&output).level, Level::Info);
        let report = close(&output);
        expect_nothing_lost(&recorder, &report, 9.0);
        assert_eq!(count(&report, "requests_retried"), 5);
        assert_eq!(report["events"].as_array().map(Vec::len), Some(1), "one line for all failures: {report:#}");
        let requests = recorder.requests();
        assert!(
            requests[1..=6].windows(2).all(|pair| pair[0].body == pair[1].body),
            "the same body again, and no other before it"
        );
    });
}

#[test]
fn retry_after_is_respected_in_seconds_and_as_a_date() {
    in_both(|protocol| {
        let recorder = expect_nothing_lost_through(protocol, 2, |number| match number {
            0 => Reply::With(429, "Retry-After", "1", "slow down"),
            _ => Reply::Status(204),
        });
        let requests = recorder.requests();
        assert!(requests[1].at - requests[0].at >= Duration::from_millis(990));
    });
    in_both(|protocol| {
        // A date has no fractions: at least one of the two seconds remains.
        let date: &str = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(2)).leak();
        let begin = Instant::now();
        let recorder = expect_nothing_lost_through(protocol, 2, move |number| match number {
            0 => Reply::With(503, "Retry-After", date, ""),
            _ => Reply::Status(204),
        });
        assert!(recorder.requests()[1].at - begin >= Duration::from_millis(900));
    });
}

#[test]
fn rejected_points_are_counted_and_each_cause_is_logged_once() {
    in_both(|protocol| {
        let recorder = Recorder::start(|number| match number {
            0 | 1 => Reply::With(400, "X-Test", "1", "out of order\nsample \u{7}here"),
            _ => Reply::Status(204),
        });
        let output = open_in(protocol, &recorder.url(), json!({}));
        let c = counter(&output, "c");
        add(&output, c, 1.0);
        recorder.await_requests(3);
        let event = await_event(&output);
        assert_eq!((event.level, &event.fields["error"]), (Level::Error, &json!("out of order sample here")));
        assert!(event.fields["hint"].as_str().is_some_and(|hint| hint.contains("testid")), "{event:?}");
        add(&output, c, 1.0);
        let report = close(&output);
        assert_eq!(values(&recorder).last(), Some(&2.0));
        // The first batch had the zero, the second the first value.
        assert_eq!((count(&report, "points_failed"), count(&report, "requests_retried")), (2, 0));
        assert_eq!(report["events"].as_array().map(Vec::len), Some(1), "{report:#}");
        assert_eq!(summary(&report)["level"], "error");
    });
}

#[test]
fn errors_have_a_hint() {
    for (status, part) in [(404, "--web.enable-remote-write-receiver"), (401, "no credentials"), (405, "/api/v1/write")]
    {
        let recorder = Recorder::start(move |_| Reply::Status(status));
        let output = open(&recorder.url(), json!({}));
        counter(&output, "c");
        let event = await_event(&output);
        assert!(event.fields["hint"].as_str().is_some_and(|hint| hint.contains(part)), "{event:?}");
        close(&output);
    }
}

#[test]
fn https_to_a_receiver_of_http_has_a_hint() {
    let recorder = Recorder::start(|_| Reply::Status(204));
    let output = open(&recorder.url().replace("http:", "https:"), json!({ "flushTimeout": "0s" }));
    counter(&output, "c");
    let event = await_event(&output);
    assert!(event.fields["hint"].as_str().is_some_and(|hint| hint.contains("not https")), "{event:?}");
    close(&output);
}

#[test]
fn a_receiver_that_starts_late_gets_everything() {
    in_both(|protocol| {
        // A port without a listener.
        let address = Recorder::start(|_| Reply::Status(204)).address();
        let output = open_in(protocol, &format!("http://{address}/api/v1/write"), json!({}));
        let c = counter(&output, "c");
        add(&output, c, 1.0);
        let warning = await_event(&output);
        assert!(warning.fields["error"].as_str().is_some_and(|error| error.contains("refused")), "{warning:?}");
        assert!(warning.fields["hint"].as_str().is_some_and(|hint| hint.contains("port")), "{warning:?}");
        add(&output, c, 1.0);
        let recorder = Recorder::listen(&address, |_| Reply::Status(204));
        recorder.await_requests(3);
        let report = close(&output);
        expect_nothing_lost(&recorder, &report, 2.0);
    });
}

#[test]
fn a_request_that_hangs_is_retried_after_the_timeout() {
    in_both(|protocol| {
        let recorder = Recorder::start(|number| match number {
            0 => Reply::Late(Duration::from_millis(1500), 204),
            _ => Reply::Status(204),
        });
        let output = open_in(protocol, &recorder.url(), json!({ "timeout": "300ms" }));
        let c = counter(&output, "c");
        add(&output, c, 1.0);
        let warning = await_event(&output);
        assert_eq!(warning.fields["error"], json!("no response within the timeout"));
        recorder.await_requests(2);
        let report = close(&output);
        expect_nothing_lost(&recorder, &report, 1.0);
    });
}

#[test]
fn a_batch_that_is_sent_twice_has_the_same_points_and_no_older_ones() {
    in_both(|protocol| {
        // The receiver stores every batch, but its first three responses are too late.
        let recorder = expect_nothing_lost_through(protocol, 6, |number| match number {
            0..=2 => Reply::Late(Duration::from_millis(600), 204),
            _ => Reply::Status(204),
        });
        let arrived = recorder.points().remove(SERIES).expect("stored");
        assert!(arrived.windows(2).all(|pair| pair[0].0 <= pair[1].0), "{arrived:?}");
        assert!(arrived.len() > distinct(&arrived).len(), "nothing arrived twice: {arrived:?}");
    });
}

#[test]
fn broken_connections_lose_nothing() {
    in_both(|protocol| {
        for fault in [Reply::ResetRequest, Reply::Close, Reply::ResetAnswer] {
            let reply = fault.clone();
            let recorder = expect_nothing_lost_through(protocol, 4, move |number| match number {
                0 | 2 => reply.clone(),
                _ => Reply::Status(204),
            });
            let stored = recorder.requests().iter().filter(|request| request.stored).count();
            assert!(stored >= 3, "{fault:?}");
        }
    });
}

#[test]
fn a_receiver_slower_than_the_windows_gets_all_of_them() {
    in_both(|protocol| {
        expect_nothing_lost_through(protocol, 8, |_| Reply::Late(Duration::from_millis(200), 204));
    });
}

/// Remote Write 2.0, "Response": the body of a success has no meaning.
#[test]
fn the_body_of_a_success_is_ignored_and_not_waited_for() {
    in_both(|protocol| {
        let begin = Instant::now();
        let recorder = expect_nothing_lost_through(protocol, 4, |number| match number {
            0 | 1 => Reply::Trickle(200),
            _ => Reply::With(200, "Content-Type", "text/plain", "it is not what you think: 500 error, too large"),
        });
        assert!(recorder.requests()[2].at - begin < Duration::from_secs(3));
    });
}

#[test]
fn close_waits_at_most_for_the_flush_timeout_and_reports_the_lost_points() {
    in_both(|protocol| {
        let recorder = Recorder::start(|_| Reply::Status(503));
        let output = open_in(protocol, &recorder.url(), json!({ "flushTimeout": "400ms" }));
        let c = counter(&output, "c");
        add(&output, c, 1.0);
        recorder.await_requests(1);
        let before = Instant::now();
        let report = close(&output);
        let took = before.elapsed();
        assert!(took >= Duration::from_millis(400) && took < Duration::from_secs(5), "{took:?}");
        assert!(count(&report, "points_lost") >= 3, "{report:#}");
        assert_eq!(count(&report, "points_sent"), 0);
        assert_eq!(summary(&report)["fields"]["points_lost"], report["destinations"][0]["points_lost"]);
        assert_eq!(summary(&report)["level"], "error");
    });
}

#[test]
fn close_does_not_wait_for_a_request_that_hangs() {
    in_both(|protocol| {
        let recorder = Recorder::start(|_| Reply::Late(Duration::from_secs(2), 204));
        let output = open_in(protocol, &recorder.url(), json!({ "timeout": "60s", "flushTimeout": "200ms" }));
        let c = counter(&output, "c");
        add(&output, c, 1.0);
        recorder.await_requests(1);
        let before = Instant::now();
        let report = close(&output);
        assert!(before.elapsed() < Duration::from_millis(1500), "{:?}", before.elapsed());
        assert!(count(&report, "points_lost") > 0);
    });
}

#[test]
fn cancel_flush_ends_the_wait_for_the_flush_timeout() {
    let recorder = Recorder::start(|_| Reply::Status(503));
    let output = open(&recorder.url(), json!({ "flushTimeout": "1h" }));
    let c = counter(&output, "c");
    add(&output, c, 1.0);
    recorder.await_requests(1);
    std::thread::scope(|scope| {
        let closing = scope.spawn(|| close(&output));
        assert_eq!(await_event(&output).level, Level::Warn, "events are available while the output closes");
        output.cancel_flush();
        assert!(count(&closing.join().expect("closes"), "points_lost") > 0);
    });
}

#[test]
fn a_full_queue_drops_the_oldest_points_and_the_total_still_arrives() {
    in_both(|protocol| {
        let recorder = Recorder::start(|number| Reply::Status(if number < 8 { 503 } else { 204 }));
        let output = open_in(protocol, &recorder.url(), json!({ "queueBytes": 100 }));
        let c = counter(&output, "c");
        for request in 1..=8 {
            add(&output, c, 1.0);
            recorder.await_requests(request);
        }
        let report = close(&output);
        assert!(count(&report, "points_dropped") > 0, "{report:#}");
        let points = recorder.points().remove(SERIES).expect("stored");
        assert!(points.iter().any(|&(_, value)| value == 8.0), "{points:?}");
        assert_eq!(points.len() as u64, count(&report, "points_sent"));
        assert_eq!(summary(&report)["level"], "error");
    });
}

#[test]
fn a_redirect_that_keeps_method_and_host_is_followed() {
    in_both(|protocol| {
        let recorder = Recorder::start(|number| match number {
            0 => Reply::With(308, "Location", "/moved", ""),
            _ => Reply::Status(204),
        });
        let output = open_in(protocol, &recorder.url(), json!({}));
        let c = counter(&output, "c");
        add(&output, c, 1.0);
        let requests = recorder.await_requests(2);
        assert_eq!((&*requests[1].path, &*requests[1].method), ("/moved", "POST"));
        assert_eq!(requests[0].body, requests[1].body);
        expect_nothing_lost(&recorder, &close(&output), 1.0);
    });
}

#[test]
fn a_redirect_that_loses_the_body_is_not_followed_but_logged() {
    in_both(|protocol| {
        let recorder = Recorder::start(|_| Reply::With(302, "Location", "/moved", ""));
        let output = open_in(protocol, &recorder.url(), json!({}));
        let c = counter(&output, "c");
        add(&output, c, 1.0);
        let event = await_event(&output);
        assert_eq!((event.level, &event.fields["status"]), (Level::Error, &json!(302)));
        assert!(event.fields["hint"].as_str().is_some_and(|hint| hint.contains("moved")));
        close(&output);
        assert!(recorder.requests().iter().all(|request| request.path == "/api/v1/write"));
    });
}

#[test]
fn requests_have_the_users_credentials_and_headers_but_the_protocols_content_type() {
    let basic = ("authorization", "Basic bWU6YTpi"); // me:a:b
    let bearer = ("authorization", "Bearer t0ken");
    let custom = ("authorization", "Custom x");
    let headers = json!({ "X-Scope-OrgID": "load", "content-type": "text/plain" });
    for (user, options, expected) in [
        ("me:a%3Ab@", json!({}), vec![basic]),
        (
            "",
            json!({ "username": "me", "password": "a:b", "headers": headers }),
            vec![basic, ("x-scope-orgid", "load")],
        ),
        ("you:c@", json!({ "username": "me", "password": "a:b" }), vec![basic]),
        ("", json!({ "bearerToken": "t0ken", "headers": { "Authorization": "Custom x" } }), vec![bearer]),
        ("me:a%3Ab@", json!({ "bearerToken": "t0ken" }), vec![bearer]),
        ("me:a%3Ab@", json!({ "headers": { "Authorization": "Custom x" } }), vec![custom]),
        ("", json!({ "username": "me", "headers": { "Authorization": "Custom x" } }), vec![custom]),
    ] {
        let recorder = Recorder::start(|_| Reply::Status(204));
        let url = recorder.url().replace("//", &format!("//{user}"));
        let output = open_in(Protocol::V1, &url, options.clone());
        counter(&output, "c");
        let request = &recorder.await_requests(1)[0];
        for (name, value) in expected.iter().chain(&[("content-type", "application/x-protobuf")]) {
            assert_eq!(request.headers.get(*name).map(String::as_str), Some(*value), "{options}");
        }
        close(&output);
    }
}

#[test]
fn samples_of_a_series_that_belongs_to_another_metric_are_counted() {
    let recorder = Recorder::start(|_| Reply::Status(204));
    let output = open(&recorder.url(), json!({}));
    let (first, second) = (counter(&output, "c"), output.register(gauge("c_total")).expect("open"));
    for _ in 0..3 {
        add(&output, first, 1.0);
        add(&output, second, 7.0);
    }
    let report = close(&output);
    assert_eq!((count(&report, "samples_in"), count(&report, "samples_name_conflict")), (3, 3));
    let last = summary(&report);
    assert_eq!((&last["level"], &last["fields"]["samples_name_conflict"]), (&"error".into(), &3.into()), "{last}");
}

#[test]
fn the_test_run_id_is_on_every_series_in_the_log_and_in_the_report() {
    let recorder = Recorder::start(|_| Reply::Status(204));
    let output = open(&recorder.url(), json!({ "includeTestRunId": true, "testRunId": "run-7" }));
    let c = counter(&output, "c");
    add(&output, c, 1.0);
    assert_eq!(await_event(&output).fields["test_run_id"], "run-7");
    assert_eq!(close(&output)["destinations"][0]["test_run_id"], "run-7");
    let series: Vec<_> = recorder.points().into_keys().collect();
    assert_eq!(series, [r#"k6_c_total{method="GET",test_run_id="run-7"}"#]);
}

#[test]
fn a_warning_of_the_configuration_is_not_displaced_by_later_events() {
    let recorder = Recorder::start(|_| Reply::Status(204));
    let document = json!({
        "argument": recorder.url(),
        "script": { "ext": { "apm": [{ "provider": "datadog" }] } },
    });
    let output = Output::open(document.to_string().as_bytes()).expect("valid");
    // Each is an event.
    for number in 0..300 {
        counter(&output, &format!("größe {number}"));
    }
    let report = close(&output);
    let first = &report["events"][0]["message"];
    assert!(first.as_str().is_some_and(|message| message.contains("datadog")), "{first}");
}

#[test]
fn every_call_fails_after_close() {
    let recorder = Recorder::start(|_| Reply::Status(204));
    let output = open(&recorder.url(), json!({}));
    let c = counter(&output, "c");
    close(&output);
    assert!(output.close().is_err() && output.poll_event().is_err());
    assert!(output.push(&[Sample { series: c, time_ms: 0, value: 1.0 }]).is_err());
}

/// Registers counters that differ in a tag.
fn counters(output: &Output, number: usize) -> Vec<u64> {
    let definition = |i: usize| SeriesDefinition::new("c", MetricType::Counter).with_tags([("i", i.to_string())]);
    (0..number).map(|i| output.register(definition(i)).expect("open")).collect()
}

fn add_to_all(output: &Output, series: &[u64]) {
    let samples: Vec<_> = series.iter().map(|&series| Sample { series, time_ms: 0, value: 1.0 }).collect();
    output.push(&samples).expect("open");
}

#[test]
fn requests_get_smaller_when_the_receiver_rejects_them_as_too_large() {
    in_both(|protocol| {
        for too_large in [Reply::Status(413), Reply::With(400, "X-Test", "1", "too many samples in one request")] {
            // Requests of more than 30 points are too large: 100 are halved twice, which applies to all later requests too.
            let sizes = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
            let recorder = Recorder::start({
                let sizes = std::sync::Arc::clone(&sizes);
                move |_| match sizes.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
                    0 | 1 => too_large.clone(),
                    _ => Reply::Status(204),
                }
            });
            let output = open_in(protocol, &recorder.url(), json!({ "maxSamplesPerSend": 100 }));
            let series = counters(&output, 250);
            add_to_all(&output, &series);
            recorder.await_requests(12);
            let report = close(&output);
            let sizes: Vec<_> = recorder.requests().iter().map(|request| request.message.timeseries.len()).collect();
            assert_eq!(sizes[..7], [100, 50, 25, 25, 25, 25, 25], "{sizes:?}");
            assert!(sizes[7..].iter().all(|&size| size <= 25), "{sizes:?}");
            assert_eq!(count(&report, "points_sent"), count(&report, "points"));
            let totals = recorder.points().into_values().map(|points| points.iter().any(|&(_, value)| value == 1.0));
            assert_eq!(totals.filter(|whole| *whole).count(), 250);
        }
    });
}

#[test]
fn a_request_is_limited_in_bytes() {
    in_both(|protocol| {
        let recorder = Recorder::start(|_| Reply::Status(204));
        let output = open_in(protocol, &recorder.url(), json!({ "maxBytesPerSend": 500 }));
        let series = counters(&output, 100);
        add_to_all(&output, &series);
        recorder.await_requests(10);
        let report = close(&output);
        let largest = recorder.requests().iter().map(|request| request.message.timeseries.len()).max();
        assert!(largest.is_some_and(|largest| (2..20).contains(&largest)), "{largest:?}");
        assert_eq!(recorder.points().len(), 100);
        assert_eq!(count(&report, "points_sent"), count(&report, "points"));
    });
}

#[test]
fn many_series_are_sent_concurrently_and_each_keeps_its_order() {
    in_both(|protocol| {
        // Faults and delays affect the shards at random; only the order within each series matters.
        const LATE: Duration = Duration::from_millis(250);
        let recorder = Recorder::start(|number| match number % 5 {
            1 => Reply::Status(503),
            _ => Reply::Late(LATE, 204),
        });
        let output = open_in(protocol, &recorder.url(), json!({ "flushTimeout": "60s", "timeout": "30s" }));
        let series = counters(&output, 4500);
        for request in [4, 8, 12, 16] {
            add_to_all(&output, &series);
            recorder.await_requests(request);
        }
        let report = close(&output);
        let points = recorder.points();
        assert_eq!(points.len(), 4500);
        for (name, points) in &points {
            assert!(points.windows(2).all(|pair| pair[0].0 <= pair[1].0), "{name}: {points:?}");
            assert!(points.iter().any(|&(_, value)| value == 4.0), "{name}: {points:?}");
        }
        assert_eq!(count(&report, "points_sent"), count(&report, "points"));
        let arrivals: Vec<_> = recorder.requests().iter().map(|request| request.at).collect();
        // A request that waits for the response to another one arrives later.
        let close_together = arrivals.windows(2).filter(|pair| pair[1] - pair[0] < LATE).count();
        assert!(close_together * 2 > arrivals.len(), "requests wait for each other: {arrivals:?}");
    });
}

/// Remote Write 2.0, "Partial Write": points that were not written are counted and logged, but not sent again.
#[test]
fn a_partial_write_counts_the_written_points() {
    let recorder = Recorder::start(|number| match number {
        1 => Reply::Written(400, 7, "too old sample for series c"),
        _ => Reply::Status(204),
    });
    let output = open(&recorder.url(), json!({ "pushInterval": "1h" }));
    let series = counters(&output, 10);
    add_to_all(&output, &series);
    let report = close(&output);
    assert_eq!((count(&report, "points"), count(&report, "points_sent")), (30, 27), "{report:#}");
    assert_eq!((count(&report, "points_failed"), count(&report, "requests_retried")), (3, 0));
    let event =
        report["events"].as_array().expect("events").iter().find(|event| event["level"] == "error").expect("logged");
    assert_eq!(
        (&event["fields"]["error"], &event["fields"]["points"]),
        (&json!("too old sample for series c"), &json!(3))
    );
    assert_eq!(event["message"], "Receiver stored only part of a request, not retrying the rest");
    assert!(recorder.requests().iter().all(|request| request.protocol == Protocol::V2));
}

/// Remote Write 2.0, "Required `Written` Response Headers": a success that reports fewer points is not complete.
#[test]
fn a_success_with_fewer_points_than_were_sent_is_a_partial_write() {
    let recorder = Recorder::start(|number| if number == 1 { Reply::Written(204, 7, "") } else { Reply::Status(204) });
    let output = open(&recorder.url(), json!({ "pushInterval": "1h" }));
    let series = counters(&output, 10);
    add_to_all(&output, &series);
    let report = close(&output);
    assert_eq!((count(&report, "points_sent"), count(&report, "points_failed")), (27, 3), "{report:#}");
}

/// Returns the protocol version of each request, in order.
fn versions(recorder: &Recorder) -> Vec<Protocol> {
    recorder.requests().iter().map(|request| request.protocol).collect()
}

/// Runs an output that has to detect the protocol version.
fn negotiate(windows: usize, reply: impl Fn(usize) -> Reply + Send + 'static) -> (Recorder, Value) {
    let recorder = Recorder::start(reply);
    let output = open(&recorder.url(), json!({}));
    let c = counter(&output, "c");
    for request in 1..=windows {
        add(&output, c, 1.0);
        recorder.await_requests(request);
    }
    let report = close(&output);
    (recorder, report)
}

#[test]
fn a_receiver_that_confirms_2_0_gets_2_0() {
    let (recorder, report) = negotiate(4, |_| Reply::Status(204));
    expect_nothing_lost(&recorder, &report, 4.0);
    assert!(versions(&recorder).iter().all(|&version| version == Protocol::V2));
}

/// Remote Write 2.0, "Required `Written` Response Headers" and "Unsupported Request Content".
#[test]
fn a_receiver_without_2_0_gets_the_same_points_in_1_0_and_1_0_from_then_on() {
    for unsupported in [Reply::Unaware(204), Reply::Unaware(200), Reply::Unaware(400), Reply::Status(415)] {
        let (recorder, report) = negotiate(4, {
            let first = unsupported.clone();
            move |number| if number == 0 { first.clone() } else { Reply::Unaware(204) }
        });
        expect_nothing_lost(&recorder, &report, 4.0);
        let requests = recorder.requests();
        assert_eq!(requests[0].message.timeseries, requests[1].message.timeseries, "{unsupported:?}");
        let versions = versions(&recorder);
        assert_eq!(versions[0], Protocol::V2);
        assert!(versions[1..].iter().all(|&version| version == Protocol::V1), "{versions:?}");
        assert_eq!(count(&report, "requests_retried"), 0);
    }
}

#[test]
fn failures_of_the_receiver_do_not_change_the_protocol() {
    let (recorder, report) = negotiate(6, |number| match number {
        0 => Reply::Status(503),
        1 => Reply::ResetRequest,
        2 => Reply::Unaware(503),
        _ => Reply::Unaware(204),
    });
    expect_nothing_lost(&recorder, &report, 6.0);
    assert_eq!(versions(&recorder)[..4], [Protocol::V2, Protocol::V2, Protocol::V2, Protocol::V1]);
}

#[test]
fn only_one_request_is_sent_until_the_protocol_is_known() {
    let recorder = Recorder::start(|number| match number {
        0 => Reply::Late(Duration::from_millis(700), 204),
        _ => Reply::Status(204),
    });
    let output = open(&recorder.url(), json!({}));
    let series = counters(&output, 4500);
    add_to_all(&output, &series);
    let requests = recorder.await_requests(5);
    assert!(requests[1].at - requests[0].at >= Duration::from_millis(690));
    let report = close(&output);
    assert_eq!(count(&report, "points_sent"), count(&report, "points"));
}

#[test]
fn a_receiver_that_restarts_with_another_protocol_loses_nothing() {
    // First a receiver of 2.0, then one of 1.0 that accepts 2.0 without storing it, then one of only 2.0.
    let (recorder, report) = negotiate(9, |number| match number {
        0..=2 => Reply::Status(204),
        3..=5 => Reply::Unaware(204),
        6 => Reply::Status(415),
        _ => Reply::Status(204),
    });
    expect_nothing_lost(&recorder, &report, 9.0);
    let (one, two) = (Protocol::V1, Protocol::V2);
    assert_eq!(versions(&recorder)[..8], [two, two, two, two, one, one, one, two]);
}

#[test]
fn a_receiver_of_neither_version_gets_each_batch_in_both_and_is_logged_once() {
    let (recorder, report) = negotiate(4, |_| Reply::Status(415));
    assert_eq!(count(&report, "points_sent"), 0);
    assert_eq!(count(&report, "points_failed"), count(&report, "points"));
    assert_eq!(versions(&recorder).len() % 2, 0, "each batch in both versions");
    let lines = report["events"].as_array().expect("events").len();
    assert_eq!(lines, 2, "one for the rejections, one for the end: {report:#}");
}

#[test]
fn a_version_that_the_user_has_set_is_kept_and_a_missing_confirmation_is_logged() {
    let recorder = Recorder::start(|_| Reply::Unaware(204));
    let output = open_in(Protocol::V2, &recorder.url(), json!({}));
    counter(&output, "c");
    let event = await_event(&output);
    assert_eq!((event.level, &event.fields["status"]), (Level::Error, &json!(204)));
    assert!(event.fields["hint"].as_str().is_some_and(|hint| hint.contains("1.0")), "{event:?}");
    let report = close(&output);
    assert_eq!((count(&report, "points_sent"), recorder.points()), (0, BTreeMap::new()));
    assert!(versions(&recorder).iter().all(|&version| version == Protocol::V2));
}

#[test]
fn abort_on_failure_aborts_the_test_once() {
    for reply in [Reply::Status(503), Reply::Status(401)] {
        let recorder = Recorder::start(move |number| if number == 0 { Reply::Status(204) } else { reply.clone() });
        let output = open(&recorder.url(), json!({ "abortOnFailure": "500ms", "flushTimeout": "100ms" }));
        let c = counter(&output, "c");
        add(&output, c, 1.0);
        let first_failure = recorder.await_requests(2)[1].at;
        assert_ne!(await_event(&output).level, Level::Fatal, "one failure does not abort the test");
        assert_eq!(await_event(&output).level, Level::Fatal);
        assert!(first_failure.elapsed() >= Duration::from_millis(490));
        recorder.await_requests(6);
        let report = close(&output);
        let events = report["events"].as_array().expect("events");
        assert!(events.iter().all(|event| event["level"] != "fatal"), "{report:#}");
    }
}

#[test]
fn a_receiver_that_fails_now_and_then_does_not_abort_the_test() {
    let recorder = Recorder::start(|number| Reply::Status(if number % 2 == 0 { 503 } else { 204 }));
    let output = open(&recorder.url(), json!({ "abortOnFailure": "300ms" }));
    counter(&output, "c");
    recorder.await_requests(20);
    let mut levels = std::iter::from_fn(|| output.poll_event().expect("open")).map(|event| event.level);
    assert!(levels.all(|level| level != Level::Fatal));
    close(&output);
}

/// Opens the output of one segment of a distributed test, with windows of `rate`.
fn open_segment(url: &str, segment: &str, rate: &str) -> Output {
    let json = json!({ "pushInterval": rate, "protocol": "1.0", "selfMetrics": false, "unsentDirectory": "" });
    let document = json!({ "argument": url, "json": json, "run": { "executionSegment": segment } });
    Output::open(document.to_string().as_bytes()).expect("valid")
}

/// Returns the time of each request since the end of its window.
fn delays(recorder: &Recorder) -> Vec<Duration> {
    let delay = |request: &crate::recording_receiver::Recorded| {
        let arrived = SystemTime::now() - request.at.elapsed();
        let end_ms = request.message.timeseries[0].samples[0].timestamp as u64;
        arrived.duration_since(SystemTime::UNIX_EPOCH + Duration::from_millis(end_ms)).expect("later")
    };
    recorder.requests().iter().map(delay).collect()
}

#[test]
fn segments_of_a_test_send_at_different_times() {
    let segments = ["0:1/2", "1/2:1"].map(|segment| {
        let recorder = Recorder::start(|_| Reply::Status(204));
        let output = open_segment(&recorder.url(), segment, "2s");
        counter(&output, "c");
        (recorder, output)
    });
    let delays = segments.each_ref().map(|(recorder, _)| {
        recorder.await_requests(3);
        delays(recorder).split_off(1) // the first request has the zero, which is older
    });
    let offset = Duration::from_millis(500);
    assert!(delays[0].iter().any(|&delay| delay < offset), "{delays:?}");
    assert!(delays[1].iter().all(|&delay| delay >= offset), "{delays:?}");
    segments.iter().for_each(|(_, output)| drop(close(output)));
}

#[test]
fn segments_do_not_delay_the_last_window_of_a_test() {
    let recorder = Recorder::start(|_| Reply::Status(204));
    let output = open_segment(&recorder.url(), "9/10:1", "1h");
    let c = counter(&output, "c");
    add(&output, c, 1.0);
    let report = close(&output);
    assert_eq!((count(&report, "points_sent"), report["samples"].as_u64()), (3, Some(1)));
}

#[test]
fn a_slow_destination_does_not_delay_another() {
    let (slow, fast) =
        (Recorder::start(|_| Reply::Late(Duration::from_secs(60), 204)), Recorder::start(|_| Reply::Status(204)));
    let block = |recorder: &Recorder| {
        json!({
            "provider": "prometheus", "remoteWriteURL": recorder.url(), "includeDefaultMetrics": false, "metrics": ["c"],
            "pushInterval": "100ms", "flushTimeout": "1s", "selfMetrics": false, "unsentDirectory": "",
        })
    };
    let document = json!({ "script": { "ext": { "apm": [block(&slow), block(&fast)] } } });
    let output = Output::open(document.to_string().as_bytes()).expect("valid");
    let c = counter(&output, "c");
    for window in 1..=8 {
        add(&output, c, 1.0);
        fast.await_requests(window);
    }
    let before = Instant::now();
    let report: Value = serde_json::from_str(output.close().expect("open")).expect("JSON");
    assert!(before.elapsed() < Duration::from_secs(5), "destinations share the flush timeout: {:?}", before.elapsed());
    let [slow_report, fast_report] = [0, 1].map(|number| &report["destinations"][number]);
    assert_eq!(fast_report["points_sent"], fast_report["points"]);
    assert_eq!(fast.points()["k6_c_total"].iter().map(|point| point.1).rfind(|value| !value.is_nan()), Some(8.0));
    assert_eq!((&slow_report["points_sent"], &slow_report["points_lost"]), (&json!(0), &slow_report["points"]));
}
