//! Files of unsent samples: what a run could not send is in a file, and the command `send` delivers it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use k6_remote_write::k6::{MetricType, Sample, ValueType};
use k6_remote_write::output::Output;
use k6_remote_write::resample::metadata::SamplesWithMetadata;
use k6_remote_write::series::SeriesDefinition;
use k6_remote_write::unsent::{Header, Part, Reader, Writer};
use k6_remote_write::wire::proto::v1::{TimeSeries, WriteRequest};
use k6_remote_write::wire::{
    EncodedLabel, Encoder, Label, Labels, Limits, Metric, MetricKind, Point, Protocol, STALE_MARKER,
    Value as PointValue,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::commands::{Ended, end, start};
use crate::outputs::{close, count};
use crate::recording_receiver::{Recorder, Reply, exemplars};

fn send(file: &Path, options: Value) -> Ended {
    end(&start(&["send", file.to_str().expect("UTF-8")], options))
}

/// Runs an output without a receiver, and returns its report and the file.
fn run_without_receiver(directory: &Path) -> (Value, PathBuf) {
    let document = json!({ "argument": "http://127.0.0.1:1/write?key=hunter2", "json": {
        "pushInterval": "100ms", "flushTimeout": "0s", "unsentDirectory": directory, "trendAs": "gauges,native,classic",
    } });
    let output = Output::open(document.to_string().as_bytes()).expect("valid");
    let register = |name: &str, kind, value_type| {
        let definition = SeriesDefinition::new(name, kind).with_tags([("method", "GET"), ("größe", "a\"b\\\n")]);
        output.register(definition.with_value_type(value_type)).expect("open")
    };
    let series = [
        register("http_reqs", MetricType::Counter, ValueType::Default),
        register("vus", MetricType::Gauge, ValueType::Default),
        register("checks", MetricType::Rate, ValueType::Default),
        register("http_req_duration", MetricType::Trend, ValueType::Time),
    ];
    for window in 1..=3 {
        for series in series {
            let mut samples = SamplesWithMetadata::default();
            let sample = Sample { series, time_ms: now_ms(), value: f64::from(window) };
            samples.push(sample, [("trace_id", "abc")].into_iter());
            output.push_with_metadata(samples).expect("open");
        }
        std::thread::sleep(Duration::from_millis(120));
    }
    let report = close(&output);
    let events = report["events"].as_array().expect("events");
    let line = events.iter().find(|event| event["fields"].get("send").is_some()).expect("is logged");
    let file = line["fields"]["file"].as_str().expect("a path");
    assert_eq!(line["fields"]["send"], format!("k6 x remote-write send {file}"));
    let file = PathBuf::from(file);
    (report, file)
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as i64
}

/// All points of requests, by series: time and bits of the value, those of the sum for a native histogram.
fn points(requests: impl Iterator<Item = WriteRequest>) -> BTreeMap<String, Vec<(i64, u64)>> {
    let mut points: BTreeMap<String, Vec<(i64, u64)>> = BTreeMap::new();
    for TimeSeries { labels, samples, histograms, .. } in requests.flat_map(|request| request.timeseries) {
        let series = points.entry(format!("{labels:?}")).or_default();
        series.extend(samples.iter().map(|sample| (sample.timestamp, sample.value.to_bits())));
        series.extend(histograms.iter().map(|histogram| (histogram.timestamp, histogram.sum.to_bits())));
    }
    points
}

fn stored(recorder: &Recorder) -> BTreeMap<String, Vec<(i64, u64)>> {
    points(recorder.requests().into_iter().filter(|request| request.stored).map(|request| request.message))
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("readable");
    let name =
        |entry: std::io::Result<fs::DirEntry>| entry.expect("readable").file_name().to_string_lossy().into_owned();
    let mut names: Vec<_> = entries.map(name).collect();
    names.sort();
    names
}

#[test]
fn all_that_a_run_could_not_send_is_in_its_file_and_is_sent_in_both_versions() {
    let directory = tempfile::tempdir().expect("a directory");
    let (report, file) = run_without_receiver(directory.path());
    let made = count(&report, "points");
    assert_eq!((count(&report, "points_in_unsent_file"), count(&report, "points_lost")), (made, 0), "{report:#}");
    let bytes = fs::read(&file).expect("readable");
    assert!(!bytes.windows(7).any(|window| window == b"hunter2"), "no secret is in a file");
    let mut sent = Vec::new();
    for (protocol, is) in [("auto", Protocol::V2), ("1.0", Protocol::V1)] {
        fs::write(&file, &bytes).expect("written");
        let recorder = Recorder::start(|_| Reply::Status(204));
        let ended = send(&file, json!({ "url": recorder.url(), "protocol": protocol }));
        assert_eq!((ended.code, &*ended.failure), (0, ""), "{ended:?}");
        assert!(ended.text.contains(&format!("sent {made} points")), "{ended:?}");
        assert!(recorder.requests().iter().all(|request| request.protocol == is));
        if is == Protocol::V1 {
            let metadata: Vec<_> =
                recorder.requests().into_iter().flat_map(|request| request.message.metadata).collect();
            assert!(metadata.iter().any(|metadata| metadata.metric_family_name == "k6_http_req_duration_seconds"));
        }
        let points = stored(&recorder);
        assert_eq!(points.values().map(Vec::len).sum::<usize>() as u64, made);
        for (series, points) in &points {
            assert!(points.is_sorted_by(|a, b| a.0 < b.0), "{series}: {points:?}");
            assert_eq!(points.last().map(|point| point.1), Some(STALE_MARKER.to_bits()), "{series}");
        }
        let exemplars = exemplars(recorder.requests().into_iter().map(|request| request.message));
        assert!(exemplars.keys().any(|series| series.starts_with("k6_http_req_duration_seconds{")), "{exemplars:?}");
        sent.push((points, exemplars));
        let name = file.file_stem().expect("has one").to_string_lossy().into_owned();
        assert_eq!(names(directory.path()), [format!("{name}.sent")]);
        fs::remove_file(file.with_extension("sent")).expect("is there");
    }
    assert_eq!(sent[0], sent[1]);
}

/// A point of series `series` of one metric.
fn point(series: usize, time_ms: i64) -> Point {
    let metric = Metric {
        name: "k6_m".into(),
        encoded_name: EncodedLabel::metric_name("k6_m"),
        extra_label: None,
        kind: MetricKind::Gauge,
        help: "help".into(),
        unit: "".into(),
    };
    let labels = Labels::encode(&[Label { name: "series".into(), value: series.to_string() }]);
    let value = PointValue::Float(series as f64);
    Point { metric: metric.intern(), labels: Arc::new(labels), time_ms, start_ms: 0, value }
}

/// Writes a file with one request for each of these times, each with a point of `series` series.
fn file(parts: &[(Part, i64)], series: usize) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let header = Header::new("http://127.0.0.1:1/write", (parts.len() * series) as u64);
    let mut writer = Writer::create(directory.path(), &header).expect("created");
    for &(part, time_ms) in parts {
        let points: Vec<_> = (0..series).map(|series| point(series, time_ms)).collect();
        let limits = Limits { points: series, bytes: 1 << 20 };
        let body = Encoder::default().encode(Protocol::V2, &points, &[], limits).body;
        writer.write(part, series, &body).expect("written");
    }
    let path = writer.finish(0).expect("finished");
    (directory, path)
}

fn whole(times: std::ops::RangeInclusive<i64>) -> Vec<(Part, i64)> {
    times.map(|time| (Part::Whole, time)).collect()
}

/// The times of the points of each request with points.
fn times(recorder: &Recorder) -> Vec<i64> {
    let requests = recorder.requests().into_iter().filter(|request| request.stored);
    requests.flat_map(|request| request.message.timeseries.first().map(|series| series.samples[0].timestamp)).collect()
}

#[test]
fn a_command_that_is_interrupted_continues_with_the_request_that_was_in_flight() {
    let (directory, file) = file(&whole(1..=6), 3);
    // The request without points, three with points, and one that is stored without a response in time.
    let reply = |number| if number == 4 { Reply::Late(Duration::from_secs(60), 204) } else { Reply::Status(204) };
    let recorder = Recorder::start(reply);
    let command = start(&["send", file.to_str().expect("UTF-8")], json!({ "url": recorder.url(), "timeout": "60s" }));
    recorder.await_requests(5);
    command.cancel();
    let ended = end(&command);
    assert_eq!(ended.code, 1);
    let message = format!(
        "interrupted; 9 of 18 points were sent; the samples that were not sent stay in the file; to continue: k6 x \
         remote-write send {}",
        file.display()
    );
    assert!(ended.failure.ends_with(&message), "{ended:?}");
    assert_eq!(names(directory.path()).len(), 2, "the file and the marks");
    assert_eq!(times(&recorder), [1, 2, 3, 4]);

    let ended = send(&file, json!({ "url": recorder.url() }));
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.text.contains("continues after 9 points") && ended.text.contains("sent 18 points"), "{ended:?}");
    assert_eq!(times(&recorder), [1, 2, 3, 4, 4, 5, 6]);
    assert!(names(directory.path())[0].ends_with(".sent") && names(directory.path()).len() == 1);
}

#[test]
fn a_receiver_that_rejects_all_requests_gets_nothing_and_the_file_stays() {
    for (check, status, message) in [
        (true, 401, "status 401; check the credentials: the request had no credentials"),
        (true, 404, "status 404; wrong path, or remote write is not enabled"),
        (false, 403, "status 403"),
    ] {
        let (directory, file) = file(&whole(1..=3), 3);
        let before = fs::read(&file).expect("readable");
        let rejects = Arc::new(AtomicBool::new(true));
        let rejected = Arc::clone(&rejects);
        let recorder = Recorder::start(move |number| {
            Reply::Status(if rejected.load(Relaxed) && (check || number > 1) { status } else { 204 })
        });
        let ended = send(&file, json!({ "url": recorder.url() }));
        assert_eq!(ended.code, 1, "{ended:?}");
        assert!(ended.failure.contains(message) && ended.failure.contains("stay in the file"), "{ended:?}");
        assert_eq!(fs::read(&file).expect("is there"), before);
        assert_eq!(names(directory.path()).len(), if check { 1 } else { 2 });
        rejects.store(false, Relaxed);
        assert_eq!(send(&file, json!({ "url": recorder.url() })).code, 0);
        assert_eq!(times(&recorder), [1, 2, 3]);
    }
}

#[test]
fn points_that_are_too_old_are_counted_and_kept_in_the_file_and_later_ones_of_their_series_are_sent() {
    for protocol in ["1.0", "2.0"] {
        let (directory, file) = file(&whole(1..=9), 4);
        // One series was written to since, and all of the first window is too old.
        let recorder = Recorder::judge(|request| {
            let times = |series: &TimeSeries| series.samples[0].timestamp;
            let is_last = |series: &TimeSeries| series.labels.iter().any(|label| label.value == "3");
            let old = |series: &TimeSeries| times(series) < 3 || is_last(series) && times(series) < 6;
            let message = "out of order sample";
            if request.timeseries.iter().any(old) { Reply::Written(400, 0, message) } else { Reply::Status(204) }
        });
        let ended = send(&file, json!({ "url": recorder.url(), "protocol": protocol }));
        assert_eq!(ended.code, 1, "{ended:?}");
        let refused = 2 * 4 + 3;
        assert!(ended.failure.contains(&format!("the receiver refused {refused} of 36 points")), "{ended:?}");
        assert!(ended.failure.contains("out_of_order_time_window"), "{ended:?}");
        assert!(ended.text.contains("out of order sample"), "{ended:?}");
        assert!(ended.text.contains("the receiver has later samples of these series"), "{ended:?}");
        assert_eq!(stored(&recorder).values().map(Vec::len).sum::<usize>(), 36 - refused);
        let names = names(directory.path());
        assert!(names.len() == 1 && names[0].ends_with(".refused"), "{names:?}");
        // All points are in it.
        let recorder = Recorder::start(|_| Reply::Status(204));
        assert_eq!(send(&directory.path().join(&names[0]), json!({ "url": recorder.url() })).code, 0);
        assert_eq!(stored(&recorder).values().map(Vec::len).sum::<usize>(), 36);
    }
}

/// A merged request of the run may have been stored, though no response came.
#[test]
fn a_merged_request_that_the_receiver_has_stored_is_not_refused_and_one_that_it_has_not_is_sent() {
    for stored_before in [true, false] {
        let parts =
            [(Part::Whole, 1), (Part::Number(1), 2), (Part::Number(2), 3), (Part::Number(3), 4), (Part::Whole, 5)];
        let (_directory, file) = file(&parts, 5);
        let newest = std::sync::Mutex::new(if stored_before { 4 } else { 0 });
        let recorder = Recorder::judge(move |request| {
            let mut newest = newest.lock().expect("no panic");
            let times = request.timeseries.iter().map(|series| series.samples[0].timestamp);
            match (times.clone().min(), times.max()) {
                // The first window was sent before.
                (Some(min), _) if min > 1 && min < *newest => Reply::Written(400, 0, "out of order sample"),
                (_, max) => {
                    *newest = max.unwrap_or(0).max(*newest);
                    Reply::Status(204)
                }
            }
        });
        let ended = send(&file, json!({ "url": recorder.url(), "protocol": "1.0" }));
        assert_eq!(ended.code, 0, "{ended:?}");
        assert!(ended.text.contains("sent 25 points"), "{ended:?}");
        assert_eq!(times(&recorder), if stored_before { vec![1, 4, 5] } else { vec![1, 2, 3, 4, 5] });
    }
}

#[test]
fn a_receiver_that_is_away_is_waited_for_and_then_the_file_stays() {
    let (directory, file) = file(&whole(1..=2), 3);
    let recorder = Recorder::start(|number| Reply::Status(if number < 3 { 503 } else { 204 }));
    let options = |url: &str| json!({ "url": url, "timeout": "200ms", "flushTimeout": "1500ms" });
    let ended = send(&file, options(&recorder.url()));
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.text.contains("Failed to send batch, retrying"), "{ended:?}");
    let file = directory.path().join(&names(directory.path())[0]);
    let recorder = Recorder::start(|_| Reply::Status(503));
    let ended = send(&file, options(&recorder.url()));
    assert!(ended.failure.contains("no sample was accepted for 1 s (flushTimeout)"), "{ended:?}");
    assert_eq!((ended.code, names(directory.path()).len()), (1, 1), "the file alone, since nothing was sent");
}

#[test]
fn a_receiver_gets_the_time_of_one_request_however_short_the_flush_timeout_is() {
    let (_directory, file) = file(&whole(1..=2), 3);
    let recorder = Recorder::start(|_| Reply::Status(503));
    let ended = send(&file, json!({ "url": recorder.url(), "timeout": "500ms", "flushTimeout": "400ms" }));
    let message = "no sample was accepted for 1 s (timeout, which is longer than flushTimeout)";
    assert!(ended.failure.contains(message), "{ended:?}");
}

#[test]
fn a_file_of_which_a_part_went_to_another_receiver_is_not_continued_unasked() {
    let (_directory, file) = file(&whole(1..=6), 3);
    let other =
        Recorder::start(
            |number| if number == 4 { Reply::Late(Duration::from_secs(60), 204) } else { Reply::Status(204) },
        );
    let command = start(&["send", file.to_str().expect("UTF-8")], json!({ "url": other.url(), "timeout": "60s" }));
    other.await_requests(5);
    command.cancel();
    assert_eq!(end(&command).code, 1);
    let copy = |name: &str| {
        let to = file.with_file_name(name);
        fs::copy(&file, &to).expect("copied");
        fs::copy(file.with_extension("unsent.progress"), to.with_extension("unsent.progress")).expect("copied");
        to.to_str().expect("UTF-8").to_string()
    };
    for (flag, expected) in [("--rest", vec![4, 5, 6]), ("--all", vec![1, 2, 3, 4, 5, 6])] {
        let recorder = Recorder::start(|_| Reply::Status(204));
        let file = copy(&format!("{}.unsent", &flag[2..]));
        let options = json!({ "url": recorder.url() });
        let ended = end(&start(&["send", &file], options.clone()));
        let message = format!("9 of its points were sent to {}: add --rest", other.url());
        assert!(ended.code == 1 && ended.failure.contains(&message), "{ended:?}");
        assert_eq!(recorder.requests().len(), 0);
        let ended = end(&start(&["send", flag, &file], options));
        assert!(ended.code == 0 && ended.text.contains("sent 18 points"), "{ended:?}");
        assert_eq!(times(&recorder), expected);
    }
}

#[test]
fn a_file_of_which_a_part_went_to_another_tenant_is_not_continued_unasked() {
    let (_directory, file) = file(&whole(1..=3), 3);
    let rejects = Arc::new(AtomicBool::new(true));
    let rejected = Arc::clone(&rejects);
    let recorder =
        Recorder::start(move |number| Reply::Status(if rejected.load(Relaxed) && number > 2 { 403 } else { 204 }));
    let options = |tenant: &str, token: &str| json!({ "url": recorder.url(), "headers": { "X-Scope-OrgID": tenant, "X-Token": token } });
    assert_eq!(send(&file, options("wrong", "old")).code, 1);
    rejects.store(false, Relaxed);
    let ended = send(&file, options("right", "old"));
    assert!(ended.code == 1 && ended.failure.contains("add --rest"), "{ended:?}");
    let ended = send(&file, options("wrong", "new"));
    assert!(ended.code == 0 && ended.text.contains("continues after"), "{ended:?}");
}

#[test]
fn a_url_in_place_of_a_file_and_a_file_that_was_renamed_are_explained() {
    let (_directory, file) = file(&whole(1..=3), 3);
    let recorder = Recorder::start(|_| Reply::Status(204));
    let ended = end(&start(&["send", "http://h/?key=hunter2"], json!({ "url": recorder.url() })));
    assert_eq!(ended.failure, "an argument is a URL, but must be a file: set the receiver by --url");
    assert_eq!(send(&file, json!({ "url": recorder.url() })).code, 0);
    let ended = send(&file, json!({ "url": recorder.url() }));
    assert!(ended.failure.ends_with(".sent") && ended.failure.contains("was sent already"), "{ended:?}");
}

#[test]
fn a_file_that_was_sent_is_sent_again_with_a_note() {
    let (directory, file) = file(&whole(1..=3), 3);
    let recorder = Recorder::start(|_| Reply::Status(204));
    let note = "this file was sent before";
    let ended = send(&file, json!({ "url": recorder.url() }));
    assert!(ended.code == 0 && !ended.text.contains(note), "{ended:?}");
    let sent = directory.path().join(&names(directory.path())[0]);
    let ended = send(&sent, json!({ "url": recorder.url() }));
    assert!(ended.code == 0 && ended.text.contains(note), "{ended:?}");
    assert_eq!(times(&recorder), [1, 2, 3, 1, 2, 3]);
}

#[test]
fn mistakes_in_the_url_of_a_command_are_named_after_its_argument() {
    for (arguments, source) in [
        (&["send", "--url", "localhost", "a.unsent"][..], "--url"),
        (&["check", "--url", "localhost"], "--url"),
        (&["check", "localhost"], "the argument"),
    ] {
        let ended = end(&start(arguments, json!({})));
        let message = format!("invalid url (value hidden) in {source}: must be an absolute http or https URL");
        let all = ended.text + &ended.failure;
        // Lines are broken between words.
        assert!(all.split_whitespace().collect::<Vec<_>>().join(" ").contains(&message), "{all}");
    }
    let ended = end(&start(&["check", "--url", "http://h/", "http://h/"], json!({})));
    assert_eq!((ended.code, &*ended.failure), (2, "--url and an argument exclude each other: both are the URL"));
}

#[test]
fn files_that_cannot_be_read_are_errors_and_the_others_are_sent() {
    let (directory, file) = file(&whole(1..=3), 3);
    let bytes = fs::read(&file).expect("readable");
    let other = |name: &str, contents: &[u8]| {
        let path = directory.path().join(name);
        fs::write(&path, contents).expect("written");
        path.to_str().expect("UTF-8").to_string()
    };
    let newer = String::from_utf8_lossy(&bytes).replacen("format 1", "format 9", 1);
    let files = [
        other("text", b"k6_http_reqs_total 1\n"),
        other("newer", newer.as_bytes()),
        other("empty", b""),
        directory.path().join("missing").to_str().expect("UTF-8").into(),
        directory.path().to_str().expect("UTF-8").into(),
        "/dev/zero".into(),
        file.to_str().expect("UTF-8").into(),
    ];
    let recorder = Recorder::start(|_| Reply::Status(204));
    let arguments: Vec<_> = ["send"].into_iter().chain(files.iter().map(String::as_str)).collect();
    let ended = end(&start(&arguments, json!({ "url": recorder.url() })));
    assert_eq!(ended.code, 1);
    for message in [
        "text: not a file of unsent samples",
        "newer: format 9 of unsent samples is newer than this version, which reads format 1; update k6-remote-write",
        "empty: the file was cut within its header",
        "missing: No such file or directory",
        "/dev/zero: must be a regular file",
    ] {
        assert!(ended.failure.contains(message), "{ended:?}");
    }
    assert_eq!(times(&recorder), [1, 2, 3]);
    assert_eq!(fs::read(directory.path().join("newer")).expect("is there"), newer.as_bytes());
}

#[test]
fn a_file_that_was_cut_is_sent_as_far_as_it_goes_and_keeps_its_name() {
    let (directory, file) = file(&whole(1..=2), 2);
    let bytes = fs::read(&file).expect("readable");
    let mut ends = Vec::new();
    let mut reader = Reader::open(&file).expect("opens");
    while let Ok(k6_remote_write::unsent::Entry::Request(request)) = reader.read_entry() {
        ends.push(request.end as usize);
    }
    drop(reader);
    let recorder = Recorder::start(|_| Reply::Status(204));
    let mut requests = 0;
    // The unit tests of the reader have all other offsets.
    let header = bytes.iter().position(|&byte| byte == b'R').expect("has a request");
    for len in [0, 1, header, ends[0] - 1, ends[0], ends[0] + 1, ends[1] - 1, ends[1], bytes.len() - 1] {
        for name in names(directory.path()) {
            fs::remove_file(directory.path().join(name)).expect("is there");
        }
        fs::write(&file, &bytes[..len]).expect("written");
        let ended = send(&file, json!({ "url": recorder.url(), "protocol": "1.0" }));
        let whole = ends.iter().filter(|&&end| end <= len).count();
        requests += whole;
        assert_eq!((ended.code, times(&recorder).len()), (1, requests), "cut at {len}: {ended:?}");
        assert!(ended.failure.contains("cut"), "cut at {len}: {ended:?}");
        assert_eq!(fs::read(&file).expect("keeps its name"), &bytes[..len]);
        if whole == 2 {
            let again = send(&file, json!({ "url": recorder.url(), "protocol": "1.0" }));
            assert_eq!((again.code, times(&recorder).len()), (1, requests), "nothing is sent twice: {again:?}");
        }
    }
}

#[test]
fn a_file_of_another_receiver_than_the_default_one_needs_a_url() {
    let (directory, file) = file(&whole(1..=1), 1);
    let ended = send(&file, json!({}));
    assert_eq!(ended.code, 1);
    assert!(ended.failure.contains("--url") && ended.failure.contains("http://127.0.0.1:1/write"), "{ended:?}");
    assert_eq!(names(directory.path()).len(), 1);
    let recorder = Recorder::start(|_| Reply::Status(204));
    let ended = end(&start(&["send", "--url", &recorder.url(), file.to_str().expect("UTF-8")], json!({})));
    assert_eq!(ended.code, 0, "{ended:?}");
}

#[test]
fn export_writes_text_to_standard_output_or_to_a_new_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let (_, file) = run_without_receiver(directory.path());
    let path = file.to_str().expect("UTF-8");
    let ended = end(&start(&["export", path], json!({})));
    assert_eq!(ended.code, 0, "{ended:?}");
    let (text, _) = ended.text.split_once("# EOF\n").expect("is complete");
    for part in [
        "# TYPE k6_http_reqs counter\n",
        r#"k6_http_reqs_total{gr__e="a\"b\\\n",method="GET"} 6 "#,
        "stale markers are left out",
    ] {
        assert!(ended.text.contains(part), "{part}: {}", ended.text);
    }
    let to = directory.path().join("text");
    let arguments = ["export", "--output", to.to_str().expect("UTF-8"), path];
    assert_eq!(end(&start(&arguments, json!({}))).code, 0);
    assert_eq!(fs::read_to_string(&to).expect("is there"), format!("{text}# EOF\n"));
    let again = end(&start(&arguments, json!({})));
    assert!(again.code == 1 && again.failure.ends_with("exists already, and is not replaced"), "{again:?}");
    assert!(file.exists(), "the file stays");
}
