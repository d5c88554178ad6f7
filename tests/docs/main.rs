//! What the documentation says is so: options, links, commands and paths. What it takes k6 or a receiver to see is in
//! `tests/e2e/docs_test.go`.

mod commands;
mod links;
mod options;
mod page;
