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
use crate::aggregate::Accumulator;
use crate::export::{ExportState, Family, Mapping, WindowExport};
use crate::k6::{MetricType, ValueType};
use crate::report::{Counters, DestinationReporter, Event, Level, event};
use crate::series::selector::Selector;
use crate::series::view::View;
use crate::series::{IDENTIFYING_LABELS, LabelRules, MAX_SERIES_BYTES, SeriesDefinition, is_metric_name};
use crate::wire::Labels;

/// A target series.
struct Target {
    /// Index into [`Registry::families`].
    family: usize,
    /// The labels without the name.
    labels: Arc<Labels>,
    /// The recorded values, in Prometheus's unit.
    accumulator: Accumulator,
    /// Divisor from k6's unit to Prometheus's.
    divisor: f64,
    /// What was exported so far.
    export_state: ExportState,
    /// True if one of its series belongs to another metric and is not exported.
    conflicts: bool,
}

impl Target {
    /// Records one value in k6's unit, finite except for gauges. This is the only conversion of milliseconds to seconds.
    #[inline]
    fn record(&mut self, value: f64, time_ms: i64) {
        self.accumulator.record(value / self.divisor, time_ms);
    }
}

/// The target series that a k6 series feeds: a range of [`Registry::target_indices`].
#[derive(Debug, Clone, Copy, PartialEq)]
struct TargetRange {
    first: u32,
    count: u32,
    /// The outcome of each sample.
    outcome: RecordOutcome,
}

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
pub struct RecordOutcomes {
    recorded: u64,
    invalid_name: u64,
    invalid_series: u64,
    name_conflict: u64,
    over_max_series: u64,
}

impl RecordOutcomes {
    /// Counts one sample.
    #[inline]
    pub fn add(&mut self, outcome: RecordOutcome) {
        match outcome {
            RecordOutcome::Recorded => self.recorded += 1,
            RecordOutcome::NotSelected => {}
            RecordOutcome::InvalidName => self.invalid_name += 1,
            RecordOutcome::InvalidSeries => self.invalid_series += 1,
            RecordOutcome::NameConflict => self.name_conflict += 1,
            RecordOutcome::OverMaxSeries => self.over_max_series += 1,
        }
    }

    /// Adds the numbers to the counters of a destination.
    pub fn count(&self, counters: &Counters) {
        counters.samples_in.add(self.recorded);
        counters.samples_invalid_name.add(self.invalid_name);
        counters.samples_invalid_series.add(self.invalid_series);
        counters.samples_name_conflict.add(self.name_conflict);
        counters.samples_over_max_series.add(self.over_max_series);
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
    /// For each k6 series its target series.
    ranges: Vec<TargetRange>,
    /// Indices into `targets`; those of one k6 series are adjacent.
    target_indices: Vec<u32>,
    /// The number of self metrics, which are the first of the targets.
    self_metrics: usize,
    family_of_key: HashMap<FamilyKey, usize>,
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
            ranges: Vec::new(),
            target_indices: Vec::new(),
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
        let first = self.target_indices.len();
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
                    if self.targets[target as usize].conflicts {
                        rejected = Some(RecordOutcome::NameConflict);
                    }
                    // Two views may make the same target series: it is fed once.
                    if !self.target_indices[first..].contains(&target) {
                        self.target_indices.push(target);
                    }
                }
                Err(outcome) => rejected = Some(outcome),
            }
        }
        // Indices are 32 bits wide; so many targets do not fit into memory.
        let count = (self.target_indices.len() - first) as u32;
        let selected = if count == 0 { RecordOutcome::NotSelected } else { RecordOutcome::Recorded };
        self.ranges.push(TargetRange { first: first as u32, count, outcome: rejected.unwrap_or(selected) });
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

    /// Records a value in every target series that k6 series `number` feeds.
    ///
    /// Allocates nothing once the spread of a series' values is known.
    #[inline]
    pub fn record(&mut self, number: usize, value: f64, time_ms: i64) -> RecordOutcome {
        // Ids that were never returned do not get here: `ingest` rejects them.
        let Some(range) = self.ranges.get(number) else { return RecordOutcome::InvalidName };
        let target_indices = &self.target_indices[range.first as usize..][..range.count as usize];
        for &target in target_indices {
            self.targets[target as usize].record(value, time_ms);
        }
        range.outcome
    }

    /// Records a value of a self metric. `id` is from [`Self::register_self_metric`].
    pub fn record_self_metric(&mut self, id: usize, value: f64, time_ms: i64) {
        if let Some(target) = self.targets.get_mut(id) {
            target.record(value, time_ms);
        }
    }

    /// Makes the next value of every gauge its latest, whatever its time: for a clock that went back.
    #[cold]
    pub fn forget_gauge_times(&mut self) {
        for target in &mut self.targets {
            if let Accumulator::Gauge(gauge) = &mut target.accumulator {
                gauge.forget_time();
            }
        }
    }

    /// Returns k6 series `number` as PromQL writes it, with its labels in this destination. Returns `None` if it has no target.
    pub fn describe(&self, number: usize) -> Option<String> {
        let range = self.ranges.get(number).filter(|range| range.count > 0)?;
        let target = &self.targets[self.target_indices[range.first as usize] as usize];
        let (key, _) = self.family_of_key.iter().find(|&(_, &family)| family == target.family)?;
        let labels = target.labels.decode().into_iter().map(|label| (label.name, label.value));
        Some(Selector::exact(&key.metric, labels).to_string())
    }

    /// Exports all target series, and starts the next window of their accumulators.
    pub fn close_window(&mut self, export: &mut WindowExport) {
        for (number, target) in self.targets.iter_mut().enumerate() {
            let Target { family, labels, accumulator, export_state, .. } = target;
            export.target(number, &self.families[*family], accumulator, labels, export_state);
            accumulator.close_window();
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

    fn add_target(&mut self, index: usize, labels: Arc<Labels>) {
        let family = &self.families[index];
        let accumulator = Accumulator::new(family.metric_type(), family.trend_forms());
        let divisor = family.divisor();
        let (export_state, conflict) = self.conflicts.add_target(family, &labels);
        let conflict = conflict.map(String::from);
        let conflicts = conflict.is_some();
        self.targets.push(Target { family: index, labels, accumulator, divisor, export_state, conflicts });
        if let Some(name) = conflict {
            let message = "Ignoring series: another metric already has this name and these labels";
            self.log_once(event(Level::Warn, message), &name);
        }
    }

    /// Returns the index of the family, or `None` if the name is not valid.
    fn find_or_add_family(&mut self, definition: &SeriesDefinition, target_name: Option<String>) -> Option<usize> {
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
        let index = self.families.len();
        self.families.push(Family::new(mapping, target_name, metric, metric_type, value_type));
        self.family_of_key.insert(key, index);
        let targets = self.targets.iter().map(|target| (target.family, &*target.labels));
        self.conflicts.add_family(&self.families, targets);
        Some(index)
    }

    #[cold]
    fn warn_max_series(&mut self) {
        if !std::mem::replace(&mut self.warned_max_series, true) {
            let targets = self.targets[self.self_metrics..].iter().map(|target| (target.family, &*target.labels));
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
    fn target_indices(registry: &Registry, number: usize) -> &[u32] {
        let range = registry.ranges[number];
        &registry.target_indices[range.first as usize..][..range.count as usize]
    }

    /// Returns the totals of all targets, which must be counters.
    fn totals(registry: &Registry) -> Vec<f64> {
        let total = |target: &Target| match &target.accumulator {
            Accumulator::Counter(counter) => counter.total(),
            other => panic!("not a counter: {other:?}"),
        };
        registry.targets.iter().map(total).collect()
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
            [[0], [0], [1]]
        );
        assert_eq!(registry.families.len(), 1);
        assert_eq!(registry.record(3, 1.0, 0), RecordOutcome::InvalidName, "an unknown number");
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
            [&[0, 1][..], &[0, 2], &[0], &[]]
        );
        for (series, value) in [1.0, 2.0, 4.0, 8.0].into_iter().enumerate() {
            let expected = if series < 3 { RecordOutcome::Recorded } else { RecordOutcome::NotSelected };
            assert_eq!(registry.record(series, value, 0), expected);
        }
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
        let outcomes: Vec<_> = (0..3).map(|number| registry.record(number, 1.0, 0)).collect();
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
        let outcomes: Vec<_> = (0..5).map(|number| registry.record(number, 1.0, 0)).collect();
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
        let outcomes: Vec<_> = (0..3).map(|number| registry.record(number, 1.0, 0)).collect();
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
        let outcomes: Vec<_> = (0..6).map(|number| registry.record(number, 1.0, 0)).collect();
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
