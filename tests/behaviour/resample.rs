//! Windows on a clock that the tests set: the edge cases of time, and the points of a series from start to end.

use crate::pipeline::{START, TestPipeline, events, is_stale};
use k6_remote_write::config::Destination;
use k6_remote_write::k6::{MetricType, Sample, ValueType};
use k6_remote_write::resample::catalog::Rules;
use k6_remote_write::series::view::{Tags, View};

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
fn an_excursion_of_the_wall_clock_loses_no_window() {
    for step_ms in [3_600_000, -3_600_000] {
        let mut pipeline = TestPipeline::new();
        let c = pipeline.counter("c");
        let g = pipeline.register("g", MetricType::Gauge, ValueType::Default, &[]);
        for second in 101..=130 {
            // k6 has the same clock.
            let k6_ms = second * 1000 + if (105..107).contains(&second) { step_ms } else { 0 };
            match second {
                105 => pipeline.clock_steps(step_ms),
                107 => pipeline.clock_steps(-step_ms),
                _ => {}
            }
            pipeline.record(c, k6_ms - 300, 1.0);
            pipeline.record(g, k6_ms - 300, second as f64);
            pipeline.at(second * 1000 + 2);
        }
        let expected: Vec<_> = (101..=130).map(|second| (second * 1000, (second - 100) as f64)).collect();
        assert_eq!(pipeline.points_of("k6_c_total")[1..], expected, "{step_ms}");
        let expected: Vec<_> = (101..=130).map(|second| (second * 1000, second as f64)).collect();
        assert_eq!(pipeline.points_of("k6_g"), expected, "{step_ms}");
        let lines = events(&pipeline.reporter, "Wall clock");
        let steps: Vec<_> = lines.iter().map(|line| (&*line.message, line.fields["step_ms"].clone())).collect();
        let message = "Wall clock stepped, continuing on the monotonic clock";
        assert_eq!(steps, [(message, step_ms.into()), ("Wall clock step was undone", (-step_ms).into())]);
    }
}

#[test]
fn a_step_ahead_that_lasts_is_followed_after_ten_seconds() {
    let mut pipeline = TestPipeline::new();
    let c = pipeline.counter("c");
    pipeline.at(102_000);
    pipeline.clock_steps(60_000);
    for second in 103..=115 {
        pipeline.record(c, 0, 1.0);
        pipeline.at(second * 1000);
    }
    let points = pipeline.points_of("k6_c_total");
    assert_eq!(points[1..4], [(102_000, 0.0), (103_000, 1.0), (104_000, 2.0)]);
    assert_eq!(points[11..], [(172_000, 10.0), (173_000, 11.0), (174_000, 12.0), (175_000, 13.0)]);
    let lines = events(&pipeline.reporter, "Wall clock");
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1].message, "Wall clock step lasted, following it from now on");
}

#[test]
fn after_a_step_back_that_lasts_windows_go_on_at_the_earlier_times() {
    let mut pipeline = TestPipeline::with_self_metrics(&[]);
    let c = pipeline.counter("c");
    let g = pipeline.register("g", MetricType::Gauge, ValueType::Default, &[]);
    pipeline.record(c, 100_400, 1.0);
    for second in 101..=175 {
        if second == 103 {
            pipeline.clock_steps(-60_000);
        }
        // Here k6's clock does not step.
        pipeline.record(g, second * 1000 - 500, second as f64);
        pipeline.at(second * 1000);
    }
    let late = pipeline.counter("late");
    pipeline.record(late, 0, 1.0);
    pipeline.close_at(175_600);
    let sent = pipeline.sent_points();
    let times: Vec<_> = sent["k6_c_total"][1..].iter().map(|point| point.0).collect();
    let expected = (101..=111).chain(53..=115).map(|second| second * 1000).chain([115_600, 115_601]);
    assert_eq!(times, expected.collect::<Vec<_>>(), "no silence, no time in the future");
    assert_eq!(sent["k6_g"][11..13], [(53_000, 113.0), (54_000, 114.0)], "the latest value is a new one");
    assert_eq!(sent["k6_late_total"][..2], [(115_000, 0.0), (115_600, 1.0)]);
    let [start, end] = ["start", "end"].map(|of| sent[&format!("k6_remote_write_run_{of}_time_seconds")][0].1);
    assert_eq!(sent["k6_remote_write_run_start_time_seconds"].iter().rev().nth(1).map(|point| point.1), Some(40.4));
    assert_eq!((start, end), (100.4, 115.6));
    let described = pipeline.messages.iter().filter(|message| message.metadata.len() > 5).count();
    assert_eq!(described, 2, "metadata is sent again a minute later");
}

#[test]
fn drift_of_the_wall_clock_is_followed() {
    let mut pipeline = TestPipeline::new();
    let c = pipeline.counter("c");
    for half_second in 1..=120 {
        pipeline.clock_steps(25);
        pipeline.record(c, 0, 1.0);
        pipeline.at(100_400 + half_second * 500);
    }
    let points = pipeline.points_of("k6_c_total");
    assert_eq!(points.len(), 1 + 63, "63 s have passed by the wall clock");
    assert!(points[1..].windows(2).all(|pair| pair[1].0 - pair[0].0 == 1000));
    assert!(events(&pipeline.reporter, "Wall clock").is_empty());
}

#[test]
fn a_run_that_ends_while_the_clock_is_behind_has_its_total() {
    let mut pipeline = TestPipeline::new();
    let c = pipeline.counter("c");
    pipeline.record(c, 0, 1.0);
    pipeline.at(110_000);
    pipeline.record(c, 0, 1.0);
    pipeline.clock_steps(-5_000);
    pipeline.close_at(110_000);
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

        /// For every sequence of clock steps: no sample is lost, and no time is more than a millisecond ahead of both the wall
        /// clock and what the monotonic clock makes of its earlier times. Unless the timeline was set back, the times of a
        /// series increase ([`TestPipeline::points`] asserts it).
        #[test]
        fn the_total_is_exact_for_every_sequence_of_clock_steps(
            rate in prop_oneof![Just(1), Just(3), Just(10)],
            steps in prop::collection::vec((0..15_000_i64, prop_oneof![2 => Just(0), 1 => -20_000..30_000_i64], 0..4_u32, any::<i64>()), 1..60),
        ) {
            let mut pipeline = TestPipeline::with(START, rate, true);
            let c = pipeline.counter("c");
            let (mut now_ms, mut ahead_ms, mut max_ahead_ms, mut total) = (START, 0, 0, 0.0);
            let mut latest_ms = START;
            for (elapsed_ms, step_ms, samples, time_ms) in steps {
                for _ in 0..samples {
                    pipeline.record(c, time_ms, 1.0);
                    total += 1.0;
                }
                pipeline.clock_steps(step_ms);
                now_ms += elapsed_ms;
                ahead_ms += step_ms;
                max_ahead_ms = ahead_ms.max(max_ahead_ms);
                latest_ms = now_ms + max_ahead_ms;
                pipeline.at(now_ms);
            }
            pipeline.close_at(now_ms);
            let set_back = events(&pipeline.reporter, "step lasted").iter().any(|line| line.fields["step_ms"].as_i64() < Some(0));
            let points = if set_back { pipeline.sent_points() } else { pipeline.points() };
            let points = &points["k6_c_total"];
            let [.., (last_ms, last), end] = points[..] else { panic!("{points:?}") };
            prop_assert_eq!(last, total);
            prop_assert!(is_stale(&end) && end.0 == last_ms + 1);
            prop_assert!(points.iter().all(|point| point.0 <= latest_ms + 2), "{:?} is after {}", points, latest_ms);
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
            "active_series_highest",
            "active_series_lowest",
            "active_series",
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
fn the_run_starts_when_its_first_iteration_begins() {
    let mut pipeline = TestPipeline::with_self_metrics(&[]);
    let durations = pipeline.register("iteration_duration", MetricType::Trend, ValueType::Time, &[]);
    let c = pipeline.counter("iterations");
    pipeline.at(105_000);
    pipeline.record_all(&[
        Sample { series: c, time_ms: 104_900, value: 1.0 },
        Sample { series: durations, time_ms: 104_900, value: 3_300.0 },
    ]);
    pipeline.at(106_000);
    assert_eq!(pipeline.points_of("k6_remote_write_run_start_time_seconds"), [(106_000, 101.6)]);
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
