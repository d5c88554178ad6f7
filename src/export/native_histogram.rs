//! Exponential buckets → native histograms in wire format.

use super::readings::ExponentialBuckets;
use crate::wire::proto::v1::BucketSpan;
use crate::wire::proto::v1::histogram::{Count, ZeroCount};
use crate::wire::{self, STALE_MARKER};

/// The maximum number of empty buckets between two buckets of a span. An empty bucket has one byte, a new span four.
const MAX_GAP: i32 = 2;

/// Returns the histogram of a value.
pub(super) fn value(from: &ExponentialBuckets, time_ms: i64) -> wire::Histogram {
    let (positive_spans, positive_deltas) = spans(&from.positive);
    let (negative_spans, negative_deltas) = spans(&from.negative);
    wire::Histogram {
        count: Some(Count::CountInt(from.count)),
        zero_count: Some(ZeroCount::ZeroCountInt(from.zeros)),
        sum: from.sum,
        positive_spans,
        positive_deltas,
        negative_spans,
        negative_deltas,
        ..start(from, time_ms)
    }
}

/// Returns the histogram without values that a series starts with.
pub(super) fn start(from: &ExponentialBuckets, time_ms: i64) -> wire::Histogram {
    wire::Histogram {
        schema: from.schema.into(),
        timestamp: time_ms,
        count: Some(Count::CountInt(0)),
        zero_count: Some(ZeroCount::ZeroCountInt(0)),
        ..wire::Histogram::default()
    }
}

/// Returns the stale marker that ends a series: its sum is the stale marker. The count is kept for receivers that store it as a
/// separate series (VictoriaMetrics does): a 0 would look like a new start.
pub(super) fn end(from: &ExponentialBuckets, time_ms: i64) -> wire::Histogram {
    wire::Histogram { count: Some(Count::CountInt(from.count)), sum: STALE_MARKER, ..start(from, time_ms) }
}

/// Returns the spans of adjacent buckets, and for each bucket its count minus that of the bucket before it.
fn spans(populated: &[(i32, u64)]) -> (Vec<BucketSpan>, Vec<i64>) {
    let (mut spans, mut deltas): (Vec<BucketSpan>, _) = (Vec::new(), Vec::new());
    let (mut next, mut previous) = (0, 0);
    for &(index, count) in populated {
        let gap = index - next;
        match spans.last_mut() {
            Some(span) if gap <= MAX_GAP => {
                for _ in 0..gap {
                    deltas.push(-previous);
                    previous = 0;
                }
                span.length += gap as u32 + 1;
            }
            _ => spans.push(BucketSpan { offset: gap, length: 1 }),
        }
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        deltas.push(count - previous);
        (next, previous) = (index + 1, count);
    }
    (spans, deltas)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn buckets(positive: &[(i32, u64)], negative: &[(i32, u64)]) -> ExponentialBuckets {
        let count = positive.iter().chain(negative).map(|(_, count)| count).sum();
        ExponentialBuckets {
            schema: 3,
            count,
            zeros: 0,
            sum: 0.0,
            positive: positive.into(),
            negative: negative.into(),
        }
    }

    /// Decodes as a receiver does: returns index and count of each bucket that is not empty.
    fn read(spans: &[BucketSpan], deltas: &[i64]) -> Vec<(i32, u64)> {
        let mut deltas = deltas.iter();
        let (mut index, mut count) = (0, 0);
        let mut all = Vec::new();
        for span in spans {
            index += span.offset;
            for _ in 0..span.length {
                count += deltas.next().expect("one for each bucket");
                all.push((index, count as u64));
                index += 1;
            }
        }
        assert!(deltas.next().is_none());
        all.retain(|&(_, count)| count > 0);
        all
    }

    #[test]
    fn near_buckets_share_a_span_and_distant_buckets_do_not() {
        let wire = value(&buckets(&[(0, 2), (1, 1), (4, 1), (80, 1)], &[]), 9);
        assert_eq!(wire.positive_spans, [BucketSpan { offset: 0, length: 5 }, BucketSpan { offset: 75, length: 1 }]);
        assert_eq!(wire.positive_deltas, [2, -1, -1, 0, 1, 0]);
        assert_eq!((wire.schema, wire.timestamp, wire.zero_threshold), (3, 9, 0.0));
    }

    #[test]
    fn the_stale_marker_is_in_the_sum_and_the_count_is_kept() {
        let wire = end(&ExponentialBuckets { count: 3, zeros: 1, ..buckets(&[(0, 1)], &[(13, 1)]) }, 10);
        assert_eq!(wire.sum.to_bits(), STALE_MARKER.to_bits());
        assert_eq!((wire.count, wire.zero_count), (Some(Count::CountInt(3)), Some(ZeroCount::ZeroCountInt(0))));
        assert!(wire.positive_spans.is_empty() && wire.negative_deltas.is_empty());
    }

    proptest! {
        #[test]
        fn decoding_returns_the_counts(
            positive in prop::collection::btree_map(-500..500, 1..1_000_000_u64, 0..100),
            negative in prop::collection::btree_map(-500..500, 1..1_000_000_u64, 0..100),
        ) {
            let (positive, negative) = (Vec::from_iter(positive), Vec::from_iter(negative));
            let wire = value(&buckets(&positive, &negative), 9);
            prop_assert_eq!(read(&wire.positive_spans, &wire.positive_deltas), positive);
            prop_assert_eq!(read(&wire.negative_spans, &wire.negative_deltas), negative);
            prop_assert!(wire.positive_spans.iter().skip(1).all(|span| span.offset >= 0));
        }
    }
}
