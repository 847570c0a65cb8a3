//! Encoded keys, numbered in the order of their first appearance.
//!
//! ```text
//!   bytes  ┌────────┬──────────────┬─────┐      indexes: a hash table of 0, 1, 2, …
//!          │ key 0  │ key 1        │ k 2 │      that hashes and compares the keys
//!          └────────┴──────────────┴─────┘      the numbers stand for
//!   ends            8              22    27
//! ```
//!
//! A known key costs a hash and a comparison; a new one costs its bytes and about 20 bytes more, and no allocation of its
//! own.

use std::{cmp::Ordering, fmt, hash::BuildHasher as _};

use hashbrown::{DefaultHashBuilder, HashTable, hash_table};

use super::heap::make_room;
use crate::value::{Type, compare_rows};

/// A set of keys, numbered.
#[derive(Default)]
pub(super) struct Keys {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    indexes: HashTable<usize>,
    hasher: DefaultHashBuilder,
}

impl Keys {
    /// How many keys there are; their numbers are below it.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The key with this number.
    #[inline]
    pub(super) fn get(&self, index: usize) -> &[u8] {
        key(&self.bytes, &self.ends, index)
    }

    /// The number of a key.
    #[inline]
    pub(super) fn find(&self, key: &[u8]) -> Option<usize> {
        self.indexes.find(self.hasher.hash_one(key), |&index| self.get(index) == key).copied()
    }

    /// The number of a key, which is the next one if the key is new.
    #[inline]
    pub(super) fn insert(&mut self, new: &[u8]) -> usize {
        let Self { bytes, ends, indexes, hasher } = self;
        let entry = indexes.entry(
            hasher.hash_one(new),
            |&index| key(bytes, ends, index) == new,
            |&index| hasher.hash_one(key(bytes, ends, index)),
        );
        match entry {
            hash_table::Entry::Occupied(known) => *known.get(),
            hash_table::Entry::Vacant(place) => {
                let index = ends.len();
                place.insert(index);
                make_room(bytes, new.len());
                bytes.extend_from_slice(new);
                make_room(ends, 1);
                ends.push(bytes.len());
                index
            }
        }
    }

    /// The order of the keys with these numbers: that of their values, null first.
    pub(super) fn compare(&self, types: &[Type], a: usize, b: usize) -> Ordering {
        compare_rows(types, self.get(a), self.get(b))
    }

    /// Bytes that are allocated.
    pub(super) fn held_bytes(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * size_of::<usize>() + self.indexes.allocation_size()
    }
}

#[inline]
fn key<'k>(bytes: &'k [u8], ends: &[usize], index: usize) -> &'k [u8] {
    let start = index.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
    let end = ends.get(index).copied().unwrap_or(start);
    bytes.get(start..end).unwrap_or_default()
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("keys", &self.len()).field("bytes", &self.bytes.len()).finish()
    }
}
