//! The catalog of a destination's series: which target series a k6 series feeds.
//!
//! In come k6 series, from [`super::registrar`]. Each view that selects a k6 series makes one target series of it; k6 series with the
//! same metric and, once made valid, the same labels feed one target series. Names and labels come from [`crate::series`];
//! [`super::name_conflicts`] decides between metrics that export the same series. Out go target series and families, by numbers
//! from 0 on, to [`super::registry`], which has their values.
//!
//! A goroutine of k6 waits meanwhile: nothing here takes longer, the more series there are, until two metrics have one name.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hashbrown::DefaultHashBuilder;

use super::label_warnings::LabelWarnings;
use super::name_conflicts::NameConflicts;
use super::sharded_table::ShardedTable;
use crate::export::{ExportState, Family, Mapping};
use crate::k6::{MetricType, ValueType};
use crate::report::{DestinationReporter, Event, Level, event};
use crate::series::view::View;
use crate::series::{LabelRules, MAX_SERIES_BYTES, SeriesDefinition, is_metric_name};
use crate::wire::Labels;

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

/// What the samples of a k6 series feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// The numbers of the target series, each once.
    pub targets: Vec<u32>,
    /// The outcome of each sample.
    pub outcome: RecordOutcome,
}

/// What was added to a catalog.
#[derive(Default)]
pub struct Additions {
    /// True if `maxSeries` has been reached.
    pub over_max_series: bool,
    /// The next families.
    pub families: Vec<Arc<Family>>,
    /// The next target series.
    pub targets: Vec<NewTarget>,
}

/// A new target series.
pub struct NewTarget {
    /// The number of its family.
    pub family: u32,
    /// The labels without the name.
    pub labels: Arc<Labels>,
    /// The names that belong to another metric are suppressed.
    pub export_state: ExportState,
}

/// A target series of the catalog.
struct KnownTarget {
    number: u32,
    family: u32,
    labels: Arc<Labels>,
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

/// The views of a destination that have selected a series.
pub struct UsedViews {
    rules: Arc<Rules>,
    used: Vec<AtomicBool>,
}

impl UsedViews {
    /// Logs a warning for each entry of the metrics option that selected no series.
    pub fn warn_of_unused(&self, reporter: &DestinationReporter) {
        for (view, used) in self.rules.views.iter().zip(&self.used) {
            if view.expected && !used.load(Ordering::Relaxed) {
                reporter.log(
                    event(Level::Warn, "No metric matched this entry of the metrics option")
                        .with("selector", view.source.to_string()),
                );
            }
        }
    }
}

/// The series of one destination.
pub struct Catalog {
    rules: Arc<Rules>,
    used_views: Arc<UsedViews>,
    /// One for each k6 metric and target name, in the order of their first series.
    families: Vec<Arc<Family>>,
    family_of_key: HashMap<FamilyKey, u32>,
    /// The labels of all targets. Metrics with the same tags share them: k6 has many for each request.
    labels: ShardedTable<Arc<Labels>>,
    targets: ShardedTable<KnownTarget>,
    target_count: u32,
    /// Target series with a name that belongs to another metric.
    conflicting: HashSet<u32>,
    /// The number of self metrics, which are the first of the targets.
    self_metrics: usize,
    additions: Additions,
    hasher: DefaultHashBuilder,
    conflicts: NameConflicts,
    /// Messages that were logged for a metric, and its name.
    logged: HashSet<(String, String)>,
    label_warnings: LabelWarnings,
    reporter: Arc<DestinationReporter>,
}

impl Rules {
    /// Rules of a destination with these views, with the defaults of all else.
    #[cfg(test)]
    pub fn of_views(views: Vec<View>) -> Self {
        Self {
            views,
            test_wide_tags: vec!["testid".into()],
            mapping: Mapping::default(),
            labels: LabelRules::default(),
            max_series: 100,
        }
    }
}

impl Catalog {
    /// Creates an empty catalog.
    pub fn new(rules: Arc<Rules>, reporter: Arc<DestinationReporter>) -> Self {
        let used = rules.views.iter().map(|_| AtomicBool::new(false)).collect();
        Self {
            used_views: Arc::new(UsedViews { rules: Arc::clone(&rules), used }),
            rules,
            families: Vec::new(),
            family_of_key: HashMap::new(),
            labels: ShardedTable::default(),
            targets: ShardedTable::default(),
            target_count: 0,
            conflicting: HashSet::new(),
            self_metrics: 0,
            additions: Additions::default(),
            hasher: DefaultHashBuilder::default(),
            conflicts: NameConflicts::default(),
            logged: HashSet::new(),
            label_warnings: LabelWarnings::default(),
            reporter,
        }
    }

    /// Returns what a k6 series feeds, and adds what does not exist yet.
    pub fn register(&mut self, definition: &SeriesDefinition) -> Selection {
        let rules = Arc::clone(&self.rules);
        let mut targets = Vec::new();
        let mut rejected = None;
        for (view, used) in rules.views.iter().zip(&Arc::clone(&self.used_views).used) {
            if !view.selects(definition) {
                continue;
            }
            used.store(true, Ordering::Relaxed);
            if let Some(bytes) = definition.too_large {
                self.warn_too_large(&definition.metric, bytes);
                rejected = Some(RecordOutcome::InvalidSeries);
                continue;
            }
            let kept = view.keep(definition, &rules.test_wide_tags);
            match self.find_or_add_target(&kept, view.target.clone()) {
                Ok(target) => {
                    if self.conflicting.contains(&target) {
                        rejected = Some(RecordOutcome::NameConflict);
                    }
                    // Two views may make the same target series: it is fed once.
                    if !targets.contains(&target) {
                        targets.push(target);
                    }
                }
                Err(outcome) => rejected = Some(outcome),
            }
        }
        let selected = if targets.is_empty() { RecordOutcome::NotSelected } else { RecordOutcome::Recorded };
        Selection { targets, outcome: rejected.unwrap_or(selected) }
    }

    /// Registers a self metric, which no view applies to, and which `maxSeries` does not count. To be called before any k6 series
    /// is registered. One that is `dormant` has no points until its first value that is not 0. Returns the number of its target
    /// series, or `None` if it is not exported.
    pub fn register_self_metric(&mut self, definition: &SeriesDefinition, dormant: bool) -> Option<u32> {
        // Makes room for this one.
        self.self_metrics = self.target_count as usize + 1;
        let target = self.find_or_add_target(definition, None).ok();
        self.self_metrics = self.target_count as usize;
        if let Some(added) = self.additions.targets.last_mut().filter(|_| dormant && target.is_some()) {
            added.export_state.set_dormant();
        }
        target
    }

    /// Takes what was added since the last call.
    pub fn take_additions(&mut self) -> Additions {
        std::mem::take(&mut self.additions)
    }

    /// The views that have selected a series.
    pub fn used_views(&self) -> Arc<UsedViews> {
        Arc::clone(&self.used_views)
    }

    /// Returns the target series of a k6 series that has only the tags to keep. `target_name` is the name that its view sets.
    fn find_or_add_target(
        &mut self,
        definition: &SeriesDefinition,
        target_name: Option<String>,
    ) -> Result<u32, RecordOutcome> {
        let family = self.find_or_add_family(definition, target_name).ok_or(RecordOutcome::InvalidName)?;
        let label_list = definition.labels(&self.rules.labels);
        let labels = Labels::encode(&label_list);
        let labels_hash = hash_of_labels(&self.hasher, &labels);
        let shared = self.labels.find(labels_hash, |known| **known == labels).map(Arc::clone);
        if let Some(labels) = &shared {
            let is_equal = |known: &KnownTarget| known.family == family && Arc::ptr_eq(&known.labels, labels);
            if let Some(known) = self.targets.find(hash_of_target(&self.hasher, family, labels), is_equal) {
                return Ok(known.number);
            }
        }
        if self.target_count as usize >= self.rules.max_series.saturating_add(self.self_metrics) {
            self.reporter.counters.series_over_max_series.add(1);
            self.additions.over_max_series = true;
            return Err(RecordOutcome::OverMaxSeries);
        }
        let warnings = self.label_warnings.check(definition, &label_list, &self.rules.labels);
        warnings.into_iter().for_each(|warning| self.reporter.log(warning));
        let labels = shared.unwrap_or_else(|| {
            let labels = Arc::new(labels);
            self.labels.insert(labels_hash, Arc::clone(&labels), |known| hash_of_labels(&self.hasher, known));
            labels
        });
        let known = self.add_target(family, labels);
        let number = known.number;
        let hash_of = |known: &KnownTarget| hash_of_target(&self.hasher, known.family, &known.labels);
        self.targets.insert(hash_of(&known), known, hash_of);
        Ok(number)
    }

    fn add_target(&mut self, family: u32, labels: Arc<Labels>) -> KnownTarget {
        let number = self.target_count;
        // So many do not fit into memory.
        self.target_count += 1;
        let (export_state, conflict) = self.conflicts.add_target(&self.families[family as usize], &labels);
        if let Some(name) = conflict.map(String::from) {
            self.conflicting.insert(number);
            let message = "Ignoring series: another metric already has this name and these labels";
            self.log_once(event(Level::Warn, message), &name);
        }
        self.additions.targets.push(NewTarget { family, labels: Arc::clone(&labels), export_state });
        KnownTarget { number, family, labels }
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
        let family = Arc::new(Family::new(mapping, target_name, metric, metric_type, value_type));
        self.additions.families.push(Arc::clone(&family));
        self.families.push(family);
        self.family_of_key.insert(key, index);
        let targets = self.targets.iter().map(|known| (known.family as usize, &*known.labels));
        self.conflicts.add_family(&self.families, targets);
        if value_type == ValueType::Time && matches!(metric_type, MetricType::Counter | MetricType::Gauge) {
            let message = "Sending this metric of times in seconds; k6's own Prometheus output sends milliseconds";
            self.log_once(event(Level::Debug, message), &name);
        }
        Some(index)
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

fn hash_of_labels(hasher: &DefaultHashBuilder, labels: &Labels) -> u64 {
    hasher.hash_one(labels.as_bytes())
}

/// Returns a hash that reads nothing of the labels, of which the catalog has each set once.
fn hash_of_target(hasher: &DefaultHashBuilder, family: u32, labels: &Arc<Labels>) -> u64 {
    hasher.hash_one((family, Arc::as_ptr(labels).addr()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Reporter;
    use crate::series::selector::Selector;
    use crate::series::view::Tags;

    fn catalog() -> (Catalog, Arc<Reporter>) {
        with_rules(Rules::of_views(vec![View::everything()]))
    }

    fn with_rules(rules: Rules) -> (Catalog, Arc<Reporter>) {
        let reporter = Arc::new(Reporter::default());
        (Catalog::new(Arc::new(rules), reporter.destination("http://host/w")), reporter)
    }

    fn view(selector: &str, target: Option<&str>, tags: &[&str]) -> View {
        View {
            source: Selector::parse(selector).expect("valid"),
            target: target.map(String::from),
            tags: Tags::Only(tags.iter().map(|&tag| tag.into()).collect()),
            expected: true,
        }
    }

    fn definition(metric: &str, metric_type: MetricType, tags: &[(&str, &str)]) -> SeriesDefinition {
        SeriesDefinition::new(metric, metric_type).with_tags(tags.iter().copied())
    }

    /// Registers gauges of one metric that differ in a tag, and returns their outcomes.
    fn outcomes(catalog: &mut Catalog, urls: &[&str]) -> Vec<RecordOutcome> {
        let gauge = |url| definition("m", MetricType::Gauge, &[("url", url), ("method", "GET")]);
        urls.iter().map(|url| catalog.register(&gauge(url)).outcome).collect()
    }

    #[test]
    fn series_with_equal_labels_feed_one_target() {
        let (mut catalog, _) = catalog();
        let mut targets = |tags: &[_]| catalog.register(&definition("m", MetricType::Counter, tags)).targets;
        assert_eq!(targets(&[("a-b", "1")]), [0]);
        assert_eq!(targets(&[("a.b", "1"), ("empty", "")]), [0]);
        assert_eq!(targets(&[("a_b", "2")]), [1]);
        assert_eq!(catalog.register(&definition("n", MetricType::Counter, &[("a-b", "1")])).targets, [2]);
        let additions = catalog.take_additions();
        assert_eq!((additions.families.len(), additions.targets.len()), (2, 3));
        let same = |a: usize, b: usize| Arc::ptr_eq(&additions.targets[a].labels, &additions.targets[b].labels);
        assert!(same(0, 2) && !same(0, 1), "metrics share labels");
        assert!(catalog.take_additions().targets.is_empty());
    }

    #[test]
    fn a_counter_or_gauge_of_times_is_logged_once_at_debug_level() {
        let (mut catalog, reporter) = catalog();
        for (tag, (metric, metric_type, value_type)) in [
            ("age", MetricType::Gauge, ValueType::Time),
            ("age", MetricType::Gauge, ValueType::Time),
            ("waited", MetricType::Counter, ValueType::Time),
            ("duration", MetricType::Trend, ValueType::Time),
            ("bytes", MetricType::Gauge, ValueType::Data),
        ]
        .into_iter()
        .enumerate()
        {
            let series = SeriesDefinition::new(metric, metric_type).with_value_type(value_type);
            catalog.register(&series.with_tags([("a", tag.to_string())]));
        }
        let events: Vec<_> = std::iter::from_fn(|| reporter.poll()).collect();
        let metrics: Vec<_> = events.iter().map(|event| event.fields["metric"].as_str().unwrap_or_default()).collect();
        assert_eq!(metrics, ["k6_age", "k6_waited"]);
        assert!(events.iter().all(|event| event.level == Level::Debug && event.message.contains("seconds")));
    }

    #[test]
    fn one_series_feeds_a_target_of_each_view_that_selects_it() {
        let (mut catalog, _) = with_rules(Rules::of_views(vec![
            view("m", None, &[]),
            view(r#"m{status=~"2.."}"#, Some("good"), &["status"]),
            view("other", None, &[]),
            // Makes the same target series as the first view.
            view(r#"m{method="GET"}"#, None, &[]),
        ]));
        let mut select = |metric, tags: &[_]| {
            let Selection { targets, outcome } = catalog.register(&definition(metric, MetricType::Counter, tags));
            (targets, outcome)
        };
        let (recorded, not_selected) = (RecordOutcome::Recorded, RecordOutcome::NotSelected);
        assert_eq!(select("m", &[("status", "200"), ("method", "GET")]), (vec![0, 1], recorded));
        assert_eq!(select("m", &[("status", "201"), ("method", "POST")]), (vec![0, 2], recorded));
        assert_eq!(select("m", &[("status", "404"), ("method", "GET")]), (vec![0], recorded));
        assert_eq!(select("unwanted", &[]), (vec![], not_selected));
        let families = catalog.take_additions().families;
        let names: Vec<_> = families.iter().flat_map(|family| family.names()).collect();
        assert_eq!(names, ["k6_m_total", "good"]);
    }

    #[test]
    fn an_entry_of_the_metrics_option_that_selects_no_series_is_logged() {
        let (mut catalog, reporter) = with_rules(Rules::of_views(vec![
            view("m", None, &[]),
            view(r#"m{status="500"}"#, None, &[]),
            View { expected: false, ..view("data_sent", None, &[]) },
        ]));
        catalog.register(&definition("m", MetricType::Counter, &[("status", "200")]));
        catalog.used_views().warn_of_unused(&catalog.reporter);
        let selector = reporter.poll().and_then(|event| event.fields.get("selector").cloned());
        assert_eq!(selector, Some(r#"m{status="500"}"#.into()));
        assert!(reporter.poll().is_none());
    }

    #[test]
    fn test_wide_tags_and_the_id_of_the_run_are_on_every_series() {
        let mut rules = Rules::of_views(vec![view("m", None, &[])]);
        rules.labels.test_run_id = Some("run-1".into());
        let (mut catalog, _) = with_rules(rules);
        let tags = [("testid", "7"), ("url", "/"), ("test_run_id", "a script's own, which the view drops")];
        catalog.register(&definition("m", MetricType::Counter, &tags));
        let expected = definition("m", MetricType::Counter, &[("testid", "7"), ("test_run_id", "run-1")]);
        let expected = Labels::encode(&expected.labels(&LabelRules::default()));
        assert!(*catalog.take_additions().targets[0].labels == expected);
    }

    #[test]
    fn a_metric_with_an_invalid_name_is_ignored_with_one_warning() {
        let (mut catalog, reporter) = catalog();
        let mut outcome =
            |metric, tag| catalog.register(&definition(metric, MetricType::Gauge, &[("tag", tag)])).outcome;
        let outcomes = [outcome("größe", "1"), outcome("größe", "2"), outcome("fine", "")];
        assert_eq!(outcomes, [RecordOutcome::InvalidName, RecordOutcome::InvalidName, RecordOutcome::Recorded]);
        assert_eq!(reporter.poll().and_then(|event| event.fields.get("metric").cloned()), Some("k6_größe".into()));
        assert!(reporter.poll().is_none());
    }

    #[test]
    fn a_name_with_the_same_labels_belongs_to_the_first_metric() {
        let (mut catalog, reporter) = catalog();
        let mut outcome =
            |metric, metric_type, tags: &[_]| catalog.register(&definition(metric, metric_type, tags)).outcome;
        let outcomes = [
            outcome("m", MetricType::Counter, &[("a", "1")]),
            outcome("m_total", MetricType::Gauge, &[("a", "1")]),
            outcome("m_total", MetricType::Gauge, &[("a", "2")]),
            outcome("m", MetricType::Counter, &[("a", "2")]),
            // Again, with tags that become the same labels.
            outcome("m_total", MetricType::Gauge, &[("a", "1"), ("b", "")]),
        ];
        let (recorded, conflict) = (RecordOutcome::Recorded, RecordOutcome::NameConflict);
        assert_eq!(outcomes, [recorded, conflict, recorded, conflict, conflict]);
        let mut suppressed = ExportState::default();
        suppressed.suppress(0);
        let states: Vec<_> = catalog.take_additions().targets.iter().map(|target| target.export_state).collect();
        assert_eq!(states, [ExportState::default(), suppressed, ExportState::default(), suppressed]);
        assert!(reporter.poll().is_some());
        assert!(reporter.poll().is_none());
    }

    #[test]
    fn self_metrics_are_not_counted_by_max_series() {
        let (mut catalog, _) = with_rules(Rules { max_series: 2, ..Rules::of_views(vec![View::everything()]) });
        for (number, metric) in ["x", "y", "z"].into_iter().enumerate() {
            let self_metric = definition(metric, MetricType::Gauge, &[]);
            assert_eq!(catalog.register_self_metric(&self_metric, false), Some(number as u32));
        }
        let (recorded, over) = (RecordOutcome::Recorded, RecordOutcome::OverMaxSeries);
        assert_eq!(outcomes(&mut catalog, &["a", "b", "c"]), [recorded, recorded, over]);
    }

    #[test]
    fn over_max_series_new_series_are_counted_and_known_ones_are_recorded() {
        let (mut catalog, _) = with_rules(Rules { max_series: 3, ..Rules::of_views(vec![View::everything()]) });
        let (recorded, over) = (RecordOutcome::Recorded, RecordOutcome::OverMaxSeries);
        assert_eq!(outcomes(&mut catalog, &["a", "b", "c"]), [recorded; 3]);
        assert!(!catalog.take_additions().over_max_series);
        assert_eq!(outcomes(&mut catalog, &["d", "a", "e"]), [over, recorded, over]);
        assert!(catalog.take_additions().over_max_series);
        assert_eq!(catalog.reporter.counters.series_over_max_series.get(), 2);
    }
}
