//! Behaviour of the library as its host and its receivers see it: configuration, resampling, delivery.

#[path = "../fixtures/calls/mod.rs"]
mod calls;
#[path = "../fixtures/pipeline/mod.rs"]
mod pipeline;
#[path = "../fixtures/recording_receiver/mod.rs"]
mod recording_receiver;
#[path = "../fixtures/tls_server/mod.rs"]
mod tls_server;

mod check;
mod commands;
mod config_errors;
mod config_habits;
mod configuration;
mod delivery;
mod exemplars;
mod fuzz;
mod hostile;
mod metric_types;
mod oauth2;
mod outputs;
mod partial_outages;
mod preflight;
mod proxies;
mod rejected_series;
mod rejections;
mod resample;
mod responses;
mod rotated_secrets;
mod secrets;
mod tls;
mod unsent;
