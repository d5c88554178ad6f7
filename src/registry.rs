//! Which accumulator a k6 series feeds, and which metric owns which name.
//!
//! Belongs to the resampling thread. k6 series that have the same metric and labels once both are made valid feed one target
//! series. A name and labels that two metrics would share belong to the first.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use crate::accumulate::Accumulator;
use crate::map::{Family, Mapping, Shipped};
use crate::report::{DestinationReporter, Level, event};
use crate::series::{Contents, LabelRules, MetricType, SeriesDefinition, is_metric_name};
use crate::wire::Labels;

/// What one target series is and holds.
pub struct Target {
    /// Index into [`Registry::families`].
    pub family: usize,
    /// Its labels but for the name.
    pub labels: Arc<Labels>,
    /// What it gathers, in Prometheus's unit.
    pub accumulator: Accumulator,
    /// What k6's values are divided by to be in that unit.
    pub divisor: f64,
    /// What of it the receiver knows.
    pub shipped: Shipped,
}

impl Target {
    /// Takes one value in k6's unit: times become seconds here, and nowhere else.
    #[inline]
    pub fn record(&mut self, value: f64, time_ms: i64) {
        self.accumulator.record(value / self.divisor, time_ms);
    }
}

/// In the place of a target's index: this k6 series is not shipped, as Prometheus would not take its name.
const IGNORED: u32 = u32::MAX;

/// In the place of a target's index: this k6 series is not shipped, as there are too many.
const OVER_LIMIT: u32 = u32::MAX - 1;

/// Why the samples of a k6 series are not shipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unshipped {
    /// Its metric cannot be shipped, or it was never registered.
    Ignored,
    /// There are as many series as may be.
    OverLimit,
}

/// What of a destination's configuration the registry goes by.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// How metrics are named and trends are kept.
    pub mapping: Mapping,
    /// How tags become labels.
    pub labels: LabelRules,
    /// The most target series there may be.
    pub max_series: usize,
}

/// All series of one destination.
pub struct Registry {
    /// One for each k6 metric, in the order of their first series.
    pub families: Vec<Family>,
    /// In the order of their first k6 series.
    pub targets: Vec<Target>,
    /// By k6 series: the index of its target, or [`IGNORED`] or [`OVER_LIMIT`].
    target_of_series: Vec<u32>,
    family_of_metric: HashMap<(String, MetricType, Contents), usize>,
    /// By the hash of family and labels; a second target with one hash stands at the next free number.
    target_of_hash: HashMap<u64, u32>,
    hasher: RandomState,
    families_of_name: HashMap<String, Vec<usize>>,
    /// For names that several metrics make: the identities that are taken.
    contested: HashMap<String, HashSet<Vec<u8>>>,
    warned: HashSet<String>,
    warned_over_limit: bool,
    rules: Rules,
    reporter: Arc<DestinationReporter>,
}

impl Registry {
    /// An empty registry.
    pub fn new(rules: Rules, reporter: Arc<DestinationReporter>) -> Self {
        Self {
            families: Vec::new(),
            targets: Vec::new(),
            target_of_series: Vec::new(),
            family_of_metric: HashMap::new(),
            target_of_hash: HashMap::new(),
            hasher: RandomState::new(),
            families_of_name: HashMap::new(),
            contested: HashMap::new(),
            warned: HashSet::new(),
            warned_over_limit: false,
            rules,
            reporter,
        }
    }

    /// Takes the next k6 series: the first has number 0.
    pub fn register(&mut self, definition: &SeriesDefinition) {
        let target = self.target(definition);
        self.target_of_series.push(target);
    }

    /// Takes a series that is none of k6's, and returns its place in [`Self::targets`]; `None` if it is not shipped.
    pub fn register_own(&mut self, definition: &SeriesDefinition) -> Option<usize> {
        let target = self.target(definition) as usize;
        (target < self.targets.len()).then_some(target)
    }

    /// The target series that k6 series `number` feeds.
    #[inline]
    pub fn target_of(&mut self, number: usize) -> Result<&mut Target, Unshipped> {
        let &target = self.target_of_series.get(number).ok_or(Unshipped::Ignored)?;
        // What stands for no target is past every index.
        self.targets.get_mut(target as usize).ok_or(match target {
            OVER_LIMIT => Unshipped::OverLimit,
            _ => Unshipped::Ignored,
        })
    }

    fn target(&mut self, definition: &SeriesDefinition) -> u32 {
        let Some(family) = self.family(definition) else { return IGNORED };
        let labels = Arc::new(Labels::encode(&definition.labels(&self.rules.labels)));
        let mut hash = self.hasher.hash_one((family, labels.as_bytes()));
        while let Some(&target) = self.target_of_hash.get(&hash) {
            let known = &self.targets[target as usize];
            if known.family == family && known.labels == labels {
                return target;
            }
            hash = hash.wrapping_add(1);
        }
        let Some(target) = self.next_target() else {
            self.reporter.counters.series_over_limit.add(1);
            self.warn_over_limit();
            return OVER_LIMIT;
        };
        self.target_of_hash.insert(hash, target);
        let shipped = self.claim(family, &labels);
        let (accumulator, divisor) = (self.families[family].accumulator(), self.families[family].divisor());
        self.targets.push(Target { family, labels, accumulator, divisor, shipped });
        target
    }

    /// The index of one more target, if there may be one.
    fn next_target(&self) -> Option<u32> {
        let next = self.targets.len();
        // Ids are 32 bits wide inside; the memory of so many series is out of reach.
        u32::try_from(next).ok().filter(|&id| next < self.rules.max_series && id < OVER_LIMIT)
    }

    fn family(&mut self, definition: &SeriesDefinition) -> Option<usize> {
        let key = (definition.metric.clone(), definition.metric_type, definition.contents);
        if let Some(&family) = self.family_of_metric.get(&key) {
            return Some(family);
        }
        let mapping = &self.rules.mapping;
        let name = format!("{}{}", mapping.metric_prefix, definition.metric);
        if !is_metric_name(&name) {
            self.warn_once(&name, "Prometheus takes no metric of this name: it is ignored");
            return None;
        }
        let family = Family::new(mapping, &definition.metric, definition.metric_type, definition.contents);
        let index = self.families.len();
        self.families.push(family);
        self.family_of_metric.insert(key, index);
        self.note_names(index);
        Some(index)
    }

    /// Notes who makes which name. From the second metric on, the series of that name are told apart one by one.
    fn note_names(&mut self, index: usize) {
        for name in self.families[index].names() {
            let owners = self.families_of_name.entry(name.into()).or_default();
            if owners.contains(&index) {
                continue;
            }
            owners.push(index);
            if owners.len() == 2 {
                let first = owners[0];
                let taken = self.targets.iter().filter(|target| target.family == first).flat_map(|target| {
                    identities(&self.families[first], name, &target.labels).map(|(_, identity)| identity)
                });
                self.contested.insert(name.into(), taken.collect());
            }
        }
    }

    /// Takes the names of a new target; those of which a series is taken already are muted.
    fn claim(&mut self, family: usize, labels: &Labels) -> Shipped {
        let mut shipped = Shipped::default();
        let mut lost = None;
        for (name, taken) in &mut self.contested {
            let of_family: Vec<_> = identities(&self.families[family], name, labels).collect();
            for (index, _) in of_family.iter().filter(|(_, identity)| taken.contains(identity)) {
                shipped.mute(*index);
                lost = Some(name.clone());
            }
            if lost.as_ref() != Some(name) {
                taken.extend(of_family.into_iter().map(|(_, identity)| identity));
            }
        }
        if let Some(name) = lost {
            self.warn_once(
                &name,
                "Two k6 metrics make series of this name with the same labels: only the first is shipped",
            );
        }
        shipped
    }

    #[cold]
    fn warn_over_limit(&mut self) {
        if std::mem::replace(&mut self.warned_over_limit, true) {
            return;
        }
        let warning = event(Level::Warn, "There are more series than maxSeries allows: new ones are not shipped")
            .with("max_series", self.rules.max_series);
        self.reporter.log(match most_varied_label(&self.targets) {
            Some((label, values)) => warning
                .with("label_with_most_values", label.as_str())
                .with("its_values", values)
                .with("hint", format!("dropTags: [\"{label}\"] leaves it out; a tag `name` in the script groups URLs")),
            None => warning,
        });
    }

    fn warn_once(&mut self, metric: &str, message: &str) {
        if self.warned.insert(metric.into()) {
            self.reporter.log(event(Level::Warn, message).with("metric", metric));
        }
    }
}

/// The label with the most values, and how many it has.
fn most_varied_label(targets: &[Target]) -> Option<(String, usize)> {
    let hasher = RandomState::new();
    let mut values_of_label: HashMap<String, HashSet<u64>> = HashMap::new();
    for label in targets.iter().flat_map(|target| target.labels.decode()) {
        values_of_label.entry(label.name).or_default().insert(hasher.hash_one(label.value));
    }
    // Of two with equally many, the same one in every run.
    values_of_label
        .into_iter()
        .map(|(label, values)| (label, values.len()))
        .max_by(|a, b| (a.1, &b.0).cmp(&(b.1, &a.0)))
}

/// The series of `family` that have this name, each with the name's index and, with these labels, its identity.
fn identities<'a>(
    family: &'a Family,
    name: &'a str,
    labels: &'a Labels,
) -> impl Iterator<Item = (usize, Vec<u8>)> + 'a {
    let of_name = family.names().enumerate().filter(move |&(_, own)| own == name);
    of_name
        .flat_map(move |(index, _)| family.identities(index, labels).into_iter().map(move |identity| (index, identity)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Reporter;

    fn registry() -> (Registry, Arc<Reporter>) {
        let reporter = Arc::new(Reporter::default());
        (Registry::new(rules(100), reporter.destination("http://host/w")), reporter)
    }

    fn rules(max_series: usize) -> Rules {
        Rules { mapping: Mapping::default(), labels: LabelRules::default(), max_series }
    }

    fn definition(metric: &str, metric_type: MetricType, tags: &[(&str, &str)]) -> SeriesDefinition {
        let tags = tags.iter().map(|&(name, value)| (name.into(), value.into())).collect();
        SeriesDefinition { metric: metric.into(), metric_type, contents: Contents::Plain, tags }
    }

    #[test]
    fn series_with_equal_labels_feed_one_target() {
        let (mut registry, _) = registry();
        registry.register(&definition("m", MetricType::Counter, &[("a-b", "1")]));
        registry.register(&definition("m", MetricType::Counter, &[("a.b", "1"), ("empty", "")]));
        registry.register(&definition("m", MetricType::Counter, &[("a_b", "2")]));
        assert_eq!(registry.target_of_series, [0, 0, 1]);
        assert_eq!(registry.families.len(), 1);
        assert!(registry.target_of(3).is_err());
    }

    #[test]
    fn a_name_that_prometheus_does_not_take_is_ignored_with_one_warning() {
        let (mut registry, reporter) = registry();
        for tag in ["1", "2"] {
            registry.register(&definition("größe", MetricType::Gauge, &[("tag", tag)]));
        }
        registry.register(&definition("fine", MetricType::Gauge, &[]));
        assert!(registry.target_of(0).is_err() && registry.target_of(1).is_err());
        assert!(registry.target_of(2).is_ok());
        assert_eq!(reporter.poll().and_then(|event| event.fields.get("metric").cloned()), Some("k6_größe".into()));
        assert!(reporter.poll().is_none());
    }

    #[test]
    fn names_and_labels_that_two_metrics_share_belong_to_the_first() {
        let (mut registry, reporter) = registry();
        registry.register(&definition("m", MetricType::Counter, &[("a", "1")]));
        registry.register(&definition("m_total", MetricType::Gauge, &[("a", "1")]));
        registry.register(&definition("m_total", MetricType::Gauge, &[("a", "2")]));
        registry.register(&definition("m", MetricType::Counter, &[("a", "2")]));
        let mut muted = Shipped::default();
        muted.mute(0);
        let all: Vec<_> = registry.targets.iter().map(|target| target.shipped).collect();
        assert_eq!(all, [Shipped::default(), muted, Shipped::default(), muted]);
        assert!(reporter.poll().is_some());
        assert!(reporter.poll().is_none());
    }

    #[test]
    fn over_the_limit_new_series_are_counted_and_known_ones_go_on() {
        let reporter = Arc::new(Reporter::default());
        let destination = reporter.destination("http://host/w");
        let mut registry = Registry::new(rules(3), Arc::clone(&destination));
        for url in ["a", "b", "c", "d", "a", "e"] {
            registry.register(&definition("m", MetricType::Gauge, &[("url", url), ("method", "GET")]));
        }
        let shipped: Vec<_> = (0..6).map(|number| registry.target_of(number).map(|_| ()).err()).collect();
        let over = Some(Unshipped::OverLimit);
        assert_eq!(shipped, [None, None, None, over, None, over]);
        assert_eq!(destination.counters.series_over_limit.get(), 2);
        let warning = reporter.poll().expect("warned");
        assert_eq!(
            (&warning.fields["label_with_most_values"], &warning.fields["its_values"]),
            (&"url".into(), &3.into())
        );
        assert!(warning.fields["hint"].as_str().is_some_and(|hint| hint.contains(r#"dropTags: ["url"]"#)));
        assert!(reporter.poll().is_none(), "one warning");
    }
}
