//! Which accumulator a k6 series feeds, and which metric owns which name.
//!
//! Belongs to the resampling thread. k6 series that have the same metric and labels once both are made valid feed one target
//! series. A name and labels that two metrics would share belong to the first.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use crate::accumulate::Accumulator;
use crate::map::{Family, Shipped};
use crate::report::{DestinationReporter, Level, event};
use crate::series::{Contents, MetricType, SeriesDefinition, is_metric_name};
use crate::wire::Labels;

/// What one target series is and holds.
pub struct Target {
    /// Index into [`Registry::families`].
    pub family: usize,
    /// Its labels but for the name.
    pub labels: Arc<Labels>,
    /// What it gathers.
    pub accumulator: Accumulator,
    /// What of it the receiver knows.
    pub shipped: Shipped,
}

/// In the place of a target's index: this k6 series is not shipped.
const IGNORED: u32 = u32::MAX;

/// All series of one destination.
pub struct Registry {
    /// One for each k6 metric, in the order of their first series.
    pub families: Vec<Family>,
    /// In the order of their first k6 series.
    pub targets: Vec<Target>,
    /// By k6 series: the index of its target, or [`IGNORED`].
    target_of_series: Vec<u32>,
    family_of_metric: HashMap<(String, MetricType, Contents), usize>,
    /// By the hash of family and labels; a second target with one hash stands at the next free number.
    target_of_hash: HashMap<u64, u32>,
    hasher: RandomState,
    families_of_name: HashMap<String, Vec<usize>>,
    /// For names that several metrics make: the identities that are taken.
    contested: HashMap<String, HashSet<Vec<u8>>>,
    warned: HashSet<String>,
    prefix: String,
    reporter: Arc<DestinationReporter>,
}

impl Registry {
    /// An empty registry; names get `prefix`.
    pub fn new(prefix: String, reporter: Arc<DestinationReporter>) -> Self {
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
            prefix,
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
        let target = self.target(definition);
        (target != IGNORED).then_some(target as usize)
    }

    /// The target series that k6 series `number` feeds; `None` if it is not shipped.
    #[inline]
    pub fn target_of(&mut self, number: usize) -> Option<&mut Target> {
        let &target = self.target_of_series.get(number)?;
        // IGNORED is past every index.
        self.targets.get_mut(target as usize)
    }

    fn target(&mut self, definition: &SeriesDefinition) -> u32 {
        let Some(family) = self.family(definition) else { return IGNORED };
        let labels = Arc::new(Labels::encode(&definition.labels()));
        let mut hash = self.hasher.hash_one((family, labels.as_bytes()));
        while let Some(&target) = self.target_of_hash.get(&hash) {
            let known = &self.targets[target as usize];
            if known.family == family && known.labels == labels {
                return target;
            }
            hash = hash.wrapping_add(1);
        }
        // Ids are 32 bits wide inside; the memory of so many series is out of reach.
        let Some(target) = u32::try_from(self.targets.len()).ok().filter(|&target| target != IGNORED) else {
            return IGNORED;
        };
        self.target_of_hash.insert(hash, target);
        let shipped = self.claim(family, &labels);
        let accumulator = Accumulator::new(definition.metric_type);
        self.targets.push(Target { family, labels, accumulator, shipped });
        target
    }

    fn family(&mut self, definition: &SeriesDefinition) -> Option<usize> {
        let key = (definition.metric.clone(), definition.metric_type, definition.contents);
        if let Some(&family) = self.family_of_metric.get(&key) {
            return Some(family);
        }
        let name = format!("{}{}", self.prefix, definition.metric);
        if !is_metric_name(&name) {
            self.warn_once(&name, "Prometheus takes no metric of this name: it is ignored");
            return None;
        }
        let family = Family::new(&self.prefix, &definition.metric, definition.metric_type, definition.contents);
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

    /// Takes the names of a new target; those that are taken already are muted.
    fn claim(&mut self, family: usize, labels: &Labels) -> Shipped {
        let mut shipped = Shipped::default();
        let mut lost = None;
        for (name, taken) in &mut self.contested {
            for (index, identity) in identities(&self.families[family], name, labels) {
                if !taken.insert(identity) {
                    shipped.mute(index);
                    lost = Some(name.clone());
                }
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

    fn warn_once(&mut self, metric: &str, message: &str) {
        if self.warned.insert(metric.into()) {
            self.reporter.log(event(Level::Warn, message).with("metric", metric));
        }
    }
}

/// The series of `family` that have this name, each with its index and, with these labels, its identity.
fn identities<'a>(
    family: &'a Family,
    name: &'a str,
    labels: &'a Labels,
) -> impl Iterator<Item = (usize, Vec<u8>)> + 'a {
    let of_name = family.names().enumerate().filter(move |&(_, own)| own == name);
    of_name.map(move |(index, _)| (index, family.identity(index, labels)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Reporter;

    fn registry() -> (Registry, Arc<Reporter>) {
        let reporter = Arc::new(Reporter::default());
        (Registry::new("k6_".into(), reporter.destination("http://host/w")), reporter)
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
        assert!(registry.target_of(3).is_none());
    }

    #[test]
    fn a_name_that_prometheus_does_not_take_is_ignored_with_one_warning() {
        let (mut registry, reporter) = registry();
        for tag in ["1", "2"] {
            registry.register(&definition("größe", MetricType::Gauge, &[("tag", tag)]));
        }
        registry.register(&definition("fine", MetricType::Gauge, &[]));
        assert!(registry.target_of(0).is_none() && registry.target_of(1).is_none());
        assert!(registry.target_of(2).is_some());
        assert_eq!(reporter.poll().and_then(|event| event.fields.get("metric").cloned()), Some("k6_größe".into()));
        assert!(reporter.poll().is_none());
    }

    /// Which of its series a target ships, by index.
    fn muted(registry: &mut Registry, series: usize) -> String {
        format!("{:?}", registry.target_of(series).expect("known").shipped)
    }

    #[test]
    fn names_and_labels_that_two_metrics_share_belong_to_the_first() {
        let (mut registry, reporter) = registry();
        registry.register(&definition("m", MetricType::Counter, &[("a", "1")]));
        registry.register(&definition("m_total", MetricType::Gauge, &[("a", "1")]));
        registry.register(&definition("m_total", MetricType::Gauge, &[("a", "2")]));
        registry.register(&definition("m", MetricType::Counter, &[("a", "2")]));
        let (free, taken) = (format!("{:?}", Shipped::default()), {
            let mut shipped = Shipped::default();
            shipped.mute(0);
            format!("{shipped:?}")
        });
        let all: Vec<_> = (0..4).map(|series| muted(&mut registry, series)).collect();
        assert_eq!(all, [&*free, &taken, &free, &taken]);
        assert!(reporter.poll().is_some());
        assert!(reporter.poll().is_none());
    }
}
