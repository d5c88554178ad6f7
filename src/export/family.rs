//! All series that one k6 metric becomes: their names, encoded once, and what the receiver is told of them.

use std::sync::Arc;

use super::statistic::Statistic;
use super::{Mapping, TrendForms};
use crate::k6::{MetricType, ValueType};
use crate::send::Batcher;
use crate::wire::{EncodedLabel, Labels, Metric, MetricKind};

const MILLISECONDS_PER_SECOND: f64 = 1000.0;

/// All series that one k6 metric becomes.
#[derive(Debug)]
pub struct Family {
    metric_type: MetricType,
    forms: TrendForms,
    /// What k6's values are divided by to be in Prometheus's unit.
    divisor: f64,
    /// The percentiles of a trend that are shipped, ascending.
    pub(super) percents: Vec<f64>,
    pub(super) entries: Vec<Entry>,
    /// What the receiver is told of: of a histogram the whole, not its parts.
    described: Vec<Arc<Metric>>,
}

/// The series of one name.
#[derive(Debug)]
pub(super) struct Entry {
    name: String,
    pub(super) kind: Kind,
}

/// What makes the series of one name.
#[derive(Debug)]
pub(super) enum Kind {
    /// One series of one number.
    Single { statistic: Statistic, metric: Arc<Metric> },
    /// The two counters of a rate, each with its label.
    ByCondition { nonzero: Arc<Metric>, zero: Arc<Metric> },
    /// The buckets of a classic histogram, the last without bound, each with its label.
    ByBound(Vec<Arc<Metric>>),
    /// One series of native histograms.
    Native(Arc<Metric>),
}

impl Kind {
    pub(super) fn is_cumulative(&self) -> bool {
        match self {
            Self::Single { statistic, .. } => statistic.is_cumulative(),
            Self::ByCondition { .. } | Self::ByBound(_) | Self::Native(_) => true,
        }
    }

    fn metrics(&self) -> Vec<&Arc<Metric>> {
        match self {
            Self::Single { metric, .. } | Self::Native(metric) => vec![metric],
            Self::ByCondition { nonzero, zero } => vec![nonzero, zero],
            Self::ByBound(buckets) => buckets.iter().collect(),
        }
    }
}

/// What a receiver is told of a metric, before it has a name.
#[derive(Clone, Copy)]
struct About<'a> {
    kind: MetricKind,
    unit: &'static str,
    help: &'a str,
}

impl About<'_> {
    fn metric(self, name: &str, extra_label: Option<EncodedLabel>) -> Arc<Metric> {
        Arc::new(Metric {
            encoded_name: EncodedLabel::metric_name(name),
            name: name.into(),
            extra_label,
            kind: self.kind,
            help: self.help.into(),
            unit: self.unit,
        })
    }
}

impl Family {
    /// The series of a k6 metric. `target_name` is what its view calls it: the exact name where there is one series;
    /// where a type makes several their suffixes follow it.
    pub fn new(
        mapping: &Mapping,
        target_name: Option<&str>,
        metric: &str,
        metric_type: MetricType,
        value_type: ValueType,
    ) -> Self {
        let (divisor, unit) = match value_type {
            ValueType::Default => (1.0, ""),
            ValueType::Time => (MILLISECONDS_PER_SECOND, "seconds"),
            ValueType::Data => (1.0, "bytes"),
        };
        let mut family = Self {
            metric_type,
            forms: mapping.forms(value_type),
            divisor,
            percents: Vec::new(),
            entries: Vec::new(),
            described: Vec::new(),
        };
        let name = target_name.map_or_else(|| format!("{}{metric}", mapping.metric_prefix), String::from);
        let help = |of: &str| format!("k6 {metric}: {of}");
        let mut add = |suffix: &str, statistic, of: &str| {
            family.add_single(format!("{name}{suffix}"), statistic, unit, &help(of));
        };
        match metric_type {
            MetricType::Counter => {
                add(if target_name.is_some() { "" } else { "_total" }, Statistic::Total, "sum of the run so far")
            }
            MetricType::RunInfo => add("", Statistic::Latest, "run metadata"),
            MetricType::Gauge => {
                add("", Statistic::Latest, "latest value");
                add("_lowest", Statistic::Lowest, "smallest value of the window");
                add("_highest", Statistic::Highest, "largest value of the window");
            }
            MetricType::Rate => {
                add("_rate", Statistic::Share(mapping.trend_window), "share of values that were not zero");
                let help = help("values of the run so far, by whether they were zero");
                family.add_conditions(format!("{name}_total"), &help);
            }
            MetricType::Trend => {
                let with_unit = if unit.is_empty() { name.clone() } else { format!("{name}_{unit}") };
                let help = help("distribution of the run so far");
                family.add_histograms(&with_unit, About { kind: MetricKind::Histogram, unit, help: &help });
                if mapping.trend_as.gauges {
                    family.add_statistics(mapping, &name, metric, unit);
                }
            }
        }
        family
    }

    /// The forms of a trend whose names have its unit. They are one family for the receiver, whatever of it is shipped.
    fn add_histograms(&mut self, name: &str, about: About) {
        if self.forms.native || self.forms.classic.is_some() {
            self.described.push(about.metric(name, None));
        }
        if self.forms.native {
            self.add(name.into(), Kind::Native(about.metric(name, None)));
        }
        if let Some(bounds) = &self.forms.classic {
            let bounds = bounds.iter().map(f64::to_string).chain(["+Inf".into()]);
            let bucket = format!("{name}_bucket");
            let buckets = bounds.map(|bound| about.metric(&bucket, Some(EncodedLabel::bound(&bound)))).collect();
            self.add(bucket, Kind::ByBound(buckets));
            for (suffix, statistic) in [("_count", Statistic::ClassicCount), ("_sum", Statistic::ClassicSum)] {
                let name = format!("{name}{suffix}");
                self.add(name.clone(), Kind::Single { statistic, metric: about.metric(&name, None) });
            }
        }
    }

    /// The statistics of a trend, but for those that a classic histogram has under the same name.
    fn add_statistics(&mut self, mapping: &Mapping, name: &str, metric: &str, unit: &'static str) {
        let stats = &mapping.trend_stats;
        self.percents = stats.iter().filter_map(|stat| stat.percent()).collect();
        self.percents.sort_by(f64::total_cmp);
        self.percents.dedup();
        for stat in stats {
            let statistic = stat.statistic(&self.percents);
            let help = format!("k6 {metric}: {}", stat.help(mapping.trend_window));
            self.add_single(format!("{name}{}", stat.suffix()), statistic, unit, &help);
        }
    }

    fn add_conditions(&mut self, name: String, help: &str) {
        let about = About { kind: MetricKind::Counter, unit: "", help };
        let [nonzero, zero] =
            ["nonzero", "zero"].map(|value| about.metric(&name, Some(EncodedLabel::condition(value))));
        self.described.push(Arc::clone(&nonzero));
        self.add(name, Kind::ByCondition { nonzero, zero });
    }

    /// Adds the series of one number, unless its name is there, and describes it. `unit` is the metric's own.
    fn add_single(&mut self, name: String, statistic: Statistic, unit: &'static str, help: &str) {
        if self.names().any(|known| known == name) {
            return;
        }
        let kind = if statistic.is_cumulative() { MetricKind::Counter } else { MetricKind::Gauge };
        let unit = if statistic.has_unit() { unit } else { "" };
        let metric = About { kind, unit, help }.metric(&name, None);
        self.described.push(Arc::clone(&metric));
        self.add(name, Kind::Single { statistic, metric });
    }

    fn add(&mut self, name: String, kind: Kind) {
        self.entries.push(Entry { name, kind });
    }

    /// The type of the k6 metric.
    pub fn metric_type(&self) -> MetricType {
        self.metric_type
    }

    /// The forms in which a trend of the metric is to be kept.
    pub fn trend_forms(&self) -> &TrendForms {
        &self.forms
    }

    /// What k6's values are divided by to be in Prometheus's unit.
    pub fn divisor(&self) -> f64 {
        self.divisor
    }

    /// The names of the family's series, in a fixed order, each once.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.name.as_str())
    }

    /// The series of name `index` of [`Self::names`] with these labels, in a form that is equal for equal series only.
    pub fn identities(&self, index: usize, labels: &Labels) -> Vec<Vec<u8>> {
        let identity = |metric: &Arc<Metric>| {
            let mut identity = Vec::new();
            labels.write(&metric.encoded_name, metric.extra_label.as_ref(), &mut identity);
            identity
        };
        self.entries[index].kind.metrics().into_iter().map(identity).collect()
    }

    /// Tells the receiver type, help and unit of each metric.
    pub fn announce(&self, batcher: &mut Batcher) {
        self.described.iter().for_each(|metric| batcher.add_metadata(metric));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{TrendAs, TrendStat};
    use super::*;
    use MetricKind::{Counter, Gauge, Histogram};

    fn names(metric_type: MetricType) -> Vec<String> {
        family(&Mapping::default(), None, metric_type, ValueType::Default).names().map(String::from).collect()
    }

    fn family(mapping: &Mapping, target_name: Option<&str>, metric_type: MetricType, value_type: ValueType) -> Family {
        Family::new(mapping, target_name, "m", metric_type, value_type)
    }

    fn trend(gauges: bool, native: bool, classic: bool, value_type: ValueType) -> Family {
        let trend_stats = [TrendStat::Percentile(95.0), TrendStat::Count, TrendStat::Sum].into();
        let trend_as = TrendAs { gauges, native, classic };
        let mapping = Mapping { trend_as, trend_stats, trend_buckets: Some([1.0].into()), ..Mapping::default() };
        family(&mapping, None, MetricType::Trend, value_type)
    }

    /// What the receiver is told: name, type and unit of each metric.
    fn told(family: &Family) -> Vec<(&str, MetricKind, &str)> {
        family.described.iter().map(|metric| (&*metric.name, metric.kind, metric.unit)).collect()
    }

    #[test]
    fn names_are_those_of_k6s_own_output() {
        assert_eq!(names(MetricType::Counter), ["k6_m_total"]);
        assert_eq!(names(MetricType::Gauge), ["k6_m", "k6_m_lowest", "k6_m_highest"]);
        assert_eq!(names(MetricType::RunInfo), ["k6_m"]);
        assert_eq!(names(MetricType::Rate), ["k6_m_rate", "k6_m_total"]);
        assert_eq!(
            names(MetricType::Trend),
            [
                "k6_m_avg",
                "k6_m_min",
                "k6_m_med",
                "k6_m_max",
                "k6_m_p90",
                "k6_m_p95",
                "k6_m_p99",
                "k6_m_count",
                "k6_m_sum"
            ]
        );
    }

    #[test]
    fn a_name_of_a_views_own_gets_suffixes_only_where_there_are_several_series() {
        let names = |metric_type| {
            let family = family(&Mapping::default(), Some("x"), metric_type, ValueType::Default);
            family.names().map(String::from).collect::<Vec<_>>()
        };
        assert_eq!(names(MetricType::Counter), ["x"]);
        assert_eq!(names(MetricType::Gauge)[0], "x");
        assert_eq!(names(MetricType::Rate), ["x_rate", "x_total"]);
        assert_eq!(names(MetricType::Trend)[0], "x_avg");
    }

    #[test]
    fn histograms_have_their_unit_in_the_name() {
        for (value_type, name) in
            [(ValueType::Time, "k6_m_seconds"), (ValueType::Data, "k6_m_bytes"), (ValueType::Default, "k6_m")]
        {
            let native = trend(false, true, false, value_type);
            assert_eq!(native.names().collect::<Vec<_>>(), [name]);
            let classic = trend(false, false, true, value_type);
            let parts = ["_bucket", "_count", "_sum"].map(|suffix| format!("{name}{suffix}"));
            assert_eq!(classic.names().collect::<Vec<_>>(), parts);
        }
    }

    #[test]
    fn what_two_forms_would_name_alike_is_shipped_and_described_once() {
        let family = trend(true, true, true, ValueType::Default);
        assert_eq!(family.names().collect::<Vec<_>>(), ["k6_m", "k6_m_bucket", "k6_m_count", "k6_m_sum", "k6_m_p95"]);
        assert_eq!(told(&family), [("k6_m", Histogram, ""), ("k6_m_p95", Gauge, "")]);
    }

    #[test]
    fn types_and_units_are_told_of_every_metric() {
        assert_eq!(
            told(&trend(true, true, true, ValueType::Time)),
            [
                ("k6_m_seconds", Histogram, "seconds"),
                ("k6_m_p95", Gauge, "seconds"),
                ("k6_m_count", Counter, ""),
                ("k6_m_sum", Counter, "seconds"),
            ]
        );
        let rate = family(&Mapping::default(), None, MetricType::Rate, ValueType::Default);
        assert_eq!(told(&rate), [("k6_m_rate", Gauge, ""), ("k6_m_total", Counter, "")]);
    }

    #[test]
    fn a_percentile_is_calculated_once_however_it_is_named() {
        let trend_stats = ["p(99)", "med", "p(50)", "p(5)"].map(|text| TrendStat::parse(text).expect("valid")).into();
        let mapping = Mapping { trend_stats, ..Mapping::default() };
        let family = family(&mapping, None, MetricType::Trend, ValueType::Default);
        assert_eq!(family.percents, [5.0, 50.0, 99.0]);
        let places = family.entries.iter().map(|entry| match entry.kind {
            Kind::Single { statistic: Statistic::Percentile(place), .. } => place,
            _ => unreachable!("percentiles alone were asked for"),
        });
        assert_eq!(places.collect::<Vec<_>>(), [2, 1, 1, 0]);
    }
}
