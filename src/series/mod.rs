//! k6 series → names and labels that Prometheus takes, made valid once, when a series is registered.
//!
//! In comes a [`SeriesDefinition`] as k6 knows it; out go a metric name and sorted labels. Next is
//! [`crate::resample`], which gives the series its accumulator.

pub mod view;
pub mod selector;

use crate::k6::{MetricType, ValueType};
use crate::wire::{CONDITION, LE, Label};

/// A k6 metric and one of its tag sets, as k6 has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesDefinition {
    /// The metric's name in k6, such as `http_req_duration`.
    pub metric: String,
    /// The metric's type in k6.
    pub metric_type: MetricType,
    /// What its values are.
    pub value_type: ValueType,
    /// The tags in any order.
    pub tags: Vec<(String, String)>,
}

/// The most bytes that the metric's name and all tags of one series may take together.
pub const MAX_SERIES_BYTES: usize = 1 << 20;

/// How tags become labels.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelRules {
    /// Which characters their names may have.
    pub names: LabelNames,
    /// Labels that every series gets, unless a tag has their name.
    pub constant: Vec<(String, String)>,
    /// Tags that become none, by their names in k6.
    pub drop_tags: Vec<String>,
    /// Where longer values are cut.
    pub max_value_bytes: usize,
}

impl Default for LabelRules {
    fn default() -> Self {
        Self {
            names: LabelNames::default(),
            constant: Vec::new(),
            drop_tags: Vec::new(),
            max_value_bytes: MAX_SERIES_BYTES,
        }
    }
}

/// Which characters the names of labels may have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LabelNames {
    /// ASCII letters, digits and `_`, as every receiver takes them.
    #[default]
    Ascii,
    /// Any, as Prometheus takes them from version 3 on.
    Utf8,
}

/// Whether Prometheus takes `name` as a metric's (data model, "Metric names and labels").
pub fn is_metric_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || matches!(first, b'_' | b':'))
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':'))
}

impl SeriesDefinition {
    /// The tags and constant labels as labels: names made valid, empty values left out, sorted by name, no name twice. Where
    /// two tags become one name, the one that sorts first in k6's spelling stays.
    pub fn labels(&self, rules: &LabelRules) -> Vec<Label> {
        let kept = |(name, value): &&(String, String)| {
            !name.is_empty() && !value.is_empty() && !rules.drop_tags.contains(name)
        };
        let mut tags: Vec<_> = self.tags.iter().filter(kept).collect();
        tags.sort();
        let mut labels: Vec<Label> = tags
            .into_iter()
            .chain(&rules.constant)
            .map(|(name, value)| Label {
                name: self.label_name(name, rules.names),
                value: value[..value.floor_char_boundary(rules.max_value_bytes)].into(),
            })
            .collect();
        // Stable, so that of one name the first stays the first.
        labels.sort_by(|a, b| a.name.cmp(&b.name));
        labels.dedup_by(|later, earlier| later.name == earlier.name);
        labels
    }

    fn label_name(&self, tag: &str, names: LabelNames) -> String {
        // A tag of that name would be a second label of it on some series of the metric. The prefix is Prometheus's own habit
        // for a label that the target brought and the server needs.
        match (self.metric_type, tag) {
            (MetricType::Rate, CONDITION) | (MetricType::Trend, LE) => format!("exported_{tag}"),
            _ => label_name(tag, names),
        }
    }
}

/// A tag's name as a label's (data model, "Metric names and labels"): characters that may not be there become `_`, a leading
/// digit gets one before it, and of a leading `__`, which is Prometheus's own, one is left.
fn label_name(tag: &str, names: LabelNames) -> String {
    let valid: String = match names {
        LabelNames::Ascii => tag.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect(),
        LabelNames::Utf8 => tag.into(),
    };
    match valid.as_bytes() {
        [b'0'..=b'9', ..] if names == LabelNames::Ascii => format!("_{valid}"),
        [b'_', b'_', ..] => format!("_{}", valid.trim_start_matches('_')),
        _ => valid,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(metric_type: MetricType, tags: &[(&str, &str)]) -> Vec<(String, String)> {
        let tags = tags.iter().map(|&(name, value)| (name.into(), value.into())).collect();
        SeriesDefinition { metric: "m".into(), metric_type, value_type: ValueType::Default, tags }
            .labels(&LabelRules::default())
            .into_iter()
            .map(|label| (label.name, label.value))
            .collect()
    }

    fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|&(name, value)| (name.into(), value.into())).collect()
    }

    #[test]
    fn labels_are_sorted_and_empty_ones_left_out() {
        assert_eq!(
            labels(MetricType::Counter, &[("url", "/a"), ("Zone", "z"), ("group", ""), ("", "x"), ("method", "GET")]),
            owned(&[("Zone", "z"), ("method", "GET"), ("url", "/a")])
        );
    }

    #[test]
    fn tag_names_are_made_valid() {
        for (tag, name) in [
            ("plain_1", "plain_1"),
            ("with-dash", "with_dash"),
            ("9lives", "_9lives"),
            ("__name__", "_name__"),
            ("___", "_"),
            ("_own", "_own"),
            ("größe", "gr__e"),
            ("日本", "_"),
        ] {
            assert_eq!(label_name(tag, LabelNames::Ascii), name, "{tag}");
        }
    }

    #[test]
    fn tag_names_stay_as_they_are_where_any_may_be() {
        for (tag, name) in
            [("größe", "größe"), ("a.b-c d", "a.b-c d"), ("9", "9"), ("日本", "日本"), ("__name__", "_name__")]
        {
            assert_eq!(label_name(tag, LabelNames::Utf8), name, "{tag}");
        }
    }

    #[test]
    fn constant_labels_are_on_every_series_unless_a_tag_says_otherwise() {
        let owned = |pairs: &[(&str, &str)]| pairs.iter().map(|&(name, value)| (name.into(), value.into())).collect();
        let rules = LabelRules {
            constant: owned(&[("zone", "eu"), ("env", "prod"), ("a-b", "x")]),
            drop_tags: vec!["url".into(), "zone".into()],
            ..LabelRules::default()
        };
        let tags = owned(&[("url", "/a"), ("env", "test"), ("zone", "us"), ("name", "a")]);
        let definition = SeriesDefinition {
            metric: "m".into(),
            metric_type: MetricType::Gauge,
            value_type: ValueType::Default,
            tags,
        };
        let labels: Vec<_> = definition.labels(&rules).into_iter().map(|label| (label.name, label.value)).collect();
        let expected: Vec<(String, String)> = owned(&[("a_b", "x"), ("env", "test"), ("name", "a"), ("zone", "eu")]);
        assert_eq!(labels, expected);
    }

    #[test]
    fn two_tags_that_become_one_name_make_one_label() {
        assert_eq!(labels(MetricType::Counter, &[("a_b", "2"), ("a-b", "1"), ("a.b", "3")]), owned(&[("a_b", "1")]));
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        let tags = vec![("a".into(), "äöü".into()), ("b".into(), "xyz".into())];
        let definition = SeriesDefinition {
            metric: "m".into(),
            metric_type: MetricType::Gauge,
            value_type: ValueType::Default,
            tags,
        };
        for (max_value_bytes, a, b) in [(2, "ä", "xy"), (3, "ä", "xyz"), (4, "äö", "xyz"), (100, "äöü", "xyz")] {
            let labels = definition.labels(&LabelRules { max_value_bytes, ..LabelRules::default() });
            assert_eq!((&*labels[0].value, &*labels[1].value), (a, b), "{max_value_bytes}");
        }
    }

    #[test]
    fn what_tells_the_series_of_a_metric_apart_is_no_tag() {
        assert_eq!(labels(MetricType::Rate, &[("condition", "x")]), owned(&[("exported_condition", "x")]));
        assert_eq!(labels(MetricType::Trend, &[("le", "x")]), owned(&[("exported_le", "x")]));
        assert_eq!(
            labels(MetricType::Gauge, &[("condition", "x"), ("le", "y")]),
            owned(&[("condition", "x"), ("le", "y")])
        );
    }

    #[test]
    fn metric_names_follow_the_data_model() {
        for name in ["k6_http_reqs", "_a", "a:b", "A9"] {
            assert!(is_metric_name(name), "{name}");
        }
        for name in ["", "9a", "a-b", "größe", "a b", "a\0"] {
            assert!(!is_metric_name(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_tags_the_labels_are_valid(tags in prop::collection::vec((".{0,12}", ".{0,12}"), 0..12)) {
            let definition = SeriesDefinition { metric: "m".into(), metric_type: MetricType::Rate, value_type: ValueType::Default, tags };
            let labels = definition.labels(&LabelRules::default());
            for label in &labels {
                prop_assert!(is_metric_name(&label.name) && !label.name.contains(':') && !label.name.starts_with("__"));
                prop_assert!(!label.value.is_empty() && label.name != CONDITION);
            }
            prop_assert!(labels.windows(2).all(|pair| pair[0].name < pair[1].name));
        }
    }
}
