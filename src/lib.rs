//! A k6 output that sends metrics with Prometheus Remote Write.
//!
//! k6's Go shim hands every sample to this library through a C ABI. The modules are declared in the order of the pipeline,
//! and no module imports one before it:
//!
//! [`ffi`] (C ABI) → [`output`] (open and close; reads [`config`]) → [`ingest`] (any thread → background thread) →
//! [`resample`] (samples → windows; with [`series`] and [`aggregate`]) → [`export`] (windows → points) → [`send`]
//! (batches, queue, retries; with [`http`] and [`wire`]) → receiver. [`command`] has the subcommands beside the output.
//!
//! Shared by all: [`report`] (events and counters), [`time`], [`k6`] (k6's types), [`secret`] and [`panics`].
//!
//! ```
//! use k6_remote_write::k6::{MetricType, Sample};
//! use k6_remote_write::output::Output;
//! use k6_remote_write::series::SeriesDefinition;
//!
//! let output = Output::open(br#"{"argument": "http://127.0.0.1:9090/api/v1/write", "json": {"flushTimeout": "0s", "unsentDirectory": ""}}"#)?;
//! let series = output
//!     .register(SeriesDefinition::new("http_reqs", MetricType::Counter).with_tags([("method", "GET")]))
//!     .expect("open");
//! output.push(&[Sample { series, time_ms: 1_700_000_000_000, value: 1.0 }]).expect("open");
//! assert!(output.close().expect("open").contains(r#""samples":1"#));
//! # Ok::<(), k6_remote_write::output::OpenError>(())
//! ```

#![deny(unsafe_code)] // only `ffi` allows it, as `make lint` checks

pub mod ffi;
pub mod output;
pub mod command;
pub mod config;
pub mod ingest;
pub mod resample;
pub mod series;
pub mod aggregate;
pub mod export;
pub mod send;
pub mod unsent;
pub mod http;
pub mod wire;
pub mod report;
pub mod time;
pub mod k6;
pub mod secret;
mod text;
pub mod panics;
mod threads;
mod fault;
