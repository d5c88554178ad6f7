//! The warning when `maxSeries` is reached: it names the tags to drop.

use std::hash::{BuildHasher, Hasher};

use hashbrown::{DefaultHashBuilder, HashMap, HashSet};

use crate::report::{Event, Level, event};
use crate::wire::{Labels, RawLabel};

/// The number of target series that are examined, so that the time is bounded: some tenths of a second.
const MAX_EXAMINED: usize = 200_000;

/// The number of labels that may be proposed: those with the most values.
const MAX_CANDIDATES: usize = 6;

/// The number of labels that are proposed together.
const MAX_PROPOSED: u32 = 3;

/// Creates the warning from all target series: for each the index of its family, and its labels. Labels whose name is in
/// `needed` are not proposed.
pub fn max_series_warning<'a>(
    max_series: usize,
    targets: impl Iterator<Item = (usize, &'a Labels)> + Clone,
    needed: &[&str],
) -> Event {
    let warning = event(Level::Warn, "maxSeries reached, dropping new series").with("max_series", max_series);
    let targets = targets.take(MAX_EXAMINED);
    let labels = by_values(targets.clone());
    let Some(&(most, values)) = labels.first() else { return warning };
    warning
        .with("label_with_most_values", most)
        .with("label_value_count", values)
        .with("hint", hint(&labels_to_drop(&labels, targets, needed)))
}

fn hint(labels: &[&str]) -> String {
    if labels.is_empty() {
        return "`metrics` selects what is sent".into();
    }
    let quoted: Vec<_> = labels.iter().map(|label| format!("{label:?}")).collect();
    let them = if labels.len() == 1 { "it" } else { "them" };
    let urls = if labels.iter().any(|label| matches!(*label, "name" | "url")) {
        "; a tag `name` in the script groups URLs"
    } else {
        ""
    };
    format!("dropTags: [{}] leaves {them} out{urls}", quoted.join(","))
}

fn raw(labels: &Labels) -> impl Iterator<Item = RawLabel<'_>> {
    labels.parts().into_iter().flatten()
}

fn name_of(label: RawLabel<'_>) -> &str {
    std::str::from_utf8(label.pair().0).unwrap_or_default()
}

/// Returns the labels and the number of their values, that with the most first. Of two with equally many, it is the same one
/// in every run.
fn by_values<'a>(targets: impl Iterator<Item = (usize, &'a Labels)>) -> Vec<(&'a str, usize)> {
    let mut values_of_label: HashMap<&str, HashSet<RawLabel<'_>>> = HashMap::new();
    for label in targets.flat_map(|(_, labels)| raw(labels)) {
        values_of_label.entry(name_of(label)).or_default().insert(label);
    }
    let mut labels: Vec<_> = values_of_label.into_iter().map(|(label, values)| (label, values.len())).collect();
    labels.sort_by(|a, b| (b.1, a.0).cmp(&(a.1, b.0)));
    labels
}

/// Returns the labels that together distinguish most series: as few as possible that leave a tenth of the series, or else half
/// of them, or else as few as three labels can. k6 has the URL in two tags, so that dropping one alone may change nothing.
fn labels_to_drop<'a>(
    labels: &[(&'a str, usize)],
    targets: impl Iterator<Item = (usize, &'a Labels)>,
    needed: &[&str],
) -> Vec<&'a str> {
    let candidates = labels.iter().map(|&(label, _)| label).filter(|label| !needed.contains(label));
    let candidates: Vec<_> = candidates.take(MAX_CANDIDATES).collect();
    let series = Hashes::new(&candidates, targets);
    let sets = |len: u32| (1_u32..1 << candidates.len()).filter(move |set| set.count_ones() == len);
    let best: Vec<_> =
        (1..=MAX_PROPOSED).filter_map(|len| sets(len).map(|set| (series.distinct_without(set), set)).min()).collect();
    let all = series.distinct_without(0);
    let leaves = |share: usize| best.iter().find(|&&(distinct, _)| distinct * share <= all);
    let fewest = || best.iter().min_by_key(|&&(distinct, _)| distinct).filter(|&&(distinct, _)| distinct < all);
    let chosen = leaves(10).or_else(|| leaves(2)).or_else(fewest).map_or(0, |&(_, set)| set);
    candidates.into_iter().enumerate().filter(|(index, _)| chosen & 1 << index != 0).map(|(_, label)| label).collect()
}

/// Hashes of series.
struct Hashes(Vec<SeriesHash>);

/// The hash of a series is the sum of all of these, so that the hash without some labels takes no hashing.
struct SeriesHash {
    /// Of its family and of the labels that are not candidates.
    rest: u64,
    /// Of each candidate; 0 if the series does not have it.
    candidates: [u64; MAX_CANDIDATES],
}

impl Hashes {
    fn new<'a>(candidates: &[&str], targets: impl Iterator<Item = (usize, &'a Labels)>) -> Self {
        let hasher = DefaultHashBuilder::default();
        let hash_of = |(family, labels): (usize, &Labels)| {
            let mut of_family = hasher.build_hasher();
            of_family.write_usize(family);
            let mut hash = SeriesHash { rest: of_family.finish(), candidates: [0; MAX_CANDIDATES] };
            for label in raw(labels) {
                let of_label = hasher.hash_one(label);
                match candidates.iter().position(|candidate| *candidate == name_of(label)) {
                    Some(index) => hash.candidates[index] = of_label,
                    None => hash.rest = hash.rest.wrapping_add(of_label),
                }
            }
            hash
        };
        Self(targets.map(hash_of).collect())
    }

    /// Returns the number of different series without these candidates, which are bits.
    fn distinct_without(&self, dropped: u32) -> usize {
        let hash_of = |hash: &SeriesHash| {
            let kept = hash.candidates.iter().enumerate().filter(|(index, _)| dropped & 1 << index == 0);
            kept.fold(hash.rest, |sum, (_, of_label)| sum.wrapping_add(*of_label))
        };
        self.0.iter().map(hash_of).collect::<HashSet<_>>().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Label;

    fn labels(labels: &[(&str, &str)]) -> Labels {
        let mut labels: Vec<_> =
            labels.iter().map(|&(name, value)| Label { name: name.into(), value: value.into() }).collect();
        labels.sort();
        Labels::encode(&labels)
    }

    fn of_one_family(series: &[Labels]) -> impl Iterator<Item = (usize, &Labels)> + Clone {
        series.iter().map(|labels| (0, labels))
    }

    fn proposed(series: &[Labels]) -> Vec<&str> {
        labels_to_drop(&by_values(of_one_family(series)), of_one_family(series), &["instance", "testid"])
    }

    fn hint_for(series: &[Labels]) -> String {
        let warning = max_series_warning(series.len(), of_one_family(series), &[]);
        warning.fields["hint"].as_str().expect("text").into()
    }

    #[test]
    fn of_two_labels_with_equally_many_values_the_first_by_name_is_reported() {
        let series = ["1", "2"].map(|value| labels(&[("b", value), ("a", value)]));
        assert_eq!(by_values(of_one_family(&series)), [("a", 2), ("b", 2)]);
        assert_eq!(by_values([].into_iter()), []);
        assert_eq!(max_series_warning(1, [].into_iter(), &[]).fields.len(), 1);
    }

    #[test]
    fn the_hint_names_all_tags_that_carry_the_same_value() {
        let of =
            |url: &str, method: &str| labels(&[("name", url), ("url", url), ("method", method), ("status", "200")]);
        let urls: Vec<_> = (0..50).map(|i| format!("http://host/{i}")).collect();
        let series: Vec<_> = urls.iter().flat_map(|url| ["GET", "POST"].map(|method| of(url, method))).collect();
        assert_eq!(
            hint_for(&series),
            r#"dropTags: ["name","url"] leaves them out; a tag `name` in the script groups URLs"#
        );
    }

    #[test]
    fn one_tag_is_named_if_it_is_enough() {
        let of = |vu: usize, status: &str| labels(&[("vu", &vu.to_string()), ("status", status)]);
        let series: Vec<_> = (0..40).flat_map(|vu| ["200", "404"].map(|status| of(vu, status))).collect();
        assert_eq!(hint_for(&series), r#"dropTags: ["vu"] leaves it out"#);
        let few: Vec<_> = (0..3).flat_map(|vu| ["200", "404"].map(|status| of(vu, status))).collect();
        assert_eq!(proposed(&few), ["vu"]);
    }

    #[test]
    fn what_distinguishes_runs_and_instances_is_not_proposed() {
        let of =
            |i: usize| labels(&[("instance", &i.to_string()), ("testid", &i.to_string()), ("a", &(i % 2).to_string())]);
        assert_eq!(proposed(&(0..20).map(of).collect::<Vec<_>>()), [] as [&str; 0]);
    }

    #[test]
    fn series_of_many_metrics_have_no_tags_to_drop() {
        let same = labels(&[("a", "1")]);
        let warning = max_series_warning(9, (0..9).map(|family| (family, &same)), &[]);
        assert_eq!(warning.fields["hint"], "`metrics` selects what is sent");
    }
}
