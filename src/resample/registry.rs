//! The registry of a destination's series: which accumulators a k6 series feeds.
//!
//! In come series, which are registered once, and samples from [`super::pipeline`]; each view that selects a k6 series makes one
//! target series of it. k6 series with the same metric and, once made valid, the same labels feed one target series. Names and
//! labels come from [`crate::series`]; `name_conflicts` decides between metrics that export the same series.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use super::cardinality::max_series_warning;
use super::name_conflicts::NameConflicts;
use crate::aggregate::{Accumulators, Slot, Sorted};
use crate::export::{ExportState, Family, Mapping, WindowExport};
use crate::k6::{MetricType, Sample, ValueType};
use crate::report::{Counters, DestinationReporter, Event, Level, event};
use crate::series::selector::Selector;
use crate::series::view::View;
use crate::series::{IDENTIFYING_LABELS, LabelRules, MAX_SERIES_BYTES, SeriesDefinition, is_metric_name};
use crate::wire::Labels;

/// A target series.
struct Target {
    /// The labels without the name.
    labels: Arc<Labels>,
    /// The place of the recorded values.
    slot: Slot,
    /// Index into [`Registry::families`].
    family: u32,
    /// What was exported so far. Series that belong to another metric are suppressed.
    export_state: ExportState,
}

/// What the samples of a k6 series feed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Feeds {
    /// No target series.
    Nothing,
    /// One target series.
    One(Slot),
    /// Several target series: an index into [`Registry::several`].
    Several(u32),
}

/// The number of samples that are sorted before they are recorded. So many accumulators may be fetched at once; with more of them,
/// the list would be fetched, too.
const SORTED_SAMPLES: usize = 128;

/// The outcome of recording a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordOutcome {
    /// All target series of the k6 series have it.
    Recorded,
    /// No view selects the k6 series.
    NotSelected,
    /// A view selects the k6 series, but the name of its metric is not valid.
    InvalidName,
    /// A view selects the k6 series, but it is too large.
    InvalidSeries,
    /// All target series have it, but a series of one belongs to another metric and is not exported.
    NameConflict,
    /// A view selects the k6 series, but `maxSeries` was reached before.
    OverMaxSeries,
}

/// Numbers of samples, by outcome.
#[derive(Debug, Default)]
struct RecordOutcomes([u64; 6]);

impl RecordOutcomes {
    /// Adds the numbers to the counters of a destination.
    fn count(&self, counters: &Counters) {
        let of = |outcome: RecordOutcome| self.0[outcome as usize];
        counters.samples_in.add(of(RecordOutcome::Recorded));
        counters.samples_invalid_name.add(of(RecordOutcome::InvalidName));
        counters.samples_invalid_series.add(of(RecordOutcome::InvalidSeries));
        counters.samples_name_conflict.add(of(RecordOutcome::NameConflict));
        counters.samples_over_max_series.add(of(RecordOutcome::OverMaxSeries));
    }
}

/// The key of a family: the k6 metric, and the name that its view sets.
#[derive(PartialEq, Eq, Hash)]
struct FamilyKey {
    metric: String,
    metric_type: MetricType,
    value_type: ValueType,
    target_name: Option<String>,
}

/// Rules that turn k6 series into target series.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// The selected series, their names and their tags.
    pub views: Vec<View>,
    /// Names of the tags that every view keeps.
    pub test_wide_tags: Vec<String>,
    /// Rules for the names of metrics and for the forms of trends.
    pub mapping: Mapping,
    /// Rules that turn tags into labels.
    pub labels: LabelRules,
    /// Maximum number of target series, without self metrics.
    pub max_series: usize,
}

/// All series of one destination.
pub struct Registry {
    /// One for each k6 metric and target name, in the order of their first series.
    families: Vec<Family>,
    /// In the order of their first k6 series.
    targets: Vec<Target>,
    /// The accumulators of the targets.
    accumulators: Accumulators,
    /// For each k6 series what its samples feed.
    feeds: Vec<Feeds>,
    /// For each k6 series the outcome of its samples.
    outcomes: Vec<RecordOutcome>,
    /// What k6 series with several target series feed.
    several: Vec<Box<[Slot]>>,
    sorted: Sorted,
    /// The number of self metrics, which are the first of the targets.
    self_metrics: usize,
    family_of_key: HashMap<FamilyKey, u32>,
    /// Keys are hashes of family and labels. A hash that is in use is incremented until it is free.
    target_of_hash: HashMap<u64, u32>,
    hasher: RandomState,
    conflicts: NameConflicts,
    /// Messages that were logged for a metric, and its name.
    logged: HashSet<(String, String)>,
    warned_max_series: bool,
    rules: Rules,
    /// For each view: true if it has selected a series.
    used_views: Vec<bool>,
    reporter: Arc<DestinationReporter>,
}

impl Registry {
    /// Creates an empty registry.
    pub fn new(rules: Rules, reporter: Arc<DestinationReporter>) -> Self {
        Self {
            families: Vec::new(),
            targets: Vec::new(),
            accumulators: Accumulators::default(),
            feeds: Vec::new(),
            outcomes: Vec::new(),
            several: Vec::new(),
            sorted: Sorted::default(),
            self_metrics: 0,
            family_of_key: HashMap::new(),
            target_of_hash: HashMap::new(),
            hasher: RandomState::new(),
            conflicts: NameConflicts::default(),
            logged: HashSet::new(),
            warned_max_series: false,
            used_views: vec![false; rules.views.len()],
            rules,
            reporter,
        }
    }

    /// Registers the next k6 series. Numbers count these calls, from 0 on.
    pub fn register(&mut self, definition: &SeriesDefinition) {
        let mut slots = Vec::new();
        let mut rejected = None;
        for index in 0..self.rules.views.len() {
            let view = &self.rules.views[index];
            if !view.selects(definition) {
                continue;
            }
            self.used_views[index] = true;
            if let Some(bytes) = definition.too_large {
                self.warn_too_large(&definition.metric, bytes);
                rejected = Some(RecordOutcome::InvalidSeries);
                continue;
            }
            let target_name = view.target.clone();
            let kept = view.keep(definition, &self.rules.test_wide_tags);
            match self.find_or_add_target(&kept, target_name) {
                Ok(target) => {
                    let Target { slot, export_state, .. } = self.targets[target as usize];
                    if export_state.has_suppressed() {
                        rejected = Some(RecordOutcome::NameConflict);
                    }
                    // Two views may make the same target series: it is fed once.
                    if !slots.contains(&slot) {
                        slots.push(slot);
                    }
                }
                Err(outcome) => rejected = Some(outcome),
            }
        }
        let selected = if slots.is_empty() { RecordOutcome::NotSelected } else { RecordOutcome::Recorded };
        self.outcomes.push(rejected.unwrap_or(selected));
        self.feeds.push(match slots[..] {
            [] => Feeds::Nothing,
            [slot] => Feeds::One(slot),
            _ => {
                self.several.push(slots.into());
                // So many do not fit into memory.
                Feeds::Several(self.several.len() as u32 - 1)
            }
        });
    }

    /// Registers a self metric, which no view applies to, and which `maxSeries` does not count. To be called before any k6 series
    /// is registered. Returns its id for [`Self::record_self_metric`], or `None` if it is not exported.
    pub fn register_self_metric(&mut self, definition: &SeriesDefinition) -> Option<usize> {
        // Makes room for this one.
        self.self_metrics = self.targets.len() + 1;
        let target = self.find_or_add_target(definition, None).ok();
        self.self_metrics = self.targets.len();
        target.map(|target| target as usize)
    }

    /// Records samples in every target series that their k6 series feed. No time is later than `now_ms`. Values must be finite,
    /// except those of gauges.
    ///
    /// Allocates nothing once the spread of a series' values is known.
    pub fn record(&mut self, samples: &[Sample], now_ms: i64) {
        let mut counted = RecordOutcomes::default();
        for samples in samples.chunks(SORTED_SAMPLES) {
            for sample in samples {
                let number = sample.series.wrapping_sub(1) as usize;
                // Ids that were never returned do not get here: `ingest` rejects them.
                let outcome = self.outcomes.get(number).copied().unwrap_or(RecordOutcome::InvalidName);
                counted.0[outcome as usize] += 1;
                // A gauge would keep a value with a time in the future until then.
                let time_ms = sample.time_ms.min(now_ms);
                match self.feeds.get(number) {
                    Some(&Feeds::One(slot)) => self.sorted.add(slot, sample.value, time_ms),
                    Some(&Feeds::Several(index)) => {
                        let slots = self.several[index as usize].iter();
                        slots.for_each(|&slot| self.sorted.add(slot, sample.value, time_ms));
                    }
                    Some(Feeds::Nothing) | None => {}
                }
            }
            self.accumulators.record(&mut self.sorted);
        }
        counted.count(&self.reporter.counters);
    }

    /// Records a value of a self metric. `id` is from [`Self::register_self_metric`].
    pub fn record_self_metric(&mut self, id: usize, value: f64, time_ms: i64) {
        if let Some(target) = self.targets.get(id) {
            self.sorted.add(target.slot, value, time_ms);
            self.accumulators.record(&mut self.sorted);
        }
    }

    /// Makes the next value of every gauge its latest, whatever its time: for a clock that went back.
    #[cold]
    pub fn forget_gauge_times(&mut self) {
        self.accumulators.forget_gauge_times();
    }

    /// Returns k6 series `number` as PromQL writes it, with its labels in this destination. Returns `None` if it has no target.
    pub fn describe(&self, number: usize) -> Option<String> {
        let slot = match *self.feeds.get(number)? {
            Feeds::Nothing => return None,
            Feeds::One(slot) => slot,
            Feeds::Several(index) => *self.several[index as usize].first()?,
        };
        let target = self.targets.iter().find(|target| target.slot == slot)?;
        let (key, _) = self.family_of_key.iter().find(|&(_, &family)| family == target.family)?;
        let labels = target.labels.decode().into_iter().map(|label| (label.name, label.value));
        Some(Selector::exact(&key.metric, labels).to_string())
    }

    /// Exports all target series, and starts the next window of their accumulators.
    pub fn close_window(&mut self, export: &mut WindowExport) {
        for (number, target) in self.targets.iter_mut().enumerate() {
            let Target { family, labels, slot, export_state } = target;
            let readings = self.accumulators.get(*slot);
            export.target(number, &self.families[*family as usize], &readings, labels, export_state);
            self.accumulators.close_window(*slot);
        }
    }

    /// All families, in the order of their registration.
    pub fn families(&self) -> &[Family] {
        &self.families
    }

    /// The number of target series.
    pub fn target_count(&self) -> usize {
        self.targets.len()
    }

    /// Logs a warning for each entry of the metrics option that selected no series.
    pub fn warn_of_unused_views(&self) {
        for (view, used) in self.rules.views.iter().zip(&self.used_views) {
            if view.expected && !used {
                self.reporter.log(
                    event(Level::Warn, "No metric matched this entry of the metrics option")
                        .with("selector", view.source.to_string()),
                );
            }
        }
    }

    /// Returns the target series of a k6 series that has only the tags to keep. `target_name` is the name that its view sets.
    fn find_or_add_target(
        &mut self,
        definition: &SeriesDefinition,
        target_name: Option<String>,
    ) -> Result<u32, RecordOutcome> {
        let family = self.find_or_add_family(definition, target_name).ok_or(RecordOutcome::InvalidName)?;
        let labels = Arc::new(Labels::encode(&definition.labels(&self.rules.labels)));
        let mut hash = self.hasher.hash_one((family, labels.as_bytes()));
        while let Some(&target) = self.target_of_hash.get(&hash) {
            let known = &self.targets[target as usize];
            if known.family == family && known.labels == labels {
                return Ok(target);
            }
            hash = hash.wrapping_add(1);
        }
        let Some(target) = self.next_target() else {
            self.reporter.counters.series_over_max_series.add(1);
            self.warn_max_series();
            return Err(RecordOutcome::OverMaxSeries);
        };
        self.target_of_hash.insert(hash, target);
        self.add_target(family, labels);
        Ok(target)
    }

    /// Returns the index of the next target series, if `maxSeries` allows one.
    fn next_target(&self) -> Option<u32> {
        let next = self.targets.len();
        // Indices are 32 bits wide; so many series do not fit into memory.
        u32::try_from(next).ok().filter(|_| next < self.rules.max_series.saturating_add(self.self_metrics))
    }

    fn add_target(&mut self, index: u32, labels: Arc<Labels>) {
        let family = &self.families[index as usize];
        let slot = self.accumulators.add(family.metric_type(), family.value_type(), family.trend_forms());
        let (export_state, conflict) = self.conflicts.add_target(family, &labels);
        let conflict = conflict.map(String::from);
        self.targets.push(Target { labels, slot, family: index, export_state });
        if let Some(name) = conflict {
            let message = "Ignoring series: another metric already has this name and these labels";
            self.log_once(event(Level::Warn, message), &name);
        }
    }

    /// Returns the index of the family, or `None` if the name is not valid.
    fn find_or_add_family(&mut self, definition: &SeriesDefinition, target_name: Option<String>) -> Option<u32> {
        let SeriesDefinition { metric, metric_type, value_type, .. } = definition;
        let (metric_type, value_type) = (*metric_type, *value_type);
        let key = FamilyKey { metric: metric.clone(), metric_type, value_type, target_name };
        if let Some(&family) = self.family_of_key.get(&key) {
            return Some(family);
        }
        let mapping = &self.rules.mapping;
        let target_name = key.target_name.as_deref();
        let name = target_name.map_or_else(|| format!("{}{metric}", mapping.metric_prefix), String::from);
        if !is_metric_name(&name) {
            self.log_once(event(Level::Warn, "Ignoring metric: not a valid Prometheus metric name"), &name);
            return None;
        }
        // So many do not fit into memory.
        let index = self.families.len() as u32;
        self.families.push(Family::new(mapping, target_name, metric, metric_type, value_type));
        self.family_of_key.insert(key, index);
        let targets = self.targets.iter().map(|target| (target.family as usize, &*target.labels));
        self.conflicts.add_family(&self.families, targets);
        Some(index)
    }

    #[cold]
    fn warn_max_series(&mut self) {
        if !std::mem::replace(&mut self.warned_max_series, true) {
            let targets =
                self.targets[self.self_metrics..].iter().map(|target| (target.family as usize, &*target.labels));
            let test_wide = self.rules.test_wide_tags.iter().map(String::as_str);
            let needed: Vec<_> = IDENTIFYING_LABELS.into_iter().chain(test_wide).collect();
            self.reporter.log(max_series_warning(self.rules.max_series, targets, &needed));
        }
    }

    fn warn_too_large(&mut self, metric: &str, bytes: usize) {
        let error = format!("series has {bytes} bytes of text: must be at most {MAX_SERIES_BYTES}");
        self.log_once(event(Level::Error, "Failed to register series").with("error", error), metric);
    }

    /// Logs an event unless there was one with the same message for this metric.
    fn log_once(&mut self, event: Event, metric: &str) {
        if self.logged.insert((event.message.clone(), metric.into())) {
            self.reporter.log(event.with("metric", metric));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::Accumulator;
    use crate::report::Reporter;
    use crate::series::view::Tags;

    fn registry() -> (Registry, Arc<Reporter>) {
        with_views(vec![View::everything()])
    }

    fn with_views(views: Vec<View>) -> (Registry, Arc<Reporter>) {
        let reporter = Arc::new(Reporter::default());
        let rules = Rules { views, test_wide_tags: vec!["testid".into()], ..rules(100) };
        (Registry::new(rules, reporter.destination("http://host/w")), reporter)
    }

    /// The rules of a destination that exports all metrics.
    fn rules(max_series: usize) -> Rules {
        Rules {
            views: vec![View::everything()],
            test_wide_tags: vec![],
            mapping: Mapping::default(),
            labels: LabelRules::default(),
            max_series,
        }
    }

    fn view(selector: &str, target: Option<&str>, tags: &[&str]) -> View {
        View {
            source: Selector::parse(selector).expect("valid"),
            target: target.map(String::from),
            tags: Tags::Only(tags.iter().map(|&tag| tag.into()).collect()),
            expected: true,
        }
    }

    /// Returns the indices of the targets that a k6 series feeds.
    fn target_indices(registry: &Registry, number: usize) -> Vec<usize> {
        let slots = match registry.feeds[number] {
            Feeds::Nothing => &[][..],
            Feeds::One(slot) => &[slot],
            Feeds::Several(index) => &registry.several[index as usize],
        };
        let index_of = |&slot: &Slot| registry.targets.iter().position(|target| target.slot == slot);
        slots.iter().filter_map(index_of).collect()
    }

    /// Returns the totals of all targets, which must be counters.
    fn totals(registry: &Registry) -> Vec<f64> {
        let total = |target: &Target| match registry.accumulators.get(target.slot) {
            Accumulator::Counter(counter) => counter.total(),
            other => panic!("not a counter: {other:?}"),
        };
        registry.targets.iter().map(total).collect()
    }

    /// Returns the outcome of a sample of each of the first `series` k6 series: as it is counted.
    fn outcomes(registry: &Registry, series: usize) -> Vec<RecordOutcome> {
        registry.outcomes[..series].to_vec()
    }

    fn definition(metric: &str, metric_type: MetricType, tags: &[(&str, &str)]) -> SeriesDefinition {
        SeriesDefinition::new(metric, metric_type).with_tags(tags.iter().copied())
    }

    #[test]
    fn series_with_equal_labels_feed_one_target() {
        let (mut registry, _) = registry();
        registry.register(&definition("m", MetricType::Counter, &[("a-b", "1")]));
        registry.register(&definition("m", MetricType::Counter, &[("a.b", "1"), ("empty", "")]));
        registry.register(&definition("m", MetricType::Counter, &[("a_b", "2")]));
        assert_eq!(
            [target_indices(&registry, 0), target_indices(&registry, 1), target_indices(&registry, 2)],
            [vec![0], vec![0], vec![1]]
        );
        assert_eq!(registry.families.len(), 1);
        registry.record(&[Sample { series: 4, time_ms: 0, value: 1.0 }], 0);
        assert_eq!(registry.reporter.counters.samples_invalid_name.get(), 1, "an unknown number");
    }

    #[test]
    fn one_series_feeds_a_target_of_each_view_that_selects_it() {
        let (mut registry, _) = with_views(vec![
            view("m", None, &[]),
            view(r#"m{status=~"2.."}"#, Some("good"), &["status"]),
            view("other", None, &[]),
            // Makes the same target series as the first view.
            view(r#"m{method="GET"}"#, None, &[]),
        ]);
        for tags in [
            [("status", "200"), ("method", "GET")],
            [("status", "201"), ("method", "POST")],
            [("status", "404"), ("method", "GET")],
        ] {
            registry.register(&definition("m", MetricType::Counter, &tags));
        }
        registry.register(&definition("unwanted", MetricType::Counter, &[]));
        assert_eq!(
            [
                target_indices(&registry, 0),
                target_indices(&registry, 1),
                target_indices(&registry, 2),
                target_indices(&registry, 3)
            ],
            [vec![0, 1], vec![0, 2], vec![0], vec![]]
        );
        let samples =
            [1.0, 2.0, 4.0, 8.0].into_iter().zip(1..).map(|(value, series)| Sample { series, time_ms: 0, value });
        registry.record(&Vec::from_iter(samples), 0);
        assert_eq!(registry.reporter.counters.samples_in.get(), 3);
        assert_eq!(totals(&registry), [7.0, 1.0, 2.0]);
        assert_eq!(registry.families[0].names().collect::<Vec<_>>(), ["k6_m_total"]);
        assert_eq!(registry.families[1].names().collect::<Vec<_>>(), ["good"]);
    }

    #[test]
    fn an_entry_of_the_metrics_option_that_selects_no_series_is_logged() {
        let (mut registry, reporter) = with_views(vec![
            view("m", None, &[]),
            view(r#"m{status="500"}"#, None, &[]),
            View { expected: false, ..view("data_sent", None, &[]) },
        ]);
        registry.register(&definition("m", MetricType::Counter, &[("status", "200")]));
        registry.warn_of_unused_views();
        let selector = reporter.poll().and_then(|event| event.fields.get("selector").cloned());
        assert_eq!(selector, Some(r#"m{status="500"}"#.into()));
        assert!(reporter.poll().is_none());
    }

    #[test]
    fn test_wide_tags_and_the_id_of_the_run_are_on_every_series() {
        let (mut registry, _) = with_views(vec![view("m", None, &[])]);
        registry.rules.labels.test_run_id = Some("run-1".into());
        let tags = [("testid", "7"), ("url", "/"), ("test_run_id", "a script's own, which the view drops")];
        registry.register(&definition("m", MetricType::Counter, &tags));
        let expected = definition("m", MetricType::Counter, &[("testid", "7"), ("test_run_id", "run-1")]);
        assert!(*registry.targets[0].labels == Labels::encode(&expected.labels(&LabelRules::default())));
    }

    #[test]
    fn a_metric_with_an_invalid_name_is_ignored_with_one_warning() {
        let (mut registry, reporter) = registry();
        for tag in ["1", "2"] {
            registry.register(&definition("größe", MetricType::Gauge, &[("tag", tag)]));
        }
        registry.register(&definition("fine", MetricType::Gauge, &[]));
        let outcomes = outcomes(&registry, 3);
        assert_eq!(outcomes, [RecordOutcome::InvalidName, RecordOutcome::InvalidName, RecordOutcome::Recorded]);
        assert_eq!(reporter.poll().and_then(|event| event.fields.get("metric").cloned()), Some("k6_größe".into()));
        assert!(reporter.poll().is_none());
    }

    #[test]
    fn a_name_with_the_same_labels_belongs_to_the_first_metric() {
        let (mut registry, reporter) = registry();
        registry.register(&definition("m", MetricType::Counter, &[("a", "1")]));
        registry.register(&definition("m_total", MetricType::Gauge, &[("a", "1")]));
        registry.register(&definition("m_total", MetricType::Gauge, &[("a", "2")]));
        registry.register(&definition("m", MetricType::Counter, &[("a", "2")]));
        let mut suppressed = ExportState::default();
        suppressed.suppress(0);
        let all: Vec<_> = registry.targets.iter().map(|target| target.export_state).collect();
        assert_eq!(all, [ExportState::default(), suppressed, ExportState::default(), suppressed]);
        // Again, with tags that become the same labels.
        registry.register(&definition("m_total", MetricType::Gauge, &[("a", "1"), ("b", "")]));
        let outcomes = outcomes(&registry, 5);
        let (recorded, conflict) = (RecordOutcome::Recorded, RecordOutcome::NameConflict);
        assert_eq!(outcomes, [recorded, conflict, recorded, conflict, conflict]);
        assert!(reporter.poll().is_some());
        assert!(reporter.poll().is_none());
    }

    #[test]
    fn self_metrics_are_not_counted_by_max_series() {
        let reporter = Arc::new(Reporter::default());
        let destination = reporter.destination("http://host/w");
        let mut registry = Registry::new(rules(2), Arc::clone(&destination));
        for metric in ["x", "y", "z"] {
            assert!(registry.register_self_metric(&definition(metric, MetricType::Gauge, &[])).is_some());
        }
        for url in ["a", "b", "c"] {
            registry.register(&definition("m", MetricType::Gauge, &[("url", url)]));
        }
        let outcomes = outcomes(&registry, 3);
        let (recorded, over) = (RecordOutcome::Recorded, RecordOutcome::OverMaxSeries);
        assert_eq!(outcomes, [recorded, recorded, over]);
        assert_eq!(reporter.poll().expect("warned").fields["label_value_count"], 2);
    }

    #[test]
    fn over_max_series_new_series_are_counted_and_known_ones_are_recorded() {
        let reporter = Arc::new(Reporter::default());
        let destination = reporter.destination("http://host/w");
        let mut registry = Registry::new(rules(3), Arc::clone(&destination));
        for url in ["a", "b", "c", "d", "a", "e"] {
            registry.register(&definition("m", MetricType::Gauge, &[("url", url), ("method", "GET")]));
        }
        let outcomes = outcomes(&registry, 6);
        let (recorded, over) = (RecordOutcome::Recorded, RecordOutcome::OverMaxSeries);
        assert_eq!(outcomes, [recorded, recorded, recorded, over, recorded, over]);
        assert_eq!(destination.counters.series_over_max_series.get(), 2);
        let warning = reporter.poll().expect("warned");
        assert_eq!(
            (&warning.fields["label_with_most_values"], &warning.fields["label_value_count"]),
            (&"url".into(), &3.into())
        );
        assert!(warning.fields["hint"].as_str().is_some_and(|hint| hint.contains(r#"dropTags: ["url"]"#)));
        assert!(reporter.poll().is_none(), "one warning");
    }
}
