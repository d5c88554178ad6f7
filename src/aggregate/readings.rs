//! The interface of accumulators to the export.

use super::{Accumulator, ClassicHistogram, Histogram, Trend, Values};
use crate::export::{ExponentialBuckets, Readings, Statistic};

impl Readings for Accumulator<'_> {
    fn value(&self, statistic: Statistic, percentiles: &[f64]) -> Option<f64> {
        match (self, statistic) {
            (Self::Counter(counter), Statistic::Total) => Some(counter.total()),
            (Self::Gauge(gauge), Statistic::Latest) => gauge.latest(),
            (Self::Gauge(gauge), Statistic::Lowest) => gauge.lowest(),
            (Self::Gauge(gauge), Statistic::Highest) => gauge.highest(),
            (Self::Rate(rate), Statistic::Share(span)) => rate.share(span),
            (Self::Rate(rate), Statistic::Nonzero) => Some(rate.nonzero() as f64),
            (Self::Rate(rate), Statistic::Zero) => Some(rate.zero() as f64),
            (Self::Trend(trend), statistic) => trend_value(*trend, statistic, percentiles),
            // A family has statistics of its own metric type only.
            _ => None,
        }
    }

    fn percentiles(&self, percents: &[f64], out: &mut Vec<f64>) {
        if let Some(values) = self.trend().and_then(Trend::values) {
            values.percentiles(percents, out);
        }
    }

    fn classic_buckets(&self) -> impl Iterator<Item = u64> {
        self.trend().and_then(Trend::classic).into_iter().flat_map(|classic| classic.cumulative())
    }

    fn exponential_buckets(&self) -> Option<ExponentialBuckets> {
        self.trend().and_then(Trend::native).map(ExponentialBuckets::from)
    }
}

impl<'a> Accumulator<'a> {
    fn trend(self) -> Option<Trend<'a>> {
        match self {
            Self::Trend(trend) => Some(trend),
            Self::Counter(_) | Self::Gauge(_) | Self::Rate(_) => None,
        }
    }
}

fn trend_value(trend: Trend, statistic: Statistic, percentiles: &[f64]) -> Option<f64> {
    match statistic {
        Statistic::Mean => trend.values().and_then(Values::mean),
        Statistic::Min => trend.values().and_then(Values::min),
        Statistic::Max => trend.values().and_then(Values::max),
        Statistic::Percentile(index) => percentiles.get(index).copied(),
        Statistic::Count => trend.count().map(|count| count as f64),
        Statistic::Sum => trend.sum(),
        Statistic::ClassicCount => trend.classic().map(|classic| classic.count() as f64),
        Statistic::ClassicSum => trend.classic().map(ClassicHistogram::sum),
        Statistic::Total
        | Statistic::Latest
        | Statistic::Lowest
        | Statistic::Highest
        | Statistic::Share(_)
        | Statistic::Nonzero
        | Statistic::Zero => None,
    }
}

impl From<&Histogram> for ExponentialBuckets {
    fn from(histogram: &Histogram) -> Self {
        Self {
            schema: histogram.schema(),
            count: histogram.count(),
            zeros: histogram.zeros(),
            sum: histogram.sum().value(),
            positive: histogram.positive().collect(),
            negative: histogram.negative().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Resolution;
    use super::*;

    fn buckets(values: &[f64]) -> ExponentialBuckets {
        let mut histogram = Histogram::new(Resolution::NATIVE);
        values.iter().for_each(|&value| histogram.record(value));
        ExponentialBuckets::from(&histogram)
    }

    proptest! {
        #[test]
        fn every_value_is_in_exactly_one_bucket(
            values in prop::collection::vec(prop_oneof![-1e3..1e3, 1e-9..1e9, Just(0.0)], 0..200),
        ) {
            let buckets = buckets(&values);
            let counted: u64 = buckets.positive.iter().chain(&buckets.negative).map(|(_, count)| count).sum();
            prop_assert_eq!(counted + buckets.zeros, values.len() as u64);
            prop_assert_eq!(buckets.count, values.len() as u64);
        }

        /// Native histograms, "Schema": receivers accept -4 to 8.
        #[test]
        fn the_schema_is_valid_for_all_values(
            values in prop::collection::vec(prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL, 1..50),
        ) {
            let schema = buckets(&values).schema;
            prop_assert!((-4..=8).contains(&schema), "{}", schema);
        }
    }
}
