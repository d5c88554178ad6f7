//! Statistics: the numbers of an accumulator that become series.

use super::Span;

/// A number of an accumulator.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Statistic {
    /// The sum of a counter.
    Total,
    /// The latest value of a gauge.
    Latest,
    /// The smallest value of a gauge in the window.
    Lowest,
    /// The largest value of a gauge in the window.
    Highest,
    /// The share of a rate's values that are not zero.
    Share(Span),
    /// The number of a rate's values that are not zero.
    Nonzero,
    /// The number of a rate's values that are zero.
    Zero,
    /// The mean of a trend.
    Mean,
    /// The smallest value of a trend.
    Min,
    /// The largest value of a trend.
    Max,
    /// A percentile of a trend: its index among the percentiles of the family.
    Percentile(usize),
    /// The number of a trend's values.
    Count,
    /// The sum of a trend's values.
    Sum,
    /// The number of values in a trend's classic histogram.
    ClassicCount,
    /// The sum of the values in a trend's classic histogram.
    ClassicSum,
}

/// The exemplars of a series, among those of its target series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExemplarSelection {
    None,
    /// The one with the largest value.
    Largest,
    All,
}

impl Statistic {
    /// Returns true if the value increases from 0 over the run. Such a series starts with a 0 and is exported in every window.
    pub(super) fn is_cumulative(self) -> bool {
        matches!(
            self,
            Self::Total | Self::Nonzero | Self::Zero | Self::Count | Self::Sum | Self::ClassicCount | Self::ClassicSum
        )
    }

    /// Returns true if the value belongs to the samples of a window: such a series is exported for windows with samples only.
    pub(super) fn needs_samples(self) -> bool {
        !self.is_cumulative() && self != Self::Latest
    }

    /// Returns the exemplars of the series of a statistic that is no percentile.
    pub(super) fn exemplars(self) -> ExemplarSelection {
        match self {
            Self::Max => ExemplarSelection::Largest,
            Self::Total | Self::Share(_) | Self::Count | Self::ClassicCount => ExemplarSelection::All,
            _ => ExemplarSelection::None,
        }
    }

    /// Returns true if the value has the unit of the metric. Counts and shares do not have it.
    pub(super) fn has_unit(self) -> bool {
        !matches!(self, Self::Share(_) | Self::Nonzero | Self::Zero | Self::Count | Self::ClassicCount)
    }
}

/// A statistic of a trend, as in the option `trendStats`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TrendStat {
    /// `avg`
    Mean,
    /// `min`
    Min,
    /// `med`
    Median,
    /// `max`
    Max,
    /// `p(N)`, with N from 0 to 100.
    Percentile(f64),
    /// `count`
    Count,
    /// `sum`
    Sum,
}

impl TrendStat {
    /// Parses k6's spelling. Returns `None` if it is not a statistic.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "avg" => Self::Mean,
            "min" => Self::Min,
            "med" => Self::Median,
            "max" => Self::Max,
            "count" => Self::Count,
            "sum" => Self::Sum,
            _ => {
                let number = text.strip_prefix("p(")?.strip_suffix(')')?;
                Self::Percentile(number.parse().ok().filter(|percent| (0.0..=100.0).contains(percent))?)
            }
        })
    }

    /// Returns the default of the option.
    pub(super) fn defaults() -> Vec<Self> {
        let percentiles = [90.0, 95.0, 99.0].map(Self::Percentile);
        [[Self::Mean, Self::Min, Self::Median, Self::Max].as_slice(), &percentiles, &[Self::Count, Self::Sum]].concat()
    }

    /// Returns the suffix of the series' name, as in k6's own output: `p(99.9)` → `_p999`.
    pub fn suffix(self) -> String {
        match self {
            Self::Mean => "_avg".into(),
            Self::Min => "_min".into(),
            Self::Median => "_med".into(),
            Self::Max => "_max".into(),
            Self::Percentile(percent) => format!("_p{}", percent.to_string().replace('.', "")),
            Self::Count => "_count".into(),
            Self::Sum => "_sum".into(),
        }
    }

    /// Returns the percentile that has to be calculated for it, if any.
    pub(super) fn percent(self) -> Option<f64> {
        match self {
            Self::Median => Some(50.0),
            Self::Percentile(percent) => Some(percent),
            _ => None,
        }
    }

    /// Returns the help text.
    pub(super) fn help(self, span: Span) -> String {
        let span = match span {
            Span::Window => "the window",
            Span::Run => "the run so far",
        };
        match self {
            Self::Mean => format!("mean of {span}"),
            Self::Min => format!("smallest value of {span}"),
            Self::Median => format!("median of {span}"),
            Self::Max => format!("largest value of {span}"),
            Self::Percentile(percent) => format!("percentile {percent} of {span}"),
            Self::Count => "number of values of the run so far".into(),
            Self::Sum => "sum of the run so far".into(),
        }
    }

    /// Returns the number of the accumulator. `percents` are the percentiles of the family, ascending.
    pub(super) fn statistic(self, percents: &[f64]) -> Statistic {
        match self {
            Self::Mean => Statistic::Mean,
            Self::Min => Statistic::Min,
            Self::Max => Statistic::Max,
            Self::Count => Statistic::Count,
            Self::Sum => Statistic::Sum,
            Self::Median | Self::Percentile(_) => {
                Statistic::Percentile(percents.partition_point(|&percent| Some(percent) < self.percent()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_parsed_as_in_k6_and_have_suffixes() {
        for (text, suffix) in [
            ("avg", "_avg"),
            ("med", "_med"),
            ("count", "_count"),
            ("sum", "_sum"),
            ("p(50)", "_p50"),
            ("p(99.9)", "_p999"),
            ("p(0)", "_p0"),
            ("p(100)", "_p100"),
        ] {
            assert_eq!(TrendStat::parse(text).map(TrendStat::suffix).as_deref(), Some(suffix), "{text}");
        }
    }

    #[test]
    fn other_texts_are_rejected() {
        for text in ["", "p90", "p(90", "p(101)", "p(-1)", "p(x)", "p(NaN)", " avg", "mean"] {
            assert_eq!(TrendStat::parse(text), None, "{text}");
        }
    }
}
