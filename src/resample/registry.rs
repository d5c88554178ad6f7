//! The registry of a destination's series: what was recorded of each target series, and what was exported.
//!
//! In come new ids and target series, from [`super::catalog`] through [`super::registrar`], and samples, from [`super::pipeline`].

use std::sync::Arc;

use super::cardinality::{GrowthCheck, max_series_warning};
use super::catalog::{Additions, NewTarget, RecordOutcome, Rules, Selection};
use super::metadata::SamplesWithMetadata;
use crate::aggregate::{Accumulators, Exemplars, Slot, Sorted};
use crate::export::{ExportState, Family, WindowExport};
use crate::k6::Sample;
use crate::report::{Counters, DestinationReporter, Level, event};
use crate::series::IDENTIFYING_LABELS;
use crate::series::exemplar_labels::ExemplarLabels;
use crate::series::selector::Selector;
use crate::wire::{Exemplar, Labels};

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

/// All series of one destination.
pub struct Registry {
    /// One for each k6 metric and target name, in the order of their first series.
    families: Vec<Arc<Family>>,
    /// In the order of their first k6 series.
    targets: Vec<Target>,
    /// The accumulators of the targets.
    accumulators: Accumulators,
    /// For each id what its samples feed.
    feeds: Vec<Feeds>,
    /// For each id the outcome of its samples.
    outcomes: Vec<RecordOutcome>,
    /// What ids with several target series feed.
    several: Vec<Box<[Slot]>>,
    sorted: Sorted,
    exemplar_labels: ExemplarLabels,
    exemplars: Exemplars,
    warned_left_out: bool,
    /// The number of self metrics, which are the first of the targets.
    self_metrics: usize,
    /// Families of self metrics that have their first value.
    woken: Vec<Arc<Family>>,
    warned_max_series: bool,
    growth: GrowthCheck,
    rules: Arc<Rules>,
    reporter: Arc<DestinationReporter>,
}

impl Registry {
    /// Creates a registry of the self metrics.
    pub fn new(rules: Arc<Rules>, self_metrics: Additions, reporter: Arc<DestinationReporter>) -> Self {
        let mut registry = Self {
            families: Vec::new(),
            targets: Vec::new(),
            accumulators: Accumulators::default(),
            feeds: Vec::new(),
            outcomes: Vec::new(),
            several: Vec::new(),
            sorted: Sorted::default(),
            exemplar_labels: ExemplarLabels::new(&rules.labels),
            exemplars: Exemplars::default(),
            warned_left_out: false,
            self_metrics: self_metrics.targets.len(),
            woken: Vec::new(),
            warned_max_series: false,
            growth: GrowthCheck::default(),
            rules,
            reporter,
        };
        registry.add(self_metrics);
        registry
    }

    /// Adds the next id. Ids count these calls, from 1 on.
    pub fn add_id(&mut self, selection: &Selection, additions: Additions) {
        self.add(additions);
        let slots = selection.targets.iter().map(|&number| self.targets[number as usize].slot);
        self.feeds.push(match selection.targets.len() {
            0 => Feeds::Nothing,
            1 => slots.map(Feeds::One).next().unwrap_or(Feeds::Nothing),
            _ => {
                self.several.push(slots.collect());
                // So many do not fit into memory.
                Feeds::Several(self.several.len() as u32 - 1)
            }
        });
        self.outcomes.push(selection.outcome);
    }

    fn add(&mut self, additions: Additions) {
        self.families.extend(additions.families);
        if additions.over_max_series {
            self.warn_max_series();
        }
        for NewTarget { family, labels, export_state } in additions.targets {
            let of = &self.families[family as usize];
            let slot = self.accumulators.add(of.metric_type(), of.value_type(), of.trend_forms());
            if !export_state.is_dormant() {
                self.reporter.counters.active_series.add(export_state.series_count(of) as u64);
            }
            self.targets.push(Target { labels, slot, family, export_state });
        }
        self.warn_of_growth();
    }

    /// Records samples in every target series that their ids feed. No time is later than `now_ms`. Values must be finite,
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

    /// Chooses exemplars among samples that [`Self::record`] has recorded or is about to. Those with a value that is not finite, or
    /// a time later than `now_ms`, are none.
    pub fn record_metadata(&mut self, samples: &SamplesWithMetadata, now_ms: i64) {
        if self.exemplar_labels.is_empty() {
            return;
        }
        for (sample, metadata) in samples.iter() {
            if !self.warned_left_out {
                self.warn_left_out(metadata.clone());
            }
            let is_valid = sample.value.is_finite() && (1..=now_ms).contains(&sample.time_ms);
            if !is_valid || !self.exemplar_labels.apply_to(metadata.clone()) {
                continue;
            }
            let slots = match self.feeds.get(sample.series.wrapping_sub(1) as usize) {
                Some(Feeds::One(slot)) => std::slice::from_ref(slot),
                Some(&Feeds::Several(index)) => &self.several[index as usize],
                Some(Feeds::Nothing) | None => &[],
            };
            let mut labels = None;
            let mut encoded = || Arc::new(Labels::encode(&self.exemplar_labels.labels(metadata.clone())));
            for &slot in slots {
                self.exemplars.offer(slot, sample, || Arc::clone(labels.get_or_insert_with(&mut encoded)));
            }
        }
    }

    fn warn_left_out<'a>(&mut self, metadata: impl Iterator<Item = (&'a str, &'a str)> + Clone) {
        if let Some(left_out) = self.exemplar_labels.left_out(metadata) {
            self.warned_left_out = true;
            let message = "Metadata does not fit into an exemplar, leaving it out";
            let line = event(Level::Warn, message).with("metadata", left_out.name).with("chars", left_out.chars);
            self.reporter.log(line.with("max_chars", Exemplar::MAX_CHARS));
        }
    }

    /// Records a value of a self metric. `id` is the number of its target series.
    pub fn record_self_metric(&mut self, id: u32, value: f64, time_ms: i64) {
        if let Some(target) = self.targets.get_mut(id as usize) {
            if value != 0.0 && target.export_state.wake() {
                let family = &self.families[target.family as usize];
                self.reporter.counters.active_series.add(target.export_state.series_count(family) as u64);
                self.woken.push(Arc::clone(family));
            }
            self.sorted.add(target.slot, value, time_ms);
            self.accumulators.record(&mut self.sorted);
        }
    }

    /// Makes the next value of every gauge its latest, whatever its time: for a clock that went back.
    #[cold]
    pub fn forget_gauge_times(&mut self) {
        self.accumulators.forget_gauge_times();
    }

    /// Accepts exemplars of all times again: for a timeline that was set back.
    #[cold]
    pub fn forget_exemplar_times(&mut self) {
        self.exemplars.forget_times();
    }

    /// Returns the series of id `series` as PromQL writes it, with its labels in this destination. Returns `None` if it has no target.
    pub fn describe(&self, series: u64) -> Option<String> {
        let slot = match *self.feeds.get(series.checked_sub(1)? as usize)? {
            Feeds::Nothing => return None,
            Feeds::One(slot) => slot,
            Feeds::Several(index) => *self.several[index as usize].first()?,
        };
        let target = self.targets.iter().find(|target| target.slot == slot)?;
        let labels = target.labels.decode().into_iter().map(|label| (label.name, label.value));
        Some(Selector::exact(self.families[target.family as usize].metric(), labels).to_string())
    }

    /// Exports all target series, and starts the next window of their accumulators.
    pub fn close_window(&mut self, export: &mut WindowExport) {
        for (number, target) in self.targets.iter_mut().enumerate() {
            let Target { family, labels, slot, export_state } = target;
            if export_state.is_dormant() {
                continue;
            }
            let readings = self.accumulators.get(*slot);
            if !self.exemplars.is_empty() {
                export.set_exemplars(self.exemplars.close_window(*slot));
            }
            export.target(number, &self.families[*family as usize], &readings, labels, export_state);
            self.accumulators.close_window(*slot);
        }
    }

    /// All families, in the order of their registration.
    pub fn families(&self) -> &[Arc<Family>] {
        &self.families
    }

    /// Returns true if family `index` is that of a self metric without a value.
    pub fn is_dormant(&self, index: usize) -> bool {
        let mut of_family = self.targets[..self.self_metrics].iter().filter(|target| target.family as usize == index);
        of_family.clone().next().is_some() && of_family.all(|target| target.export_state.is_dormant())
    }

    /// Takes the families of self metrics that have their first value since the last call.
    pub fn take_woken(&mut self) -> Vec<Arc<Family>> {
        std::mem::take(&mut self.woken)
    }

    /// The number of target series.
    pub fn target_count(&self) -> usize {
        self.targets.len()
    }

    #[cold]
    fn warn_max_series(&mut self) {
        if !std::mem::replace(&mut self.warned_max_series, true) {
            self.reporter.log(max_series_warning(self.rules.max_series, self.labels(), &self.needed_labels()));
        }
    }

    fn warn_of_growth(&mut self) {
        let active_series = self.reporter.counters.active_series.get();
        if self.growth.is_due(active_series) {
            let mut growth = std::mem::take(&mut self.growth);
            let warning = growth.examine(active_series, self.labels(), &self.needed_labels());
            warning.into_iter().for_each(|warning| self.reporter.log(warning));
            self.growth = growth;
        }
    }

    /// The index of the family and the labels of each target series but the self metrics.
    fn labels(&self) -> impl Iterator<Item = (usize, &Labels)> + Clone {
        self.targets[self.self_metrics..].iter().map(|target| (target.family as usize, &*target.labels))
    }

    /// The labels that no warning proposes to drop.
    fn needed_labels(&self) -> Vec<&str> {
        let test_wide = self.rules.test_wide_tags.iter().map(String::as_str);
        IDENTIFYING_LABELS.into_iter().chain(test_wide).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::catalog::Catalog;
    use super::*;
    use crate::aggregate::Accumulator;
    use crate::k6::MetricType;
    use crate::report::Reporter;
    use crate::series::SeriesDefinition;
    use crate::series::view::{Tags, View};

    /// A registry, the catalog of its series, and the log.
    struct Series {
        catalog: Catalog,
        registry: Registry,
        reporter: Arc<Reporter>,
    }

    impl Series {
        /// Creates a registry with a self metric.
        fn new(rules: Rules) -> Self {
            let (reporter, rules) = (Arc::new(Reporter::default()), Arc::new(rules));
            let destination = reporter.destination("http://host/w");
            let mut catalog = Catalog::new(Arc::clone(&rules), Arc::clone(&destination));
            let self_metric = SeriesDefinition::new("self", MetricType::Counter);
            assert_eq!(catalog.register_self_metric(&self_metric, false), Some(0));
            let registry = Registry::new(rules, catalog.take_additions(), destination);
            Self { catalog, registry, reporter }
        }

        /// Adds the next id.
        fn register(&mut self, metric: &str, tags: &[(&str, &str)]) {
            let definition = SeriesDefinition::new(metric, MetricType::Counter).with_tags(tags.iter().copied());
            let selection = self.catalog.register(&definition);
            self.registry.add_id(&selection, self.catalog.take_additions());
        }

        /// Records a value of each id, from 1 on.
        fn record(&mut self, values: &[f64]) {
            let samples = values.iter().zip(1..).map(|(&value, series)| Sample { series, time_ms: 0, value });
            self.registry.record(&Vec::from_iter(samples), 0);
        }

        /// Returns the totals of all targets, which must be counters.
        fn totals(&self) -> Vec<f64> {
            let total = |target: &Target| match self.registry.accumulators.get(target.slot) {
                Accumulator::Counter(counter) => counter.total(),
                other => panic!("not a counter: {other:?}"),
            };
            self.registry.targets.iter().map(total).collect()
        }
    }

    fn view(selector: &str, tags: &[&str]) -> View {
        View {
            source: Selector::parse(selector).expect("valid"),
            target: None,
            tags: Tags::Only(tags.iter().map(|&tag| tag.into()).collect()),
            expected: true,
        }
    }

    #[test]
    fn what_an_id_feeds_fits_into_eight_bytes() {
        assert_eq!(size_of::<Feeds>(), 8);
    }

    #[test]
    fn a_sample_is_recorded_in_all_that_its_id_feeds_and_counted_once() {
        let mut series = Series::new(Rules::of_views(vec![view("m", &[]), view("m", &["status"])]));
        series.register("m", &[("status", "200")]);
        series.register("m", &[("status", "404")]);
        series.register("unwanted", &[]);
        series.register("m", &[]);
        series.record(&[1.0, 2.0, 4.0, 8.0]);
        series.registry.record_self_metric(0, 16.0, 0);
        assert_eq!(series.totals(), [16.0, 11.0, 1.0, 2.0]);
        assert_eq!(series.registry.reporter.counters.samples_in.get(), 3);
        let described: Vec<_> = (0..=5).map(|id| series.registry.describe(id)).collect();
        let m = Some("m".to_string());
        assert_eq!(described, [None, m.clone(), m.clone(), None, m, None]);
    }

    #[test]
    fn more_samples_than_are_sorted_at_once_are_all_recorded() {
        let mut series = Series::new(Rules::of_views(vec![View::everything()]));
        (0..3).for_each(|number| series.register("m", &[("n", &number.to_string())]));
        let samples: Vec<_> = (0..1000).map(|i| Sample { series: 1 + i % 3, time_ms: 0, value: i as f64 }).collect();
        series.registry.record(&samples, 0);
        assert_eq!(series.totals(), [0.0, 166_833.0, 166_167.0, 166_500.0]);
    }

    #[test]
    fn samples_that_are_not_exported_are_counted_by_reason() {
        let mut series = Series::new(Rules { max_series: 1, ..Rules::of_views(vec![View::everything()]) });
        series.register("m", &[]);
        series.register("größe", &[]);
        series.register("n", &[]);
        series.record(&[1.0; 4]);
        let counters = &series.registry.reporter.counters;
        assert_eq!((counters.samples_in.get(), counters.samples_over_max_series.get()), (1, 1));
        // The last one has an unknown id.
        assert_eq!(counters.samples_invalid_name.get(), 2);
    }

    #[test]
    fn reaching_max_series_is_one_warning_with_the_tag_that_has_most_values() {
        let mut series = Series::new(Rules { max_series: 3, ..Rules::of_views(vec![View::everything()]) });
        for url in ["a", "b", "c", "d", "a", "e"] {
            series.register("m", &[("url", url), ("method", "GET")]);
        }
        let warning = series.reporter.poll().expect("warned");
        assert_eq!(
            (&warning.fields["label_with_most_values"], &warning.fields["label_value_count"]),
            (&"url".into(), &3.into())
        );
        assert!(warning.fields["hint"].as_str().is_some_and(|hint| hint.contains(r#"dropTags: ["url"]"#)));
        assert!(series.reporter.poll().is_none(), "one warning");
    }
}
