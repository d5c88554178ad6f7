//! Windows on a clock that the tests set: the edge cases of time, and the points of a series from start to end.

mod pipeline;
mod recording_receiver;

use k6_remote_write::config::Destination;
use k6_remote_write::k6::{MetricType, ValueType};
use k6_remote_write::resample::registry::Rules;
use k6_remote_write::series::view::{Tags, View};
use pipeline::{START, TestPipeline, is_stale};

#[test]
fn a_counter_starts_with_zero_continues_without_samples_and_ends_stale() {
    let mut pipeline = TestPipeline::new();
    let c = pipeline.counter("c");
    pipeline.record(c, 100_500, 2.0);
    pipeline.at(101_003);
    pipeline.at(102_000);
    pipeline.record(c, 102_100, 5.0);
    pipeline.close_at(102_700);
    let points = pipeline.points_of("k6_c_total");
    assert_eq!(points[..4], [(100_400, 0.0), (101_000, 2.0), (102_000, 2.0), (102_700, 7.0)]);
    assert_eq!(points[4].0, 102_701);
    assert!(is_stale(&points[4]) && points.len() == 5);
}

#[test]
fn a_series_that_is_registered_later_starts_at_the_start_of_its_window() {
    let mut pipeline = TestPipeline::new();
    let first = pipeline.counter("first");
    pipeline.record(first, 100_500, 1.0);
    pipeline.at(103_000);
    let late = pipeline.counter("late");
    pipeline.record(late, 103_990, 1.0);
    pipeline.at(104_000);
    assert_eq!(pipeline.points_of("k6_late_total"), [(103_000, 0.0), (104_000, 1.0)]);
}

#[test]
fn a_counter_without_samples_exists_from_its_registration() {
    let mut pipeline = TestPipeline::new();
    pipeline.counter("dropped_iterations");
    pipeline.at(101_000);
    assert_eq!(pipeline.points_of("k6_dropped_iterations_total"), [(100_400, 0.0), (101_000, 0.0)]);
}

#[test]
fn samples_with_any_time_count_in_the_open_window() {
    let mut pipeline = TestPipeline::new();
    let c = pipeline.counter("c");
    pipeline.at(101_000);
    for time_ms in [0, i64::MIN, i64::MAX, 100_999, 50_000, 101_500, 500_000_000, -62_135_596_800_000] {
        pipeline.record(c, time_ms, 1.0);
    }
    pipeline.at(102_000);
    assert_eq!(pipeline.points_of("k6_c_total"), [(100_400, 0.0), (101_000, 0.0), (102_000, 8.0)]);
}

#[test]
fn a_gauge_has_its_latest_value_by_time_in_every_window() {
    let mut pipeline = TestPipeline::new();
    let g = pipeline.register("g", MetricType::Gauge, ValueType::Default, &[]);
    pipeline.at(101_600);
    pipeline.record(g, 101_500, 7.0);
    pipeline.record(g, 101_400, 5.0);
    pipeline.at(102_000);
    pipeline.at(103_000);
    pipeline.close_at(103_500);
    let points = pipeline.points_of("k6_g");
    assert_eq!(points[..3], [(102_000, 7.0), (103_000, 7.0), (103_500, 7.0)]);
    assert!(is_stale(&points[3]));
}

#[test]
fn a_time_in_the_future_does_not_block_a_gauge() {
    let mut pipeline = TestPipeline::new();
    let g = pipeline.register("g", MetricType::Gauge, ValueType::Default, &[]);
    pipeline.record(g, i64::MAX, 1.0);
    pipeline.at(101_100);
    pipeline.record(g, 101_100, 2.0);
    pipeline.at(102_000);
    assert_eq!(pipeline.points_of("k6_g"), [(101_000, 1.0), (102_000, 2.0)]);
}

#[test]
fn a_clock_that_steps_back_causes_no_older_points_and_no_loss() {
    let mut pipeline = TestPipeline::new();
    let c = pipeline.counter("c");
    let g = pipeline.register("g", MetricType::Gauge, ValueType::Default, &[]);
    pipeline.at(105_000);
    pipeline.record(c, 105_000, 1.0);
    pipeline.record(g, 105_000, 1.0);
    pipeline.at(106_000);
    pipeline.at(103_000);
    pipeline.record(c, 103_000, 1.0);
    pipeline.record(g, 103_000, 2.0);
    pipeline.at(106_000);
    pipeline.at(106_900);
    assert_eq!(pipeline.points_of("k6_c_total").len(), 3, "windows wait until the clock is past the last end");
    pipeline.at(107_000);
    pipeline.close_at(107_200);
    assert_eq!(pipeline.points_of("k6_c_total")[3..5], [(107_000, 2.0), (107_200, 2.0)]);
    assert_eq!(pipeline.points_of("k6_g")[..2], [(106_000, 1.0), (107_000, 2.0)]);
}

#[test]
fn a_run_that_ends_while_the_clock_is_behind_has_its_total() {
    let mut pipeline = TestPipeline::new();
    let c = pipeline.counter("c");
    pipeline.record(c, 0, 1.0);
    pipeline.at(110_000);
    pipeline.record(c, 0, 1.0);
    pipeline.close_at(105_000);
    let points = pipeline.points_of("k6_c_total");
    assert_eq!(points[..3], [(109_000, 0.0), (110_000, 1.0), (110_001, 2.0)]);
}

#[test]
fn after_a_stall_one_window_has_all_samples() {
    let mut pipeline = TestPipeline::new();
    let c = pipeline.counter("c");
    pipeline.record(c, 0, 1.0);
    pipeline.at(101_000);
    pipeline.record(c, 101_100, 1.0);
    pipeline.record(c, 105_100, 1.0);
    pipeline.at(106_700);
    assert_eq!(pipeline.points_of("k6_c_total"), [(100_400, 0.0), (101_000, 1.0), (106_000, 3.0)]);
}

#[test]
fn a_run_shorter_than_one_window_has_its_totals_at_its_end() {
    let mut pipeline = TestPipeline::with(START, 10, true);
    let c = pipeline.counter("c");
    pipeline.record(c, 100_410, 3.0);
    pipeline.close_at(100_900);
    let points = pipeline.points_of("k6_c_total");
    assert_eq!(points[..2], [(100_400, 0.0), (100_900, 3.0)]);
    assert!(is_stale(&points[2]));
}

#[test]
fn stale_markers_can_be_disabled() {
    let mut pipeline = TestPipeline::with(START, 1, false);
    let c = pipeline.counter("c");
    pipeline.record(c, 0, 3.0);
    pipeline.close_at(100_900);
    assert_eq!(pipeline.points_of("k6_c_total"), [(100_400, 0.0), (100_900, 3.0)]);
}

#[test]
fn a_series_of_the_last_ten_milliseconds_is_complete() {
    let mut pipeline = TestPipeline::with(START, 10, true);
    let early = pipeline.counter("early");
    pipeline.record(early, 0, 1.0);
    pipeline.at(110_000);
    let late = pipeline.counter("late");
    pipeline.record(late, 110_004, 4.0);
    pipeline.close_at(110_010);
    let points = pipeline.points_of("k6_late_total");
    assert_eq!(points[..2], [(110_000, 0.0), (110_010, 4.0)]);
    assert!(is_stale(&points[2]));
}

#[test]
fn a_series_without_samples_for_an_hour_has_no_gap() {
    let mut pipeline = TestPipeline::with(START, 10, true);
    let c = pipeline.counter("c");
    pipeline.record(c, 0, 1.0);
    for window in 0..=360 {
        pipeline.at(110_000 + window * 10_000);
    }
    pipeline.record(c, 0, 1.0);
    pipeline.close_at(3_710_500);
    let points = pipeline.points_of("k6_c_total");
    assert_eq!(points.len(), 1 + 361 + 2);
    assert!(points[1..362].windows(2).all(|pair| pair[1].0 - pair[0].0 == 10_000 && pair[1].1 == 1.0));
    assert_eq!(points[362], (3_710_500, 2.0));
}

#[test]
fn the_points_of_a_run_are_after_those_of_the_previous_run() {
    let run = |start_ms: i64, end_ms: i64, value: f64| {
        let mut pipeline = TestPipeline::with(start_ms, 1, true);
        let c = pipeline.counter("c");
        pipeline.record(c, start_ms, value);
        pipeline.close_at(end_ms);
        pipeline.points_of("k6_c_total")
    };
    // The next process starts some milliseconds after the last window of the previous one, within the same second.
    let (first, second) = (run(100_400, 101_700, 5.0), run(101_720, 101_900, 3.0));
    let all = [first, second].concat();
    assert!(all.windows(2).all(|pair| pair[0].0 < pair[1].0), "{all:?}");
    assert_eq!(all.iter().filter(|point| is_stale(point)).count(), 2);
}

mod time {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// For every sequence of clock steps: no sample is lost, the times of a series increase ([`TestPipeline::points`] asserts
        /// it), and no time is more than a millisecond ahead of the latest time of the clock.
        #[test]
        fn the_total_is_exact_for_every_sequence_of_clock_steps(
            rate in prop_oneof![Just(1), Just(3), Just(10)],
            steps in prop::collection::vec((-20_000_i64..30_000, 0..4_u32, any::<i64>()), 1..60),
        ) {
            let mut pipeline = TestPipeline::with(START, rate, true);
            let c = pipeline.counter("c");
            let (mut now_ms, mut latest_ms, mut total) = (START, START, 0.0);
            for (step_ms, samples, time_ms) in steps {
                for _ in 0..samples {
                    pipeline.record(c, time_ms, 1.0);
                    total += 1.0;
                }
                now_ms = (now_ms + step_ms).max(1);
                latest_ms = latest_ms.max(now_ms);
                pipeline.at(now_ms);
            }
            pipeline.close_at(now_ms);
            let points = pipeline.points_of("k6_c_total");
            let [.., (last_ms, last), end] = points[..] else { panic!("{points:?}") };
            prop_assert_eq!(last, total);
            prop_assert!(is_stale(&end) && end.0 == last_ms + 1);
            prop_assert!(last_ms <= latest_ms + 1, "{} is after {}", last_ms, latest_ms);
        }
    }
}

#[test]
fn self_metrics_are_exported_with_the_other_metrics() {
    let mut pipeline = TestPipeline::with_self_metrics(&[("testid", "t")]);
    let c = pipeline.counter("c");
    pipeline.record(c, 100_500, 2.0);
    pipeline.at(101_003);
    pipeline.record(c, 101_500, 2.0);
    pipeline.record(c, 101_500, f64::NAN);
    pipeline.close_at(101_700);
    let values = |series: &str| -> Vec<f64> {
        pipeline.points_of(series).iter().filter(|point| !is_stale(point)).map(|point| point.1).collect()
    };
    assert_eq!(values(r#"k6_remote_write_samples_in_total{testid="t"}"#), [0.0, 1.0, 2.0]);
    assert_eq!(values(r#"k6_remote_write_samples_pending{testid="t"}"#), [0.0, 0.0]);
    assert_eq!(values(r#"k6_remote_write_samples_dropped_total{reason="queue_full",testid="t"}"#), [0.0, 0.0, 0.0]);
    assert_eq!(values("k6_c_total"), [0.0, 2.0, 4.0]);
    let points = pipeline.points();
    let names = points.keys().filter_map(|series| series.split('{').next()?.strip_prefix("k6_remote_write_"));
    assert_eq!(
        names.filter(|name| !name.starts_with("run_")).collect::<Vec<_>>(),
        [
            "bytes_sent_total",
            "queue_bytes_max_highest",
            "queue_bytes_max_lowest",
            "queue_bytes_max",
            "samples_dropped_total",
            "samples_failed_total",
            "samples_in_total",
            "samples_pending_highest",
            "samples_pending_lowest",
            "samples_pending",
            "samples_retried_total",
            "samples_sent_total",
            "sent_batch_duration_count",
            "sent_batch_duration_sum",
        ]
    );
}

#[test]
fn run_metadata_has_the_start_and_the_end_of_the_run() {
    let mut pipeline = TestPipeline::with_self_metrics(&[("testid", "t")]);
    let vus = pipeline.register("vus", MetricType::Gauge, ValueType::Default, &[]);
    let c = pipeline.counter("c");
    // While k6 is paused it emits only gauges.
    pipeline.record(vus, 100_500, 0.0);
    pipeline.at(101_003);
    pipeline.record(vus, 101_100, 0.0);
    pipeline.at(101_600);
    pipeline.record(c, 101_500, 1.0);
    pipeline.at(102_003);
    pipeline.close_at(102_700);
    let points = |series: &str| {
        let (ended, points): (Vec<_>, Vec<_>) = pipeline.points_of(series).into_iter().partition(is_stale);
        assert_eq!(ended.iter().map(|point| point.0).collect::<Vec<_>>(), [102_701], "{series} ends with the others");
        points
    };
    let (start, end) = ("k6_remote_write_run_start_time_seconds", "k6_remote_write_run_end_time_seconds");
    assert_eq!(points(&format!(r#"{start}{{testid="t"}}"#)), [(102_000, 101.5), (102_700, 101.5)]);
    assert_eq!(points(&format!(r#"{end}{{testid="t"}}"#)), [(102_700, 102.7)]);
    let info = r#"k6_remote_write_run_info{script="s.js",testid="t"}"#;
    assert_eq!(points(info), [(101_000, 1.0), (102_000, 1.0), (102_700, 1.0)]);
    let run_metadata = pipeline.points().into_keys().filter(|series| series.starts_with("k6_remote_write_run"));
    assert_eq!(run_metadata.count(), 3, "each is one series, without extremes");
}

#[test]
fn a_run_without_a_test_start_has_no_start_and_no_end() {
    let mut pipeline = TestPipeline::with_self_metrics(&[]);
    let vus = pipeline.register("vus", MetricType::Gauge, ValueType::Default, &[]);
    pipeline.record(vus, 100_500, 0.0);
    pipeline.close_at(100_700);
    let run_metadata = pipeline.points().into_keys().filter(|series| series.starts_with("k6_remote_write_run"));
    assert_eq!(run_metadata.collect::<Vec<_>>(), [r#"k6_remote_write_run_info{script="s.js"}"#]);
}

#[test]
fn a_tag_of_the_test_replaces_a_label_of_the_run_info() {
    let mut pipeline = TestPipeline::with_self_metrics(&[("script", "mine")]);
    pipeline.close_at(100_700);
    assert!(!pipeline.points_of(r#"k6_remote_write_run_info{script="mine"}"#).is_empty());
}

#[test]
fn series_of_every_type_that_differ_in_dropped_tags_are_merged_exactly() {
    let kept = View { tags: Tags::Only(vec!["kept".into()]), ..View::everything() };
    let rules = Rules { views: vec![kept], ..Destination::default().rules(&[]) };
    let mut pipeline = TestPipeline::with_rules(START, 1, true, rules);
    let mut both = |metric, metric_type| {
        ["1", "2"].map(|dropped| {
            pipeline.register(metric, metric_type, ValueType::Default, &[("kept", "x"), ("dropped", dropped)])
        })
    };
    let counter = both("counter", MetricType::Counter);
    let gauge = both("gauge", MetricType::Gauge);
    let rate = both("rate", MetricType::Rate);
    let trend = both("trend", MetricType::Trend);
    // The sample with the later time is recorded first.
    pipeline.record(gauge[0], 100_350, 7.0);
    pipeline.record(gauge[1], 100_300, 3.0);
    for (index, value) in [(0, 1.0), (1, 2.0), (0, 4.0), (1, 8.0)] {
        pipeline.record(counter[index], 100_500, value);
        pipeline.record(trend[index], 100_500, value);
        pipeline.record(rate[index], 100_500, if index == 0 { 1.0 } else { 0.0 });
    }
    pipeline.at(101_000);
    let value = |series: &str| pipeline.points_of(series).last().map(|&(_, value)| value);
    for (series, expected) in [
        ("k6_counter_total{kept=\"x\"}", 15.0),
        ("k6_gauge{kept=\"x\"}", 7.0),
        ("k6_rate_rate{kept=\"x\"}", 0.5),
        ("k6_rate_total{condition=\"nonzero\",kept=\"x\"}", 2.0),
        ("k6_trend_count{kept=\"x\"}", 4.0),
        ("k6_trend_sum{kept=\"x\"}", 15.0),
        ("k6_trend_min{kept=\"x\"}", 1.0),
        ("k6_trend_max{kept=\"x\"}", 8.0),
        ("k6_trend_avg{kept=\"x\"}", 3.75),
    ] {
        assert_eq!(value(series), Some(expected), "{series}");
    }
    assert!(pipeline.points().keys().all(|series| !series.contains("dropped")));
}
