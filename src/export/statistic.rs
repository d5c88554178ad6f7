//! What one series tells of its accumulator.

use super::Span;

/// One number of an accumulator.
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
    /// A percentile of a trend, by its index among those that are calculated together.
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

impl Statistic {
    /// Whether the value grows from 0 over the run, so that the series starts with an explicit 0 and is shipped in
    /// every window.
    pub(super) fn is_cumulative(self) -> bool {
        matches!(
            self,
            Self::Total | Self::Nonzero | Self::Zero | Self::Count | Self::Sum | Self::ClassicCount | Self::ClassicSum
        )
    }

    /// Whether the value has the unit of the metric; the others are counts and shares.
    pub(super) fn has_unit(self) -> bool {
        !matches!(self, Self::Share(_) | Self::Nonzero | Self::Zero | Self::Count | Self::ClassicCount)
    }
}

/// A statistic of a trend as its user names it.
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
    /// Reads k6's spelling. `None` for what is none.
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

    /// What is shipped when nothing else is asked for.
    pub(super) fn defaults() -> Vec<Self> {
        let percentiles = [90.0, 95.0, 99.0].map(Self::Percentile);
        [[Self::Mean, Self::Min, Self::Median, Self::Max].as_slice(), &percentiles, &[Self::Count, Self::Sum]].concat()
    }

    /// What its series' name ends in, as k6's own output has it: `p(99.9)` → `_p999`.
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

    /// Which percentile has to be calculated for it.
    pub(super) fn percent(self) -> Option<f64> {
        match self {
            Self::Median => Some(50.0),
            Self::Percentile(percent) => Some(percent),
            _ => None,
        }
    }

    /// What it is, for people.
    pub(super) fn help(self, span: Span) -> String {
        let of = match span {
            Span::Window => "the window",
            Span::Run => "the run so far",
        };
        match self {
            Self::Mean => format!("mean of {of}"),
            Self::Min => format!("smallest value of {of}"),
            Self::Median => format!("median of {of}"),
            Self::Max => format!("largest value of {of}"),
            Self::Percentile(percent) => format!("percentile {percent} of {of}"),
            Self::Count => "number of values of the run so far".into(),
            Self::Sum => "sum of the run so far".into(),
        }
    }

    /// The number of the accumulator that it is. `percents` are the percentiles that are calculated.
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
    fn statistics_read_as_in_k6_and_name_their_series() {
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
    fn what_is_no_statistic_is_refused() {
        for text in ["", "p90", "p(90", "p(101)", "p(-1)", "p(x)", "p(NaN)", " avg", "mean"] {
            assert_eq!(TrendStat::parse(text), None, "{text}");
        }
    }
}
