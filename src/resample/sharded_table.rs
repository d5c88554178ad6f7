//! A hash table in parts, of which one grows at a time.
//!
//! A table that grows moves all that it has: with some hundred thousand entries that takes milliseconds, in which k6 would wait
//! for one new series.

use hashbrown::HashTable;

const PARTS: usize = 256;

/// Entries by their hashes.
pub struct ShardedTable<T> {
    parts: Vec<HashTable<T>>,
}

impl<T> Default for ShardedTable<T> {
    fn default() -> Self {
        Self { parts: (0..PARTS).map(|_| HashTable::new()).collect() }
    }
}

impl<T> ShardedTable<T> {
    /// Returns the entry with this hash for which `is_equal` is true.
    pub fn find(&self, hash: u64, is_equal: impl FnMut(&T) -> bool) -> Option<&T> {
        self.parts[part(hash)].find(hash, is_equal)
    }

    /// Adds an entry. `hash_of` returns the hash of any entry.
    pub fn insert(&mut self, hash: u64, entry: T, hash_of: impl Fn(&T) -> u64) {
        self.parts[part(hash)].insert_unique(hash, entry, hash_of);
    }

    /// Returns all entries, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &T> + Clone {
        self.parts.iter().flat_map(HashTable::iter)
    }
}

/// Bits in the middle of the hash: the tables use those at its ends.
fn part(hash: u64) -> usize {
    (hash >> 24) as usize % PARTS
}

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher;

    use hashbrown::DefaultHashBuilder;

    use super::*;

    #[test]
    fn entries_are_found_and_spread_over_all_parts() {
        let (mut table, hasher) = (ShardedTable::default(), DefaultHashBuilder::default());
        let hash = |number: &u32| hasher.hash_one(number);
        for number in 0..50_000 {
            assert_eq!(table.find(hash(&number), |&entry| entry == number), None);
            table.insert(hash(&number), number, hash);
        }
        assert!((0..50_000).all(|number| table.find(hash(&number), |&entry| entry == number).is_some()));
        assert_eq!(table.iter().count(), 50_000);
        let largest = table.parts.iter().map(HashTable::len).max();
        assert!(largest < Some(3 * 50_000 / PARTS), "{largest:?}");
    }
}
