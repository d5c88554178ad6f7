//! The points of each metric type, in each of its forms.

use crate::pipeline::{START, TestPipeline, events, is_stale, pipeline};
use k6_remote_write::k6::{MetricType, Sample, ValueType};
use k6_remote_write::report::Level;
use k6_remote_write::wire::STALE_MARKER;
use k6_remote_write::wire::proto::v1::histogram::Count;
use k6_remote_write::wire::proto::v1::metric_metadata;
use serde_json::Value;

#[test]
fn a_rate_has_the_share_of_the_window_and_cumulative_counts() {
    let mut pipeline = TestPipeline::new();
    let r = pipeline.register("r", MetricType::Rate, ValueType::Default, &[("scenario", "a"), ("Z", "z")]);
    for value in [1.0, 0.0, 0.0, 0.0] {
        pipeline.record(r, 0, value);
    }
    pipeline.at(101_000);
    pipeline.at(102_000);
    pipeline.record(r, 0, 1.0);
    pipeline.at(103_000);
    let points = pipeline.points();
    assert_eq!(points[r#"k6_r_rate{Z="z",scenario="a"}"#], [(101_000, 0.25), (103_000, 1.0)]);
    let nonzero = &points[r#"k6_r_total{Z="z",condition="nonzero",scenario="a"}"#];
    assert_eq!(nonzero[..], [(100_400, 0.0), (101_000, 1.0), (102_000, 1.0), (103_000, 2.0)]);
    let zero = &points[r#"k6_r_total{Z="z",condition="zero",scenario="a"}"#];
    assert_eq!(zero.last(), Some(&(103_000, 3.0)));
}

#[test]
fn a_trend_has_statistics_of_the_window_in_seconds_and_cumulative_count_and_sum() {
    let mut pipeline = TestPipeline::new();
    let t = pipeline.register("t", MetricType::Trend, ValueType::Time, &[]);
    for value in 1..=100 {
        pipeline.record(t, 0, f64::from(value) * 10.0);
    }
    pipeline.at(101_000);
    pipeline.at(102_000);
    pipeline.record(t, 0, 5000.0);
    pipeline.close_at(102_500);
    let points = pipeline.points();
    for (statistic, first, last) in [
        ("avg", 0.505, 5.0),
        ("min", 0.01, 5.0),
        ("max", 1.0, 5.0),
        ("med", 0.505, 5.0),
        ("p90", 0.901, 5.0),
        ("p95", 0.9505, 5.0),
        ("p99", 0.9901, 5.0),
    ] {
        let points = &points[&format!("k6_t_{statistic}")];
        assert_eq!((points.len(), points[0].0, points[1]), (3, 101_000, (102_500, last)), "{statistic}");
        assert!((points[0].1 - first).abs() <= 0.005 * first, "{statistic} is {} for {first}", points[0].1);
        assert!(is_stale(&points[2]));
    }
    assert_eq!(points["k6_t_count"][..4], [(100_400, 0.0), (101_000, 100.0), (102_000, 100.0), (102_500, 101.0)]);
    assert_eq!(points["k6_t_sum"][..4], [(100_400, 0.0), (101_000, 50.5), (102_000, 50.5), (102_500, 55.5)]);
}

#[test]
fn a_trend_without_values_in_the_last_window_ends_stale() {
    let mut pipeline = TestPipeline::new();
    let t = pipeline.register("t", MetricType::Trend, ValueType::Default, &[]);
    pipeline.record(t, 0, 1.0);
    pipeline.at(101_000);
    pipeline.at(102_000);
    pipeline.close_at(102_500);
    let max = pipeline.points_of("k6_t_max");
    assert_eq!((max[0], max[1].0, is_stale(&max[1])), ((101_000, 1.0), 102_501, true));
}

#[test]
fn a_series_that_never_had_a_value_has_no_stale_marker() {
    let mut pipeline = TestPipeline::new();
    pipeline.register("g", MetricType::Gauge, ValueType::Default, &[]);
    pipeline.register("t", MetricType::Trend, ValueType::Default, &[]);
    pipeline.close_at(100_900);
    assert_eq!(pipeline.points().into_keys().collect::<Vec<_>>(), ["k6_t_count", "k6_t_sum"]);
}

#[test]
fn samples_that_are_nan_or_infinite_are_counted_and_ignored() {
    let mut pipeline = TestPipeline::new();
    let c = pipeline.counter("c");
    for value in [f64::NAN, 1.0, f64::INFINITY, f64::NEG_INFINITY] {
        pipeline.record(c, 0, value);
    }
    pipeline.at(101_000);
    assert_eq!(pipeline.points_of("k6_c_total"), [(100_400, 0.0), (101_000, 1.0)]);
    assert_eq!(pipeline.reporter.counters().samples_not_finite.get(), 3);
    assert_eq!(pipeline.reporter.counters().samples.get(), 1);
    let events = std::iter::from_fn(|| pipeline.reporter.poll());
    assert_eq!(events.filter(|event| event.level == Level::Warn).count(), 1);
}

#[test]
fn a_sample_that_is_nan_or_infinite_changes_no_counter_rate_or_trend() {
    let run = |others: &[f64]| {
        let mut pipeline = pipeline(r#"{"trendAs": "gauges,native,classic"}"#);
        for metric_type in [MetricType::Counter, MetricType::Rate, MetricType::Trend] {
            let series = pipeline.register(&format!("{metric_type:?}"), metric_type, ValueType::Default, &[]);
            let sample = |&value: &f64| Sample { series, time_ms: START, value };
            pipeline
                .record_all(&[others, &[2.0], others, &[3.0], others].concat().iter().map(sample).collect::<Vec<_>>());
        }
        pipeline.close_at(100_900);
        pipeline
    };
    let (finite, mixed) = (run(&[]), run(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY]));
    let bits = |pipeline: &TestPipeline| format!("{:?}", pipeline.messages);
    assert_eq!(bits(&mixed), bits(&finite));
    assert_eq!(
        (mixed.reporter.counters().samples.get(), mixed.reporter.counters().samples_not_finite.get()),
        (3 * 2, 3 * 9)
    );
}

#[test]
fn a_gauge_may_be_nan_or_infinite() {
    let mut pipeline = TestPipeline::new();
    let g = pipeline.register("g", MetricType::Gauge, ValueType::Time, &[]);
    let other_nan = f64::from_bits(0xfff8_0000_0000_0003);
    for (second, values) in [
        (101, &[f64::INFINITY][..]),
        (102, &[f64::NEG_INFINITY]),
        (103, &[STALE_MARKER]),
        (104, &[2000.0, f64::NAN]),
        (105, &[other_nan, 3000.0]),
        (106, &[-f64::NAN]),
    ] {
        values.iter().for_each(|&value| pipeline.record(g, 100_400, value));
        pipeline.at(second * 1000);
    }
    let bits = |series: &str| -> Vec<_> {
        pipeline.points_of(series).iter().map(|&(time_ms, value)| (time_ms / 1000, value.to_bits())).collect()
    };
    // Prometheus's NaN that is a value.
    let (nan, infinity) = (0x7ff8_0000_0000_0001, f64::INFINITY.to_bits());
    let (minus_infinity, two, three) = (f64::NEG_INFINITY.to_bits(), 2.0_f64.to_bits(), 3.0_f64.to_bits());
    assert_eq!(
        bits("k6_g"),
        [(101, infinity), (102, minus_infinity), (103, nan), (104, nan), (105, three), (106, nan)]
    );
    for series in ["k6_g_lowest", "k6_g_highest"] {
        assert_eq!(bits(series), [(101, infinity), (102, minus_infinity), (104, two), (105, three)], "{series}");
    }
    let counters = pipeline.reporter.counters();
    assert_eq!((counters.samples.get(), counters.samples_not_finite.get()), (8, 0));
    assert!(pipeline.reporter.poll().is_none_or(|event| event.level != Level::Warn));
}

#[test]
fn the_warning_of_a_sample_that_is_nan_or_infinite_names_its_series() {
    let mut pipeline = pipeline(r#"{"metrics": [{"sourceMetric": "t"}]}"#);
    let tags = [("scenario", "a"), ("url", "/\"x\"")];
    let unwanted = pipeline.register("unwanted", MetricType::Counter, ValueType::Default, &tags);
    let t = pipeline.register("t", MetricType::Trend, ValueType::Time, &tags);
    let g = pipeline.register("g", MetricType::Gauge, ValueType::Default, &[]);
    let sample = |series, value| Sample { series, time_ms: 0, value };
    pipeline.record_all(&[sample(g, f64::NAN), sample(t, 1.0), sample(t, f64::INFINITY), sample(unwanted, f64::NAN)]);
    let warnings = events(&pipeline.reporter, "Ignoring samples that are NaN or infinite");
    let fields: Vec<_> = warnings.iter().map(|warning| (&warning.fields["series"], &warning.fields["value"])).collect();
    assert_eq!(fields, [(&Value::from(r#"t{scenario="a",url="/\"x\""}"#), &Value::from("inf"))]);
}

#[test]
fn a_series_that_is_silent_for_a_while_ends_and_starts_again() {
    let mut pipeline = TestPipeline::with(START, 3, true);
    let mut register = |metric, metric_type| pipeline.register(metric, metric_type, ValueType::Default, &[]);
    let series = [register("t", MetricType::Trend), register("r", MetricType::Rate), register("g", MetricType::Gauge)];
    let mut window = |end_ms: i64, has_samples: bool| {
        if has_samples {
            series.iter().for_each(|&series| pipeline.record(series, end_ms - 100, 1.0));
        }
        pipeline.at(end_ms);
    };
    window(102_000, true);
    (105..123).step_by(3).for_each(|second| window(second * 1000, false));
    window(123_000, true);
    (126..150).step_by(3).for_each(|second| window(second * 1000, false));
    pipeline.close_at(150_500);
    for series in ["k6_t_max", "k6_t_p95", "k6_r_rate", "k6_g_lowest", "k6_g_highest"] {
        let points = pipeline.points_of(series);
        let (stale, values): (Vec<_>, Vec<_>) = points.into_iter().partition(is_stale);
        assert_eq!(values, [(102_000, 1.0), (123_000, 1.0)], "{series}");
        assert_eq!(stale.iter().map(|point| point.0).collect::<Vec<_>>(), [117_000, 138_000], "{series}");
    }
    for series in ["k6_t_count", "k6_r_total{condition=\"zero\"}", "k6_g"] {
        let points = pipeline.points_of(series);
        let stale: Vec<_> = points.iter().filter(|point| is_stale(point)).map(|point| point.0).collect();
        assert_eq!(stale, [150_501], "{series} goes on until the end");
        assert!(points.len() >= 18, "{series} has a point in each window");
    }
}

#[test]
fn a_silent_series_does_not_end_without_stale_markers() {
    let mut pipeline = TestPipeline::with(START, 1, false);
    let t = pipeline.register("t", MetricType::Trend, ValueType::Default, &[]);
    pipeline.record(t, 0, 1.0);
    (101..200).for_each(|second| pipeline.at(second * 1000));
    assert_eq!(pipeline.points_of("k6_t_max"), [(101_000, 1.0)]);
}

#[test]
fn metadata_is_sent_with_a_new_metric_and_every_minute() {
    let mut pipeline = TestPipeline::new();
    let described =
        |pipeline: &TestPipeline| pipeline.messages.iter().map(|message| message.metadata.len()).sum::<usize>();
    pipeline.counter("c");
    pipeline.at(101_000);
    assert_eq!(described(&pipeline), 1);
    pipeline.register("t", MetricType::Trend, ValueType::Time, &[]);
    pipeline.at(102_000);
    assert_eq!(described(&pipeline), 1 + 9);
    pipeline.at(103_000);
    assert_eq!(described(&pipeline), 1 + 9);
    pipeline.at(161_000);
    assert_eq!(described(&pipeline), 2 * (1 + 9));
    let metadata = pipeline.messages.iter().flat_map(|message| &message.metadata).next().expect("described");
    assert_eq!(
        (metadata.r#type(), &*metadata.metric_family_name),
        (metric_metadata::MetricType::Counter, "k6_c_total")
    );
}

#[test]
fn many_series_are_split_into_several_batches() {
    let mut pipeline = TestPipeline::new();
    for tag in 0..10_001 {
        let c = pipeline.register("c", MetricType::Counter, ValueType::Default, &[("tag", &tag.to_string())]);
        pipeline.record(c, 0, 1.0);
    }
    pipeline.at(101_000);
    assert_eq!(pipeline.messages.len(), 4, "two of the zeros, two of the values");
    let points = pipeline.points();
    assert_eq!(points.len(), 10_001);
    assert!(points.values().all(|points| points[..] == [(100_400, 0.0), (101_000, 1.0)]));
}

#[test]
fn labels_are_sorted_as_the_specification_asks() {
    let mut pipeline = TestPipeline::new();
    let r = pipeline.register(
        "r",
        MetricType::Rate,
        ValueType::Default,
        &[("zone", "1"), ("Zone", "2"), ("_a", "3"), ("é", "4")],
    );
    pipeline.record(r, 0, 1.0);
    pipeline.at(101_000);
    for series in pipeline.messages.iter().flat_map(|message| &message.timeseries) {
        let names: Vec<_> = series.labels.iter().map(|label| label.name.as_str()).collect();
        assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "{names:?}");
        assert!(names.contains(&"__name__"));
    }
}

#[test]
fn a_gauge_has_the_extremes_of_windows_with_samples() {
    let mut pipeline = TestPipeline::new();
    pipeline.at(100_900);
    let g = pipeline.register("g", MetricType::Gauge, ValueType::Time, &[]);
    for (time_ms, value) in [(100_500, 7000.0), (100_400, 500.0), (100_450, 9000.0)] {
        pipeline.record(g, time_ms, value);
    }
    pipeline.at(101_000);
    pipeline.at(102_000);
    pipeline.close_at(102_500);
    let points = pipeline.points();
    assert_eq!(points["k6_g"][..3], [(101_000, 7.0), (102_000, 7.0), (102_500, 7.0)]);
    for (series, value) in [("k6_g_lowest", 0.5), ("k6_g_highest", 9.0)] {
        assert_eq!((points[series][0], points[series].len()), ((101_000, value), 2), "{series}");
        assert!(is_stale(&points[series][1]));
    }
}

#[test]
fn statistics_of_the_run_are_exported_for_windows_with_samples() {
    let mut pipeline = pipeline(r#"{"trendWindow": "run", "trendStats": "max,med,count"}"#);
    let t = pipeline.register("t", MetricType::Trend, ValueType::Default, &[]);
    let r = pipeline.register("r", MetricType::Rate, ValueType::Default, &[]);
    for value in [1.0, 9.0] {
        pipeline.record(t, 0, value);
        pipeline.record(r, 0, value - 1.0);
    }
    pipeline.at(101_000);
    pipeline.at(102_000);
    pipeline.record(t, 0, 3.0);
    pipeline.record(r, 0, 3.0);
    pipeline.at(103_000);
    let points = pipeline.points();
    assert_eq!(points["k6_t_max"], [(101_000, 9.0), (103_000, 9.0)]);
    assert!((points["k6_t_med"][1].1 - 3.0).abs() <= 0.015, "{:?}", points["k6_t_med"]);
    assert_eq!(points["k6_t_count"][1..], [(101_000, 2.0), (102_000, 2.0), (103_000, 3.0)]);
    assert_eq!(points["k6_r_rate"], [(101_000, 0.5), (103_000, 2.0 / 3.0)]);
    assert!(!points.contains_key("k6_t_avg") && !points.contains_key("k6_t_sum"));
}

#[test]
fn a_classic_histogram_is_cumulative_from_zero_in_every_bucket() {
    let mut pipeline = pipeline(r#"{"trendAs": "classic", "trendBuckets": "0.1,1"}"#);
    let t = pipeline.register("t", MetricType::Trend, ValueType::Time, &[("method", "GET"), ("a", "1"), ("le", "x")]);
    for value in [50.0, 100.0, 500.0, 5000.0] {
        pipeline.record(t, 0, value);
    }
    pipeline.at(101_000);
    pipeline.record(t, 0, 1.0);
    pipeline.close_at(101_500);
    let points = pipeline.points();
    for (bound, first, last) in [("0.1", 2.0, 3.0), ("1", 3.0, 4.0), ("+Inf", 4.0, 5.0)] {
        let points = &points[&format!(r#"k6_t_seconds_bucket{{a="1",exported_le="x",le="{bound}",method="GET"}}"#)];
        assert_eq!(points[..3], [(100_400, 0.0), (101_000, first), (101_500, last)], "{bound}");
        assert!(is_stale(&points[3]));
    }
    let points_of =
        |suffix: &str| points[&format!(r#"k6_t_seconds_{suffix}{{a="1",exported_le="x",method="GET"}}"#)].clone();
    assert_eq!(points_of("count")[..3], [(100_400, 0.0), (101_000, 4.0), (101_500, 5.0)]);
    assert_eq!(points_of("sum")[..3], [(100_400, 0.0), (101_000, 5.65), (101_500, 5.651)]);
    assert_eq!(points.len(), 5, "only the series of the histogram");
}

#[test]
fn a_native_histogram_is_cumulative_from_an_empty_one_to_a_stale_one() {
    let mut pipeline = pipeline(r#"{"trendAs": "native"}"#);
    let t = pipeline.register("t", MetricType::Trend, ValueType::Time, &[]);
    for value in [1000.0, 1000.0, 0.0, 8000.0] {
        pipeline.record(t, 0, value);
    }
    pipeline.at(101_000);
    pipeline.record(t, 0, 2000.0);
    pipeline.at(102_000);
    pipeline.close_at(102_500);
    let series: Vec<_> = pipeline.messages.iter().flat_map(|message| &message.timeseries).collect();
    assert!(series.iter().all(|series| series.labels[0].value == "k6_t_seconds" && series.samples.is_empty()));
    let histograms: Vec<_> = series.iter().flat_map(|series| &series.histograms).collect();
    let count = |index: usize| match histograms[index].count {
        Some(Count::CountInt(count)) => (histograms[index].timestamp, count),
        None => panic!("no count"),
    };
    let counts: Vec<_> = (0..histograms.len()).map(count).collect();
    assert_eq!(counts, [(100_400, 0), (101_000, 4), (102_000, 5), (102_500, 5), (102_501, 5)]);
    assert_eq!(histograms.iter().take(4).map(|h| h.sum).collect::<Vec<_>>(), [0.0, 10.0, 12.0, 12.0]);
    assert_eq!(histograms[4].sum.to_bits(), STALE_MARKER.to_bits());
    // At schema 3, bucket 0 ends at a second, bucket 24 at eight.
    assert_eq!(histograms[1].positive_deltas, [2, -1]);
    assert_eq!(histograms[1].positive_spans.iter().map(|span| span.offset).collect::<Vec<_>>(), [0, 23]);
}

#[test]
fn k6_series_with_the_same_labels_are_merged() {
    let mut pipeline = pipeline(r#"{"dropTags": "url"}"#);
    pipeline.at(100_900);
    for (url, value, time_ms) in [("/a", 1.0, 100_700), ("/b", 5.0, 100_600)] {
        let tags = [("url", url), ("method", "GET")];
        let c = pipeline.register("c", MetricType::Counter, ValueType::Default, &tags);
        let g = pipeline.register("g", MetricType::Gauge, ValueType::Default, &tags);
        let t = pipeline.register("t", MetricType::Trend, ValueType::Default, &tags);
        [c, g, t].into_iter().for_each(|series| pipeline.record(series, time_ms, value));
    }
    pipeline.at(101_000);
    let points = pipeline.points();
    let last = |name: &str| points[&format!(r#"{name}{{method="GET"}}"#)].last().expect("a point").1;
    assert_eq!((last("k6_c_total"), last("k6_t_count"), last("k6_t_sum")), (6.0, 2.0, 6.0));
    assert_eq!((last("k6_g"), last("k6_g_lowest"), last("k6_g_highest")), (1.0, 1.0, 5.0), "the latest by sample time");
}

#[test]
fn samples_over_max_series_are_counted_and_the_others_are_recorded() {
    let mut pipeline = pipeline(r#"{"maxSeries": 2}"#);
    let all: Vec<_> = ["a", "b", "c"]
        .map(|tag| pipeline.register("c", MetricType::Counter, ValueType::Default, &[("tag", tag)]))
        .into();
    for &series in all.iter().chain(&all) {
        pipeline.record(series, 0, 1.0);
    }
    pipeline.at(101_000);
    let points = pipeline.points();
    assert_eq!(points.keys().collect::<Vec<_>>(), [r#"k6_c_total{tag="a"}"#, r#"k6_c_total{tag="b"}"#]);
    assert!(points.values().all(|points| points.last() == Some(&(101_000, 2.0))));
    let report: Value = serde_json::from_str(&pipeline.reporter.report()).expect("JSON");
    let destination = &report["destinations"][0];
    assert_eq!(
        (&destination["series_over_max_series"], &destination["samples_over_max_series"]),
        (&1.into(), &2.into())
    );
}
