//! Receivers that reject a part of what they get, whatever they call it: what they accept must arrive.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::outputs::{close, count};
use crate::recording_receiver::{Recorded, Recorder, Reply};
use k6_remote_write::k6::{MetricType, Sample};
use k6_remote_write::output::Output;
use k6_remote_write::series::SeriesDefinition;
use k6_remote_write::wire::Protocol;
use k6_remote_write::wire::proto::v1::{TimeSeries, WriteRequest};
use serde_json::{Value, json};

fn open(protocol: Protocol, url: &str, options: Value) -> Output {
    let mut json = json!({
        "pushInterval": "100ms", "timeout": "1s", "flushTimeout": "20s", "selfMetrics": false, "unsentDirectory": "",
        "protocol": protocol.to_string(),
    });
    for (name, value) in options.as_object().expect("an object") {
        json[name] = value.clone();
    }
    Output::open(json!({ "argument": url, "json": json }).to_string().as_bytes()).expect("valid")
}

/// Registers `count` gauges, `g{number="0"}` and so on.
fn gauges(output: &Output, count: usize) -> Vec<u64> {
    let register = |number: usize| {
        let tags = [("number".to_string(), number.to_string())];
        output.register(SeriesDefinition::new("g", MetricType::Gauge).with_tags(tags))
    };
    (0..count).map(|number| register(number).expect("open")).collect()
}

fn set_all(output: &Output, series: &[u64], value: f64) {
    let samples: Vec<_> = series.iter().map(|&series| Sample { series, time_ms: 0, value }).collect();
    output.push(&samples).expect("open");
}

fn events<'a>(report: &'a Value, level: &str) -> Vec<&'a Value> {
    report["events"].as_array().expect("events").iter().filter(|event| event["level"] == level).collect()
}

fn number_of(series: &TimeSeries) -> Option<usize> {
    let label = series.labels.iter().find(|label| label.name == "number")?;
    label.value.parse().ok()
}

fn has(message: &WriteRequest, number: usize) -> bool {
    message.timeseries.iter().any(|series| number_of(series) == Some(number))
}

/// The numbers of all gauges of which something was stored.
fn stored(requests: &[Recorded]) -> BTreeSet<usize> {
    let stored = requests.iter().filter(|request| request.stored);
    stored.flat_map(|request| request.message.timeseries.iter().filter_map(number_of)).collect()
}

/// Runs windows of 150 gauges against a receiver that answers requests with gauge 70 by `status`, `message`.
fn one_bad_gauge(status: u16, message: &'static str, windows: usize) -> (Vec<Recorded>, Value) {
    let recorder = Recorder::judge(move |request| match has(request, 70) {
        true => Reply::With(status, "X-Test", "1", message),
        false => Reply::Status(204),
    });
    let output = open(Protocol::V1, &recorder.url(), json!({}));
    let series = gauges(&output, 150);
    for window in 0..windows {
        set_all(&output, &series, window as f64);
        std::thread::sleep(Duration::from_millis(100));
    }
    let report = close(&output);
    (recorder.requests(), report)
}

#[test]
fn one_bad_series_costs_itself_alone_whatever_the_status() {
    for (status, message) in [
        (400, "out of order sample"),
        (422, "label value too long"),
        (409, "add 1 samples: out of order sample"),
        (413, ""),
        (400, "too big unpacked request"),
        (500, "rpc error: grpc: received message larger than max (5 vs. 4)"),
    ] {
        let (requests, report) = one_bad_gauge(status, message, 15);
        assert_eq!(stored(&requests).len(), 149, "{status} {message}");
        // Three points a window: latest, lowest, highest.
        let bad = count(&report, "points_failed");
        assert_eq!(count(&report, "points_sent") + bad, count(&report, "points"), "{report:#}");
        assert!(bad <= 3 * 17, "{status} {message}: {bad} {report:#}");
        assert!(requests.len() < 110, "{status} {message}: {} requests", requests.len());
        let errors = events(&report, "error");
        let named = errors.iter().filter_map(|event| event["fields"]["series"].as_str());
        let named: BTreeSet<_> = named.collect();
        assert!(named.contains(r#"k6_g{number="70"}"#), "{status} {message}: {errors:#?}");
    }
}

/// A receiver that always fails on one series, such as Prometheus 2 on native histograms, does not stop the others.
#[test]
fn a_series_on_which_the_receiver_fails_does_not_block_the_others() {
    let (requests, report) = one_bad_gauge(500, "native histograms are disabled", 60);
    assert_eq!(stored(&requests).len(), 149);
    let lost = count(&report, "points_failed");
    assert_eq!(count(&report, "points_sent") + lost, count(&report, "points"), "{report:#}");
    assert!(lost <= 3 * 62, "{report:#}");
}

#[test]
fn a_receiver_that_fails_on_everything_for_a_while_loses_nothing() {
    let begin = Instant::now();
    let recorder =
        Recorder::judge(
            move |_| {
                if begin.elapsed() < Duration::from_secs(8) { Reply::Status(500) } else { Reply::Status(204) }
            },
        );
    let output = open(Protocol::V1, &recorder.url(), json!({}));
    let series = gauges(&output, 50);
    while begin.elapsed() < Duration::from_secs(9) {
        set_all(&output, &series, 1.0);
        std::thread::sleep(Duration::from_millis(100));
    }
    let report = close(&output);
    assert_eq!(count(&report, "points_sent"), count(&report, "points"), "{report:#}");
    assert!(recorder.requests().len() < 200, "{} requests", recorder.requests().len());
}

#[test]
fn a_receiver_that_finds_everything_too_large_gets_some_dozens_of_requests() {
    let recorder = Recorder::judge(|_| Reply::Status(413));
    let output = open(Protocol::V1, &recorder.url(), json!({}));
    let series = gauges(&output, 150);
    for _ in 0..30 {
        set_all(&output, &series, 1.0);
        std::thread::sleep(Duration::from_millis(100));
    }
    let report = close(&output);
    assert_eq!(count(&report, "points_failed"), count(&report, "points"), "{report:#}");
    assert!(recorder.requests().len() < 90, "{} requests", recorder.requests().len());
}

#[test]
fn a_limit_on_size_is_kept_and_costs_no_point() {
    // The second is Mimir's, for more points than its burst size.
    for (status, message) in [(413, ""), (429, "exceeded the ingestion burst size limit, set to 100, with 150 items")] {
        let recorder = Recorder::judge(move |request| match request.timeseries.len() > 100 {
            true => Reply::With(status, "X-Test", "1", message),
            false => Reply::Status(204),
        });
        let output = open(Protocol::V1, &recorder.url(), json!({}));
        let series = gauges(&output, 150);
        for _ in 0..10 {
            set_all(&output, &series, 1.0);
            std::thread::sleep(Duration::from_millis(100));
        }
        let report = close(&output);
        assert_eq!(count(&report, "points_sent"), count(&report, "points"), "{report:#}");
        let rejected = recorder.requests().iter().filter(|request| request.status == status).count();
        assert!(rejected < 10, "{rejected} requests were too large");
    }
}

/// A receiver that hangs up before it has read a request that is too large for it.
#[test]
fn a_request_whose_connection_is_closed_is_tried_in_parts() {
    let recorder =
        Recorder::judge(|request| if request.timeseries.len() > 100 { Reply::Close } else { Reply::Status(204) });
    let output = open(Protocol::V1, &recorder.url(), json!({}));
    let series = gauges(&output, 150);
    set_all(&output, &series, 1.0);
    std::thread::sleep(Duration::from_secs(5));
    let report = close(&output);
    assert_eq!(count(&report, "points_sent"), count(&report, "points"), "{report:#}");
}

/// Mimir reports all points of a request as written, and answers 400 because it has dropped some.
#[test]
fn a_rejection_is_no_success_whatever_its_headers_say() {
    let recorder = Recorder::start(|_| Reply::WrittenAll(400, "per-user series limit of 100 exceeded"));
    let output = open(Protocol::V2, &recorder.url(), json!({ "pushInterval": "1h" }));
    let series = gauges(&output, 10);
    set_all(&output, &series, 1.0);
    let report = close(&output);
    assert_eq!((count(&report, "points_sent"), count(&report, "points_failed")), (0, count(&report, "points")));
    let errors = events(&report, "error");
    assert_eq!(errors[0]["fields"]["error"], "per-user series limit of 100 exceeded", "{errors:#?}");
    assert_eq!(errors.last().expect("a summary")["message"], "Some samples were not sent");
}

/// A success that has written nothing is no confirmation of Remote Write 2.0.
#[test]
fn a_success_that_has_written_nothing_is_no_confirmation() {
    let recorder = Recorder::start(|_| Reply::Written(204, 0, ""));
    let output = Output::open(
        json!({ "argument": recorder.url(), "json": { "pushInterval": "1h", "selfMetrics": false } })
            .to_string()
            .as_bytes(),
    )
    .expect("valid");
    set_all(&output, &gauges(&output, 1), 1.0);
    let report = close(&output);
    assert_eq!(count(&report, "points_sent"), count(&report, "points"), "{report:#}");
    assert!(recorder.requests().iter().skip(1).all(|request| request.protocol == Protocol::V1));
}

#[test]
fn a_long_retry_after_is_ended_by_the_end_of_the_test() {
    for retry_after in ["3600", "Thu, 01 Jan 2099 00:00:00 GMT"] {
        let recorder = Recorder::start(move |number| match number {
            0 => Reply::With(503, "Retry-After", retry_after, ""),
            _ => Reply::Status(204),
        });
        let output = open(Protocol::V1, &recorder.url(), json!({ "abortOnFailure": "500ms" }));
        set_all(&output, &gauges(&output, 1), 1.0);
        recorder.await_requests(1);
        let deadline = Instant::now() + Duration::from_secs(10);
        let aborted = loop {
            match output.poll_event().expect("open") {
                Some(event) if event.message.starts_with("Aborting the test") => break true,
                _ if Instant::now() > deadline => break false,
                _ => std::thread::sleep(Duration::from_millis(10)),
            }
        };
        assert!(aborted, "abortOnFailure waits for the receiver");
        let report = close(&output);
        assert_eq!(count(&report, "points_sent"), count(&report, "points"), "{report:#}");
    }
}

#[test]
fn a_receiver_that_stores_most_is_healthy() {
    let recorder = Recorder::start(|_| Reply::WrittenAllBut(400, 1, "out of order sample"));
    let output = open(Protocol::V2, &recorder.url(), json!({ "abortOnFailure": "300ms" }));
    let series = gauges(&output, 20);
    for _ in 0..15 {
        set_all(&output, &series, 1.0);
        std::thread::sleep(Duration::from_millis(100));
    }
    let report = close(&output);
    assert!(events(&report, "fatal").is_empty(), "{report:#}");
    assert!(count(&report, "points_sent") > 10 * count(&report, "points_failed"), "{report:#}");
}

/// Windows of 100 ms, and a receiver that needs 300 ms for a request.
#[test]
fn a_slow_receiver_gets_its_backlog_in_large_requests() {
    let recorder = Recorder::start(|_| Reply::Late(Duration::from_millis(300), 204));
    let output = open(Protocol::V1, &recorder.url(), json!({ "flushTimeout": "5s" }));
    let series = gauges(&output, 20);
    for window in 0..50 {
        set_all(&output, &series, f64::from(window));
        std::thread::sleep(Duration::from_millis(100));
    }
    let report = close(&output);
    assert_eq!(count(&report, "points_sent"), count(&report, "points"), "{report:#}");
    let merged = |request: &Recorded| request.message.timeseries.iter().any(|series| series.samples.len() > 1);
    assert!(recorder.requests().iter().any(merged), "nothing was merged");
    for (series, points) in recorder.points() {
        assert!(points.windows(2).all(|pair| pair[0].0 < pair[1].0), "{series}: {points:?}");
    }
}

/// A merged request that was stored, and whose response got lost, is rejected as out of order when it comes again.
#[test]
fn a_merged_request_that_was_stored_without_a_response_is_not_counted_as_rejected() {
    static LOST: AtomicUsize = AtomicUsize::new(0);
    let recorder = Recorder::judge(|request| {
        let merged = request.timeseries.iter().any(|series| series.samples.len() > 1);
        match (merged, LOST.load(Ordering::SeqCst)) {
            (true, 0) => {
                LOST.store(1, Ordering::SeqCst);
                Reply::ResetAnswer
            }
            (true, 1) => {
                LOST.store(2, Ordering::SeqCst);
                Reply::With(400, "X-Test", "1", "out of order sample")
            }
            _ => Reply::Late(Duration::from_millis(200), 204),
        }
    });
    let output = open(Protocol::V1, &recorder.url(), json!({}));
    let series = gauges(&output, 5);
    for window in 0..30 {
        set_all(&output, &series, f64::from(window));
        std::thread::sleep(Duration::from_millis(100));
    }
    let report = close(&output);
    assert_eq!(LOST.load(Ordering::SeqCst), 2, "nothing was merged");
    assert_eq!(count(&report, "points_sent"), count(&report, "points"), "{report:#}");
}

/// A full queue drops the oldest points, also those of a request that is retried.
#[test]
fn a_full_queue_drops_what_is_in_flight() {
    let begin = Instant::now();
    let recorder =
        Recorder::judge(
            move |_| {
                if begin.elapsed() < Duration::from_secs(3) { Reply::Status(503) } else { Reply::Status(204) }
            },
        );
    let output = open(Protocol::V1, &recorder.url(), json!({ "queueBytes": 20_000, "maxShards": 1 }));
    let series = gauges(&output, 20);
    for window in 0..40 {
        set_all(&output, &series, f64::from(window));
        std::thread::sleep(Duration::from_millis(100));
    }
    let report = close(&output);
    assert!(count(&report, "points_dropped") > 0, "{report:#}");
    assert_eq!(
        count(&report, "points_sent") + count(&report, "points_dropped"),
        count(&report, "points"),
        "{report:#}"
    );
    let values = recorder.points().into_values().flatten().map(|point| point.1).filter(|value| !value.is_nan());
    let first = values.map(|value| value as u32).min();
    assert!(first.is_some_and(|value| value > 2), "the oldest points were kept: {first:?}");
}

/// VictoriaMetrics with deduplication keeps the newest sample of an interval: a stale marker in place of the last value.
#[test]
fn victoria_metrics_gets_no_stale_markers() {
    let recorder = Recorder::start(|_| Reply::With(204, "X-Server-Hostname", "vm", ""));
    let output = open(Protocol::V1, &recorder.url(), json!({ "pushInterval": "1h" }));
    set_all(&output, &gauges(&output, 3), 1.0);
    let report = close(&output);
    assert!(recorder.points().values().flatten().all(|point| !point.1.is_nan()), "{:?}", recorder.points());
    assert_eq!((count(&report, "points"), count(&report, "points_sent")), (9, 9), "{report:#}");
}

/// A batch of which nothing is accepted says nothing about the next one.
#[test]
fn a_batch_of_bad_series_alone_does_not_cost_the_series_that_come_later() {
    for bad in [3, 60] {
        let recorder = Recorder::judge(move |request| {
            let has_bad = request.timeseries.iter().filter_map(number_of).any(|number| number < bad);
            if has_bad { Reply::With(400, "X-Test", "1", "out of order sample") } else { Reply::Status(204) }
        });
        let output = open(Protocol::V1, &recorder.url(), json!({}));
        let series = gauges(&output, 200);
        set_all(&output, &series[..bad], 1.0);
        recorder.await_requests(2);
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(4) {
            set_all(&output, &series, 2.0);
            std::thread::sleep(Duration::from_millis(100));
        }
        let report = close(&output);
        assert_eq!(stored(&recorder.requests()).len(), 200 - bad, "{report:#}");
    }
}

/// What a TSDB without an out-of-order window keeps: the time and the value of the newest sample of each series.
#[derive(Default)]
struct Head(Mutex<HashMap<String, (i64, u64)>>);

impl Head {
    /// Appends the samples of a request. Returns false if some are rejected; then none is stored, unless `partial`.
    fn append(&self, request: &WriteRequest, partial: bool) -> bool {
        let mut head = self.0.lock().expect("no panic");
        let (mut next, mut accepted) = (head.clone(), true);
        for series in &request.timeseries {
            let key = format!("{:?}", series.labels);
            for sample in &series.samples {
                let newest = (sample.timestamp, sample.value.to_bits());
                let too_old = next.get(&key).is_some_and(|&(time, value)| {
                    sample.timestamp < time || sample.timestamp == time && value != newest.1
                });
                if too_old || key.contains("bad") {
                    accepted = false;
                } else {
                    next.insert(key.clone(), newest);
                }
            }
        }
        if accepted || partial {
            *head = next;
        }
        accepted
    }
}

fn is_merged(request: &WriteRequest) -> bool {
    request.timeseries.iter().any(|series| series.samples.len() > 1)
}

/// Sets all series every 100 ms, `windows` times, and from the tenth time on also one that comes late.
fn run_with_late_series(output: &Output, series: &[u64], windows: u32, late: SeriesDefinition) {
    let mut late = Some(late);
    let mut all = series.to_vec();
    for window in 0..windows {
        if window == 10 {
            all.extend(late.take().map(|late| output.register(late).expect("open")));
        }
        set_all(output, &all, f64::from(window));
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Mimir stores the valid samples of a request that it rejects: when they come again, they are older than what it has.
#[test]
fn a_backlog_with_a_bad_series_costs_it_alone_where_the_others_are_stored() {
    let (begin, head) = (Instant::now(), Head::default());
    let recorder = Recorder::judge(move |request| {
        if begin.elapsed() < Duration::from_secs(2) {
            return Reply::Status(503);
        }
        match head.append(request, true) {
            true => Reply::Status(204),
            false => Reply::With(400, "X-Test", "1", "sample out of order or label value too long"),
        }
    });
    let output = open(Protocol::V1, &recorder.url(), json!({}));
    let series = gauges(&output, 150);
    let bad = SeriesDefinition::new("g", MetricType::Gauge).with_tags([("number", "bad")]);
    run_with_late_series(&output, &series, 50, bad);
    let report = close(&output);
    let lost = count(&report, "points_failed");
    assert_eq!(count(&report, "points_sent") + lost, count(&report, "points"), "{report:#}");
    // 40 windows of three points, a few more while the test is slow, and the end.
    assert!((1..=3 * 46).contains(&lost), "{report:#}");
}

/// A series that comes later than all others is alone in its batch.
#[test]
fn a_batch_of_one_point_on_which_the_receiver_fails_does_not_block_the_others() {
    let is_late = |series: &TimeSeries| series.labels.iter().any(|label| label.value == "k6_late_total");
    let recorder = Recorder::judge(move |request| match request.timeseries.iter().any(is_late) {
        true => Reply::Status(500),
        false => Reply::Status(204),
    });
    let output = open(Protocol::V1, &recorder.url(), json!({}));
    let series = gauges(&output, 50);
    run_with_late_series(&output, &series, 100, SeriesDefinition::new("late", MetricType::Counter));
    let report = close(&output);
    let lost = count(&report, "points_failed");
    assert_eq!(count(&report, "points_sent") + lost, count(&report, "points"), "{report:#}");
    // 90 windows, a few more while the test is slow, the start and the end.
    assert!((1..=100).contains(&lost), "{report:#}");
}

/// The time of a gateway is over while the receiver still stores the request.
#[test]
fn a_backlog_that_was_stored_behind_a_gateway_is_counted_as_sent() {
    let (head, timed_out) = (Head::default(), AtomicBool::new(false));
    let recorder = Recorder::judge(move |request| {
        let accepted = head.append(request, false);
        match accepted {
            true if is_merged(request) && !timed_out.swap(true, Ordering::SeqCst) => Reply::Status(504),
            true => Reply::Late(Duration::from_millis(if timed_out.load(Ordering::SeqCst) { 5 } else { 300 }), 204),
            false => Reply::With(400, "X-Test", "1", "out of order sample"),
        }
    });
    let output = open(Protocol::V1, &recorder.url(), json!({}));
    let series = gauges(&output, 50);
    for window in 0..40 {
        set_all(&output, &series, f64::from(window));
        std::thread::sleep(Duration::from_millis(100));
    }
    let report = close(&output);
    assert!(recorder.requests().iter().any(|request| request.status == 504));
    assert_eq!(count(&report, "points_sent"), count(&report, "points"), "{report:#}");
}

/// Some rejections sound as if the points were stored, and they are not.
#[test]
fn only_points_that_are_stored_are_counted_as_sent() {
    let merged = AtomicUsize::new(0);
    let recorder =
        Recorder::judge(move |request| match is_merged(request).then(|| merged.fetch_add(1, Ordering::SeqCst)) {
            Some(0) => Reply::Close,
            Some(1) => Reply::With(400, "X-Test", "1", "out of bounds"),
            _ => Reply::Late(Duration::from_millis(200), 204),
        });
    let output = open(Protocol::V1, &recorder.url(), json!({}));
    let series = gauges(&output, 5);
    for window in 0..40 {
        set_all(&output, &series, f64::from(window));
        std::thread::sleep(Duration::from_millis(100));
    }
    let report = close(&output);
    let stored: usize = recorder.points().values().map(Vec::len).sum();
    assert_eq!(count(&report, "points_sent"), stored as u64, "{report:#}");
    assert_eq!(count(&report, "points_sent") + count(&report, "points_failed"), count(&report, "points"), "{report:#}");
}

/// A rate limit says nothing of the request: in parts it would only be more requests.
#[test]
fn a_backlog_that_is_limited_in_rate_comes_again_as_it_is() {
    let requests = AtomicUsize::new(0);
    let recorder = Recorder::judge(move |_| match requests.fetch_add(1, Ordering::SeqCst) % 3 {
        2 => Reply::Late(Duration::from_millis(300), 204),
        _ => Reply::With(429, "Retry-After", "0", "rate limit exceeded"),
    });
    let output = open(Protocol::V1, &recorder.url(), json!({ "maxShards": 1 }));
    let series = gauges(&output, 5);
    for window in 0..30 {
        set_all(&output, &series, f64::from(window));
        std::thread::sleep(Duration::from_millis(100));
    }
    let report = close(&output);
    assert_eq!(count(&report, "points_sent"), count(&report, "points"), "{report:#}");
    let requests = recorder.requests();
    let limited: Vec<_> = requests.windows(2).filter(|pair| pair[0].status == 429).collect();
    assert!(limited.iter().any(|pair| is_merged(&pair[0].message)), "there was no backlog");
    // As text: stale markers are not equal to themselves.
    let text = |request: &Recorded| format!("{:?}", request.message);
    assert!(limited.iter().all(|pair| text(&pair[0]) == text(&pair[1])));
}
