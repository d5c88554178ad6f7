//! An exponential histogram → its form on the wire.

use crate::aggregate::{Histogram, Populated};
use crate::wire::v1::BucketSpan;
use crate::wire::v1::histogram::{Count, ZeroCount};
use crate::wire::{self, STALE_MARKER};

/// Empty buckets that are told as such rather than by a new span: a zero costs one byte, a span four.
const LONGEST_GAP: i32 = 2;

/// What `histogram` holds.
pub(super) fn value(histogram: &Histogram, time_ms: i64) -> wire::Histogram {
    let (positive_spans, positive_deltas) = buckets(histogram.positive());
    let (negative_spans, negative_deltas) = buckets(histogram.negative());
    wire::Histogram {
        count: Some(Count::CountInt(histogram.count())),
        zero_count: Some(ZeroCount::ZeroCountInt(histogram.zeros())),
        sum: histogram.sum().value(),
        positive_spans,
        positive_deltas,
        negative_spans,
        negative_deltas,
        ..start(histogram, time_ms)
    }
}

/// The histogram without values that a series starts with.
pub(super) fn start(histogram: &Histogram, time_ms: i64) -> wire::Histogram {
    wire::Histogram {
        schema: histogram.schema().into(),
        timestamp: time_ms,
        count: Some(Count::CountInt(0)),
        zero_count: Some(ZeroCount::ZeroCountInt(0)),
        ..wire::Histogram::default()
    }
}

/// The stale marker that ends a series: its sum says so. The count stays, for receivers that make a series of its
/// own of it (VictoriaMetrics does) and would take a 0 for a new start.
pub(super) fn end(histogram: &Histogram, time_ms: i64) -> wire::Histogram {
    wire::Histogram { count: Some(Count::CountInt(histogram.count())), sum: STALE_MARKER, ..start(histogram, time_ms) }
}

/// Spans of buckets that follow each other, and each bucket's count less the one before it.
fn buckets(populated: impl Populated) -> (Vec<BucketSpan>, Vec<i64>) {
    let (mut spans, mut deltas): (Vec<BucketSpan>, _) = (Vec::new(), Vec::new());
    let (mut next, mut before) = (0, 0);
    for (index, count) in populated {
        let gap = index - next;
        match spans.last_mut() {
            Some(span) if gap <= LONGEST_GAP => {
                for _ in 0..gap {
                    deltas.push(-before);
                    before = 0;
                }
                span.length += gap as u32 + 1;
            }
            _ => spans.push(BucketSpan { offset: gap, length: 1 }),
        }
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        deltas.push(count - before);
        (next, before) = (index + 1, count);
    }
    (spans, deltas)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::aggregate::Resolution;

    fn histogram(values: &[f64]) -> Histogram {
        let mut histogram = Histogram::new(Resolution::NATIVE);
        values.iter().for_each(|&value| histogram.record(value));
        histogram
    }

    fn written(values: &[f64]) -> wire::Histogram {
        value(&histogram(values), 9)
    }

    /// What a receiver reads: each bucket's index and count.
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
    fn neighbours_share_a_span_and_far_ones_do_not() {
        // At schema 3: buckets 0, 0, 1, 4 and 80.
        let wire = written(&[1.0, 1.0, 1.09, 1.4, 1024.0]);
        assert_eq!(wire.positive_spans, [BucketSpan { offset: 0, length: 5 }, BucketSpan { offset: 75, length: 1 }]);
        assert_eq!(wire.positive_deltas, [2, -1, -1, 0, 1, 0]);
        assert_eq!((wire.schema, wire.timestamp, wire.zero_threshold), (3, 9, 0.0));
    }

    #[test]
    fn the_end_keeps_the_count_and_has_a_sum_that_says_so() {
        let wire = end(&histogram(&[1.0, -3.0, 0.0]), 10);
        assert_eq!(wire.sum.to_bits(), STALE_MARKER.to_bits());
        assert_eq!((wire.count, wire.zero_count), (Some(Count::CountInt(3)), Some(ZeroCount::ZeroCountInt(0))));
        assert!(wire.positive_spans.is_empty() && wire.negative_deltas.is_empty());
    }

    proptest! {
        #[test]
        fn receivers_read_what_was_recorded(
            values in prop::collection::vec(prop_oneof![-1e3..1e3, 1e-9..1e9, Just(0.0)], 0..200),
        ) {
            let (histogram, wire) = (histogram(&values), written(&values));
            prop_assert!((-4..=8).contains(&wire.schema));
            prop_assert_eq!(read(&wire.positive_spans, &wire.positive_deltas), histogram.positive().collect::<Vec<_>>());
            prop_assert_eq!(read(&wire.negative_spans, &wire.negative_deltas), histogram.negative().collect::<Vec<_>>());
            prop_assert!(wire.positive_spans.iter().skip(1).all(|span| span.offset >= 0));
            prop_assert_eq!(wire.count, Some(Count::CountInt(values.len() as u64)));
        }

        #[test]
        fn no_values_need_a_schema_that_receivers_do_not_take(
            values in prop::collection::vec(prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL, 1..50),
        ) {
            let schema = written(&values).schema;
            prop_assert!((-4..=8).contains(&schema), "{}", schema);
        }
    }
}
