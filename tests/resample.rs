//! Windows and points on a clock that the tests own: every edge of time, and what a series looks like from start to end.

mod recording;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use k6_remote_write::clock::Clock;
use k6_remote_write::config::Destination;
use k6_remote_write::deliver::Queue;
use k6_remote_write::inbox::Sample;
use k6_remote_write::lane::{Lane, Settings};
use k6_remote_write::registry::Rules;
use k6_remote_write::report::Reporter;
use k6_remote_write::resample::Resampler;
use k6_remote_write::series::{Contents, MetricType, SeriesDefinition};
use k6_remote_write::wire::v1::{WriteRequest, metric_metadata};
use k6_remote_write::wire::{Encoder, STALE_MARKER};
use recording::{decode, points};

#[derive(Clone)]
struct FakeClock(Arc<AtomicI64>);

impl Clock for FakeClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A resampler with windows of one second, which starts at 100.4 s unless said otherwise.
struct House {
    clock: FakeClock,
    resampler: Option<Resampler<FakeClock>>,
    queue: Arc<Queue>,
    reporter: Arc<Reporter>,
    series: u64,
    messages: Vec<WriteRequest>,
}

const START: i64 = 100_400;

impl House {
    fn new() -> Self {
        Self::with(START, 1, true)
    }

    fn with(start_ms: i64, rate_seconds: u64, stale_markers: bool) -> Self {
        Self::with_rules(start_ms, rate_seconds, stale_markers, Destination::default().rules())
    }

    fn with_rules(start_ms: i64, rate_seconds: u64, stale_markers: bool, rules: Rules) -> Self {
        let clock = FakeClock(Arc::new(AtomicI64::new(start_ms)));
        let reporter = Arc::new(Reporter::default());
        let destination = reporter.destination("http://host/w");
        let queue = Arc::new(Queue::new(1 << 30, Arc::clone(&destination)));
        let settings = Settings { rate: Duration::from_secs(rate_seconds), stale_markers, rules };
        let encoder = Encoder::new(Arc::clone(&queue));
        let lane = Lane::new(settings, start_ms, encoder, destination);
        let resampler = Some(Resampler::new(vec![lane], clock.clone(), Arc::clone(&reporter)));
        Self { clock, resampler, queue, reporter, series: 0, messages: Vec::new() }
    }

    fn register(&mut self, metric: &str, metric_type: MetricType, contents: Contents, tags: &[(&str, &str)]) -> u64 {
        let tags = tags.iter().map(|&(name, value)| (name.into(), value.into())).collect();
        self.open().register(&SeriesDefinition { metric: metric.into(), metric_type, contents, tags });
        self.series += 1;
        self.series
    }

    fn counter(&mut self, metric: &str) -> u64 {
        self.register(metric, MetricType::Counter, Contents::Plain, &[])
    }

    fn record(&mut self, series: u64, time_ms: i64, value: f64) {
        self.open().record(&[Sample { series, time_ms, value }]);
    }

    /// Sets the clock and closes the window that has ended then, if one has.
    fn at(&mut self, now_ms: i64) {
        self.clock.0.store(now_ms, Ordering::Relaxed);
        let resampler = self.open();
        let ended = resampler.due();
        resampler.ship(ended);
        self.collect();
    }

    fn close_at(&mut self, now_ms: i64) {
        self.clock.0.store(now_ms, Ordering::Relaxed);
        self.resampler.take().expect("open").close();
        self.collect();
    }

    fn collect(&mut self) {
        self.messages.extend(self.queue.drain().iter().map(|batch| decode(&batch.body)));
    }

    fn open(&mut self) -> &mut Resampler<FakeClock> {
        self.resampler.as_mut().expect("open")
    }

    /// All points, checked for what is true of any run: per series, times only grow.
    fn points(&self) -> BTreeMap<String, Vec<(i64, f64)>> {
        let points = points(self.messages.clone());
        for (series, points) in &points {
            assert!(points.windows(2).all(|pair| pair[0].0 < pair[1].0), "{series}: {points:?}");
        }
        points
    }

    fn points_of(&self, series: &str) -> Vec<(i64, f64)> {
        self.points().remove(series).unwrap_or_default()
    }
}

fn is_stale(point: &(i64, f64)) -> bool {
    point.1.to_bits() == STALE_MARKER.to_bits()
}

#[test]
fn a_counter_starts_with_zero_goes_on_without_samples_and_ends_stale() {
    let mut house = House::new();
    let c = house.counter("c");
    house.record(c, 100_500, 2.0);
    house.at(101_003);
    house.at(102_000);
    house.record(c, 102_100, 5.0);
    house.close_at(102_700);
    let points = house.points_of("k6_c_total");
    assert_eq!(points[..4], [(100_400, 0.0), (101_000, 2.0), (102_000, 2.0), (102_700, 7.0)]);
    assert_eq!(points[4].0, 102_701);
    assert!(is_stale(&points[4]) && points.len() == 5);
}

#[test]
fn a_series_that_appears_later_starts_where_its_window_began() {
    let mut house = House::new();
    let first = house.counter("first");
    house.record(first, 100_500, 1.0);
    house.at(103_000);
    let late = house.counter("late");
    house.record(late, 103_990, 1.0);
    house.at(104_000);
    assert_eq!(house.points_of("k6_late_total"), [(103_000, 0.0), (104_000, 1.0)]);
}

#[test]
fn a_counter_without_samples_exists_from_its_registration() {
    let mut house = House::new();
    house.counter("dropped_iterations");
    house.at(101_000);
    assert_eq!(house.points_of("k6_dropped_iterations_total"), [(100_400, 0.0), (101_000, 0.0)]);
}

#[test]
fn late_early_and_zero_times_count_in_the_open_window() {
    let mut house = House::new();
    let c = house.counter("c");
    house.at(101_000);
    for time_ms in [0, i64::MIN, i64::MAX, 100_999, 50_000, 101_500, 500_000_000, -62_135_596_800_000] {
        house.record(c, time_ms, 1.0);
    }
    house.at(102_000);
    assert_eq!(house.points_of("k6_c_total"), [(100_400, 0.0), (101_000, 0.0), (102_000, 8.0)]);
}

#[test]
fn a_gauge_ships_its_latest_value_by_time_and_repeats_it() {
    let mut house = House::new();
    let g = house.register("g", MetricType::Gauge, Contents::Plain, &[]);
    house.at(101_600);
    house.record(g, 101_500, 7.0);
    house.record(g, 101_400, 5.0);
    house.at(102_000);
    house.at(103_000);
    house.close_at(103_500);
    let points = house.points_of("k6_g");
    assert_eq!(points[..3], [(102_000, 7.0), (103_000, 7.0), (103_500, 7.0)]);
    assert!(is_stale(&points[3]));
}

#[test]
fn a_time_to_come_does_not_hold_a_gauge() {
    let mut house = House::new();
    let g = house.register("g", MetricType::Gauge, Contents::Plain, &[]);
    house.record(g, i64::MAX, 1.0);
    house.at(101_100);
    house.record(g, 101_100, 2.0);
    house.at(102_000);
    assert_eq!(house.points_of("k6_g"), [(101_000, 1.0), (102_000, 2.0)]);
}

#[test]
fn a_clock_that_steps_back_makes_no_older_points_and_loses_nothing() {
    let mut house = House::new();
    let c = house.counter("c");
    let g = house.register("g", MetricType::Gauge, Contents::Plain, &[]);
    house.at(105_000);
    house.record(c, 105_000, 1.0);
    house.record(g, 105_000, 1.0);
    house.at(106_000);
    house.at(103_000);
    house.record(c, 103_000, 1.0);
    house.record(g, 103_000, 2.0);
    house.at(106_000);
    house.at(106_900);
    assert_eq!(house.points_of("k6_c_total").len(), 3, "windows wait until the clock is past the last end");
    house.at(107_000);
    house.close_at(107_200);
    assert_eq!(house.points_of("k6_c_total")[3..5], [(107_000, 2.0), (107_200, 2.0)]);
    assert_eq!(house.points_of("k6_g")[..2], [(106_000, 1.0), (107_000, 2.0)]);
}

#[test]
fn a_run_that_ends_while_the_clock_is_behind_still_ships_its_total() {
    let mut house = House::new();
    let c = house.counter("c");
    house.record(c, 0, 1.0);
    house.at(110_000);
    house.record(c, 0, 1.0);
    house.close_at(105_000);
    let points = house.points_of("k6_c_total");
    assert_eq!(points[..3], [(109_000, 0.0), (110_000, 1.0), (110_001, 2.0)]);
}

#[test]
fn a_stalled_process_ships_one_window_for_all_that_it_missed() {
    let mut house = House::new();
    let c = house.counter("c");
    house.record(c, 0, 1.0);
    house.at(101_000);
    house.record(c, 101_100, 1.0);
    house.record(c, 105_100, 1.0);
    house.at(106_700);
    assert_eq!(house.points_of("k6_c_total"), [(100_400, 0.0), (101_000, 1.0), (106_000, 3.0)]);
}

#[test]
fn a_run_shorter_than_one_window_ships_its_totals_at_its_end() {
    let mut house = House::with(START, 10, true);
    let c = house.counter("c");
    house.record(c, 100_410, 3.0);
    house.close_at(100_900);
    let points = house.points_of("k6_c_total");
    assert_eq!(points[..2], [(100_400, 0.0), (100_900, 3.0)]);
    assert!(is_stale(&points[2]));
}

#[test]
fn stale_markers_can_be_left_out() {
    let mut house = House::with(START, 1, false);
    let c = house.counter("c");
    house.record(c, 0, 3.0);
    house.close_at(100_900);
    assert_eq!(house.points_of("k6_c_total"), [(100_400, 0.0), (100_900, 3.0)]);
}

#[test]
fn a_rate_ships_the_windows_share_and_counts_that_add_up() {
    let mut house = House::new();
    let r = house.register("r", MetricType::Rate, Contents::Plain, &[("scenario", "a"), ("Z", "z")]);
    for value in [1.0, 0.0, 0.0, 0.0] {
        house.record(r, 0, value);
    }
    house.at(101_000);
    house.at(102_000);
    house.record(r, 0, 1.0);
    house.at(103_000);
    let points = house.points();
    assert_eq!(points[r#"k6_r_rate{Z="z",scenario="a"}"#], [(101_000, 0.25), (103_000, 1.0)]);
    let nonzero = &points[r#"k6_r_total{Z="z",condition="nonzero",scenario="a"}"#];
    assert_eq!(nonzero[..], [(100_400, 0.0), (101_000, 1.0), (102_000, 1.0), (103_000, 2.0)]);
    let zero = &points[r#"k6_r_total{Z="z",condition="zero",scenario="a"}"#];
    assert_eq!(zero.last(), Some(&(103_000, 3.0)));
}

#[test]
fn a_trend_ships_its_windows_statistics_in_seconds_and_cumulative_count_and_sum() {
    let mut house = House::new();
    let t = house.register("t", MetricType::Trend, Contents::Time, &[]);
    for value in 1..=100 {
        house.record(t, 0, f64::from(value) * 10.0);
    }
    house.at(101_000);
    house.at(102_000);
    house.record(t, 0, 5000.0);
    house.close_at(102_500);
    let points = house.points();
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
fn a_silent_trend_ends_stale_too() {
    let mut house = House::new();
    let t = house.register("t", MetricType::Trend, Contents::Plain, &[]);
    house.record(t, 0, 1.0);
    house.at(101_000);
    house.at(102_000);
    house.close_at(102_500);
    let max = house.points_of("k6_t_max");
    assert_eq!((max[0], max[1].0, is_stale(&max[1])), ((101_000, 1.0), 102_501, true));
}

#[test]
fn what_never_had_a_value_has_no_end_either() {
    let mut house = House::new();
    house.register("g", MetricType::Gauge, Contents::Plain, &[]);
    house.register("t", MetricType::Trend, Contents::Plain, &[]);
    house.close_at(100_900);
    assert_eq!(house.points().into_keys().collect::<Vec<_>>(), ["k6_t_count", "k6_t_sum"]);
}

#[test]
fn nan_and_infinities_are_counted_and_never_shipped() {
    let mut house = House::new();
    let c = house.counter("c");
    for value in [f64::NAN, 1.0, f64::INFINITY, f64::NEG_INFINITY] {
        house.record(c, 0, value);
    }
    house.at(101_000);
    assert_eq!(house.points_of("k6_c_total"), [(100_400, 0.0), (101_000, 1.0)]);
    assert_eq!(house.reporter.samples.rejected.get(), 3);
    assert_eq!(house.reporter.samples.taken.get(), 1);
    assert!(house.reporter.poll().is_some() && house.reporter.poll().is_none(), "one warning");
}

#[test]
fn every_metric_is_described_at_its_start_and_again_each_minute() {
    let mut house = House::new();
    let described = |house: &House| house.messages.iter().map(|message| message.metadata.len()).sum::<usize>();
    house.counter("c");
    house.at(101_000);
    assert_eq!(described(&house), 1);
    house.register("t", MetricType::Trend, Contents::Time, &[]);
    house.at(102_000);
    assert_eq!(described(&house), 1 + 9);
    house.at(103_000);
    assert_eq!(described(&house), 1 + 9);
    house.at(161_000);
    assert_eq!(described(&house), 2 * (1 + 9));
    let metadata = house.messages.iter().flat_map(|message| &message.metadata).next().expect("described");
    assert_eq!(
        (metadata.r#type(), &*metadata.metric_family_name),
        (metric_metadata::MetricType::Counter, "k6_c_total")
    );
}

#[test]
fn many_series_go_in_several_batches() {
    let mut house = House::new();
    for tag in 0..10_001 {
        let c = house.register("c", MetricType::Counter, Contents::Plain, &[("tag", &tag.to_string())]);
        house.record(c, 0, 1.0);
    }
    house.at(101_000);
    assert_eq!(house.messages.len(), 4, "two of the zeros, two of the values");
    let points = house.points();
    assert_eq!(points.len(), 10_001);
    assert!(points.values().all(|points| points[..] == [(100_400, 0.0), (101_000, 1.0)]));
}

#[test]
fn labels_are_sorted_as_the_specification_asks() {
    let mut house = House::new();
    let r = house.register(
        "r",
        MetricType::Rate,
        Contents::Plain,
        &[("zone", "1"), ("Zone", "2"), ("_a", "3"), ("é", "4")],
    );
    house.record(r, 0, 1.0);
    house.at(101_000);
    for series in house.messages.iter().flat_map(|message| &message.timeseries) {
        let names: Vec<_> = series.labels.iter().map(|label| label.name.as_str()).collect();
        assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "{names:?}");
        assert!(names.contains(&"__name__"));
    }
}
