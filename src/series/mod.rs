//! Series: k6 metrics and tags → valid Prometheus labels, once for each series.
//!
//! In comes a [`SeriesDefinition`] in k6's terms, when [`crate::resample::registry`] registers it; a [`view::View`] selects it and
//! its tags, and out go sorted labels for [`crate::wire`]. Next is [`crate::aggregate`], which accumulates its values.

pub mod view;
pub mod selector;
pub mod exemplar_labels;
mod label_rules;
mod definition;

pub use definition::{MAX_SERIES_BYTES, SeriesDefinition, is_metric_name};
pub use label_rules::{IDENTIFYING_LABELS, INSTANCE, InstanceLabel, LabelNames, LabelRules, OPERATORS_INSTANCE};
