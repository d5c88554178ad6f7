//! What a series costs in memory. `cargo test --locked --test memory -- --nocapture` prints it.

#![cfg(target_os = "linux")] // which tells what is resident

use k6_remote_write::k6::Sample;
use k6_remote_write::k6::{MetricType, ValueType};
use k6_remote_write::resample::pipeline::DestinationPipeline;

#[path = "pipeline/single.rs"]
mod single;

use single::{pipeline, request};

/// `count` values of times in milliseconds, most of them between 20 and 80, a few ten times as long.
fn times(series: u64, count: u64) -> impl Iterator<Item = Sample> {
    (0..count).map(move |i| {
        let mixed = (series * 31 + i) * 7919 % 1000;
        let value = if mixed < 990 { 20.0 + mixed as f64 * 0.06 } else { mixed as f64 * 0.8 };
        Sample { series, time_ms: 0, value }
    })
}

fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").expect("Linux has it");
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).expect("a number") * 4096
}

#[test]
fn series_are_within_their_bounds() {
    // One after the other, as both look at the memory of the whole process, and kept, so that none is used again.
    let (trend, _trends) = bytes_of_one(MetricType::Trend, ValueType::Time);
    let (counter, _counters) = bytes_of_one(MetricType::Counter, ValueType::Default);
    println!("a trend of ordinary spread takes {trend} bytes, a counter {counter}");
    assert!(trend <= 4096, "{trend} bytes a trend");
    assert!(counter <= 1024, "{counter} bytes a counter");
}

fn bytes_of_one(metric_type: MetricType, value_type: ValueType) -> (u64, DestinationPipeline) {
    const SERIES: u64 = 20_000;
    let (mut pipeline, _queue) = pipeline();
    let before = resident_bytes();
    for url in 0..SERIES {
        pipeline.register(&request(metric_type, value_type, url));
    }
    for series in 1..=SERIES {
        pipeline.record(&times(series, 200).collect::<Vec<_>>(), 1);
    }
    ((resident_bytes() - before) / SERIES, pipeline)
}
