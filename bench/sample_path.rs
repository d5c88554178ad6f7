//! Benchmarks of each step of a sample's path: `make bench-steps`.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use k6_remote_write::ingest::{Received, inbox};
use k6_remote_write::k6::Sample;
use k6_remote_write::k6::{MetricType, ValueType};
use k6_remote_write::report::Reporter;
use k6_remote_write::resample::registrar::Registrar;
use k6_remote_write::send::{Batch, Queue};
use k6_remote_write::series::SeriesDefinition;
use k6_remote_write::wire::{Encoder, Limits, Protocol};

#[path = "../tests/fixtures/pipeline/single.rs"]
mod single;

use single::{SinglePipeline, pipeline};

/// Returns a series of k6's HTTP requests with values that are times.
fn request(metric_type: MetricType, url: u64) -> SeriesDefinition {
    single::request(metric_type, ValueType::Time, url)
}

/// Returns `count` samples that cycle through `series` series, with values of two decades.
fn samples(series: u64, count: u64) -> Vec<Sample> {
    let sample = |i: u64| Sample { series: 1 + i % series, time_ms: 0, value: 1.0 + (i * 7919 % 1000) as f64 / 10.0 };
    (0..count).map(sample).collect()
}

fn register(criterion: &mut Criterion) {
    let definitions: Vec<_> = (0..1000).map(|url| request(MetricType::Trend, url)).collect();
    let mut group = criterion.benchmark_group("register");
    group.throughput(Throughput::Elements(1000));
    group.bench_function("series", |bencher| {
        let register = |(mut pipeline, _queue): (SinglePipeline, Arc<Queue>)| {
            for definition in &definitions {
                pipeline.register(definition);
            }
            pipeline
        };
        bencher.iter_batched(pipeline, register, BatchSize::LargeInput);
    });
}

fn push(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("push_batch");
    for len in [1, 10, 100] {
        let (inbox, outlet) = inbox(Registrar::default(), Arc::new(Reporter::default()));
        inbox.register(&request(MetricType::Counter, 0)).expect("open");
        let batch = samples(1, len);
        // Receives the samples, as the resampling thread does.
        let receiver = std::thread::spawn(move || {
            while let Received::Samples(block) = outlet.receive(Duration::from_secs(60)) {
                outlet.recycle(block);
            }
        });
        group.throughput(Throughput::Elements(len));
        group.bench_function(BenchmarkId::from_parameter(len), |bencher| {
            bencher.iter(|| inbox.push(black_box(&batch)));
        });
        inbox.close();
        receiver.join().expect("ends");
    }
}

fn record(criterion: &mut Criterion) {
    let samples = samples(10, 10_000);
    let mut group = criterion.benchmark_group("record");
    group.throughput(Throughput::Elements(10_000));
    for metric_type in [MetricType::Counter, MetricType::Gauge, MetricType::Rate, MetricType::Trend] {
        let (mut pipeline, _queue) = pipeline();
        for url in 0..10 {
            pipeline.register(&request(metric_type, url));
        }
        group.bench_function(format!("{metric_type:?}"), |bencher| bencher.iter(|| pipeline.record(&samples, 1)));
    }
}

/// Records samples of 20 000 tag sets, each of a trend and of a counter, ten of each series in a window.
fn record_many_series(criterion: &mut Criterion) {
    const TAG_SETS: u64 = 20_000;
    const SAMPLES: u64 = 10 * 2 * TAG_SETS;
    let (mut pipeline, queue) = pipeline();
    for url in 0..TAG_SETS {
        pipeline.register(&request(MetricType::Trend, url));
        pipeline.register(&request(MetricType::Counter, url));
    }
    // Tag sets in no order: the step has no common factor with their number.
    let tag_set = |i: u64| i * 7919 % TAG_SETS;
    let pair = |i: u64| {
        let value = 20.0 + (i * 31 % 1000) as f64 * 0.06;
        [1, 2].map(|offset| Sample { series: 2 * tag_set(i) + offset, time_ms: 0, value })
    };
    let samples: Vec<_> = (0..SAMPLES / 2).flat_map(pair).collect();
    let mut group = criterion.benchmark_group("record");
    group.sample_size(20).throughput(Throughput::Elements(SAMPLES));
    let mut now_ms = 0;
    group.bench_function("a trend and a counter of 20 000 tag sets", |bencher| {
        bencher.iter_custom(|iterations| {
            (0..iterations).fold(Duration::ZERO, |total, _| {
                now_ms += 1000;
                let started = std::time::Instant::now();
                samples.chunks(4096).for_each(|block| pipeline.record(block, now_ms));
                let total = total + started.elapsed();
                let window = pipeline.due(now_ms).expect("a window has ended");
                pipeline.export(window);
                queue.drain();
                total
            })
        });
    });
}

fn close_a_window(criterion: &mut Criterion) {
    const SERIES: u64 = 140_000;
    let samples = samples(SERIES, SERIES);
    let mut group = criterion.benchmark_group("close a window of 140 000 series");
    group.sample_size(10).throughput(Throughput::Elements(SERIES));
    for metric_type in [MetricType::Counter, MetricType::Trend] {
        for (active, name) in [(&samples[..], "all active"), (&[], "all silent")] {
            let (mut pipeline, queue) = pipeline();
            for url in 0..SERIES {
                pipeline.register(&request(metric_type, url));
            }
            let mut now_ms = 0;
            group.bench_function(format!("{metric_type:?}, {name}"), |bencher| {
                let mut fill = || {
                    queue.drain();
                    now_ms += 1000;
                    now_ms
                };
                bencher.iter_custom(|iterations| {
                    (0..iterations).fold(Duration::ZERO, |total, _| {
                        let now_ms = fill();
                        pipeline.record(active, now_ms);
                        let window = pipeline.due(now_ms).expect("a window has ended");
                        let started = std::time::Instant::now();
                        pipeline.export(window);
                        total + started.elapsed()
                    })
                });
            });
        }
    }
}

/// Returns a batch with the first values of 10 000 counters.
fn batch() -> Batch {
    let (mut pipeline, queue) = pipeline();
    for url in 0..10_000 {
        pipeline.register(&request(MetricType::Counter, url));
    }
    let window = pipeline.due(1000).expect("a window has ended");
    pipeline.export(window);
    queue.drain().pop().expect("two batches: the zeros, then the values")
}

const UNLIMITED: Limits = Limits { points: usize::MAX, bytes: usize::MAX };

fn encode(criterion: &mut Criterion) {
    let batch = batch();
    let mut group = criterion.benchmark_group("encode and compress");
    group.throughput(Throughput::Elements(batch.unsent().len() as u64));
    for protocol in [Protocol::V1, Protocol::V2] {
        let mut encoder = Encoder::default();
        group.bench_function(protocol.to_string(), |bencher| {
            bencher.iter(|| encoder.encode(protocol, batch.unsent(), &[], UNLIMITED));
        });
    }
}

fn compress(criterion: &mut Criterion) {
    let batch = batch();
    let mut group = criterion.benchmark_group("compress alone");
    for protocol in [Protocol::V1, Protocol::V2] {
        let encoded = Encoder::default().encode(protocol, batch.unsent(), &[], UNLIMITED);
        let body = snap::raw::Decoder::new().decompress_vec(&encoded.body).expect("snappy's block format");
        let mut snappy = snap::raw::Encoder::new();
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(protocol.to_string(), |bencher| bencher.iter(|| snappy.compress_vec(black_box(&body))));
    }
}

criterion_group!(steps, register, push, record, record_many_series, close_a_window, encode, compress);
criterion_main!(steps);
