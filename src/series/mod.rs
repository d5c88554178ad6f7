//! Series: k6 metrics and tags → valid Prometheus labels, once for each series.
//!
//! In comes a [`SeriesDefinition`] in k6's terms, when [`crate::resample::registry`] registers it; a [`view::View`] selects it and
//! its tags, and out go sorted labels for [`crate::wire`]. Next is [`crate::aggregate`], which accumulates its values.

pub mod view;
pub mod selector;

use crate::k6::{MetricType, ValueType};
use crate::wire::{CONDITION, LE, Label};

/// A k6 series: a k6 metric and one of its tag sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesDefinition {
    /// The k6 name of the metric, such as `http_req_duration`.
    pub metric: String,
    /// The k6 type of the metric.
    pub metric_type: MetricType,
    /// The type of the values.
    pub value_type: ValueType,
    /// The tags, in any order.
    pub tags: Vec<(String, String)>,
}

/// The maximum size of a series: the bytes of the metric's name and of all tags together.
pub const MAX_SERIES_BYTES: usize = 1 << 20;

/// Rules that turn tags into labels.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelRules {
    /// Characters that are valid in label names.
    pub names: LabelNames,
    /// Labels that are added to every series, unless a tag has their name.
    pub constant: Vec<(String, String)>,
    /// k6 names of tags that are dropped.
    pub drop_tags: Vec<String>,
    /// The length in bytes at which values are cut.
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

/// Characters that are valid in label names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LabelNames {
    /// ASCII letters, digits and `_`: valid for every receiver.
    #[default]
    Ascii,
    /// All characters: valid for Prometheus 3 and later.
    Utf8,
}

/// Returns true if `name` is a valid metric name (Prometheus data model, "Metric names and labels").
pub fn is_metric_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || matches!(first, b'_' | b':'))
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':'))
}

impl SeriesDefinition {
    /// Creates a series without tags whose values are plain numbers.
    pub fn new(metric: impl Into<String>, metric_type: MetricType) -> Self {
        Self { metric: metric.into(), metric_type, value_type: ValueType::Default, tags: Vec::new() }
    }

    /// Sets the type of the values.
    pub fn with_value_type(mut self, value_type: ValueType) -> Self {
        self.value_type = value_type;
        self
    }

    /// Adds tags.
    pub fn with_tags<N: Into<String>, V: Into<String>>(mut self, tags: impl IntoIterator<Item = (N, V)>) -> Self {
        self.tags.extend(tags.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// Returns the labels: the tags and the constant labels with valid names, sorted by name, each name once, without empty values.
    /// Where two tags have the same label name, the tag whose k6 name sorts first is kept.
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
        // A stable sort: of several labels with one name, the first is kept.
        labels.sort_by(|a, b| a.name.cmp(&b.name));
        labels.dedup_by(|next, kept| next.name == kept.name);
        labels
    }

    fn label_name(&self, tag: &str, names: LabelNames) -> String {
        // Some series of the metric get a label of this name on export. Prometheus adds the same prefix to a scraped label whose
        // name it needs.
        match (self.metric_type, tag) {
            (MetricType::Rate, CONDITION) | (MetricType::Trend, LE) => format!("exported_{tag}"),
            _ => label_name(tag, names),
        }
    }
}

/// Returns the label name of a tag (Prometheus data model, "Metric names and labels"): invalid characters become `_`, a leading
/// digit gets the prefix `_`, and a leading `__`, which is reserved for Prometheus, becomes `_`.
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
        SeriesDefinition::new("m", metric_type)
            .with_tags(tags.iter().copied())
            .labels(&LabelRules::default())
            .into_iter()
            .map(|label| (label.name, label.value))
            .collect()
    }

    fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|&(name, value)| (name.into(), value.into())).collect()
    }

    #[test]
    fn labels_are_sorted_and_empty_labels_are_left_out() {
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
    fn with_utf8_names_tag_names_are_kept() {
        for (tag, name) in
            [("größe", "größe"), ("a.b-c d", "a.b-c d"), ("9", "9"), ("日本", "日本"), ("__name__", "_name__")]
        {
            assert_eq!(label_name(tag, LabelNames::Utf8), name, "{tag}");
        }
    }

    #[test]
    fn a_constant_label_is_on_every_series_unless_a_tag_has_its_name() {
        let rules = LabelRules {
            constant: owned(&[("zone", "eu"), ("env", "prod"), ("a-b", "x")]),
            drop_tags: vec!["url".into(), "zone".into()],
            ..LabelRules::default()
        };
        let tags = [("url", "/a"), ("env", "test"), ("zone", "us"), ("name", "a")];
        let definition = SeriesDefinition::new("m", MetricType::Gauge).with_tags(tags);
        let labels: Vec<_> = definition.labels(&rules).into_iter().map(|label| (label.name, label.value)).collect();
        assert_eq!(labels, owned(&[("a_b", "x"), ("env", "test"), ("name", "a"), ("zone", "eu")]));
    }

    #[test]
    fn two_tags_with_the_same_label_name_make_one_label() {
        assert_eq!(labels(MetricType::Counter, &[("a_b", "2"), ("a-b", "1"), ("a.b", "3")]), owned(&[("a_b", "1")]));
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        let definition = SeriesDefinition::new("m", MetricType::Gauge).with_tags([("a", "äöü"), ("b", "xyz")]);
        for (max_value_bytes, a, b) in [(2, "ä", "xy"), (3, "ä", "xyz"), (4, "äö", "xyz"), (100, "äöü", "xyz")] {
            let labels = definition.labels(&LabelRules { max_value_bytes, ..LabelRules::default() });
            assert_eq!((&*labels[0].value, &*labels[1].value), (a, b), "{max_value_bytes}");
        }
    }

    #[test]
    fn a_tag_with_the_name_of_an_extra_label_is_renamed() {
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
        fn labels_are_valid_for_all_tags(tags in prop::collection::vec((".{0,12}", ".{0,12}"), 0..12)) {
            let definition = SeriesDefinition::new("m", MetricType::Rate).with_tags(tags);
            let labels = definition.labels(&LabelRules::default());
            for label in &labels {
                prop_assert!(is_metric_name(&label.name) && !label.name.contains(':') && !label.name.starts_with("__"));
                prop_assert!(!label.value.is_empty() && label.name != CONDITION);
            }
            prop_assert!(labels.windows(2).all(|pair| pair[0].name < pair[1].name));
        }
    }
}
