//! Memory of a series. `cargo test --locked --test memory -- --nocapture` prints it.

#![cfg(target_os = "linux")] // resident memory is read from /proc

use k6_remote_write::k6::Sample;
use k6_remote_write::k6::{MetricType, ValueType};

use k6_remote_write::config::Destination;
use k6_remote_write::resample::catalog::Rules;
use k6_remote_write::series::SeriesDefinition;
use k6_remote_write::series::selector::Selector;
use k6_remote_write::series::view::View;
use parking_lot::Mutex;

#[path = "fixtures/pipeline/single.rs"]
mod single;

use single::{SinglePipeline, pipeline, request, with_rules};

/// Returns `count` samples with times in milliseconds: most between 20 and 80, a few ten times as long.
fn times(series: u64, count: u64) -> impl Iterator<Item = Sample> {
    (0..count).map(move |i| {
        let mixed = (series * 31 + i) * 7919 % 1000;
        let value = if mixed < 990 { 20.0 + mixed as f64 * 0.06 } else { mixed as f64 * 0.8 };
        Sample { series, time_ms: 0, value }
    })
}

fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").expect("/proc is mounted");
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).expect("a number") * 4096
}

/// One after the other, since all measure the whole process.
static MEASURING: Mutex<()> = Mutex::new(());

#[test]
fn the_memory_of_a_series_is_bounded() {
    let _alone = MEASURING.lock();
    // The pipelines are kept, so that no memory is reused.
    let (few, _few) = bytes_per_series(MetricType::Trend, ValueType::Time, 10);
    let (many, _many) = bytes_per_series(MetricType::Trend, ValueType::Time, 200);
    let (counter, _counters) = bytes_per_series(MetricType::Counter, ValueType::Default, 200);
    let (of_ten, _of_ten) = bytes_per_counter_of_ten_metrics();
    println!(
        "bytes per series: trend with 10 values in a window {few}, with 200 {many}, counter {counter}, of ten metrics with the same tags {of_ten}"
    );
    assert!(few <= 700, "{few} bytes per trend with few values");
    assert!(many <= 4096, "{many} bytes per trend with many values");
    assert!(counter <= 512, "{counter} bytes per counter");
    assert!(of_ten <= 250, "{of_ten} bytes per counter of ten metrics");
}

/// Of metrics with the same tags, as k6 has for each request.
fn bytes_per_counter_of_ten_metrics() -> (u64, SinglePipeline) {
    const TAG_SETS: u64 = 10_000;
    let (mut pipeline, _queue) = pipeline();
    let before = resident_bytes();
    for url in 0..TAG_SETS {
        let tags = request(MetricType::Counter, ValueType::Default, url);
        for number in 0..10 {
            let id = pipeline.register(&SeriesDefinition { metric: format!("m{number}"), ..tags.clone() });
            pipeline.record(&[Sample { series: id, time_ms: 0, value: 1.0 }], 1);
        }
    }
    ((resident_bytes() - before) / (10 * TAG_SETS), pipeline)
}

#[test]
fn series_that_are_not_exported_or_differ_in_dropped_tags_take_no_memory() {
    const SERIES: u64 = 200_000;
    let _alone = MEASURING.lock();
    let exported = || request(MetricType::Trend, ValueType::Time, 1);
    let unwanted =
        |n: u64| SeriesDefinition { metric: "unwanted".into(), ..exported() }.with_tags([("n", n.to_string())]);
    let merged = |n: u64| exported().with_tags([("dropped", n.to_string())]);
    let beyond = |n: u64| exported().with_tags([("beyond_max_series", n.to_string())]);
    let view = View { source: Selector::metric("m"), ..View::everything() };
    let mut rules = Rules { views: vec![view], max_series: 1, ..Destination::default().rules(&[]) };
    rules.labels.drop_tags = vec!["dropped".into()];
    let (mut pipeline, _queue) = with_rules(rules);
    assert_eq!(pipeline.register(&exported()), 1);
    for (kind, series) in [("unwanted", &unwanted as &dyn Fn(u64) -> _), ("merged", &merged), ("beyond", &beyond)] {
        pipeline.register(&series(0));
        let before = resident_bytes();
        for number in 0..SERIES {
            let id = pipeline.register(&series(number));
            pipeline.record(&[Sample { series: id, time_ms: 0, value: 1.0 }], 1);
        }
        let grown = resident_bytes().saturating_sub(before);
        println!("{SERIES} series, {kind}: {grown} bytes");
        assert!(grown < 1 << 20, "{kind}: {grown} bytes");
    }
}

fn bytes_per_series(metric_type: MetricType, value_type: ValueType, values: u64) -> (u64, SinglePipeline) {
    const SERIES: u64 = 20_000;
    let (mut pipeline, _queue) = pipeline();
    let before = resident_bytes();
    for url in 0..SERIES {
        pipeline.register(&request(metric_type, value_type, url));
    }
    for series in 1..=SERIES {
        pipeline.record(&times(series, values).collect::<Vec<_>>(), 1);
    }
    ((resident_bytes() - before) / SERIES, pipeline)
}
