//! Warnings about the number of series, with the tags to drop: early, when a label has very many values, and when `maxSeries` is
//! reached.

use std::hash::{BuildHasher, Hasher};

use hashbrown::{DefaultHashBuilder, HashMap, HashSet};

use crate::report::{Event, Level, event};
use crate::wire::{Labels, RawLabel};

/// The number of series at which the labels are examined first: as many as Grafana Cloud has free of charge. Then each time that
/// there are half as many more, so that the time for a new series does not grow with their number.
const FIRST_EXAMINED: u64 = 10_000;

/// The number of series beyond which only `maxSeries` counts.
const LAST_EXAMINED: u64 = 100_000;

/// The number of values of a label that are too many for the endpoints or checks of a script: they are ids.
const MANY_VALUES: usize = 300;

/// The number of target series that are examined, so that the time is bounded: some tenths of a second.
const MAX_EXAMINED: usize = 200_000;

/// The number of labels that may be proposed: those with the most values.
const MAX_CANDIDATES: usize = 6;

/// The number of labels that are proposed together.
const MAX_PROPOSED: u32 = 3;

/// When the labels are examined next.
#[derive(Debug)]
pub struct GrowthCheck {
    next: u64,
}

impl Default for GrowthCheck {
    fn default() -> Self {
        Self { next: FIRST_EXAMINED }
    }
}

impl GrowthCheck {
    /// Reports whether the labels are to be examined, now that there are so many series.
    pub fn is_due(&self, active_series: u64) -> bool {
        (self.next..=LAST_EXAMINED).contains(&active_series)
    }

    /// Returns a warning if labels with very many values make most of the series; there is only one. The arguments are those of
    /// [`max_series_warning`].
    pub fn examine<'a>(
        &mut self,
        active_series: u64,
        targets: impl Iterator<Item = (usize, &'a Labels)> + Clone,
        needed: &[&str],
    ) -> Option<Event> {
        self.next = active_series + active_series / 2;
        let labels = by_values(targets.clone());
        let &(most, values) = labels.iter().find(|(label, _)| !needed.contains(label))?;
        if values < MANY_VALUES {
            return None;
        }
        let has_most = |labels: &Labels| raw(labels).any(|label| name_of(label) == most);
        let share = targets.clone().filter(|(_, labels)| has_most(labels)).count();
        let dropped = labels_to_drop(&labels, targets.clone(), needed);
        if share < targets.count() / 2 || !dropped.contains(&most) {
            return None;
        }
        self.next = u64::MAX;
        let warning = event(Level::Warn, "A label has very many values, each of which makes new series")
            .with("active_series", active_series)
            .with("label_with_most_values", most)
            .with("label_value_count", values)
            .with("hint", hint(&dropped));
        Some(warning)
    }
}

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
    let drop_tags = format!("dropTags: [{}] leaves {them} out", quoted.join(","));
    if labels.iter().any(|label| matches!(*label, "name" | "url")) {
        return format!("a tag `name` in the script, or http.url, groups URLs; {drop_tags}");
    }
    drop_tags
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
            r#"a tag `name` in the script, or http.url, groups URLs; dropTags: ["name","url"] leaves them out"#
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

    /// The warning while requests to new URLs make series, 8 a target, with the number of series at that time.
    fn warning_of_growth(
        urls: usize,
        families: usize,
        tags: impl Fn(usize, usize) -> Vec<(&'static str, String)>,
    ) -> Option<(u64, Event)> {
        let mut check = GrowthCheck::default();
        let (mut targets, mut seen) = (Vec::new(), HashSet::new());
        for url in 0..urls {
            for family in 0..families {
                let tags = tags(url, family);
                let tags: Vec<_> = tags.iter().map(|(name, value)| (*name, value.as_str())).collect();
                if !seen.insert((family, format!("{tags:?}"))) {
                    continue;
                }
                targets.push((family, labels(&tags)));
                let active = 8 * targets.len() as u64;
                let of_targets = || targets.iter().map(|(family, labels)| (*family, labels));
                if check.is_due(active)
                    && let Some(warning) = check.examine(active, of_targets(), &["testid"])
                {
                    assert!(!check.is_due(active + 1) && !check.is_due(LAST_EXAMINED), "one warning");
                    return Some((active, warning));
                }
            }
        }
        None
    }

    #[test]
    fn ids_in_urls_are_reported_early_and_the_endpoints_of_a_script_are_not() {
        let tags = |url: usize, _| {
            vec![
                ("name", format!("http://host/{url}")),
                ("url", format!("http://host/{url}")),
                ("method", "GET".into()),
            ]
        };
        let (active, warning) = warning_of_growth(100_000, 9, tags).expect("warned");
        assert!((10_000..40_000).contains(&active), "{active}");
        assert!(warning.fields["hint"].as_str().is_some_and(|hint| hint.contains(r#"dropTags: ["name","url"]"#)));
        // 200 endpoints, each with every method and status that occurs, in four scenarios.
        let tags = |request: usize, _| {
            let endpoint = format!("http://host/{}", request % 200);
            let status = 200 + request / 200 % 6;
            let scenario = request / 1200;
            vec![
                ("name", endpoint.clone()),
                ("url", endpoint),
                ("status", status.to_string()),
                ("s", scenario.to_string()),
            ]
        };
        assert!(warning_of_growth(4800, 9, tags).is_none());
    }

    #[test]
    fn a_label_that_distinguishes_few_series_is_not_reported() {
        // One metric of nine has very many checks.
        let tags = |request: usize, family| match family {
            0 => vec![("check", request.to_string())],
            _ => vec![("name", (request % 200).to_string())],
        };
        assert!(warning_of_growth(1500, 9, tags).is_none());
        assert!(
            warning_of_growth(2000, 9, |url, _| vec![("testid", url.to_string())]).is_none(),
            "it keeps runs apart"
        );
        // Each of 400 metrics has its own label.
        let own = |_, family: usize| vec![("own", family.to_string())];
        assert!(
            warning_of_growth(300, 400, |i, family| [own(i, family), vec![("i", (i % 10).to_string())]].concat())
                .is_none()
        );
        let few = |url: usize, _| vec![("check", (url % 299).to_string()), ("a", (url / 299 % 40).to_string())];
        assert!(warning_of_growth(10_000, 9, few).is_none());
    }
}
