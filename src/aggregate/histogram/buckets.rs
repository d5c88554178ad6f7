//! The buckets of one sign: which of them have values, and how many.

use super::counts::Counts;
use super::scale::coarser;

/// Rows grow by whole blocks, so that a slowly widening spread does not move them for every new bucket.
const BLOCK: i32 = 16;

/// A row of counts that begins with bucket `first`. The populated ones lie in `low..=high`, which is empty
/// (`low > high`) without values.
#[derive(Debug, Clone)]
pub(super) struct Buckets {
    first: i32,
    counts: Counts,
    low: i32,
    high: i32,
}

impl Default for Buckets {
    fn default() -> Self {
        Self { first: 0, counts: Counts::default(), low: i32::MAX, high: i32::MIN }
    }
}

impl Buckets {
    /// Adds one to bucket `index`; false if the row does not reach it, or if the values would then spread over more than
    /// `most` buckets: a row that was kept may be longer than its values may spread.
    #[inline]
    pub(super) fn increment(&mut self, index: i32, most: i32) -> bool {
        let offset = index.wrapping_sub(self.first) as u32 as usize;
        if offset >= self.counts.len() || !self.fits(index, most) {
            return false;
        }
        self.note(index);
        self.counts.increment(offset);
        true
    }

    /// Adds `count` to bucket `index`, which [`Self::make_room`] made room for.
    pub(super) fn add(&mut self, index: i32, count: u64) {
        self.note(index);
        self.counts.add((index - self.first) as usize, count);
    }

    #[inline]
    fn note(&mut self, index: i32) {
        self.low = self.low.min(index);
        self.high = self.high.max(index);
    }

    /// Whether the values still spread over at most `most` buckets with one more in bucket `index`.
    #[inline]
    fn fits(&self, index: i32, most: i32) -> bool {
        self.is_empty() || self.high.max(index) - self.low.min(index) < most
    }

    pub(super) fn is_empty(&self) -> bool {
        self.low > self.high
    }

    /// Makes the row reach bucket `index`; false if the values would then spread over more than `most` buckets.
    pub(super) fn make_room(&mut self, index: i32, most: i32) -> bool {
        if !self.fits(index, most) {
            return false;
        }
        let end = self.first + self.counts.len() as i32;
        if !(self.first..end).contains(&index) {
            self.relocate(self.low.min(index), self.high.max(index), 0);
        }
        true
    }

    /// Merges neighbouring buckets into those that are `shift` schemas lower.
    pub(super) fn make_coarser(&mut self, shift: i8) {
        if !self.is_empty() {
            self.relocate(coarser(self.low, shift), coarser(self.high, shift), shift);
        }
    }

    /// Moves all counts to a new row that reaches from bucket `low` to `high`, `shift` schemas lower.
    fn relocate(&mut self, low: i32, high: i32, shift: i8) {
        let first = low.div_euclid(BLOCK) * BLOCK;
        let len = (high.div_euclid(BLOCK) + 1) * BLOCK - first;
        let mut moved = Self { first, counts: self.counts.zeros(len as usize), low: i32::MAX, high: i32::MIN };
        for (index, count) in self.populated() {
            moved.add(coarser(index, shift), count);
        }
        *self = moved;
    }

    /// The buckets with values, ascending, each with its count.
    pub(super) fn populated(&self) -> impl DoubleEndedIterator<Item = (i32, u64)> + Clone + '_ {
        // As an exclusive range, so that the empty one does not overflow.
        let range = if self.is_empty() { 0..0 } else { self.low..self.high + 1 };
        range.map(|index| (index, self.counts.get((index - self.first) as usize))).filter(|&(_, count)| count > 0)
    }

    /// Forgets all values and keeps the memory. Touches no more of the row than the values did.
    pub(super) fn clear(&mut self) {
        if !self.is_empty() {
            self.counts.clear((self.low - self.first) as usize..(self.high - self.first + 1) as usize);
        }
        (self.low, self.high) = (i32::MAX, i32::MIN);
    }

    /// How many buckets the row has memory for.
    #[cfg(test)]
    pub(super) fn row(&self) -> &Counts {
        &self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(indices: &[i32]) -> Buckets {
        let mut buckets = Buckets::default();
        for &index in indices {
            if !buckets.increment(index, i32::MAX) {
                assert!(buckets.make_room(index, i32::MAX));
                buckets.add(index, 1);
            }
        }
        buckets
    }

    #[test]
    fn the_row_follows_the_values_in_both_directions() {
        let buckets = buckets(&[100, -100, 100, 7]);
        assert_eq!(buckets.populated().collect::<Vec<_>>(), [(-100, 1), (7, 1), (100, 2)]);
        assert_eq!(buckets.row().len(), 224);
    }

    #[test]
    fn a_spread_over_too_many_buckets_gets_no_room() {
        let mut buckets = buckets(&[10]);
        assert!(!buckets.make_room(18, 8) && !buckets.increment(18, 8));
        assert!(buckets.make_room(17, 8) && buckets.increment(17, 8));
    }

    #[test]
    fn clearing_forgets_all_values() {
        let mut cleared = buckets(&[3, 90]);
        cleared.clear();
        assert!(cleared.is_empty());
        cleared.add(90, 1);
        assert_eq!(cleared.populated().collect::<Vec<_>>(), [(90, 1)]);
    }
}
