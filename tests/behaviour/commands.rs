//! Runs commands as a host does.

use k6_remote_write::command::{Command, Poll};
use serde_json::{Value, json};

use crate::recording_receiver::PATIENCE;

/// How a command has ended.
#[derive(Debug)]
pub struct Ended {
    pub code: u32,
    pub failure: String,
    pub text: String,
}

/// Starts a command with these options.
pub fn start(arguments: &[&str], options: Value) -> Command {
    let document = json!({ "arguments": arguments, "program": "k6 x remote-write", "json": options });
    Command::open(document.to_string().as_bytes()).expect("starts")
}

/// Waits for the end of a command.
pub fn end(command: &Command) -> Ended {
    let mut text = String::new();
    loop {
        match command.poll(PATIENCE) {
            Poll::Chunk(chunk) => text += &chunk.text,
            Poll::Running => panic!("does not end: {text}"),
            Poll::Ended => break,
        }
    }
    let ended = command.end().expect("has ended");
    Ended { code: ended.code, failure: ended.failure.clone(), text }
}
