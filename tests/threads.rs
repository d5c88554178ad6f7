//! Threads of the library: all are started when an output opens, so that a system without threads costs no point.

#![cfg(target_os = "linux")]

#[path = "fixtures/recording_receiver/mod.rs"]
mod recording_receiver;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use k6_remote_write::k6::{MetricType, Sample};
use k6_remote_write::output::Output;
use k6_remote_write::series::SeriesDefinition;
use recording_receiver::{PATIENCE, Recorder, Reply};
use serde_json::{Value, json};

/// A library for `LD_PRELOAD`: as long as the file NO_THREADS exists, the system has no more threads.
const NO_THREADS: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument) {
    int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    *(void **)&create = dlsym(RTLD_NEXT, "pthread_create");
    return access(getenv("NO_THREADS"), F_OK) == 0 ? EAGAIN : create(thread, attributes, run, argument);
}
"#;

/// Runs an ignored test of this file in its own process, which has no more threads once the file NO_THREADS exists.
fn run_without_threads(test: &str, url: &str) {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("threads").join(test);
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).expect("can be made");
    let (source, library) = (directory.join("no_threads.c"), directory.join("no_threads.so"));
    fs::write(&source, NO_THREADS).expect("can be written");
    let compiled = Command::new("gcc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).arg("-ldl").status();
    assert!(compiled.expect("gcc is installed").success());
    let child = Command::new(std::env::current_exe().expect("known"))
        .args(["--ignored", "--exact", test])
        .env("LD_PRELOAD", library)
        .env("NO_THREADS", directory.join("none"))
        .env("RECEIVER", url)
        .output()
        .expect("can be run");
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
}

fn forbid_threads() {
    fs::write(std::env::var_os("NO_THREADS").expect("set by the parent"), "").expect("can be written");
    thread::Builder::new().spawn(|| {}).expect_err("there are none");
}

fn threads() -> usize {
    fs::read_dir("/proc/self/task").expect("Linux has it").count()
}

fn open(preflight: bool) -> Result<Output, k6_remote_write::output::OpenError> {
    let json = json!({
        "pushInterval": "100ms", "flushTimeout": "20s", "unsentDirectory": "", "selfMetrics": false, "preflight": preflight,
    });
    let url = std::env::var("RECEIVER").expect("set by the parent");
    Output::open(json!({ "argument": url, "json": json }).to_string().as_bytes())
}

#[test]
fn a_receiver_with_a_name_gets_everything_from_a_process_without_threads() {
    let receiver = Recorder::start(|request| if request < 3 { Reply::Close } else { Reply::Status(204) });
    let url = receiver.url().replace("127.0.0.1", "localhost");
    run_without_threads("child_sends_without_more_threads", &url);
    let totals = receiver.points().remove("k6_c_total").expect("arrived");
    assert_eq!(totals.iter().map(|&(_, value)| value).rfind(|value| !value.is_nan()), Some(1.0));
}

#[test]
#[ignore = "is run in its own process by the test before it"]
fn child_sends_without_more_threads() {
    let output = open(false).expect("valid");
    let before = threads();
    forbid_threads();
    let series = output.register(SeriesDefinition::new("c", MetricType::Counter)).expect("open");
    output.push(&[Sample { series, time_ms: 0, value: 1.0 }]).expect("open");
    let deadline = Instant::now() + PATIENCE;
    while output.poll_event().expect("open").is_none_or(|event| event.message != "Failed to send batch, retrying") {
        assert!(Instant::now() < deadline, "no request failed");
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(threads(), before);
    let report: Value = serde_json::from_str(output.close().expect("open")).expect("JSON");
    assert_eq!(report["panics"], 0, "{report}");
    assert_eq!(report["destinations"][0]["points_sent"], report["destinations"][0]["points"], "{report}");
}

#[test]
fn an_output_does_not_open_in_a_process_without_threads() {
    run_without_threads("child_opens_without_threads", "http://localhost:1/");
}

#[test]
#[ignore = "is run in its own process by the test before it"]
fn child_opens_without_threads() {
    forbid_threads();
    for preflight in [false, true] {
        let error = open(preflight).err().expect("there are no threads").to_string();
        assert!(error.starts_with("failed to start a background thread: "), "{error}");
    }
}
