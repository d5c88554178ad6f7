//! The buckets of the values of one sign.

use super::counts::Counts;
use super::scale::coarser;

/// Rows grow by whole blocks, so that a slowly widening spread does not reallocate them for every new bucket.
const BLOCK: i32 = 16;

/// A row of counts that begins with bucket `first`. The populated buckets are in `low..=high`, which is empty (`low > high`)
/// without values.
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
    /// Adds one to bucket `index`. Returns false if the row does not contain it, or if the values would spread over more than
    /// `max_buckets` buckets: a row that was kept by [`Self::clear`] may be longer than that.
    #[inline]
    pub(super) fn increment(&mut self, index: i32, max_buckets: i32) -> bool {
        // Most values are between those before, which changes nothing but the count.
        if (self.low..=self.high).contains(&index) {
            self.counts.increment((index - self.first) as usize);
            return true;
        }
        let offset = index.wrapping_sub(self.first) as u32 as usize;
        if offset >= self.counts.len() || !self.fits(index, max_buckets) {
            return false;
        }
        self.populate(index);
        self.counts.increment(offset);
        true
    }

    /// Adds `count` to bucket `index`, which the row must contain ([`Self::extend_to`]).
    pub(super) fn add(&mut self, index: i32, count: u64) {
        self.populate(index);
        self.counts.add((index - self.first) as usize, count);
    }

    /// Extends the range of populated buckets.
    #[inline]
    fn populate(&mut self, index: i32) {
        self.low = self.low.min(index);
        self.high = self.high.max(index);
    }

    /// Returns true if the values, with one more in bucket `index`, spread over at most `max_buckets` buckets.
    #[inline]
    fn fits(&self, index: i32, max_buckets: i32) -> bool {
        self.is_empty() || self.high.max(index) - self.low.min(index) < max_buckets
    }

    pub(super) fn is_empty(&self) -> bool {
        self.low > self.high
    }

    /// Extends the row to bucket `index`. Returns false if the values would spread over more than `max_buckets` buckets.
    pub(super) fn extend_to(&mut self, index: i32, max_buckets: i32) -> bool {
        if !self.fits(index, max_buckets) {
            return false;
        }
        let end = self.first + self.counts.len() as i32;
        if !(self.first..end).contains(&index) {
            self.relocate(self.low.min(index), self.high.max(index), 0);
        }
        true
    }

    /// Merges adjacent buckets into those that are `shift` schemas lower.
    pub(super) fn make_coarser(&mut self, shift: i8) {
        if !self.is_empty() {
            self.relocate(coarser(self.low, shift), coarser(self.high, shift), shift);
        }
    }

    /// Moves all counts to a new row from bucket `low` to `high`, `shift` schemas lower.
    fn relocate(&mut self, low: i32, high: i32, shift: i8) {
        let first = low.div_euclid(BLOCK) * BLOCK;
        let len = (high.div_euclid(BLOCK) + 1) * BLOCK - first;
        let mut moved = Self { first, counts: self.counts.zeros(len as usize), low: i32::MAX, high: i32::MIN };
        for (index, count) in self.populated() {
            moved.add(coarser(index, shift), count);
        }
        *self = moved;
    }

    /// Returns the buckets with values, ascending, each with its count.
    pub(super) fn populated(&self) -> impl DoubleEndedIterator<Item = (i32, u64)> + Clone + '_ {
        // An exclusive range, so that the empty one does not overflow.
        let range = if self.is_empty() { 0..0 } else { self.low..self.high + 1 };
        range.map(|index| (index, self.counts.get((index - self.first) as usize))).filter(|&(_, count)| count > 0)
    }

    /// Removes all values and keeps the memory. Writes only to the populated part of the row.
    pub(super) fn clear(&mut self) {
        if !self.is_empty() {
            self.counts.clear((self.low - self.first) as usize..(self.high - self.first + 1) as usize);
        }
        (self.low, self.high) = (i32::MAX, i32::MIN);
    }

    /// Returns the row.
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
                assert!(buckets.extend_to(index, i32::MAX));
                buckets.add(index, 1);
            }
        }
        buckets
    }

    #[test]
    fn the_row_grows_in_both_directions() {
        let buckets = buckets(&[100, -100, 100, 7]);
        assert_eq!(buckets.populated().collect::<Vec<_>>(), [(-100, 1), (7, 1), (100, 2)]);
        assert_eq!(buckets.row().len(), 224);
    }

    #[test]
    fn a_spread_over_too_many_buckets_is_rejected() {
        let mut buckets = buckets(&[10]);
        assert!(!buckets.extend_to(18, 8) && !buckets.increment(18, 8));
        assert!(buckets.extend_to(17, 8) && buckets.increment(17, 8));
    }

    #[test]
    fn clearing_removes_all_values() {
        let mut cleared = buckets(&[3, 90]);
        cleared.clear();
        assert!(cleared.is_empty());
        cleared.add(90, 1);
        assert_eq!(cleared.populated().collect::<Vec<_>>(), [(90, 1)]);
    }
}
