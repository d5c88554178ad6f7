//! Metadata of a sample → labels of an exemplar.

use super::label_rules::{LabelRules, label_name};
use crate::wire::{Exemplar, Label};

/// Rules that turn the metadata of samples into labels of exemplars.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ExemplarLabels {
    /// The names of metadata and of their labels; no two labels have the same name.
    names: Vec<(String, String)>,
}

/// Metadata that does not fit into an exemplar.
#[derive(Debug, PartialEq, Eq)]
pub struct LeftOut<'a> {
    /// Its name.
    pub name: &'a str,
    /// The length of its value.
    pub chars: usize,
}

impl ExemplarLabels {
    /// Creates the rules for the metadata that [`LabelRules::exemplars`] names.
    pub fn new(rules: &LabelRules) -> Self {
        let mut names: Vec<(String, String)> = Vec::new();
        for name in &rules.exemplars {
            let label = label_name(name, rules.names);
            if names.iter().all(|(_, known)| *known != label) {
                names.push((name.clone(), label));
            }
        }
        Self { names }
    }

    /// Returns true if there are no exemplars.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Returns true if [`Self::labels`] returns labels.
    pub fn apply_to<'a>(&self, metadata: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> bool {
        self.fitting(metadata).any(|(_, value)| value.is_ok())
    }

    /// Returns the labels, sorted by name. What does not fit with what the rules name before it is left out.
    pub fn labels<'a>(&self, metadata: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> Vec<Label> {
        let fitting = self.fitting(metadata).filter_map(|(label, value)| Some((label, value.ok()?)));
        let mut labels: Vec<_> =
            fitting.map(|(name, value)| Label { name: name.into(), value: value.into() }).collect();
        labels.sort();
        labels
    }

    /// Returns the first metadata that does not fit.
    pub fn left_out<'a>(&self, metadata: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> Option<LeftOut<'_>> {
        let mut left_out = self.fitting(metadata).filter_map(|(_, value)| value.err());
        left_out.next()
    }

    /// Returns the name of each label with its value, if it fits (OpenMetrics, "Exemplars").
    fn fitting<'a>(
        &self,
        metadata: impl Iterator<Item = (&'a str, &'a str)> + Clone,
    ) -> impl Iterator<Item = (&str, Result<&'a str, LeftOut<'_>>)> {
        let mut left = Exemplar::MAX_CHARS;
        self.names.iter().filter_map(move |(name, label)| {
            let (_, value) = metadata.clone().find(|(known, value)| known == name && !value.is_empty())?;
            let chars = value.chars().count();
            let rest = left.checked_sub(label.chars().count() + chars);
            left = rest.unwrap_or(left);
            Some((&**label, rest.map(|_| value).ok_or(LeftOut { name, chars })))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::LabelNames;

    fn rules(names: &[&str]) -> ExemplarLabels {
        let exemplars = names.iter().map(|&name| name.into()).collect();
        ExemplarLabels::new(&LabelRules { exemplars, ..LabelRules::default() })
    }

    fn labels(rules: &ExemplarLabels, metadata: &[(&str, &str)]) -> Vec<(String, String)> {
        let labels = rules.labels(metadata.iter().copied());
        assert_eq!(rules.apply_to(metadata.iter().copied()), !labels.is_empty());
        labels.into_iter().map(|label| (label.name, label.value)).collect()
    }

    fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|&(name, value)| (name.into(), value.into())).collect()
    }

    #[test]
    fn the_metadata_that_is_named_becomes_labels() {
        let rules = rules(&["trace_id", "span_id"]);
        let metadata = [("vu", "1"), ("trace_id", "abc"), ("span_id", "def")];
        assert_eq!(labels(&rules, &metadata), owned(&[("span_id", "def"), ("trace_id", "abc")]));
        assert_eq!(labels(&rules, &[("trace_id", ""), ("span_id", "def")]), owned(&[("span_id", "def")]));
        assert_eq!(labels(&rules, &[("vu", "1")]), []);
        assert!(super::ExemplarLabels::default().is_empty() && !rules.is_empty());
    }

    #[test]
    fn names_follow_the_rules_of_labels_and_the_first_of_two_is_kept() {
        let metadata = [("trace-id", "1"), ("trace.id", "2"), ("9", "3")];
        let named = ["trace.id", "trace-id", "9"];
        assert_eq!(labels(&rules(&named), &metadata), owned(&[("_9", "3"), ("trace_id", "2")]));
        let utf8 =
            LabelRules { exemplars: named.map(String::from).into(), names: LabelNames::Utf8, ..LabelRules::default() };
        let expected = owned(&[("9", "3"), ("trace-id", "1"), ("trace.id", "2")]);
        assert_eq!(labels(&ExemplarLabels::new(&utf8), &metadata), expected);
    }

    /// OpenMetrics, "Exemplars": 128 characters of names and values.
    #[test]
    fn what_does_not_fit_into_128_characters_is_left_out() {
        let rules = rules(&["a", "b"]);
        let fits = "ä".repeat(127);
        assert_eq!(labels(&rules, &[("a", &fits), ("b", "x")]), owned(&[("a", &fits)]));
        assert_eq!(rules.left_out([("a", &*fits), ("b", "x")].into_iter()), Some(LeftOut { name: "b", chars: 1 }));
        let long = "ä".repeat(128);
        assert_eq!(labels(&rules, &[("a", &long), ("b", "x")]), owned(&[("b", "x")]));
        assert_eq!(rules.left_out([("a", &*long)].into_iter()), Some(LeftOut { name: "a", chars: 128 }));
        assert_eq!(rules.left_out([("a", "1"), ("b", "2")].into_iter()), None);
        assert_eq!(labels(&rules, &[("a", &long)]), []);
    }
}
