//! What the documentation says is so: options, links, commands, paths and messages. What it takes k6 or a receiver to see is in
//! `tests/e2e/docs_test.go`.

mod commands;
mod links;
mod messages;
mod options;
mod page;
