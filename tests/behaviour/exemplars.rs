//! Exemplars: which samples become some, on which series, and what a receiver that does not want them costs.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::outputs::{close, count};
use crate::pipeline::{TestPipeline, events, pipeline};
use crate::recording_receiver::{ReceivedExemplar, Recorder, Reply, exemplars};
use k6_remote_write::k6::{MetricType, Sample, ValueType};
use k6_remote_write::output::Output;
use k6_remote_write::resample::metadata::SamplesWithMetadata;
use k6_remote_write::series::SeriesDefinition;
use k6_remote_write::wire::Protocol;
use k6_remote_write::wire::proto::v1::TimeSeries;
use serde_json::{Value, json};

const FORMS: &str = r#"{"trendAs": ["gauges", "native", "classic"], "trendBuckets": [0.1, 1]}"#;

fn trend(pipeline: &mut TestPipeline) -> u64 {
    pipeline.register("t", MetricType::Trend, ValueType::Time, &[])
}

/// Returns time and value of each exemplar of a series.
fn of(exemplars: &BTreeMap<String, Vec<ReceivedExemplar>>, series: &str) -> Vec<(i64, f64)> {
    exemplars.get(series).into_iter().flatten().map(|(time_ms, value, _)| (*time_ms, *value)).collect()
}

#[test]
fn exemplars_of_a_trend_are_on_its_upper_percentiles_its_maximum_its_count_and_its_histograms() {
    let mut pipeline = pipeline(FORMS);
    let t = trend(&mut pipeline);
    pipeline.time_is(100_990);
    pipeline.record_with(t, 100_500, 50.0, &[("trace_id", "a")]);
    pipeline.record_with(t, 100_700, 2000.0, &[("trace_id", "b"), ("vu", "1")]);
    pipeline.record(t, 100_800, 9000.0);
    pipeline.close_at(101_000);
    let exemplars = pipeline.exemplars();
    let both = [(100_500, 0.05), (100_700, 2.0)];
    for series in ["k6_t_count", "k6_t_seconds", "k6_t_seconds_count"] {
        assert_eq!(of(&exemplars, series), both, "{series}");
    }
    for series in ["k6_t_p90", "k6_t_p95", "k6_t_p99", "k6_t_max"] {
        assert_eq!(of(&exemplars, series), both[1..], "{series}");
    }
    assert_eq!(of(&exemplars, r#"k6_t_seconds_bucket{le="0.1"}"#), both[..1]);
    assert_eq!(of(&exemplars, r#"k6_t_seconds_bucket{le="+Inf"}"#), both[1..]);
    assert_eq!(exemplars["k6_t_max"][0].2, r#"trace_id="b""#, "the option does not name vu");
    assert_eq!(exemplars.len(), 9, "no others: {:?}", exemplars.keys());
}

#[test]
fn exemplars_of_counters_and_rates_are_the_latest() {
    let mut pipeline = TestPipeline::new();
    let (c, r, g) = (
        pipeline.counter("c"),
        pipeline.register("r", MetricType::Rate, ValueType::Default, &[]),
        pipeline.register("g", MetricType::Gauge, ValueType::Default, &[]),
    );
    pipeline.time_is(100_990);
    for series in [c, r, g] {
        pipeline.record_with(series, 100_600, 1.0, &[("trace_id", "b")]);
        pipeline.record_with(series, 100_500, 2.0, &[("trace_id", "a")]);
        pipeline.record_with(series, 100_700, 0.0, &[("trace_id", "c")]);
    }
    pipeline.at(101_000);
    let latest = |time_ms, value, label: &str| vec![(time_ms, value, label.to_string())];
    let (nonzero, zero) = (latest(100_600, 1.0, r#"trace_id="b""#), latest(100_700, 0.0, r#"trace_id="c""#));
    let expected = [
        ("k6_c_total", zero.clone()),
        ("k6_r_rate", [&nonzero[..], &zero].concat()),
        (r#"k6_r_total{condition="nonzero"}"#, nonzero),
        (r#"k6_r_total{condition="zero"}"#, zero),
    ];
    assert_eq!(pipeline.exemplars(), BTreeMap::from(expected.map(|(series, of)| (series.to_string(), of))));
}

#[test]
fn exemplars_of_merged_series_are_chosen_among_the_samples_of_all() {
    let options = r#"{"metrics": [{"sourceMetric": "t", "keepTags": []}, {"sourceMetric": "t", "targetMetric": "u"}],
                      "includeDefaultMetrics": false}"#;
    let mut pipeline = pipeline(options);
    pipeline.time_is(100_990);
    for (url, value, trace) in [("a", 10.0, "1"), ("b", 30.0, "2"), ("c", 20.0, "3")] {
        let id = pipeline.register("t", MetricType::Trend, ValueType::Time, &[("url", url)]);
        pipeline.record_with(id, 100_500 + value as i64, value, &[("trace_id", trace)]);
    }
    pipeline.at(101_000);
    let exemplars = pipeline.exemplars();
    let merged = of(&exemplars, "k6_t_count");
    assert_eq!((merged.len(), merged[1]), (2, (100_530, 0.03)));
    for (url, value, trace) in [("a", 0.01, "1"), ("b", 0.03, "2"), ("c", 0.02, "3")] {
        let of_url = &exemplars[&format!("u_max{{url={url:?}}}")];
        let time_ms = 100_500 + (value * 1000.0) as i64;
        assert_eq!(of_url[..], [(time_ms, value, format!("trace_id={trace:?}"))]);
    }
}

#[test]
fn exemplars_are_in_the_order_of_their_times_over_all_windows_and_not_in_the_future() {
    let mut pipeline = TestPipeline::new();
    let t = trend(&mut pipeline);
    let record = |pipeline: &mut TestPipeline, time_ms, value| {
        pipeline.record_with(t, time_ms, value, &[("trace_id", "a")]);
    };
    pipeline.time_is(100_990);
    record(&mut pipeline, 100_900, 10.0);
    pipeline.at(101_000);
    for time_ms in [100_899, 100_900, 0, -5, i64::MIN, 101_001, i64::MAX] {
        record(&mut pipeline, time_ms, 5.0);
    }
    record(&mut pipeline, 100_950, 3.0);
    record(&mut pipeline, 100_970, f64::NAN);
    pipeline.at(102_000);
    pipeline.at(103_000);
    record(&mut pipeline, 102_500, 1.0);
    pipeline.close_at(103_700);
    // That of a late sample is just after the one before.
    let expected = [(100_900, 0.01), (100_901, 0.005), (102_500, 0.001)];
    assert_eq!(of(&pipeline.exemplars(), "k6_t_max"), expected);
}

#[test]
fn metadata_that_does_not_fit_is_left_out_with_one_warning() {
    let mut pipeline = pipeline(r#"{"exemplars": "trace_id,b-c"}"#);
    let c = pipeline.counter("c");
    let long = "x".repeat(500);
    for (time_ms, metadata) in [
        (100_500, [("trace_id", "1"), ("b-c", &*long)]),
        (101_500, [("trace_id", &long), ("b-c", &long)]),
        (102_500, [("trace_id", &long), ("b-c", "2")]),
    ] {
        pipeline.time_is(time_ms);
        pipeline.record_with(c, time_ms, 1.0, &metadata);
        pipeline.at(time_ms + 500);
    }
    let labels: Vec<_> =
        pipeline.exemplars().remove("k6_c_total").expect("has some").into_iter().map(|e| e.2).collect();
    assert_eq!(labels, [r#"trace_id="1""#, r#"b_c="2""#]);
    let warnings = events(&pipeline.reporter, "does not fit into an exemplar");
    assert_eq!(warnings.len(), 1);
    assert_eq!((&warnings[0].fields["metadata"], &warnings[0].fields["chars"]), (&"b-c".into(), &500.into()));
}

/// Runs samples with this metadata under these options, and returns what is sent in both versions.
fn wire_bytes(options: &str, metadata: &[(&str, &str)]) -> Vec<Vec<u8>> {
    use k6_remote_write::wire::{Encoder, Limits};
    let mut pipeline = pipeline(options);
    let (t, c) = (trend(&mut pipeline), pipeline.counter("c"));
    pipeline.time_is(100_990);
    for (number, series) in [t, c, t, c].into_iter().enumerate() {
        pipeline.record_with(series, 100_500 + number as i64, number as f64, metadata);
    }
    pipeline.resampler.take().expect("open").close();
    let limits = Limits { points: usize::MAX, bytes: usize::MAX };
    let batches = pipeline.queue.drain();
    let encode = |protocol| {
        let encode = |batch: &k6_remote_write::send::Batch| {
            Encoder::default().encode(protocol, batch.unsent(), batch.metadata(), limits).body.to_vec()
        };
        batches.iter().map(encode).collect::<Vec<_>>()
    };
    [Protocol::V1, Protocol::V2].into_iter().flat_map(encode).collect()
}

#[test]
fn without_metadata_or_with_the_option_off_the_bytes_are_the_same() {
    let plain = wire_bytes("{}", &[]);
    assert!(wire_bytes("{}", &[("vu", "1")]) == plain);
    assert!(wire_bytes("{}", &[("trace_id", "")]) == plain);
    assert!(wire_bytes(r#"{"exemplars": ""}"#, &[("trace_id", "a")]) == plain);
    assert!(wire_bytes(r#"{"exemplars": []}"#, &[("trace_id", "a")]) == plain);
    assert!(wire_bytes("{}", &[("trace_id", "a")]) != plain);
}

/// A run without metadata sends what it sent before there were exemplars, also of itself.
#[test]
fn self_metrics_of_exemplars_exist_once_there_are_some() {
    let mut pipeline = TestPipeline::with_self_metrics(&[]);
    let c = pipeline.counter("c");
    pipeline.record(c, 100_400, 1.0);
    pipeline.at(101_000);
    pipeline.at(102_000);
    let described = |pipeline: &TestPipeline| {
        let metadata = pipeline.messages.iter().flat_map(|message| &message.metadata);
        metadata.filter(|metadata| metadata.metric_family_name.contains("exemplars")).count()
    };
    let of_exemplars = |pipeline: &TestPipeline| {
        pipeline.sent_points().into_iter().filter(|(series, _)| series.contains("exemplars")).collect::<Vec<_>>()
    };
    assert_eq!((of_exemplars(&pipeline), described(&pipeline)), (vec![], 0));
    pipeline.record_with(c, 101_900, 1.0, &[("trace_id", "a")]);
    pipeline.at(103_000);
    pipeline.at(104_000);
    pipeline.at(105_000);
    let expected =
        ("k6_remote_write_exemplars_in_total".to_string(), vec![(103_000, 0.0), (104_000, 1.0), (105_000, 1.0)]);
    assert_eq!((of_exemplars(&pipeline), described(&pipeline)), (vec![expected], 1));
    let active_series = &pipeline.sent_points()["k6_remote_write_active_series"];
    assert_eq!(active_series.windows(2).map(|pair| pair[1].1 - pair[0].1).collect::<Vec<_>>(), [0.0, 0.0, 0.0, 1.0]);
}

fn open(url: &str, options: &Value) -> Output {
    let mut json = json!({
        "pushInterval": "100ms", "flushTimeout": "20s", "selfMetrics": false, "unsentDirectory": "",
        "includeDefaultMetrics": false, "metrics": ["c"], "protocol": "2.0",
    });
    json.as_object_mut().expect("an object").extend(options.as_object().expect("an object").clone());
    Output::open(json!({ "argument": url, "json": json }).to_string().as_bytes()).expect("valid")
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as i64
}

/// Pushes a sample with a trace.
fn push(output: &Output, series: u64, trace: &str) {
    let mut samples = SamplesWithMetadata::default();
    samples.push(Sample { series, time_ms: now_ms(), value: 1.0 }, [("trace_id", trace)].into_iter());
    assert_eq!(output.push_with_metadata(samples), Ok(0));
}

fn counter(output: &Output) -> u64 {
    register(output, "c")
}

fn register(output: &Output, metric: &str) -> u64 {
    output.register(SeriesDefinition::new(metric, MetricType::Counter)).expect("open")
}

/// Returns true for the value of the metric `bad`, but not for its start at 0: a series is held back once that is rejected.
fn is_bad(series: &TimeSeries) -> bool {
    let is_named = series.labels.iter().any(|label| label.name == "__name__" && label.value == "k6_bad_total");
    is_named && series.samples.iter().any(|sample| sample.value == 1.0)
}

#[test]
fn a_sample_with_metadata_is_recorded_and_becomes_an_exemplar_in_both_versions() {
    for protocol in ["1.0", "2.0"] {
        let receiver = Recorder::start(|_| Reply::Status(204));
        let output = open(&receiver.url(), &json!({ "protocol": protocol }));
        let series = counter(&output);
        push(&output, series, "abc");
        let report = close(&output);
        let values = receiver.points().remove("k6_c_total").expect("is sent");
        assert!(values.iter().any(|&(_, value)| value == 1.0));
        let received = exemplars(receiver.requests().into_iter().map(|request| request.message));
        assert_eq!(received["k6_c_total"].iter().map(|e| &*e.2).collect::<Vec<_>>(), [r#"trace_id="abc""#]);
        for (name, expected) in [("exemplars_in", 1), ("exemplars_sent", 1), ("exemplars_failed", 0), ("samples", 1)] {
            let value = if name == "samples" { report[name].as_u64() } else { Some(count(&report, name)) };
            assert_eq!(value, Some(expected), "{protocol} {name}");
        }
    }
}

#[test]
fn each_destination_has_the_exemplars_that_it_names() {
    let receivers: Vec<_> = (0..3).map(|_| Recorder::start(|_| Reply::Status(204))).collect();
    let block = |receiver: usize, exemplars: Value| {
        json!({
            "provider": "prometheus", "remoteWriteURL": receivers[receiver].url(), "metrics": ["c"],
            "includeDefaultMetrics": false, "exemplars": exemplars, "unsentDirectory": "", "selfMetrics": false,
        })
    };
    let document = json!({
        "environment": {
            "K6_PROMETHEUS_RW_SERVER_URL": receivers[0].url(), "K6_PROMETHEUS_RW_EXEMPLARS": "span_id, trace_id",
            "K6_PROMETHEUS_RW_UNSENT_DIRECTORY": "", "K6_PROMETHEUS_RW_SELF_METRICS": "false",
        },
        "script": { "ext": { "apm": [block(1, json!(["span_id"])), block(2, json!([]))] } },
    });
    let output = Output::open(document.to_string().as_bytes()).expect("valid");
    assert_eq!(output.exemplar_names(), ["span_id", "trace_id"]);
    let mut samples = SamplesWithMetadata::default();
    let metadata = [("trace_id", "a"), ("span_id", "b")];
    samples.push(Sample { series: counter(&output), time_ms: now_ms(), value: 1.0 }, metadata.into_iter());
    assert_eq!(output.push_with_metadata(samples), Ok(0));
    close(&output);
    let labels: Vec<Vec<_>> = receivers
        .iter()
        .map(|receiver| exemplars(receiver.requests().into_iter().map(|request| request.message)))
        .map(|exemplars| exemplars.into_values().flatten().map(|exemplar| exemplar.2).collect())
        .collect();
    assert_eq!(labels, [vec![r#"span_id="b",trace_id="a""#.to_string()], vec![r#"span_id="b""#.into()], vec![]]);
}

/// Thanos answers so if exemplars are out of order; it has stored the samples.
#[test]
fn a_receiver_that_rejects_exemplars_gets_all_points_and_is_logged_once() {
    let has_exemplars = |message: &k6_remote_write::wire::proto::v1::WriteRequest| {
        message.timeseries.iter().any(|series| !series.exemplars.is_empty())
    };
    for (status, body) in [
        (409, "store locally for endpoint 127.0.0.1: add 1 exemplars: out of order exemplar"),
        (400, "exemplars are not supported"),
        (422, "invalid request"),
        (415, "unsupported field exemplars"),
    ] {
        let receiver = Recorder::judge(move |message| match has_exemplars(message) {
            true => Reply::Written(status, 0, body),
            false => Reply::Status(204),
        });
        let output = open(&receiver.url(), &json!({}));
        let series = counter(&output);
        for trace in ["a", "b", "c"] {
            let before = receiver.requests().len();
            push(&output, series, trace);
            receiver.await_requests(before + 2);
        }
        let report = close(&output);
        let lost: Vec<_> =
            ["points_failed", "points_dropped", "points_lost"].iter().map(|name| count(&report, name)).collect();
        assert_eq!(lost, [0, 0, 0], "{body}");
        let warnings: Vec<_> = report["events"].as_array().expect("events").iter().collect();
        let warnings =
            warnings.iter().filter(|event| event["message"].as_str().is_some_and(|m| m.contains("exemplars")));
        assert_eq!(warnings.count(), 1, "{body}: {report:#}");
        assert!(count(&report, "exemplars_failed") >= 1 && count(&report, "exemplars_sent") == 0, "{report:#}");
        assert_eq!(receiver.points()["k6_c_total"].iter().map(|point| point.1).fold(0.0, f64::max), 3.0);
    }
}

/// The receiver gives the same reason for both, and does not mention exemplars.
#[test]
fn a_bad_series_beside_rejected_exemplars_costs_only_itself() {
    let receiver = Recorder::judge(|message| {
        match message.timeseries.iter().any(|series| !series.exemplars.is_empty() || is_bad(series)) {
            true => Reply::Written(400, 0, "bad request"),
            false => Reply::Status(204),
        }
    });
    let output = open(&receiver.url(), &json!({ "metrics": ["c", "bad"], "pushInterval": "1s" }));
    let (good, bad) = (counter(&output), register(&output, "bad"));
    push(&output, bad, "a");
    push(&output, good, "b");
    let report = close(&output);
    assert!(receiver.points()["k6_c_total"].iter().any(|point| point.1 == 1.0), "{report:#}");
    assert!(receiver.points()["k6_bad_total"].iter().all(|point| point.1 != 1.0));
}

/// The exemplars of a request that is rejected as a whole are sent again with its parts.
#[test]
fn exemplars_beside_a_bad_series_are_sent_and_counted_once() {
    let receiver = Recorder::judge(|message| match message.timeseries.iter().any(is_bad) {
        true => Reply::Written(400, 0, "invalid label"),
        false => Reply::Status(204),
    });
    let output = open(&receiver.url(), &json!({ "metrics": ["c", "bad"], "pushInterval": "1s" }));
    let (good, bad) = (counter(&output), register(&output, "bad"));
    push(&output, good, "b");
    assert_eq!(output.push(&[Sample { series: bad, time_ms: now_ms(), value: 1.0 }]), Ok(0));
    let report = close(&output);
    assert_eq!((count(&report, "exemplars_sent"), count(&report, "exemplars_failed")), (1, 0), "{report:#}");
}

#[test]
fn a_receiver_that_fails_on_exemplars_gets_all_points() {
    let receiver = Recorder::judge(|message| match message.timeseries.iter().any(|s| !s.exemplars.is_empty()) {
        true => Reply::Status(500),
        false => Reply::Status(204),
    });
    let output = open(&receiver.url(), &json!({}));
    push(&output, counter(&output), "a");
    let report = close(&output);
    assert_eq!((count(&report, "points_failed"), count(&report, "points_lost")), (0, 0), "{report:#}");
    assert!(receiver.points()["k6_c_total"].iter().any(|point| point.1 == 1.0));
}

#[test]
fn exemplars_that_a_receiver_does_not_report_as_written_are_counted() {
    let receiver = Recorder::start(|_| Reply::With(204, "X-Prometheus-Remote-Write-Exemplars-Written", "0", ""));
    let output = open(&receiver.url(), &json!({}));
    push(&output, counter(&output), "a");
    let report = close(&output);
    assert_eq!((count(&report, "exemplars_sent"), count(&report, "exemplars_failed")), (0, 1));
    assert_eq!(count(&report, "points_failed"), 0);
}
