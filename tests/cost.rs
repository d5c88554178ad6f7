//! What many series cost: memory for each, and time at a window's end.
//!
//! `cargo test --locked --release --test cost -- --ignored --nocapture` prints the times.

use std::sync::Arc;
use std::time::{Duration, Instant};

use k6_remote_write::config::Destination;
use k6_remote_write::deliver::{Batcher, Queue};
use k6_remote_write::inbox::Sample;
use k6_remote_write::lane::{Lane, Settings};
use k6_remote_write::report::Reporter;
use k6_remote_write::series::{Contents, MetricType, SeriesDefinition};

/// A destination's lane with windows of a second, and its queue.
fn lane() -> (Lane, Arc<Queue>) {
    let reporter = Reporter::default().destination("http://host/w");
    let queue = Arc::new(Queue::new(1 << 30, 1, Arc::clone(&reporter)));
    let settings = Settings {
        rate: Duration::from_secs(1),
        stale_markers: true,
        rules: Destination::default().rules(&[]),
        own_metrics: None,
    };
    (Lane::new(settings, 0, Batcher::new(Arc::clone(&queue), 10_000), reporter), queue)
}

/// What k6 makes of one URL: the labels of its requests.
fn request(metric: &str, metric_type: MetricType, contents: Contents, url: usize) -> SeriesDefinition {
    let url = format!("https://shop.example.com/products/{url}");
    let tags = [
        ("expected_response", "true"),
        ("group", "::browse"),
        ("method", "GET"),
        ("name", &url),
        ("proto", "HTTP/2.0"),
        ("scenario", "default"),
        ("status", "200"),
        ("url", &url),
    ];
    let tags = tags.iter().map(|&(name, value)| (name.into(), value.into())).collect();
    SeriesDefinition { metric: metric.into(), metric_type, contents, tags }
}

const TRENDS: [&str; 5] =
    ["http_req_duration", "http_req_waiting", "http_req_sending", "http_req_receiving", "http_req_blocked"];

/// Registers requests to `urls` URLs, seven series each, and returns how many series that makes.
fn register(lane: &mut Lane, urls: usize) -> u64 {
    for url in 0..urls {
        lane.register(&request("http_reqs", MetricType::Counter, Contents::Plain, url));
        lane.register(&request("http_req_failed", MetricType::Rate, Contents::Plain, url));
        for trend in TRENDS {
            lane.register(&request(trend, MetricType::Trend, Contents::Time, url));
        }
    }
    (urls * 7) as u64
}

/// `count` values of times in milliseconds, most of them between 20 and 80, a few ten times as long.
fn times(series: u64, count: u64) -> impl Iterator<Item = Sample> {
    (0..count).map(move |i| {
        let mixed = (series * 31 + i) * 7919 % 1000;
        let value = if mixed < 990 { 20.0 + mixed as f64 * 0.06 } else { mixed as f64 * 0.8 };
        Sample { series, time_ms: 0, value }
    })
}

#[cfg(target_os = "linux")]
fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").expect("Linux has it");
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).expect("a number") * 4096
}

#[test]
#[cfg(target_os = "linux")]
fn a_trend_of_ordinary_spread_takes_at_most_four_kib() {
    const SERIES: u64 = 20_000;
    let (mut lane, _queue) = lane();
    let before = resident_bytes();
    for url in 0..SERIES as usize {
        lane.register(&request("http_req_duration", MetricType::Trend, Contents::Time, url));
    }
    for series in 1..=SERIES {
        lane.record(&times(series, 200).collect::<Vec<_>>(), 1);
    }
    let each = (resident_bytes() - before) / SERIES;
    println!("{each} bytes a series");
    assert!(each <= 4096, "{each} bytes a series");
}

#[test]
#[ignore = "measures time: for a release build and a quiet machine"]
fn the_end_of_a_window_with_140_000_series() {
    let (mut lane, queue) = lane();
    let series = register(&mut lane, 20_000);
    let mut now_ms = 0;
    let mut end = |lane: &mut Lane, what: &str| {
        now_ms += 1000;
        let started = Instant::now();
        let window = lane.due(now_ms).expect("a window has ended");
        lane.ship(window);
        let took = started.elapsed();
        let batches = queue.drain();
        let points: usize = batches.iter().map(|batch| batch.left().len()).sum();
        println!("{what}: {:.1} ms for {points} points", took.as_secs_f64() * 1000.0);
    };
    let samples: Vec<_> = (1..=series).flat_map(|series| times(series, 3)).collect();
    for round in ["first window, all with samples", "all with samples", "all with samples"] {
        lane.record(&samples, 1);
        end(&mut lane, round);
    }
    for round in ["all silent", "all silent"] {
        end(&mut lane, round);
    }
    lane.record(&samples[..samples.len() / 10], 1);
    end(&mut lane, "one in ten with samples");
}

#[test]
#[ignore = "measures time: for a release build and a quiet machine"]
fn a_sample_of_each_type() {
    for metric_type in [MetricType::Counter, MetricType::Gauge, MetricType::Rate, MetricType::Trend] {
        let (mut lane, _queue) = lane();
        for url in 0..10 {
            lane.register(&request("m", metric_type, Contents::Time, url));
        }
        let samples: Vec<_> = (0..1000)
            .flat_map(|i| {
                (1..=10).flat_map(move |series| {
                    times(series, 1).map(move |sample| Sample { value: sample.value + f64::from(i), ..sample })
                })
            })
            .collect();
        lane.record(&samples, 1);
        let started = Instant::now();
        for _ in 0..100 {
            lane.record(&samples, 1);
        }
        println!("{metric_type:?}: {:.1} ns a sample", started.elapsed().as_secs_f64() * 1e9 / 1e6);
    }
}
