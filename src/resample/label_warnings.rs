//! Warnings about labels that receivers do not accept as they are, each once a destination.

use crate::report::{Event, Level, event};
use crate::series::{LabelRules, SeriesDefinition};
use crate::wire::Label;

/// The number of labels, with the metric's name, that Mimir accepts by default. VictoriaMetrics accepts 40, and drops series with
/// more without an error.
const MAX_LABELS: usize = 30;

/// The warnings that were returned.
#[derive(Debug, Default)]
pub struct LabelWarnings {
    cut: bool,
    many: bool,
}

impl LabelWarnings {
    /// Returns the warnings about a new target series that were not returned before. `labels` are those of `definition`.
    pub fn check(&mut self, definition: &SeriesDefinition, labels: &[Label], rules: &LabelRules) -> Vec<Event> {
        let mut warnings = Vec::new();
        if !self.cut
            && let Some((label, bytes)) = rules.cut_label(definition, labels)
        {
            self.cut = true;
            warnings.push(
                event(Level::Warn, "Label value is longer than maxLabelValueBytes, cutting such values")
                    .with("metric", &*definition.metric)
                    .with("label", label)
                    .with("bytes", bytes)
                    .with("max_label_value_bytes", rules.max_value_bytes)
                    .with("hint", format!("raise it if the receiver accepts more, or set dropTags: [{label:?}]")),
            );
        }
        if !self.many && labels.len() + 1 > MAX_LABELS {
            self.many = true;
            warnings.push(
                event(Level::Warn, "Series has more labels than most receivers accept")
                    .with("metric", &*definition.metric)
                    .with("labels", labels.len() + 1)
                    .with(
                        "hint",
                        "Mimir rejects more than 30, VictoriaMetrics drops series with more than 40 without an error: \
                                   leave tags out with dropTags, or raise the receiver's limit",
                    ),
            );
        }
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::k6::MetricType;

    fn warnings(of: &mut LabelWarnings, rules: &LabelRules, tags: &[(&str, &str)]) -> Vec<Event> {
        let definition = SeriesDefinition::new("m", MetricType::Counter).with_tags(tags.iter().copied());
        of.check(&definition, &definition.labels(rules), rules)
    }

    #[test]
    fn the_first_value_that_is_cut_is_reported() {
        let rules = LabelRules { drop_tags: vec!["dropped".into()], ..LabelRules::default() };
        let (fits, long) = ("x".repeat(2048), "ä".repeat(1025));
        let mut of = LabelWarnings::default();
        assert_eq!(warnings(&mut of, &rules, &[("fits", &fits), ("dropped", &long)]), []);
        let first = warnings(&mut of, &rules, &[("a-b", &long), ("fits", &fits)]);
        assert_eq!((&first[0].fields["label"], &first[0].fields["bytes"]), (&"a_b".into(), &2050.into()));
        assert_eq!(warnings(&mut of, &rules, &[("a-b", &long)]), [], "once");
    }

    #[test]
    fn the_first_series_with_too_many_labels_is_reported() {
        let names: Vec<_> = (0..30).map(|i| format!("tag{i}")).collect();
        let tags: Vec<_> = names.iter().map(|name| (name.as_str(), "x")).collect();
        let (mut of, rules) = (LabelWarnings::default(), LabelRules::default());
        assert_eq!(warnings(&mut of, &rules, &tags[1..]), []);
        let first = warnings(&mut of, &rules, &tags);
        assert_eq!(first[0].fields["labels"], 31);
        assert_eq!(warnings(&mut of, &rules, &tags), [], "once");
    }
}
