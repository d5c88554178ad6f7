//! Random calls, documents and responses, compared with simple reference implementations.
//!
//! `make fuzz` runs any number of cases, `make test` a few with a fixed seed.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::calls::{
    cancel_flush, close, description, free, open, poll_event, push, push_batch, push_exemplars, register,
};
use crate::recording_receiver::{Recorder, Reply};
use k6_remote_write::ffi::{OutputHandle, Sample, Status};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

/// The number of cases, unless PROPTEST_CASES is set.
const CASES: u32 = 48;

fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    // A failure prints its shortest case.
    ProptestConfig {
        cases: cases.unwrap_or(CASES),
        failure_persistence: None,
        max_shrink_time: 120_000,
        ..ProptestConfig::default()
    }
}

/// A call. `output` is the index of an output, which may not be open yet.
#[derive(Debug, Clone)]
enum Call {
    Open,
    Register { output: usize, tag: usize },
    Push { output: usize, series: u64, value: f64 },
    PushBatch { output: usize, samples: Vec<(u64, f64)> },
    PushExemplars { output: usize, samples: Vec<(u64, f64)> },
    PollEvent { output: usize },
    Description { output: usize },
    Close { output: usize },
    Free { output: usize },
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let output = || 0..3_usize;
    let series = || prop_oneof![8 => 1..4_u64, 1 => Just(0), 1 => any::<u64>()];
    let value = || prop_oneof![8 => (0..100_u8).prop_map(f64::from), 1 => Just(f64::NAN), 1 => Just(f64::INFINITY)];
    let call = prop_oneof![
        2 => Just(Call::Open),
        4 => (output(), 0..2_usize).prop_map(|(output, tag)| Call::Register { output, tag }),
        4 => (output(), series(), value()).prop_map(|(output, series, value)| Call::Push { output, series, value }),
        4 => (output(), vec((series(), value()), 0..20)).prop_map(|(output, samples)| Call::PushBatch { output, samples }),
        2 => (output(), vec((series(), value()), 0..20)).prop_map(|(output, samples)| Call::PushExemplars { output, samples }),
        1 => output().prop_map(|output| Call::PollEvent { output }),
        1 => output().prop_map(|output| Call::Description { output }),
        1 => output().prop_map(|output| Call::Close { output }),
        1 => output().prop_map(|output| Call::Free { output }),
    ];
    vec(call, 1..60)
}

/// The expected state of an output.
#[derive(Default)]
struct Reference {
    closed: bool,
    freed: bool,
    /// The target series of each id.
    series: Vec<String>,
    finite: u64,
    not_finite: u64,
    totals: BTreeMap<String, f64>,
}

impl Reference {
    fn state(&self) -> Status {
        match self {
            Self { freed: true, .. } => Status::K6RW_INVALID_HANDLE,
            Self { closed: true, .. } => Status::K6RW_CLOSED,
            _ => Status::K6RW_OK,
        }
    }

    fn register(&mut self, series: String) -> (Status, u64) {
        if self.state() != Status::K6RW_OK {
            return (self.state(), 0);
        }
        self.totals.entry(series.clone()).or_default();
        let index = self.series.iter().position(|known| *known == series).unwrap_or_else(|| {
            self.series.push(series);
            self.series.len() - 1
        });
        (Status::K6RW_OK, index as u64 + 1)
    }

    fn push(&mut self, samples: &[(u64, f64)]) -> Status {
        if self.state() != Status::K6RW_OK {
            return self.state();
        }
        let mut status = Status::K6RW_OK;
        for &(id, value) in samples {
            let Some(series) = id.checked_sub(1).and_then(|index| self.series.get(usize::try_from(index).ok()?)) else {
                status = Status::K6RW_UNKNOWN_SERIES;
                continue;
            };
            if value.is_finite() {
                self.finite += 1;
                *self.totals.entry(series.clone()).or_default() += value;
            } else {
                self.not_finite += 1;
            }
        }
        status
    }

    fn expect_report(&self, report: &Value) {
        assert_eq!((&report["samples"], &report["samples_not_finite"]), (&self.finite.into(), &self.not_finite.into()));
        assert_eq!((&report["samples_dropped"], &report["panics"]), (&0.into(), &0.into()));
    }
}

/// Makes the calls on the library and on the reference, and compares the results.
struct Both {
    receiver: Recorder,
    outputs: Vec<(*mut OutputHandle, Reference)>,
}

impl Both {
    fn open(&mut self) {
        let document = json!({ "argument": self.receiver.url(), "json": { "pushInterval": "100ms" } }).to_string();
        let (status, message, output) = open(document.as_bytes());
        assert_eq!(status, Status::K6RW_OK, "{message}");
        self.outputs.push((output, Reference::default()));
    }

    fn make(&mut self, call_made: &Call) {
        let (Call::Register { output, .. }
        | Call::Push { output, .. }
        | Call::PushBatch { output, .. }
        | Call::PushExemplars { output, .. }
        | Call::PollEvent { output }
        | Call::Description { output }
        | Call::Close { output }
        | Call::Free { output }) = *call_made
        else {
            return self.open();
        };
        let mut never_opened =
            (std::ptr::without_provenance_mut(output + 1), Reference { freed: true, ..Reference::default() });
        let (handle, reference) = self.outputs.get_mut(output).unwrap_or(&mut never_opened);
        let handle = *handle;
        match call_made {
            Call::Open => {}
            Call::Register { tag, .. } => {
                let number = output.to_string();
                let tags: [(&[u8], &[u8]); 2] =
                    [(b"output", number.as_bytes()), (b"tag", if *tag == 0 { b"a" } else { b"b" })];
                let series =
                    format!("k6_fuzz_total{{output=\"{output}\",tag={:?}}}", if *tag == 0 { "a" } else { "b" });
                assert_eq!(register(handle, b"fuzz", (0, 0), &tags), reference.register(series));
            }
            Call::Push { series, value, .. } => {
                assert_eq!(push(handle, *series, *value), reference.push(&[(*series, *value)]));
            }
            Call::PushBatch { samples, .. } => {
                let records = samples.iter().map(|&(series, value)| Sample { series, time_ms: i64::MIN, value });
                assert_eq!(push_batch(handle, &records.collect::<Vec<_>>()), reference.push(samples));
            }
            Call::PushExemplars { samples, .. } => {
                let records = samples.iter().map(|&(series, value)| Sample { series, time_ms: 1, value });
                let records: Vec<_> = records.collect();
                assert_eq!(push_exemplars(handle, &records, &[(b"trace_id", b"abc")]), reference.push(samples));
            }
            Call::PollEvent { .. } => {
                let (status, _) = poll_event(handle);
                let open = [Status::K6RW_OK, Status::K6RW_NO_EVENT].contains(&status);
                assert!(if reference.state() == Status::K6RW_OK { open } else { status == reference.state() });
            }
            Call::Description { .. } => {
                assert_eq!(description(handle).0, reference.state());
            }
            Call::Close { .. } => {
                let (status, report) = close(handle);
                assert_eq!(status, reference.state());
                reference.closed = true;
                if let Some(report) = report {
                    reference.expect_report(&report);
                }
            }
            Call::Free { .. } => {
                let expected = if reference.freed { Status::K6RW_INVALID_HANDLE } else { Status::K6RW_OK };
                assert_eq!(free(handle), expected);
                reference.freed = true;
            }
        }
    }

    /// Closes all outputs, and checks that the receiver has the totals of the reference.
    fn end(mut self) {
        for output in 0..self.outputs.len() {
            self.make(&Call::Close { output });
            self.make(&Call::Free { output });
        }
        let totals = self.outputs.iter().flat_map(|(_, reference)| reference.totals.clone());
        let last = |points: &Vec<(i64, f64)>| points.iter().map(|&(_, value)| value).rfind(|value| !value.is_nan());
        let received = self.receiver.points();
        let received = received.iter().filter(|(series, _)| series.starts_with("k6_fuzz_total"));
        let received: BTreeMap<_, _> =
            received.filter_map(|(series, points)| Some((series.clone(), last(points)?))).collect();
        assert_eq!(received, totals.collect());
    }
}

/// Options with valid and invalid names and values.
fn options() -> impl Strategy<Value = BTreeMap<String, Value>> {
    let names = k6_remote_write::config::options().map(|option| option.name.to_owned()).collect::<Vec<_>>();
    let name = prop_oneof![8 => prop::sample::select(names), 1 => "[a-zA-Z]{0,12}"];
    prop::collection::btree_map(name, values(), 0..4)
}

fn values() -> impl Strategy<Value = Value> {
    let text = prop_oneof!["\\PC{0,16}", "[0-9]{1,6}(ms|s|m|h|)", "https?://[a-z.:@/\\[\\]0-9]{0,20}", "true|false"];
    prop_oneof![
        text.prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
        Just(json!([1, { "a": null }])),
    ]
}

fn documents() -> impl Strategy<Value = Vec<u8>> {
    let fields = (
        options(),
        prop::collection::btree_map("K6_PROMETHEUS_RW_[A-Z_]{0,20}|[A-Z]{0,5}", "\\PC{0,12}", 0..4),
        values(),
    );
    let valid = fields.prop_map(|(json, mut environment, ext)| {
        // An output that opens has nothing to send at the end, and no receiver, unless the broken byte changes one of the two.
        environment.insert("K6_PROMETHEUS_RW_SELF_METRICS".into(), "false".into());
        environment.insert("K6_PROMETHEUS_RW_UNSENT_DIRECTORY".into(), String::new());
        let argument = "http://me:hunter2@127.0.0.1:1/w";
        let document =
            json!({ "argument": argument, "json": json, "environment": environment, "script": { "ext": ext } });
        document.to_string().into_bytes()
    });
    let broken = prop::option::of((any::<prop::sample::Index>(), any::<u8>()));
    let nearly_valid = (valid, broken).prop_map(|(mut document, broken)| {
        if let Some((index, byte)) = broken {
            let index = index.index(document.len());
            document[index] = byte;
        }
        document
    });
    prop_oneof![8 => nearly_valid, 1 => vec(any::<u8>(), 0..64)]
}

/// A response that violates HTTP or the specification.
fn responses() -> impl Strategy<Value = Vec<u8>> {
    let status = prop_oneof![100..600_u16, Just(204), Just(429), Just(503), Just(400)];
    let retry_after = prop_oneof!["[0-9]{1,30}", "\\PC{0,20}", Just("Thu, 01 Jan 2099 00:00:00 GMT".to_owned())];
    let http =
        (status, retry_after, vec(any::<u8>(), 0..2000), any::<bool>()).prop_map(|(status, after, body, honest)| {
            let len = if honest { body.len() } else { body.len() * 2 };
            let head = format!("HTTP/1.1 {status} x\r\nRetry-After: {after}\r\nContent-Length: {len}\r\n\r\n");
            [head.as_bytes(), &body].concat()
        });
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_vec();
    prop_oneof![6 => http, 1 => vec(any::<u8>(), 0..200), 1 => Just(chunked)]
}

/// Sends the responses, each on a separate connection, and 204 when there are no more.
fn respond_all(listener: &TcpListener, responses: Vec<Vec<u8>>) {
    let mut responses = responses.into_iter();
    for connection in listener.incoming() {
        let Ok(connection) = connection else { return };
        if is_end(&connection) {
            return;
        }
        let response = responses.next().unwrap_or_else(|| b"HTTP/1.1 204 x\r\nConnection: close\r\n\r\n".to_vec());
        let _ = (&connection).write_all(&response);
    }
}

/// Reads a request. Returns true if there is none.
fn is_end(connection: &TcpStream) -> bool {
    let mut reader = BufReader::new(connection);
    let (mut line, mut len) = (String::new(), 0);
    while reader.read_line(&mut line).is_ok_and(|bytes| bytes > 2) {
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            len = value.trim().parse().unwrap_or_default();
        }
        line.clear();
    }
    let mut body = vec![0; len];
    len == 0 || reader.read_exact(&mut body).is_err()
}

/// Returns true if no string in it could forge a log line.
fn is_clean(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.contains(char::is_control),
        Value::Array(values) => values.iter().all(is_clean),
        Value::Object(fields) => fields.values().all(is_clean),
        _ => true,
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_calls_in_any_order_do_what_the_reference_does(calls in calls()) {
        let mut both = Both { receiver: Recorder::start(|_| Reply::Status(204)), outputs: Vec::new() };
        for call in &calls {
            both.make(call);
        }
        both.end();
    }

    #[test]
    fn any_document_opens_or_is_rejected_without_showing_secrets(document in documents()) {
        let (status, message, output) = open(&document);
        // A document may turn the preflight on.
        let expected = [Status::K6RW_OK, Status::K6RW_INVALID_CONFIG, Status::K6RW_PREFLIGHT_FAILED];
        prop_assert!(expected.contains(&status), "{status:?}: {message}");
        prop_assert!(!message.contains("hunter2"), "{message}");
        prop_assert_eq!(output.is_null(), status != Status::K6RW_OK);
        if !output.is_null() {
            prop_assert_eq!(cancel_flush(output), Status::K6RW_OK);
            prop_assert_eq!(free(output), Status::K6RW_OK);
        }
    }

    #[test]
    fn any_series_is_registered_or_rejected_with_the_right_status(
        metric in vec(any::<u8>(), 0..20),
        tags in vec((vec(any::<u8>(), 0..8), "\\PC{0,8}"), 0..8),
        codes in (0..6_u32, 0..5_u32),
    ) {
        let (_, message, output) = open(br#"{"argument": "http://127.0.0.1:1/", "json": {"flushTimeout": "0s", "unsentDirectory": ""}}"#);
        prop_assert!(!output.is_null(), "{}", message);
        let borrowed: Vec<_> = tags.iter().map(|(name, value)| (&name[..], value.as_bytes())).collect();
        let is_text = |bytes: &[u8]| std::str::from_utf8(bytes).is_ok();
        let (status, id) = register(output, &metric, codes, &borrowed);
        let good_text = is_text(&metric) && tags.iter().all(|(name, _)| is_text(name));
        let expected = match (good_text, codes.0 < 4 && codes.1 < 3) {
            (true, true) => vec![Status::K6RW_OK],
            (true, false) => vec![Status::K6RW_INVALID_ARGUMENT],
            (false, true) => vec![Status::K6RW_INVALID_UTF8],
            (false, false) => vec![Status::K6RW_INVALID_UTF8, Status::K6RW_INVALID_ARGUMENT],
        };
        prop_assert!(expected.contains(&status), "{:?}", status);
        prop_assert_eq!(id, u64::from(status == Status::K6RW_OK));
        prop_assert_eq!(free(output), Status::K6RW_OK);
    }

    #[test]
    fn any_responses_end_in_time_with_one_clean_report(responses in vec(responses(), 0..6)) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("known");
        let receiver = std::thread::spawn(move || respond_all(&listener, responses));
        let document = json!({
            "argument": format!("http://{address}/w"),
            "json": { "pushInterval": "100ms", "timeout": "200ms", "flushTimeout": "500ms", "unsentDirectory": "" },
        });
        let (_, message, output) = open(document.to_string().as_bytes());
        prop_assert!(!output.is_null(), "{}", message);
        let (_, series) = register(output, b"fuzz", (0, 0), &[]);
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(250) {
            prop_assert_eq!(push(output, series, 1.0), Status::K6RW_OK);
            std::thread::sleep(Duration::from_millis(50));
        }
        let closing = Instant::now();
        let (_, report) = close(output);
        prop_assert!(closing.elapsed() < Duration::from_secs(5));
        let report = report.expect("was open");
        let to = &report["destinations"][0];
        let outcomes = ["points_sent", "points_failed", "points_dropped", "points_lost"];
        prop_assert!(outcomes.iter().filter_map(|outcome| to[*outcome].as_u64()).sum::<u64>() > 0, "{}", report);
        prop_assert_eq!(&report["panics"], &json!(0));
        prop_assert!(is_clean(&report["events"]), "{}", report);
        prop_assert_eq!(free(output), Status::K6RW_OK);
        let _ = TcpStream::connect(address); // without a request: the end
        prop_assert!(receiver.join().is_ok());
    }
}
