//! Counts of adjacent buckets, as narrow as the counts allow.

use std::ops::Range;

/// A row of counts of 2 bytes each, which is widened as a whole when one of them overflows. Most series have few values in a
/// window, so most rows stay narrow: a quarter of the memory of `u64`.
#[derive(Debug, Clone)]
pub(super) enum Counts {
    Narrow(Vec<u16>),
    Medium(Vec<u32>),
    Wide(Vec<u64>),
}

impl Default for Counts {
    fn default() -> Self {
        Self::Narrow(Vec::new())
    }
}

/// Evaluates an expression for the row of any width.
macro_rules! each_width {
    ($counts:expr, $row:ident => $body:expr) => {
        match $counts {
            Counts::Narrow($row) => $body,
            Counts::Medium($row) => $body,
            Counts::Wide($row) => $body,
        }
    };
}

impl Counts {
    pub(super) fn len(&self) -> usize {
        each_width!(self, row => row.len())
    }

    /// Returns the count at `index`, which must be below [`Self::len`].
    #[allow(clippy::useless_conversion)] // u64 is one of the widths
    pub(super) fn get(&self, index: usize) -> u64 {
        each_width!(self, row => u64::from(row[index]))
    }

    /// Adds one at `index`, which must be below [`Self::len`]. Constant time, except for the few calls that widen the row.
    #[inline]
    pub(super) fn increment(&mut self, index: usize) {
        let overflow = each_width!(self, row => match row[index].checked_add(1) {
            Some(count) => {
                row[index] = count;
                false
            }
            None => true,
        });
        if overflow {
            self.add(index, 1);
        }
    }

    /// Adds `count` at `index`, which must be below [`Self::len`].
    pub(super) fn add(&mut self, index: usize, count: u64) {
        let total = self.get(index).saturating_add(count);
        while total > self.max_count() {
            self.widen();
        }
        match self {
            // The row is wide enough after the loop: the casts are exact.
            Self::Narrow(row) => row[index] = total as u16,
            Self::Medium(row) => row[index] = total as u32,
            Self::Wide(row) => row[index] = total,
        }
    }

    /// Sets the counts in `range` to zero and keeps the memory.
    pub(super) fn clear(&mut self, range: Range<usize>) {
        each_width!(self, row => row[range].fill(0));
    }

    /// Returns a row of `len` zeros of the same width.
    pub(super) fn zeros(&self, len: usize) -> Self {
        match self {
            Self::Narrow(_) => Self::Narrow(vec![0; len]),
            Self::Medium(_) => Self::Medium(vec![0; len]),
            Self::Wide(_) => Self::Wide(vec![0; len]),
        }
    }

    fn max_count(&self) -> u64 {
        match self {
            Self::Narrow(_) => u64::from(u16::MAX),
            Self::Medium(_) => u64::from(u32::MAX),
            Self::Wide(_) => u64::MAX,
        }
    }

    fn widen(&mut self) {
        *self = match self {
            Self::Narrow(row) => Self::Medium(row.iter().map(|&count| u32::from(count)).collect()),
            Self::Medium(row) => Self::Wide(row.iter().map(|&count| u64::from(count)).collect()),
            Self::Wide(_) => return,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_exact_in_every_width() {
        let mut counts = Counts::default().zeros(2);
        for _ in 0..70_000 {
            counts.increment(1);
        }
        assert!(matches!(counts, Counts::Medium(_)));
        counts.add(1, u64::from(u32::MAX));
        assert!(matches!(counts, Counts::Wide(_)));
        assert_eq!((counts.get(0), counts.get(1)), (0, 70_000 + u64::from(u32::MAX)));
    }

    #[test]
    fn a_count_saturates_and_does_not_wrap() {
        let mut counts = Counts::default().zeros(1);
        counts.add(0, u64::MAX);
        counts.increment(0);
        assert_eq!(counts.get(0), u64::MAX);
    }

    #[test]
    fn clearing_keeps_the_length() {
        let mut counts = Counts::default().zeros(3);
        counts.increment(2);
        counts.clear(1..3);
        assert_eq!((counts.len(), counts.get(2)), (3, 0));
    }
}
