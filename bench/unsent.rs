//! `make bench-unsent`: a full default queue, about 1.4 million points, written to a file at the end of a run whose receiver is away.
//! Prints the time, the size of the file, and the memory that writing took.

use std::fs;
use std::time::{Duration, Instant};

use k6_remote_write::k6::{MetricType, Sample};
use k6_remote_write::output::Output;
use k6_remote_write::series::SeriesDefinition;
use serde_json::{Value, json};

const SERIES: u64 = 140_000;
const WINDOWS: u64 = 12;
const WINDOW: Duration = Duration::from_millis(500);

fn main() {
    let directory = tempfile::tempdir_in(".").expect("the working directory is writable");
    let options = json!({
        "pushInterval": format!("{}ms", WINDOW.as_millis()), "flushTimeout": "0s", "unsentDirectory": directory.path(),
        "selfMetrics": false,
    });
    let document = json!({ "argument": "http://127.0.0.1:1/api/v1/write", "json": options });
    let output = Output::open(document.to_string().as_bytes()).expect("valid");
    let definition = |number: u64| {
        let tags = [("method", "GET".into()), ("name", format!("http://shop.example.com/products/{number}"))];
        SeriesDefinition::new("http_reqs", MetricType::Counter).with_tags(tags)
    };
    let series: Vec<_> = (0..SERIES).map(|number| output.register(definition(number)).expect("open")).collect();
    for window in 1..=WINDOWS {
        let samples: Vec<_> =
            series.iter().map(|&series| Sample { series, time_ms: 0, value: window as f64 }).collect();
        for batch in samples.chunks(1000) {
            output.push(batch).expect("open");
        }
        std::thread::sleep(WINDOW);
    }
    let before = memory_mib("VmRSS");
    fs::write("/proc/self/clear_refs", "5").expect("resets the peak");
    let closing = Instant::now();
    let report: Value = serde_json::from_str(output.close().expect("open")).expect("JSON");
    let seconds = closing.elapsed().as_secs_f64();
    let points = report["destinations"][0]["points_in_unsent_file"].as_u64().expect("a number");
    let file = fs::read_dir(directory.path()).expect("readable").next().expect("a file").expect("readable");
    let mib = file.metadata().expect("readable").len() as f64 / f64::from(1 << 20);
    let more = memory_mib("VmHWM").saturating_sub(before);
    println!("{points} points written in {seconds:.2} s, {mib:.1} MiB, with {more} MiB of memory beside the queue's");
    assert_eq!(report["destinations"][0]["points_lost"], 0);
}

fn memory_mib(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("/proc is mounted");
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).expect("is there");
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).expect("a number") / 1024
}
