//! Commands through the C ABI, called from Rust.

#![allow(unsafe_code)]

use std::ptr::{null_mut, without_provenance_mut};
use std::thread;

use crate::calls::{call, command_cancel, command_exit_code, command_free, command_open, command_poll};
use k6_remote_write::ffi::*;
use serde_json::json;

fn open(arguments: &[&str]) -> *mut CommandHandle {
    let document = json!({
        "arguments": arguments,
        "program": "host",
        "environment": { "K6_PROMETHEUS_RW_INSECURE_SKIP_TLS_VERIFY": "true", "K6_PROMETHEUS_RW_TIMEOUT": "5m" },
        "terminal": { "stdout": true, "stderr": false, "width": 100, "color": true },
    });
    let (status, message, command) = command_open(document.to_string().as_bytes());
    assert_eq!(status, Status::K6RW_OK, "{message}");
    command
}

/// Polls until the end. Returns what came on standard output.
fn output(command: *mut CommandHandle) -> String {
    let mut text = String::new();
    loop {
        match command_poll(command, 1000) {
            (Status::K6RW_OK, Some((stream, part))) if stream == StreamCode::K6RW_STREAM_STDOUT as u32 => text += &part,
            (Status::K6RW_OK | Status::K6RW_RUNNING, _) => {}
            (status, _) => {
                assert_eq!(status, Status::K6RW_CLOSED);
                return text;
            }
        }
    }
}

#[test]
fn a_command_has_output_and_an_exit_code() {
    let command = open(&["check", "--help"]);
    assert!(output(command).contains("Usage: host check [--json] [--url <url>] [url]"));
    assert_eq!(command_exit_code(command), (Status::K6RW_OK, 0, String::new()));
    assert_eq!(command_free(command), Status::K6RW_OK);
    let command = open(&["check", "ftp://example.com"]);
    let found = output(command);
    assert!(found.contains("invalid url"), "{found}");
    let end = command_exit_code(command);
    assert_eq!(end, (Status::K6RW_OK, 1, "check failed: the configuration is not valid".into()));
    assert_eq!(command_free(command), Status::K6RW_OK);
}

#[test]
fn what_the_header_forbids_of_commands_is_an_error() {
    use Status::*;
    let command = open(&["--help"]);
    let misaligned = without_provenance_mut::<u8>(17);
    let status = |function: &dyn Fn(*mut Error) -> Status| call(function).0;
    let mut text = Text { data: std::ptr::null(), len: 0 };
    let text: *mut Text = &mut text;
    // SAFETY: null or valid, except pointers that are not read. A handle may be any value.
    unsafe {
        assert_eq!(status(&|error| k6rw_command_open(b"{}".as_ptr().cast(), 2, null_mut(), error)), K6RW_NULL_POINTER);
        assert_eq!(
            status(&|error| k6rw_command_open(b"{}".as_ptr().cast(), 2, misaligned.cast(), error)),
            K6RW_INVALID_ARGUMENT
        );
        assert_eq!(status(&|error| k6rw_command_poll(command, 0, null_mut(), error)), K6RW_NULL_POINTER);
        assert_eq!(status(&|error| k6rw_command_poll(command, 0, misaligned.cast(), error)), K6RW_INVALID_ARGUMENT);
        assert_eq!(status(&|error| k6rw_command_exit_code(command, null_mut(), text, error)), K6RW_NULL_POINTER);
        assert_eq!(
            status(&|error| k6rw_command_exit_code(command, misaligned.cast(), text, error)),
            K6RW_INVALID_ARGUMENT
        );
        assert_eq!(status(&|error| k6rw_command_exit_code(command, &mut 0, null_mut(), error)), K6RW_NULL_POINTER);
    }
    for (handle, expected) in [
        (null_mut(), K6RW_NULL_POINTER),
        (without_provenance_mut(1), K6RW_INVALID_HANDLE),
        (command.wrapping_byte_add(1), K6RW_INVALID_HANDLE),
    ] {
        let statuses = (command_poll(handle, 0).0, command_cancel(handle), command_exit_code(handle).0);
        assert_eq!(statuses, (expected, expected, expected));
    }
    assert_eq!(command_free(null_mut()), K6RW_OK);
    assert_eq!((command_free(command), command_free(command)), (K6RW_OK, K6RW_INVALID_HANDLE));
    assert_eq!(command_open(b"{").0, K6RW_INVALID_CONFIG);
}

#[test]
fn a_command_may_be_cancelled_and_freed_by_other_threads() {
    // Has no answer until it is cancelled.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
    let url = format!("http://{}/", silent.local_addr().expect("bound"));
    let address = open(&["check", &url]).addr();
    thread::scope(|scope| {
        let polling = scope.spawn(move || {
            loop {
                let status = command_poll(without_provenance_mut(address), 10).0;
                if !matches!(status, Status::K6RW_OK | Status::K6RW_RUNNING) {
                    return status;
                }
            }
        });
        assert_eq!(command_exit_code(without_provenance_mut(address)).0, Status::K6RW_RUNNING);
        assert_eq!(command_cancel(without_provenance_mut(address)), Status::K6RW_OK);
        assert_eq!(polling.join().expect("ends"), Status::K6RW_CLOSED);
    });
    let (_, code, failure) = command_exit_code(without_provenance_mut(address));
    assert_eq!((code, &*failure), (1, "check interrupted"));
    let address = open(&["check", &url]).addr();
    thread::scope(|scope| {
        scope.spawn(move || while command_poll(without_provenance_mut(address), 10).0 == Status::K6RW_RUNNING {});
        assert_eq!(command_free(without_provenance_mut(address)), Status::K6RW_OK);
    });
}
