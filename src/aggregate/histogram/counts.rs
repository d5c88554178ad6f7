//! Counts of neighbouring buckets, as narrow as the numbers in them allow.

use std::ops::Range;

/// A row of counts that starts with 2 bytes each and widens as a whole when one of them overflows. Most series see few
/// values in a window, so most rows stay narrow: a quarter of the memory of plain `u64`.
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

/// Runs the same expression on whichever row it is.
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

    /// The count at `index`, which must be below [`Self::len`].
    #[allow(clippy::useless_conversion)] // u64 is one of the widths
    pub(super) fn get(&self, index: usize) -> u64 {
        each_width!(self, row => u64::from(row[index]))
    }

    /// Adds one at `index`, which must be below [`Self::len`]. Constant time but for the few calls that widen the row.
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
        while total > self.largest() {
            self.widen();
        }
        match self {
            // The loop above made the row wide enough: no cast loses anything.
            Self::Narrow(row) => row[index] = total as u16,
            Self::Medium(row) => row[index] = total as u32,
            Self::Wide(row) => row[index] = total,
        }
    }

    /// Sets the counts in `range` to zero and keeps the memory.
    pub(super) fn clear(&mut self, range: Range<usize>) {
        each_width!(self, row => row[range].fill(0));
    }

    /// A row of zeros of `len` buckets in the same width.
    pub(super) fn zeros(&self, len: usize) -> Self {
        match self {
            Self::Narrow(_) => Self::Narrow(vec![0; len]),
            Self::Medium(_) => Self::Medium(vec![0; len]),
            Self::Wide(_) => Self::Wide(vec![0; len]),
        }
    }

    fn largest(&self) -> u64 {
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
    fn counts_stay_exact_across_every_width() {
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
    fn a_count_saturates_rather_than_wraps() {
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
