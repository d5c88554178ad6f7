//! The pipeline of one destination, and series for it.

use std::sync::Arc;
use std::time::Duration;

use k6_remote_write::config::Destination;
use k6_remote_write::k6::{MetricType, ValueType};
use k6_remote_write::report::Reporter;
use k6_remote_write::resample::pipeline::{DestinationPipeline, Settings};
use k6_remote_write::send::{Batcher, Queue};
use k6_remote_write::series::SeriesDefinition;

/// Creates a pipeline with windows of a second, and its queue.
pub fn pipeline() -> (DestinationPipeline, Arc<Queue>) {
    let reporter = Reporter::default().destination("http://host/w");
    let queue = Arc::new(Queue::new(1 << 30, 1, Arc::clone(&reporter)));
    let settings = Settings {
        rate: Duration::from_secs(1),
        stale_markers: true,
        rules: Destination::default().rules(&[]),
        self_metrics: None,
    };
    (DestinationPipeline::new(settings, 0, Batcher::new(Arc::clone(&queue), 10_000), reporter), queue)
}

/// Returns a series with the tags of k6's HTTP requests to a URL.
pub fn request(metric_type: MetricType, value_type: ValueType, url: u64) -> SeriesDefinition {
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
    SeriesDefinition::new("m", metric_type).with_value_type(value_type).with_tags(tags)
}
