//! The warning when `maxSeries` is reached: it names the label to drop.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use crate::report::{Event, Level, event};
use crate::wire::Labels;

/// Creates the warning from the labels of all target series.
pub fn max_series_warning<'a>(max_series: usize, labels: impl Iterator<Item = &'a Labels>) -> Event {
    let warning = event(Level::Warn, "maxSeries reached, dropping new series").with("max_series", max_series);
    match label_with_most_values(labels) {
        Some((label, values)) => warning
            .with("label_with_most_values", label.as_str())
            .with("label_value_count", values)
            .with("hint", format!("dropTags: [\"{label}\"] leaves it out; a tag `name` in the script groups URLs")),
        None => warning,
    }
}

/// Returns the label with the most values, and their number. Of two with equally many, it is the same one in every run.
fn label_with_most_values<'a>(labels: impl Iterator<Item = &'a Labels>) -> Option<(String, usize)> {
    let hasher = RandomState::new();
    let mut values_of_label: HashMap<String, HashSet<u64>> = HashMap::new();
    for label in labels.flat_map(Labels::decode) {
        values_of_label.entry(label.name).or_default().insert(hasher.hash_one(label.value));
    }
    values_of_label
        .into_iter()
        .map(|(label, values)| (label, values.len()))
        .max_by(|a, b| (a.1, &b.0).cmp(&(b.1, &a.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Label;

    #[test]
    fn of_two_labels_with_equally_many_values_the_first_by_name_is_reported() {
        let labels = ["1", "2"]
            .map(|value| ["b", "a"].map(|name| Label { name: name.into(), value: value.into() }))
            .map(|labels| Labels::encode(&labels));
        assert_eq!(label_with_most_values(labels.iter()), Some(("a".into(), 2)));
        assert_eq!(label_with_most_values([].iter()), None);
    }
}
