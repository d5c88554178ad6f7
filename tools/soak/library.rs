//! `make soak`: a million series and a million samples a second for a minute, pushed as by k6's shim. Prints the memory
//! of the library's process, and fails unless the receiver, a separate process, has every sample.
//!
//! SOAK_SERIES, SOAK_RATE and SOAK_SECONDS change the numbers.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use k6_remote_write::k6::MetricType;
use k6_remote_write::k6::Sample;
use k6_remote_write::output::Output;
use k6_remote_write::series::SeriesDefinition;
use k6_remote_write::wire::proto::v1::WriteRequest;
use prost::Message;
use serde_json::{Value, json};

/// Samples of one call.
const BATCH: u64 = 1000;

fn main() {
    match std::env::args().nth(1) {
        None => load(number("SOAK_SERIES", 1_000_000), number("SOAK_RATE", 1_000_000), number("SOAK_SECONDS", 60)),
        Some(_) => receive(),
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}

fn load(series: u64, rate: u64, seconds: u64) {
    let program = std::env::current_exe().expect("known");
    let mut receiver =
        Command::new(program).arg("receiver").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("starts");
    let mut lines = BufReader::new(receiver.stdout.take().expect("piped")).lines();
    let url = lines.next().expect("its first line").expect("readable");

    let options = json!({
        "resampleRate": 10, "flushTimeout": "2m", "timeout": "30s", "queueBytes": 1 << 30, "protocol": "1.0",
        "maxSeries": series,
    });
    let output = Output::open(json!({ "argument": url, "json": options }).to_string().as_bytes()).expect("valid");
    let began = Instant::now();
    let mut longest = Duration::ZERO;
    for number in 0..series {
        let call = Instant::now();
        output.register(definition(number)).expect("open");
        longest = longest.max(call.elapsed());
    }
    println!(
        "{series} series registered in {:.1} s, the longest call {longest:.1?}, {} MiB",
        began.elapsed().as_secs_f64(),
        resident_mib()
    );

    let pushed = push(&output, series, rate, seconds);
    let closing = Instant::now();
    let report: Value = serde_json::from_str(output.close().expect("open")).expect("JSON");
    println!("closed in {:.1} s: {}", closing.elapsed().as_secs_f64(), report["events"]);
    drop(receiver.stdin.take()); // the end
    let total: u64 = lines.next().expect("its last line").expect("readable").parse().expect("a number");
    receiver.wait().expect("ends");
    println!("{pushed} samples pushed, {} accepted, {total} at the receiver", report["samples"]);
    assert!(report["samples"] == pushed && total == pushed, "the totals differ");
}

fn definition(number: u64) -> SeriesDefinition {
    let url = format!("http://host/{number}");
    SeriesDefinition::new("soak_requests", MetricType::Counter).with_tags([
        ("method", "GET"),
        ("status", "200"),
        ("url", &url),
    ])
}

/// Pushes at the rate and returns how many samples that were. Prints progress every ten seconds.
fn push(output: &Output, series: u64, rate: u64, seconds: u64) -> u64 {
    let began = Instant::now();
    let (mut pushed, mut longest, mut next_line) = (0, Duration::ZERO, 10);
    let mut batch = Vec::with_capacity(BATCH as usize);
    while pushed < rate * seconds {
        batch.clear();
        batch.extend((pushed..pushed + BATCH).map(|n| Sample { series: n % series + 1, time_ms: 0, value: 1.0 }));
        let call = Instant::now();
        output.push(&batch).expect("open");
        longest = longest.max(call.elapsed());
        pushed += BATCH;
        let due = Duration::from_secs_f64(pushed as f64 / rate as f64);
        std::thread::sleep(due.saturating_sub(began.elapsed()));
        if began.elapsed().as_secs() >= next_line {
            println!(
                "{next_line:4} s: {pushed} samples, {} MiB, the longest call so far {longest:.1?}",
                resident_mib()
            );
            next_line += 10;
        }
    }
    println!("{:.0} samples a second", pushed as f64 / began.elapsed().as_secs_f64());
    pushed
}

/// Memory of this process, on Linux.
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or_default() / 1024
}

/// The other process: keeps the last value of every series, and prints their sum when its standard input ends.
fn receive() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    println!("http://{}/api/v1/write", listener.local_addr().expect("known"));
    let last = Arc::new(Mutex::new(HashMap::new()));
    std::thread::spawn({
        let last = Arc::clone(&last);
        move || {
            for connection in listener.incoming() {
                let last = Arc::clone(&last);
                std::thread::spawn(move || serve(&connection.expect("a connection"), &last));
            }
        }
    });
    let _ = std::io::stdin().read(&mut [0]);
    println!("{}", last.lock().expect("nothing panics with it").values().sum::<f64>());
}

/// Accepts the requests of a connection.
fn serve(mut connection: &TcpStream, last: &Mutex<HashMap<u64, f64>>) {
    let mut reader = BufReader::new(connection);
    let mut line = String::new();
    loop {
        let mut len = 0;
        line.clear();
        while reader.read_line(&mut line).is_ok_and(|bytes| bytes > 2) {
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                len = value.trim().parse().expect("a number");
            }
            line.clear();
        }
        let mut body = vec![0; len];
        if len == 0 || reader.read_exact(&mut body).is_err() {
            return;
        }
        record(&body, &mut last.lock().expect("nothing panics with it"));
        connection.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").expect("the sender waits for it");
    }
}

fn record(body: &[u8], last: &mut HashMap<u64, f64>) {
    let body = snap::raw::Decoder::new().decompress_vec(body).expect("snappy's block format");
    for series in WriteRequest::decode(&*body).expect("a WriteRequest").timeseries {
        let mut hasher = DefaultHasher::new();
        series.labels.iter().for_each(|label| (&label.name, &label.value).hash(&mut hasher));
        let mut values = series.samples.iter().map(|sample| sample.value);
        let is_soak = series.labels.iter().any(|label| label.value == "k6_soak_requests_total");
        if let Some(value) = values.rfind(|value| is_soak && !value.is_nan()) {
            last.insert(hasher.finish(), value);
        }
    }
}
