//! Native histograms of one series → the buckets of classic ones.
//!
//! All histograms of the series get the same bounds, since a bucket that begins later would count its first values twice or not
//! at all in a rate. Bounds are bounds of native buckets, so counts are exact.

use std::collections::BTreeMap;

use crate::wire::Histogram;
use crate::wire::proto::v1::BucketSpan;
use crate::wire::proto::v1::histogram::{Count, ZeroCount};

/// Smallest and largest number of a native histogram's schema (Remote Write 2.0, "io.prometheus.write.v2.Request").
const SCHEMAS: std::ops::RangeInclusive<i32> = -4..=8;

/// Counts of one histogram at the bounds of its series.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cumulative {
    /// For each bound the number of values at or below it.
    pub counts: Vec<u64>,
    pub count: u64,
    pub sum: f64,
}

/// Returns the bounds that all histograms of a series have together, ascending, and the counts of each.
pub(super) fn cumulative(histograms: &[&Histogram]) -> (Vec<f64>, Vec<Cumulative>) {
    let schema = histograms.iter().map(|histogram| histogram.schema).min().unwrap_or_default();
    let schema = schema.clamp(*SCHEMAS.start(), *SCHEMAS.end());
    let all: Vec<_> = histograms.iter().map(|histogram| buckets(histogram, schema)).collect();
    let mut bounds: Vec<f64> = all.iter().flatten().flat_map(|bucket| [bucket.lower, bucket.upper]).collect();
    bounds.retain(|bound| bound.is_finite());
    bounds.sort_by(f64::total_cmp);
    // -0 and 0 are one bound.
    bounds.dedup_by(|a, b| a == b);
    let counts = all.iter().zip(histograms).map(|(buckets, histogram)| {
        // The buckets and the bounds are ascending.
        let (mut next, mut total) = (buckets.iter().peekable(), 0);
        let counts = bounds.iter().map(|&bound| {
            while let Some(bucket) = next.next_if(|bucket| bucket.upper <= bound) {
                total += bucket.count;
            }
            total
        });
        let counts = counts.collect();
        let count = histogram.count.as_ref().map_or(0, |Count::CountInt(count)| *count);
        Cumulative { counts, count, sum: histogram.sum }
    });
    let counts = counts.collect();
    (bounds, counts)
}

/// Values between two bounds.
struct Bucket {
    lower: f64,
    upper: f64,
    count: u64,
}

/// Returns the buckets of a histogram in a coarser schema, ascending.
fn buckets(histogram: &Histogram, schema: i32) -> Vec<Bucket> {
    let shift = (histogram.schema - schema).clamp(0, 31) as u32;
    let bound = |index: i32| (f64::from(index) * f64::from(-schema).exp2()).exp2();
    let negative = merged(&histogram.negative_spans, &histogram.negative_deltas, shift);
    let negative = negative.iter().rev();
    let negative =
        negative.map(|(&index, &count)| Bucket { lower: -bound(index), upper: -bound(index.saturating_sub(1)), count });
    let zeros = histogram.zero_count.as_ref().map_or(0, |ZeroCount::ZeroCountInt(count)| *count);
    let zero = histogram.zero_threshold.abs();
    let zero = (zeros > 0).then_some(Bucket { lower: -zero, upper: zero, count: zeros });
    let positive = merged(&histogram.positive_spans, &histogram.positive_deltas, shift);
    let positive = positive.iter();
    let positive =
        positive.map(|(&index, &count)| Bucket { lower: bound(index.saturating_sub(1)), upper: bound(index), count });
    negative.chain(zero).chain(positive).collect()
}

/// Returns the counts that are not 0, by the index in a schema that is coarser by `shift`.
fn merged(spans: &[BucketSpan], deltas: &[i64], shift: u32) -> BTreeMap<i32, u64> {
    let (mut index, mut count, mut merged) = (0_i32, 0_i64, BTreeMap::new());
    let mut deltas = deltas.iter();
    for span in spans {
        index = index.saturating_add(span.offset);
        for delta in deltas.by_ref().take(span.length as usize) {
            count = count.saturating_add(*delta);
            if count > 0 {
                // Two neighbouring buckets, of which the second has an even index, are one in the next coarser schema.
                let coarse = (index.saturating_sub(1) >> shift).saturating_add(1);
                *merged.entry(coarse).or_default() += count as u64;
            }
            index = index.saturating_add(1);
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(schema: i32, index: i32, counts: &[i64]) -> Histogram {
        let deltas = counts.iter().scan(0, |previous, &count| Some(count - std::mem::replace(previous, count)));
        Histogram {
            count: Some(Count::CountInt(counts.iter().sum::<i64>() as u64 + 2)),
            zero_count: Some(ZeroCount::ZeroCountInt(2)),
            sum: 1.5,
            schema,
            positive_spans: vec![BucketSpan { offset: index, length: counts.len() as u32 }],
            positive_deltas: deltas.collect(),
            ..Histogram::default()
        }
    }

    #[test]
    fn bounds_are_those_of_the_buckets_and_counts_are_cumulative() {
        // (1, 2], (2, 4] and (8, 16].
        let (bounds, counts) = cumulative(&[&histogram(0, 1, &[3, 4, 0, 1])]);
        assert_eq!(bounds, [0.0, 1.0, 2.0, 4.0, 8.0, 16.0]);
        assert_eq!(counts, [Cumulative { counts: vec![2, 2, 5, 9, 9, 10], count: 10, sum: 1.5 }]);
    }

    #[test]
    fn all_histograms_of_a_series_have_the_coarsest_schema() {
        // In schema 1: (1, 1.41], (1.41, 2], (2, 2.83]; in schema 0: (1, 2], (2, 4].
        let (bounds, counts) = cumulative(&[&histogram(1, 1, &[1, 1, 1]), &histogram(0, 3, &[5])]);
        assert_eq!(bounds, [0.0, 1.0, 2.0, 4.0, 8.0]);
        assert_eq!(counts[0].counts, [2, 2, 4, 5, 5]);
        assert_eq!(counts[1].counts, [2, 2, 2, 2, 7]);
    }

    #[test]
    fn negative_values_come_before_zeros() {
        let positive = histogram(0, 1, &[3, 4]);
        let negative = Histogram {
            negative_spans: positive.positive_spans.clone(),
            negative_deltas: positive.positive_deltas.clone(),
            ..positive
        };
        let (bounds, counts) = cumulative(&[&negative]);
        assert_eq!(bounds, [-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0]);
        assert_eq!(counts[0].counts, [0, 4, 7, 9, 9, 12, 16]);
    }
}
