//! Which accumulators a k6 series feeds, and which metric owns which name.
//!
//! Belongs to the resampling thread. Each view that selects a k6 series makes one target series of it, found once, when the k6
//! series is registered; k6 series that have the same metric and labels once both are made valid feed one target series. A
//! name and labels that two metrics would share belong to the first.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use crate::aggregate::Accumulator;
use crate::export::{ExportState, Family, Mapping};
use crate::k6::{MetricType, ValueType};
use crate::report::{DestinationReporter, Level, event};
use crate::series::view::View;
use crate::series::{LabelRules, SeriesDefinition, is_metric_name};
use crate::wire::Labels;

/// The tag of every series of a destination that wants the run's id.
const TEST_RUN_ID: &str = "test_run_id";

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
    pub shipped: ExportState,
}

impl Target {
    /// Takes one value in k6's unit: times become seconds here, and nowhere else.
    #[inline]
    pub fn record(&mut self, value: f64, time_ms: i64) {
        self.accumulator.record(value / self.divisor, time_ms);
    }
}

/// Which target series a k6 series feeds: a part of [`Registry::target_indices`].
#[derive(Debug, Clone, Copy, PartialEq)]
struct TargetRange {
    first: u32,
    count: u32,
    /// What becomes of its samples, if a view wanted the series, but it cannot be shipped.
    lost: Option<RecordOutcome>,
}

/// What became of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordOutcome {
    /// It is in all targets that its series feeds.
    Recorded,
    /// No view selects its series.
    NotSelected,
    /// A view wants its series, but Prometheus would not take its name; or it was never registered.
    InvalidName,
    /// A view wants its series, but there are as many as may be.
    OverLimit,
}

/// What makes one family: the k6 metric, and the name that its view gives it.
type FamilyKey = (String, MetricType, ValueType, Option<String>);

/// What of a destination's configuration the registry goes by.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// What the destination wants.
    pub views: Vec<View>,
    /// The names of the tags that every view keeps.
    pub test_wide_tags: Vec<String>,
    /// The run's id, if the destination wants it.
    pub test_run_id: Option<String>,
    /// How metrics are named and trends are kept.
    pub mapping: Mapping,
    /// How tags become labels.
    pub labels: LabelRules,
    /// The most target series there may be.
    pub max_series: usize,
}

/// All series of one destination.
pub struct Registry {
    /// One for each k6 metric and name of its own, in the order of their first series.
    pub families: Vec<Family>,
    /// In the order of their first k6 series.
    pub targets: Vec<Target>,
    /// By k6 series.
    ranges: Vec<TargetRange>,
    /// The indices of targets, those of one k6 series side by side.
    target_indices: Vec<u32>,
    family_of_metric: HashMap<FamilyKey, usize>,
    /// By the hash of family and labels; a second target with one hash stands at the next free number.
    target_of_hash: HashMap<u64, u32>,
    hasher: RandomState,
    families_of_name: HashMap<String, Vec<usize>>,
    /// For names that several metrics make: the identities that are taken.
    contested: HashMap<String, HashSet<Vec<u8>>>,
    warned: HashSet<String>,
    warned_over_limit: bool,
    rules: Rules,
    /// By view: whether it has selected a series.
    used: Vec<bool>,
    reporter: Arc<DestinationReporter>,
}

impl Registry {
    /// An empty registry.
    pub fn new(rules: Rules, reporter: Arc<DestinationReporter>) -> Self {
        Self {
            families: Vec::new(),
            targets: Vec::new(),
            ranges: Vec::new(),
            target_indices: Vec::new(),
            family_of_metric: HashMap::new(),
            target_of_hash: HashMap::new(),
            hasher: RandomState::new(),
            families_of_name: HashMap::new(),
            contested: HashMap::new(),
            warned: HashSet::new(),
            warned_over_limit: false,
            used: vec![false; rules.views.len()],
            rules,
            reporter,
        }
    }

    /// Takes the next k6 series: the first has number 0.
    pub fn register(&mut self, definition: &SeriesDefinition) {
        let first = self.target_indices.len();
        let mut lost = None;
        for number in 0..self.rules.views.len() {
            let view = &self.rules.views[number];
            if !view.selects(definition) {
                continue;
            }
            self.used[number] = true;
            let name = view.target.clone();
            let kept = self.with_test_run_id(view.keep(definition, &self.rules.test_wide_tags));
            match self.target(&kept, name) {
                // Two views that make the same of a series make it once.
                Ok(target) if !self.target_indices[first..].contains(&target) => self.target_indices.push(target),
                Ok(_) => {}
                Err(outcome) => lost = Some(outcome),
            }
        }
        // Indices are 32 bits wide; the memory of so many targets is out of reach.
        let count = (self.target_indices.len() - first) as u32;
        self.ranges.push(TargetRange { first: first as u32, count, lost });
    }

    /// Takes a series that is none of k6's, whatever the views, and returns its place in [`Self::targets`]; `None` if it is not
    /// shipped.
    pub fn register_self_metric(&mut self, definition: &SeriesDefinition) -> Option<usize> {
        let definition = self.with_test_run_id(Cow::Borrowed(definition));
        self.target(&definition, None).ok().map(|target| target as usize)
    }

    /// The series with the run's id, if the destination wants it.
    fn with_test_run_id<'a>(&self, mut series: Cow<'a, SeriesDefinition>) -> Cow<'a, SeriesDefinition> {
        if let Some(id) = &self.rules.test_run_id {
            let tags = &mut series.to_mut().tags;
            tags.retain(|(name, _)| name != TEST_RUN_ID);
            tags.push((TEST_RUN_ID.into(), id.clone()));
        }
        series
    }

    /// Records a value in every target series that k6 series `number` feeds. Allocates nothing once a series' spread of
    /// values is known.
    #[inline]
    pub fn record(&mut self, number: usize, value: f64, time_ms: i64) -> RecordOutcome {
        let Some(range) = self.ranges.get(number) else { return RecordOutcome::InvalidName };
        let target_indices = &self.target_indices[range.first as usize..][..range.count as usize];
        for &target in target_indices {
            self.targets[target as usize].record(value, time_ms);
        }
        range.lost.unwrap_or(if range.count == 0 { RecordOutcome::NotSelected } else { RecordOutcome::Recorded })
    }

    /// Tells of what was asked for and never came.
    pub fn warn_of_unused_views(&self) {
        for (view, used) in self.rules.views.iter().zip(&self.used) {
            if view.expected && !used {
                self.reporter.log(
                    event(Level::Warn, "No metric of the run matched this entry of the option metrics")
                        .with("selector", view.source.to_string()),
                );
            }
        }
    }

    /// The target series of a k6 series that has only the tags to keep; `name` is the one its view gives it.
    fn target(&mut self, definition: &SeriesDefinition, name: Option<String>) -> Result<u32, RecordOutcome> {
        let family = self.family(definition, name).ok_or(RecordOutcome::InvalidName)?;
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
            self.warn_over_limit();
            return Err(RecordOutcome::OverLimit);
        };
        self.target_of_hash.insert(hash, target);
        let shipped = self.claim(family, &labels);
        let made_of = &self.families[family];
        let accumulator = Accumulator::new(made_of.metric_type(), made_of.trend_forms());
        let divisor = made_of.divisor();
        self.targets.push(Target { family, labels, accumulator, divisor, shipped });
        Ok(target)
    }

    /// The index of one more target, if there may be one.
    fn next_target(&self) -> Option<u32> {
        let next = self.targets.len();
        // Indices are 32 bits wide; the memory of so many series is out of reach.
        u32::try_from(next).ok().filter(|_| next < self.rules.max_series)
    }

    fn family(&mut self, definition: &SeriesDefinition, target_name: Option<String>) -> Option<usize> {
        let key = (definition.metric.clone(), definition.metric_type, definition.value_type, target_name);
        if let Some(&family) = self.family_of_metric.get(&key) {
            return Some(family);
        }
        let mapping = &self.rules.mapping;
        let name = match &key.3 {
            Some(name) => name.clone(),
            None => format!("{}{}", mapping.metric_prefix, definition.metric),
        };
        if !is_metric_name(&name) {
            self.warn_once(&name, "Prometheus takes no metric of this name: it is ignored");
            return None;
        }
        let family = Family::new(mapping, key.3.as_deref(), &key.0, key.1, key.2);
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

    /// Takes the names of a new target; those of which a series is taken already are suppressed.
    fn claim(&mut self, family: usize, labels: &Labels) -> ExportState {
        let mut shipped = ExportState::default();
        let mut lost = None;
        for (name, taken) in &mut self.contested {
            let of_family: Vec<_> = identities(&self.families[family], name, labels).collect();
            for (index, _) in of_family.iter().filter(|(_, identity)| taken.contains(identity)) {
                shipped.suppress(*index);
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
                .with("label_value_count", values)
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
    use crate::series::selector::Selector;
    use crate::series::view::Tags;

    fn registry() -> (Registry, Arc<Reporter>) {
        with_views(vec![View::everything()])
    }

    fn with_views(views: Vec<View>) -> (Registry, Arc<Reporter>) {
        let reporter = Arc::new(Reporter::default());
        let rules = Rules { views, test_wide_tags: vec!["testid".into()], ..rules(100) };
        (Registry::new(rules, reporter.destination("http://host/w")), reporter)
    }

    /// Those of a destination that ships everything.
    fn rules(max_series: usize) -> Rules {
        Rules {
            views: vec![View::everything()],
            test_wide_tags: vec![],
            test_run_id: None,
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

    /// The targets that a k6 series feeds.
    fn target_indices(registry: &Registry, number: usize) -> &[u32] {
        let range = registry.ranges[number];
        &registry.target_indices[range.first as usize..][..range.count as usize]
    }

    /// The totals of all targets, which are counters.
    fn totals(registry: &Registry) -> Vec<f64> {
        let total = |target: &Target| match &target.accumulator {
            Accumulator::Counter(counter) => counter.total(),
            other => panic!("no counter: {other:?}"),
        };
        registry.targets.iter().map(total).collect()
    }

    fn definition(metric: &str, metric_type: MetricType, tags: &[(&str, &str)]) -> SeriesDefinition {
        let tags = tags.iter().map(|&(name, value)| (name.into(), value.into())).collect();
        SeriesDefinition { metric: metric.into(), metric_type, value_type: ValueType::Default, tags }
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
        assert_eq!(registry.record(3, 1.0, 0), RecordOutcome::InvalidName, "no such series");
    }

    #[test]
    fn one_series_feeds_a_target_of_each_view_that_selects_it() {
        let (mut registry, _) = with_views(vec![
            view("m", None, &[]),
            view(r#"m{status=~"2.."}"#, Some("good"), &["status"]),
            view("other", None, &[]),
            // The same as the first: it makes nothing twice.
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
    fn what_was_asked_for_and_never_came_is_told() {
        let (mut registry, reporter) = with_views(vec![
            view("m", None, &[]),
            view(r#"m{status="500"}"#, None, &[]),
            View { expected: false, ..view("data_sent", None, &[]) },
        ]);
        registry.register(&definition("m", MetricType::Counter, &[("status", "200")]));
        registry.warn_of_unused_views();
        let told = reporter.poll().and_then(|event| event.fields.get("selector").cloned());
        assert_eq!(told, Some(r#"m{status="500"}"#.into()));
        assert!(reporter.poll().is_none());
    }

    #[test]
    fn test_wide_tags_and_the_runs_id_are_always_there() {
        let (mut registry, _) = with_views(vec![view("m", None, &[])]);
        registry.rules.test_run_id = Some("run-1".into());
        let tags = [("testid", "7"), ("url", "/"), ("test_run_id", "a script's own")];
        registry.register(&definition("m", MetricType::Counter, &tags));
        let expected = definition("m", MetricType::Counter, &[("testid", "7"), ("test_run_id", "run-1")]);
        assert!(*registry.targets[0].labels == Labels::encode(&expected.labels(&LabelRules::default())));
    }

    #[test]
    fn a_name_that_prometheus_does_not_take_is_ignored_with_one_warning() {
        let (mut registry, reporter) = registry();
        for tag in ["1", "2"] {
            registry.register(&definition("größe", MetricType::Gauge, &[("tag", tag)]));
        }
        registry.register(&definition("fine", MetricType::Gauge, &[]));
        let taken: Vec<_> = (0..3).map(|number| registry.record(number, 1.0, 0)).collect();
        assert_eq!(taken, [RecordOutcome::InvalidName, RecordOutcome::InvalidName, RecordOutcome::Recorded]);
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
        let mut suppressed = ExportState::default();
        suppressed.suppress(0);
        let all: Vec<_> = registry.targets.iter().map(|target| target.shipped).collect();
        assert_eq!(all, [ExportState::default(), suppressed, ExportState::default(), suppressed]);
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
        let fates: Vec<_> = (0..6).map(|number| registry.record(number, 1.0, 0)).collect();
        let (taken, over) = (RecordOutcome::Recorded, RecordOutcome::OverLimit);
        assert_eq!(fates, [taken, taken, taken, over, taken, over]);
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
