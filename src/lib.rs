//! Ships k6's metrics by Prometheus Remote Write.
//!
//! A library behind a C ABI: k6's shim hands over every sample, a background thread resamples them into windows, and a
//! sender ships the windows' points. Data flows one way, through the rooms in this order, and a room knows only the next:
//!
//! [`ffi`] (the C ABI) → [`ingest`] → [`resample`] ([`test_start`]) → [`pipeline`] ([`registry`], [`view`], [`series`], [`aggregate`], [`window`]) → [`export`] →
//! [`send`] → [`wire`].
//!
//! [`config`] (with [`selector`] and [`secret`]) is read once at the start, [`output`] puts the rooms together, [`report`] is
//! where all of them tell what happened, and [`panics`] keeps one room's panic from the others.
//!
//! ```
//! use k6_remote_write::k6::Sample;
//! use k6_remote_write::output::Output;
//! use k6_remote_write::series::SeriesDefinition;
//! use k6_remote_write::k6::{MetricType, ValueType};
//!
//! let output = Output::open(br#"{"argument": "http://127.0.0.1:9090/api/v1/write", "json": {"flushTimeout": "0s", "unsentDirectory": ""}}"#)?;
//! let series = output
//!     .register(SeriesDefinition {
//!         metric: "http_reqs".into(),
//!         metric_type: MetricType::Counter,
//!         value_type: ValueType::Default,
//!         tags: vec![("method".into(), "GET".into())],
//!     })
//!     .expect("open");
//! output.push(&[Sample { series, time_ms: 1_700_000_000_000, value: 1.0 }]).expect("open");
//! assert!(output.close().expect("open").contains(r#""samples":1"#));
//! # Ok::<(), k6_remote_write::output::OpenError>(())
//! ```

#![deny(unsafe_code)] // but for `ffi`, which allows it; `make lint` sees that no other does

pub mod ffi;
pub mod output;
pub mod config;
pub mod ingest;
pub mod resample;
pub mod series;
pub mod aggregate;
pub mod export;
pub mod send;
pub mod http;
pub mod wire;
pub mod report;
pub mod time;
pub mod k6;
pub mod secret;
mod text;
pub mod panics;
mod fault;
