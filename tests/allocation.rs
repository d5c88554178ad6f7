//! Samples cause no allocations once their series and the spread of the values are known.

use std::sync::Arc;
use std::time::Duration;

use k6_remote_write::ingest::{Received, inbox};
use k6_remote_write::k6::Sample;
use k6_remote_write::k6::{MetricType, ValueType};
use k6_remote_write::report::Reporter;
use k6_remote_write::resample::Resampler;
use k6_remote_write::resample::registrar::Registrar;
use k6_remote_write::series::SeriesDefinition;
use k6_remote_write::time::clock::SystemClock;
use k6_remote_write::time::timeline::Timeline;

#[path = "fixtures/pipeline/single.rs"]
mod single;

use single::SinglePipeline;

const TYPES: [MetricType; 4] = [MetricType::Counter, MetricType::Gauge, MetricType::Rate, MetricType::Trend];

fn definition(metric_type: MetricType) -> SeriesDefinition {
    let metric = format!("{metric_type:?}");
    SeriesDefinition { metric, ..single::request(metric_type, ValueType::Time, 1) }
}

/// Returns samples of all four series, more than fit into one block of the inbox.
fn samples() -> Vec<Sample> {
    (0..10_000).map(|i| Sample { series: 1 + i % 4, time_ms: 0, value: 0.5 + (i % 500) as f64 }).collect()
}

#[test]
fn pushing_allocates_nothing() {
    let (inbox, outlet) = inbox(Registrar::default(), Arc::new(Reporter::default()));
    let ids = TYPES.map(|metric_type| inbox.register(&definition(metric_type)).expect("open"));
    // Without a destination, several series have one id.
    let samples: Vec<_> =
        samples().into_iter().map(|sample| Sample { series: ids[sample.series as usize - 1], ..sample }).collect();
    let round = || {
        assert_eq!(inbox.push(&samples), Ok(0));
        while let Received::Samples(block) = outlet.receive(Duration::ZERO) {
            outlet.recycle(block);
        }
    };
    // Warm-up: allocates the blocks. The channel allocates once for every 31 messages.
    (0..100).for_each(|_| round());
    let rounds = 1000;
    let counted = allocation_counter::measure(|| (0..rounds).for_each(|_| round()));
    let channel_allocations = rounds * samples.len() as u64 / 4096 / 31 + 2;
    assert!(
        counted.count_total <= channel_allocations,
        "{counted:?}, of which {channel_allocations} are of the channel"
    );
}

#[test]
fn recording_allocates_nothing() {
    let (mut pipeline, _queue) = single::pipeline();
    for metric_type in TYPES {
        pipeline.register(&definition(metric_type));
    }
    let samples = samples();
    pipeline.record(&samples, 1);
    let counted = allocation_counter::measure(|| (0..100).for_each(|_| pipeline.record(&samples, 1)));
    assert_eq!(counted.count_total, 0, "{counted:?}");
}

#[test]
fn samples_that_are_not_finite_allocate_nothing() {
    let (SinglePipeline { mut registrar, pipeline }, _queue) = single::pipeline();
    let mut resampler =
        Resampler::new(vec![pipeline], Timeline::new(SystemClock::default()), Arc::new(Reporter::default()));
    TYPES
        .iter()
        .filter_map(|&metric_type| registrar.register(&definition(metric_type)).1)
        .for_each(|id| resampler.add(id));
    let mut samples = samples();
    for (sample, value) in samples.iter_mut().zip([f64::NAN, f64::INFINITY].into_iter().cycle()).step_by(7) {
        sample.value = value;
    }
    // Also logs the one warning.
    resampler.record(&samples);
    let counted = allocation_counter::measure(|| (0..100).for_each(|_| resampler.record(&samples)));
    assert_eq!(counted.count_total, 0, "{counted:?}");
}
