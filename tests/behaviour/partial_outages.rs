//! Receivers of several instances, each with a part of the series: while one is away, a request is stored in part, and fails.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::outputs::{close, count};
use crate::recording_receiver::{Recorder, Reply};
use k6_remote_write::k6::{MetricType, Sample};
use k6_remote_write::output::Output;
use k6_remote_write::series::SeriesDefinition;
use k6_remote_write::wire::proto::v1::WriteRequest;
use serde_json::json;

/// What Mimir's distributors say of an ingester that is away.
const REFUSED: &str = "send data to ingesters: failed pushing to ingester mimir-3: connection error: desc = \"transport: Error \
                       while dialing: dial tcp 127.0.0.1:9095: connect: connection refused\"";
const NO_REPLICA: &str = "send data to ingesters: at least 1 live replicas required, could only find 0 - unhealthy instances: 127.0.0.1:9095";

const OUT_OF_ORDER: &str = "failed pushing to ingester mimir-1: the sample has been rejected because another sample with a more \
                            recent timestamp has already been ingested and out-of-order samples are not allowed";

/// Time and value of the newest sample of each series, as instances without a window for late samples store them.
type Newest = HashMap<String, (i64, f64)>;

/// A receiver whose instance with the series that `is_away` selects by number is away for a while.
struct Sharded {
    newest: Arc<Mutex<Newest>>,
    recorder: Recorder,
}

impl Sharded {
    fn start(away: std::ops::Range<Duration>, message: &'static str, is_away: fn(usize) -> bool) -> Self {
        let newest = Arc::new(Mutex::new(Newest::new()));
        let recorder = Recorder::judge({
            let (newest, begin) = (Arc::clone(&newest), Instant::now());
            move |request| {
                let outage = away.contains(&begin.elapsed());
                let mut newest = newest.lock().expect("no panic");
                // As fast as the instance that is away, one that finds a sample too old ends the request.
                match store(&mut newest, request, &|number| outage && is_away(number)) {
                    Stored { too_old: true, .. } => Reply::With(400, "X-Test", "1", OUT_OF_ORDER),
                    Stored { failed: true, .. } => Reply::With(500, "X-Test", "1", message),
                    _ => Reply::Late(Duration::from_millis(20), 204),
                }
            }
        });
        Self { newest, recorder }
    }
}

#[derive(Default)]
struct Stored {
    too_old: bool,
    failed: bool,
}

/// Stores what can be stored of a request.
fn store(newest: &mut Newest, request: &WriteRequest, is_away: &dyn Fn(usize) -> bool) -> Stored {
    let mut result = Stored::default();
    for series in &request.timeseries {
        let number =
            series.labels.iter().find(|label| label.name == "number").and_then(|label| label.value.parse().ok());
        if number.is_some_and(is_away) {
            result.failed = true;
            continue;
        }
        let key = format!("{:?}", series.labels);
        for sample in &series.samples {
            match newest.get(&key) {
                Some(&(time, value))
                    if sample.timestamp < time || sample.timestamp == time && value != sample.value =>
                {
                    result.too_old = true;
                }
                _ => {
                    newest.insert(key.clone(), (sample.timestamp, sample.value));
                }
            }
        }
    }
    result
}

/// Runs counters against a receiver of which an instance is away from second 1 on, and expects their exact totals.
fn expect_exact_totals(away_seconds: u64, message: &'static str, is_away: fn(usize) -> bool) {
    const COUNTERS: usize = 150;
    let away = Duration::from_secs(1)..Duration::from_secs(1 + away_seconds);
    let sharded = Sharded::start(away, message, is_away);
    let options = json!({
        "pushInterval": "100ms", "timeout": "1s", "flushTimeout": "30s", "selfMetrics": false, "unsentDirectory": "",
        "protocol": "1.0", "staleMarkers": false, "maxShards": 1,
    });
    let output = Output::open(json!({ "argument": sharded.recorder.url(), "json": options }).to_string().as_bytes());
    let output = output.expect("valid");
    let register = |number: usize| {
        let tags = [("number", number.to_string())];
        output.register(SeriesDefinition::new("c", MetricType::Counter).with_tags(tags)).expect("open")
    };
    let series: Vec<u64> = (0..COUNTERS).map(register).collect();
    let windows = (away_seconds + 3) * 10;
    for _ in 0..windows {
        let samples: Vec<_> = series.iter().map(|&series| Sample { series, time_ms: 0, value: 1.0 }).collect();
        output.push(&samples).expect("open");
        std::thread::sleep(Duration::from_millis(100));
    }
    let report = close(&output);

    let newest = sharded.newest.lock().expect("no panic");
    let exact = newest.values().filter(|&&(_, value)| value == windows as f64).count();
    assert_eq!(exact, COUNTERS, "{message}: {report:#}");
    assert_eq!(count(&report, "points_sent"), count(&report, "points"), "{message}: {report:#}");
    let requests = sharded.recorder.requests().len();
    assert!(requests < 400 + 10 * windows as usize, "{message}: {requests} requests for {windows} windows");
}

#[test]
fn an_instance_that_is_away_costs_its_series_nothing() {
    expect_exact_totals(6, REFUSED, |number| number % 3 == 0);
}

#[test]
fn an_instance_with_a_single_series_that_is_away_costs_it_nothing() {
    expect_exact_totals(6, NO_REPLICA, |number| number == 70);
}

/// The message says nothing. But bad series are few.
#[test]
fn a_receiver_that_fails_on_many_series_is_partly_down() {
    expect_exact_totals(15, "context deadline exceeded", |number| number < 15);
}

#[test]
fn a_receiver_that_fails_on_the_last_series_is_partly_down() {
    expect_exact_totals(15, "context deadline exceeded", |number| number >= 135);
}
