//! Options, links, commands and paths in the documentation are correct. Tests that need k6 or a receiver are in
//! `tests/e2e/docs_test.go`.

mod commands;
mod links;
mod options;
mod page;
mod supply_chain;
