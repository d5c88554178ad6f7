//! Responses that need reading: web pages, compressed bodies, redirects, and messages that quote the labels of a test.

use std::io::Write;

use crate::outputs::{await_event, close, count};
use crate::recording_receiver::{Recorder, Reply};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use k6_remote_write::k6::{MetricType, Sample};
use k6_remote_write::output::{OpenError, Output};
use k6_remote_write::report::{Event, Level};
use k6_remote_write::series::SeriesDefinition;
use k6_remote_write::wire::Protocol;
use serde_json::{Value, json};

const PAGE: &[u8] = b"<!DOCTYPE html>\n<html><head><meta charset=utf-8><title>\n Sign in &amp; go on</title></head>\
                      <body><script>let a = 1 < 2;</script><h1>Welcome</h1> Password:</body></html>";

/// Opens an output with windows of 100 ms.
fn open(url: &str, options: Value) -> Result<Output, OpenError> {
    let mut json = json!({
        "pushInterval": "100ms", "timeout": "2s", "flushTimeout": "5s", "selfMetrics": false, "unsentDirectory": "",
    });
    for (name, value) in options.as_object().expect("an object") {
        json[name] = value.clone();
    }
    Output::open(json!({ "argument": url, "json": json }).to_string().as_bytes())
}

/// Adds one sample to each of `count` counters.
fn add(output: &Output, count: usize) {
    for number in 0..count {
        let definition = SeriesDefinition::new("c", MetricType::Counter).with_tags([("number", number.to_string())]);
        let series = output.register(definition).expect("open");
        output.push(&[Sample { series, time_ms: 0, value: 1.0 }]).expect("open");
    }
}

fn field<'a>(event: &'a Event, name: &str) -> &'a str {
    event.fields.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn page(status: u16, content_type: &str, body: &[u8]) -> Reply {
    Reply::Other(status, vec![("Content-Type", content_type.into())], body.into())
}

#[test]
fn a_web_page_is_not_a_success() {
    for protocol in ["auto", "1.0", "2.0"] {
        for reply in [
            page(200, "text/html; charset=utf-8", PAGE),
            page(202, "application/xhtml+xml", &[b"<?xml version=\"1.0\"?>\n", PAGE].concat()),
            page(200, "text/plain", PAGE),
            Reply::Other(
                200,
                vec![("Content-Type", "Text/HTML".into()), ("Content-Encoding", "gzip".into())],
                gzip(PAGE),
            ),
        ] {
            let recorder = Recorder::start(move |_| reply.clone());
            let output =
                open(&recorder.url(), json!({ "protocol": protocol, "flushTimeout": "200ms" })).expect("valid");
            add(&output, 1);
            let event = await_event(&output);
            assert_eq!((event.level, &*event.message), (Level::Warn, "Failed to send batch, retrying"));
            assert_eq!(field(&event, "error"), "web page \"Sign in & go on\"");
            assert_eq!(event.fields.get("status").map(|status| status.to_string().len()), Some(3));
            let hint = field(&event, "hint");
            assert!(hint.contains("a web page answered") && hint.contains("the URL's path"), "{hint}");
            let report = close(&output);
            assert_eq!(count(&report, "points_sent"), 0, "{report:#}");
            assert_ne!(
                report["events"].as_array().and_then(|events| events.last()).expect("a summary")["level"],
                "info"
            );
        }
    }
}

#[test]
fn nothing_is_lost_while_a_web_page_answers() {
    for protocol in ["auto", "1.0", "2.0"] {
        let recorder = Recorder::start(|number| match number {
            1 | 2 => page(200, "text/html", PAGE),
            _ => Reply::Status(204),
        });
        let output = open(&recorder.url(), json!({ "protocol": protocol })).expect("valid");
        for request in 1..=4 {
            add(&output, 1);
            recorder.await_requests(request);
        }
        let report = close(&output);
        assert_eq!(count(&report, "points_sent"), count(&report, "points"), "{report:#}");
        let stored = recorder.points().remove("k6_c_total{number=\"0\"}").expect("stored");
        assert!(stored.iter().any(|&(_, value)| value == 4.0), "{stored:?}");
        let kept = recorder.requests().iter().all(|request| (request.protocol == Protocol::V1) == (protocol == "1.0"));
        assert!(kept, "a web page says nothing of the protocol");
    }
}

/// Frameworks for web pages name their type whatever they send.
#[test]
fn a_success_without_a_page_is_a_success_whatever_its_type() {
    for body in ["", "OK", "{\"status\":\"ok\"}"] {
        let recorder = Recorder::start(move |_| Reply::With(200, "Content-Type", "text/html; charset=utf-8", body));
        let output = open(&recorder.url(), json!({ "preflight": true })).expect("accepted");
        add(&output, 1);
        let report = close(&output);
        assert_eq!(count(&report, "points_sent"), count(&report, "points"), "{report:#}");
    }
}

#[test]
fn a_preflight_that_a_web_page_answers_fails() {
    for protocol in ["auto", "1.0", "2.0"] {
        let recorder = Recorder::start(|_| page(200, "text/html", PAGE));
        let result = open(&recorder.url(), json!({ "preflight": true, "protocol": protocol }));
        let error = result.err().expect("not accepted").to_string();
        for part in ["status 200; web page \"Sign in & go on\"; ", "a web page answered instead of a receiver"] {
            assert!(error.contains(part), "{error}");
        }
    }
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(vec![], Compression::default());
    encoder.write_all(body).expect("to memory");
    encoder.finish().expect("to memory")
}

fn zlib(body: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(vec![], Compression::default());
    encoder.write_all(body).expect("to memory");
    encoder.finish().expect("to memory")
}

fn deflate(body: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(vec![], Compression::default());
    encoder.write_all(body).expect("to memory");
    encoder.finish().expect("to memory")
}

/// Sends one batch of 1.0 that gets this reply; returns the first event.
fn first_event(reply: Reply) -> Event {
    let recorder = Recorder::start(move |_| reply.clone());
    let output = open(&recorder.url(), json!({ "protocol": "1.0", "flushTimeout": "200ms" })).expect("valid");
    add(&output, 1);
    let event = await_event(&output);
    close(&output);
    event
}

#[test]
fn a_compressed_error_is_readable() {
    let error = b"out of order sample\n";
    for status in [400, 503] {
        for (encoding, body) in [
            ("gzip", gzip(error)),
            ("x-gzip", gzip(error)),
            ("GZIP", gzip(error)),
            ("deflate", zlib(error)),
            ("deflate", deflate(error)),
            ("identity", error.to_vec()),
            ("gzip", error.to_vec()),
        ] {
            let event = first_event(Reply::Other(status, vec![("Content-Encoding", encoding.into())], body));
            assert_eq!(field(&event, "error"), "out of order sample", "{status} {encoding}");
            assert!(field(&event, "hint").contains("testid"), "{event:?}");
        }
    }
}

#[test]
fn a_body_that_cannot_be_read_is_described_and_not_shown() {
    for (encoding, body, shown) in [
        ("br", b"\x8b\x03\x80hello\x03".to_vec(), "response body in the encoding br"),
        ("zstd", b"\x28\xb5\x2f\xfd".to_vec(), "response body in the encoding zstd"),
        ("gzip, br", b"hello".to_vec(), "response body in the encoding gzip, br"),
        ("", gzip(b"too old"), "response body that is not text"),
        ("", b"\x08\x03\x12\x0dinvalid token\0".to_vec(), "response body that is not text"),
        ("gzip", gzip(&[0; 100_000]), "response body that is not text"),
    ] {
        let event = first_event(Reply::Other(400, vec![("Content-Encoding", encoding.into())], body));
        assert_eq!(field(&event, "error"), shown, "{encoding}");
    }
}

/// The error pages of proxies.
#[test]
fn an_error_page_is_shown_as_text() {
    let body = b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n\
                 <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";
    let event = first_event(page(502, "text/html", body));
    assert_eq!(field(&event, "error"), "502 Bad Gateway nginx");
    let event =
        first_event(page(400, "text/html", b"<head><title>Error</title></head><p>request body&nbsp;too large</p>"));
    assert_eq!(field(&event, "error"), "Error: request body too large");
}

#[test]
fn a_redirect_says_where_to_without_secrets() {
    for (location, shown) in [
        (
            "https://user:hunter2@other.example:8443/api/v1/write?token=hunter2&tenant=a&hunter2#hunter2",
            "https://other.example:8443/api/v1/write?token=***&tenant=***&***",
        ),
        ("//user:hunter2@other.example/write", "//other.example/write"),
        ("/login?next=%2Fapi", "/login?next=***"),
        ("login", "login"),
    ] {
        for status in [301, 302, 303, 307, 308] {
            // 307 and 308 to the same receiver are followed.
            if status >= 307 && !location.contains("other") {
                continue;
            }
            let event = first_event(Reply::Other(status, vec![("Location", location.into())], b"Moved".to_vec()));
            assert_eq!(field(&event, "error"), format!("redirect to {shown}"), "{status}");
            let hint = field(&event, "hint");
            assert!(hint.contains("the URL has moved") && hint.contains(shown), "{hint}");
        }
    }
}

#[test]
fn a_quoted_label_does_not_shrink_requests() {
    for (body, shrinks) in [
        (r#"invalid sample for k6_checks{check="payload too large is refused"}"#, false),
        (r"sample rejected, series: 'k6_checks{check=\'too many samples\'}', check='entity too large'", false),
        (r#"{"status":"error","error":"rejected: {check=\"request body too large\"}"}"#, false),
        (r#"{"status":"error","error":"request body too large"}"#, true),
        ("too big unpacked request; mustn't exceed `-maxInsertRequestSize=20480` bytes; got 30000 bytes", true),
    ] {
        let recorder = Recorder::start(move |number| match number {
            // Not 400, 409 or 422: such requests are split whatever the message.
            0 => Reply::With(406, "X-Test", "1", body),
            _ => Reply::Status(204),
        });
        let options = json!({ "protocol": "1.0", "pushInterval": "1h", "staleMarkers": false });
        let output = open(&recorder.url(), options).expect("valid");
        add(&output, 20);
        let report = close(&output);
        let sizes: Vec<_> = recorder.requests().iter().map(|request| request.message.timeseries.len()).collect();
        assert_eq!(sizes[0], 20, "{sizes:?}");
        assert_eq!(sizes.iter().any(|&size| size < 20), shrinks, "{body}: {sizes:?}");
        assert_eq!(count(&report, "points_failed"), if shrinks { 0 } else { 20 }, "{body}: {report:#}");
    }
}

#[test]
fn messages_that_differ_only_in_values_are_one_cause() {
    let bodies = [
        r#"the sample was rejected. timestamp=2026-01-02T03:04:05Z, series=k6_a{check="one"}, id 7f9c"#,
        r#"the sample was rejected. timestamp=2026-01-02T03:04:06Z, series=k6_b{check="two {"}, id a00e"#,
        r#"the sample was rejected. timestamp=2026-01-02T03:04:07Z, series=k6_a{check="it's \"three\""}, id 11ab"#,
    ];
    let recorder = Recorder::start(move |number| match number {
        0..3 => Reply::With(400, "X-Test", "1", bodies[number]),
        3 => Reply::With(400, "X-Test", "1", "another cause"),
        _ => Reply::Status(204),
    });
    let output = open(&recorder.url(), json!({ "protocol": "1.0" })).expect("valid");
    for request in 1..=5 {
        add(&output, 1);
        recorder.await_requests(request);
    }
    let report = close(&output);
    let errors: Vec<_> =
        report["events"].as_array().expect("events").iter().filter(|event| event["fields"]["status"] == 400).collect();
    let errors: Vec<_> = errors.iter().map(|event| event["fields"]["error"].as_str().unwrap_or_default()).collect();
    assert_eq!(errors, [bodies[0], "another cause"], "the first message, unchanged");
}

#[test]
fn labels_that_a_receiver_demands_have_a_hint() {
    let event = first_event(Reply::With(500, "X-Test", "1", "job or instance cannot be found from labels\n"));
    assert_eq!(event.level, Level::Warn);
    let hint = field(&event, "hint");
    assert!(hint.contains("labels: job=") && hint.contains("instance="), "{hint}");
}

/// Mimir and Cortex with a tracker of high availability.
#[test]
fn a_success_that_calls_the_points_a_copy_is_none() {
    const COPY: &[u8] = b"replicas did not match, rejecting sample: replica=b, elected=a";
    for protocol in ["auto", "1.0", "2.0"] {
        let recorder = Recorder::start(|_| page(202, "text/plain; charset=utf-8", COPY));
        let output = open(&recorder.url(), json!({ "protocol": protocol })).expect("valid");
        add(&output, 3);
        let report = close(&output);
        assert_eq!(
            (count(&report, "points_sent"), count(&report, "requests_retried")),
            (0, 0),
            "{protocol}: {report:#}"
        );
        assert_eq!(count(&report, "points_failed"), count(&report, "points"), "{protocol}: {report:#}");
        assert!(report.to_string().contains("leave out the label of the replica"), "{protocol}: {report:#}");
    }
}
