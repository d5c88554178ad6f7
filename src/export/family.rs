//! Families: all series of one k6 metric, with their encoded names and their metadata.

use std::sync::Arc;

use super::statistic::{ExemplarSelection, Statistic};
use super::{Mapping, TrendForms};
use crate::k6::{MetricType, ValueType};
use crate::send::Batcher;
use crate::wire::{EncodedLabel, Labels, Metric, MetricKind};

const MEDIAN: f64 = 50.0;

/// All series of one k6 metric.
#[derive(Debug)]
pub struct Family {
    /// The k6 name of the metric.
    metric: String,
    metric_type: MetricType,
    value_type: ValueType,
    forms: TrendForms,
    /// The percentiles of a trend that are exported, ascending.
    pub(super) percents: Vec<f64>,
    pub(super) series: Vec<NamedSeries>,
    /// Metrics whose metadata is sent. A histogram is one metric, not one for each of its names.
    described: Vec<&'static Metric>,
}

/// The series of one name.
#[derive(Debug)]
pub(super) struct NamedSeries {
    name: String,
    pub(super) kind: SeriesKind,
}

/// The kind of the series of one name.
#[derive(Debug)]
pub(super) enum SeriesKind {
    /// One series with a statistic.
    Single { statistic: Statistic, metric: &'static Metric },
    /// The two counters of a rate, each with its label.
    ByCondition { nonzero: &'static Metric, zero: &'static Metric },
    /// The buckets of a classic histogram, each with its label. There is one more than bounds, for `+Inf`.
    ByBound { bounds: Arc<[f64]>, buckets: Vec<&'static Metric> },
    /// One series with native histograms.
    NativeHistogram(&'static Metric),
}

impl SeriesKind {
    pub(super) fn is_cumulative(&self) -> bool {
        match self {
            Self::Single { statistic, .. } => statistic.is_cumulative(),
            Self::ByCondition { .. } | Self::ByBound { .. } | Self::NativeHistogram(_) => true,
        }
    }

    /// Returns true if the series is exported for windows with samples only.
    pub(super) fn needs_samples(&self) -> bool {
        matches!(self, Self::Single { statistic, .. } if statistic.needs_samples())
    }

    /// Returns the exemplars of the series: those that a panel about slow or failed requests shows. `percents` are the percentiles
    /// of the family. More would multiply what receivers keep, which is a fixed number of exemplars in all; and a high percentile
    /// was not made by just any sample.
    pub(super) fn exemplars(&self, percents: &[f64]) -> ExemplarSelection {
        match self {
            Self::Single { statistic: Statistic::Percentile(index), .. } => match percents.get(*index) {
                Some(&percent) if percent > MEDIAN => ExemplarSelection::Largest,
                _ => ExemplarSelection::None,
            },
            Self::Single { statistic, .. } => statistic.exemplars(),
            Self::ByCondition { .. } | Self::ByBound { .. } | Self::NativeHistogram(_) => ExemplarSelection::All,
        }
    }

    fn metrics(&self) -> Vec<&'static Metric> {
        match self {
            Self::Single { metric, .. } | Self::NativeHistogram(metric) => vec![metric],
            Self::ByCondition { nonzero, zero } => vec![nonzero, zero],
            Self::ByBound { buckets, .. } => buckets.clone(),
        }
    }
}

/// Metadata of a metric without its name.
#[derive(Clone, Copy)]
struct Metadata<'a> {
    kind: MetricKind,
    unit: &'static str,
    help: &'a str,
}

impl Metadata<'_> {
    /// Creates the metric with this name.
    fn metric(self, name: &str, extra_label: Option<EncodedLabel>) -> &'static Metric {
        Metric {
            encoded_name: EncodedLabel::metric_name(name),
            name: name.into(),
            extra_label,
            kind: self.kind,
            help: self.help.into(),
            unit: self.unit.into(),
        }
        .intern()
    }
}

impl Family {
    /// Creates the family of a k6 metric. `target_name` is the name that its view sets: the exact name if the type has one series,
    /// else the name without suffixes.
    pub fn new(
        mapping: &Mapping,
        target_name: Option<&str>,
        metric: &str,
        metric_type: MetricType,
        value_type: ValueType,
    ) -> Self {
        let unit = match value_type {
            ValueType::Default => "",
            ValueType::Time => "seconds",
            ValueType::Data => "bytes",
        };
        let mut family = Self {
            metric: metric.into(),
            metric_type,
            value_type,
            forms: mapping.forms(value_type),
            percents: Vec::new(),
            series: Vec::new(),
            described: Vec::new(),
        };
        let name = target_name.map_or_else(|| format!("{}{metric}", mapping.metric_prefix), String::from);
        let help = |text: &str| format!("k6 {metric}: {text}");
        let mut add = |suffix: &str, statistic, text: &str| {
            family.add_single(format!("{name}{suffix}"), statistic, unit, &help(text));
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
                family.add_histograms(&with_unit, Metadata { kind: MetricKind::Histogram, unit, help: &help });
                if mapping.trend_as.gauges {
                    family.add_statistics(mapping, &name, metric, unit);
                }
            }
        }
        family
    }

    /// Adds the histograms of a trend, whose names have its unit. They have common metadata.
    fn add_histograms(&mut self, name: &str, metadata: Metadata) {
        if self.forms.native || self.forms.classic.is_some() {
            self.described.push(metadata.metric(name, None));
        }
        if self.forms.native {
            self.add(name.into(), SeriesKind::NativeHistogram(metadata.metric(name, None)));
        }
        if let Some(bounds) = self.forms.classic.clone() {
            let texts = bounds.iter().map(f64::to_string).chain(["+Inf".into()]);
            let bucket = format!("{name}_bucket");
            let buckets = texts.map(|bound| metadata.metric(&bucket, Some(EncodedLabel::bound(&bound)))).collect();
            self.add(bucket, SeriesKind::ByBound { bounds, buckets });
            for (suffix, statistic) in [("_count", Statistic::ClassicCount), ("_sum", Statistic::ClassicSum)] {
                let name = format!("{name}{suffix}");
                self.add(name.clone(), SeriesKind::Single { statistic, metric: metadata.metric(&name, None) });
            }
        }
    }

    /// Adds the statistics of a trend, except those that a classic histogram exports under the same name.
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

    /// Adds the two counters of a rate.
    fn add_conditions(&mut self, name: String, help: &str) {
        let metadata = Metadata { kind: MetricKind::Counter, unit: "", help };
        let [nonzero, zero] =
            ["nonzero", "zero"].map(|value| metadata.metric(&name, Some(EncodedLabel::condition(value))));
        self.described.push(nonzero);
        self.add(name, SeriesKind::ByCondition { nonzero, zero });
    }

    /// Adds the series of a statistic and its metadata, unless its name exists. `unit` is the unit of the metric.
    fn add_single(&mut self, name: String, statistic: Statistic, unit: &'static str, help: &str) {
        if self.names().any(|known| known == name) {
            return;
        }
        let kind = if statistic.is_cumulative() { MetricKind::Counter } else { MetricKind::Gauge };
        let unit = if statistic.has_unit() { unit } else { "" };
        let metric = Metadata { kind, unit, help }.metric(&name, None);
        self.described.push(metric);
        self.add(name, SeriesKind::Single { statistic, metric });
    }

    fn add(&mut self, name: String, kind: SeriesKind) {
        self.series.push(NamedSeries { name, kind });
    }

    /// The k6 name of the metric.
    pub fn metric(&self) -> &str {
        &self.metric
    }

    /// The type of the k6 metric.
    pub fn metric_type(&self) -> MetricType {
        self.metric_type
    }

    /// The forms in which a trend is accumulated.
    pub fn trend_forms(&self) -> &TrendForms {
        &self.forms
    }

    /// The type of the values.
    pub fn value_type(&self) -> ValueType {
        self.value_type
    }

    /// The names of the series, in a fixed order, each once.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.series.iter().map(|series| series.name.as_str())
    }

    /// Returns the identities of the series with these labels and with name `index` of [`Self::names`]. Only equal series have
    /// equal identities.
    pub fn identities(&self, index: usize, labels: &Labels) -> Vec<Vec<u8>> {
        let identity = |metric: &'static Metric| {
            let mut identity = Vec::new();
            labels.write(&metric.encoded_name, metric.extra_label.as_ref(), &mut identity);
            identity
        };
        self.series[index].kind.metrics().into_iter().map(identity).collect()
    }

    /// Returns the number of series of each name of a target series.
    pub(super) fn series_counts(&self) -> impl Iterator<Item = usize> {
        self.series.iter().map(|series| series.kind.metrics().len())
    }

    /// Adds type, help and unit of each metric to the next batch.
    pub fn send_metadata(&self, batcher: &mut Batcher) {
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

    /// Returns the metadata: name, type and unit of each metric.
    fn metadata(family: &Family) -> Vec<(&str, MetricKind, &str)> {
        family.described.iter().map(|metric| (&*metric.name, metric.kind, &*metric.unit)).collect()
    }

    #[test]
    fn names_match_k6s_own_output() {
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
    fn the_name_of_a_view_has_suffixes_only_where_the_type_has_several_series() {
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
    fn names_of_histograms_have_the_unit() {
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
    fn a_name_of_two_forms_is_exported_and_described_once() {
        let family = trend(true, true, true, ValueType::Default);
        assert_eq!(family.names().collect::<Vec<_>>(), ["k6_m", "k6_m_bucket", "k6_m_count", "k6_m_sum", "k6_m_p95"]);
        assert_eq!(metadata(&family), [("k6_m", Histogram, ""), ("k6_m_p95", Gauge, "")]);
    }

    #[test]
    fn metadata_has_types_and_units() {
        assert_eq!(
            metadata(&trend(true, true, true, ValueType::Time)),
            [
                ("k6_m_seconds", Histogram, "seconds"),
                ("k6_m_p95", Gauge, "seconds"),
                ("k6_m_count", Counter, ""),
                ("k6_m_sum", Counter, "seconds"),
            ]
        );
        let rate = family(&Mapping::default(), None, MetricType::Rate, ValueType::Default);
        assert_eq!(metadata(&rate), [("k6_m_rate", Gauge, ""), ("k6_m_total", Counter, "")]);
    }

    #[test]
    fn a_percentile_with_two_names_is_calculated_once() {
        let trend_stats = ["p(99)", "med", "p(50)", "p(5)"].map(|text| TrendStat::parse(text).expect("valid")).into();
        let mapping = Mapping { trend_stats, ..Mapping::default() };
        let family = family(&mapping, None, MetricType::Trend, ValueType::Default);
        assert_eq!(family.percents, [5.0, 50.0, 99.0]);
        let indices = family.series.iter().map(|series| match series.kind {
            SeriesKind::Single { statistic: Statistic::Percentile(index), .. } => index,
            _ => unreachable!("all statistics are percentiles"),
        });
        assert_eq!(indices.collect::<Vec<_>>(), [2, 1, 1, 0]);
    }
}
