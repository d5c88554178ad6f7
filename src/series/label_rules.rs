//! Labels of a series: tags made valid, dropped, cut and completed.

use super::definition::SeriesDefinition;
use crate::k6::MetricType;
use crate::wire::{CONDITION, LE, Label};

/// Rules that turn tags into labels.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelRules {
    /// Characters that are valid in label names.
    pub names: LabelNames,
    /// Labels that are added to every series, unless a tag has their name.
    pub constant: Vec<(String, String)>,
    /// Tags that are dropped: their names in k6, or as labels.
    pub drop_tags: Vec<String>,
    /// The length in bytes at which values are cut.
    pub max_value_bytes: usize,
    /// The label `test_run_id`, unless a tag has exactly this name.
    pub test_run_id: Option<String>,
    /// The label that keeps the series of the instances of a test apart.
    pub instance: Option<InstanceLabel>,
    /// Names of the metadata that become labels of exemplars.
    pub exemplars: Vec<String>,
}

/// The label that keeps the series of the instances of a test apart, for series on which no other label does.
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceLabel {
    /// The value, which no other instance has.
    pub value: String,
    /// Other labels of this instance that no other instance has.
    pub identified_by: Vec<(String, String)>,
}

/// The length of values that Mimir and Grafana Cloud accept by default. VictoriaMetrics accepts twice as much.
const MAX_VALUE_BYTES: usize = 2048;

/// The label with the id of the run.
const TEST_RUN_ID: &str = "test_run_id";

/// The name of [`InstanceLabel`].
pub const INSTANCE: &str = "instance";

/// The name of [`InstanceLabel`] on series that have an `instance` already.
const K6_INSTANCE: &str = "k6_instance";

/// The tag that k6-operator gives its runners.
pub const OPERATORS_INSTANCE: &str = "instance_id";

/// The labels that keep runs and instances apart.
pub const IDENTIFYING_LABELS: [&str; 4] = [TEST_RUN_ID, INSTANCE, K6_INSTANCE, OPERATORS_INSTANCE];

impl LabelRules {
    /// Returns the value as it is exported.
    fn cut<'a>(&self, value: &'a str) -> &'a str {
        &value[..value.floor_char_boundary(self.max_value_bytes)]
    }

    /// Returns the label whose value was cut, if there is one, and the length of the tag's value. `labels` are those of `definition`.
    pub fn cut_label<'a>(&self, definition: &SeriesDefinition, labels: &'a [Label]) -> Option<(&'a str, usize)> {
        let long = definition.tags.iter().filter(|(_, value)| value.len() > self.max_value_bytes);
        long.flat_map(|(_, value)| {
            let cut = self.cut(value);
            labels.iter().filter(move |label| label.value == cut).map(|label| (label.name.as_str(), value.len()))
        })
        .next()
    }

    /// Adds the label of the instance to sorted labels that do not identify it.
    fn add_instance(&self, labels: &mut Vec<Label>) {
        let Some(instance) = &self.instance else { return };
        let identifies = |label: &Label| {
            instance.identified_by.iter().any(|(name, value)| label.name == *name && label.value == self.cut(value))
        };
        if labels.iter().any(identifies) {
            return;
        }
        let find = |name: &str| labels.binary_search_by(|label| label.name.as_str().cmp(name));
        let name = if find(INSTANCE).is_ok() { K6_INSTANCE } else { INSTANCE };
        let added = Label { name: name.into(), value: instance.value.clone() };
        match find(name) {
            Ok(index) => labels[index] = added,
            Err(index) => labels.insert(index, added),
        }
    }
}

impl Default for LabelRules {
    fn default() -> Self {
        Self {
            names: LabelNames::default(),
            constant: Vec::new(),
            drop_tags: Vec::new(),
            max_value_bytes: MAX_VALUE_BYTES,
            test_run_id: None,
            instance: None,
            exemplars: Vec::new(),
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

impl SeriesDefinition {
    /// Returns the labels: the tags and the constant labels with valid names, sorted by name, each name once, without empty values.
    /// Where two tags have the same label name, the tag whose k6 name sorts first is kept.
    pub fn labels(&self, rules: &LabelRules) -> Vec<Label> {
        let mut tags: Vec<_> = self.tags.iter().filter(|(name, value)| !name.is_empty() && !value.is_empty()).collect();
        tags.sort();
        let mut labels: Vec<Label> = Vec::with_capacity(tags.len() + rules.constant.len() + 2);
        let mut own_run_id = None;
        for (tag, value) in tags {
            let name = self.label_name(tag, rules.names);
            if rules.drop_tags.iter().any(|dropped| dropped == tag || *dropped == name) {
                continue;
            }
            let label = Label { name, value: rules.cut(value).into() };
            if rules.test_run_id.is_none() || label.name != TEST_RUN_ID {
                labels.push(label);
            } else if tag == TEST_RUN_ID {
                own_run_id = Some(label);
            }
        }
        let run_id = |id: &String| Label { name: TEST_RUN_ID.into(), value: rules.cut(id).into() };
        labels.extend(own_run_id.or_else(|| rules.test_run_id.as_ref().map(run_id)));
        labels.extend(
            rules.constant.iter().map(|(name, value)| Label {
                name: self.label_name(name, rules.names),
                value: rules.cut(value).into(),
            }),
        );
        // A stable sort: of several labels with one name, the first is kept.
        labels.sort_by(|a, b| a.name.cmp(&b.name));
        labels.dedup_by(|next, kept| next.name == kept.name);
        rules.add_instance(&mut labels);
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
pub(super) fn label_name(tag: &str, names: LabelNames) -> String {
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

    use super::super::definition::is_metric_name;
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

    fn labels_by(rules: &LabelRules, tags: &[(&str, &str)]) -> Vec<(String, String)> {
        let definition = SeriesDefinition::new("m", MetricType::Gauge).with_tags(tags.iter().copied());
        definition.labels(rules).into_iter().map(|label| (label.name, label.value)).collect()
    }

    #[test]
    fn a_tag_is_dropped_by_its_name_in_k6_and_by_the_name_of_its_label() {
        let rules = LabelRules { drop_tags: vec!["a_b".into(), "c-d".into()], ..LabelRules::default() };
        assert_eq!(labels_by(&rules, &[("a-b", "1"), ("c-d", "2"), ("c.d", "3")]), owned(&[("c_d", "3")]));
    }

    #[test]
    fn the_run_id_hides_tags_that_become_its_name_and_gives_way_to_one_that_has_it() {
        let rules = LabelRules { test_run_id: Some("run-1".into()), ..LabelRules::default() };
        for (tags, value) in [
            (&[][..], "run-1"),
            (&[("test-run-id", "a"), ("test.run.id", "b")], "run-1"),
            (&[("test_run_id", "")], "run-1"),
            (&[("test-run-id", "a"), ("test_run_id", "own")], "own"),
        ] {
            assert_eq!(labels_by(&rules, tags), owned(&[("test_run_id", value)]), "{tags:?}");
        }
        let constant = LabelRules { constant: owned(&[("test_run_id", "constant")]), ..rules };
        assert_eq!(labels_by(&constant, &[]), owned(&[("test_run_id", "run-1")]));
    }

    #[test]
    fn a_series_that_nothing_identifies_as_of_its_instance_gets_a_label() {
        let instance = InstanceLabel { value: "0:1/2".into(), identified_by: owned(&[("instance_id", "7")]) };
        let rules = LabelRules { instance: Some(instance), ..LabelRules::default() };
        for (tags, expected) in [
            (&[("z", "1")][..], &[("instance", "0:1/2"), ("z", "1")][..]),
            (&[("instance_id", "7"), ("z", "1")], &[("instance_id", "7"), ("z", "1")]),
            // A script's own, on some samples.
            (&[("instance_id", "8")], &[("instance", "0:1/2"), ("instance_id", "8")]),
            (&[("instance", "db-1"), ("z", "1")], &[("instance", "db-1"), ("k6_instance", "0:1/2"), ("z", "1")]),
            (&[("instance", "db-1"), ("k6_instance", "x")], &[("instance", "db-1"), ("k6_instance", "0:1/2")]),
        ] {
            assert_eq!(labels_by(&rules, tags), owned(expected), "{tags:?}");
        }
        let dropped = LabelRules { drop_tags: vec!["instance_id".into()], ..rules };
        assert_eq!(labels_by(&dropped, &[("instance_id", "7")]), owned(&[("instance", "0:1/2")]));
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
