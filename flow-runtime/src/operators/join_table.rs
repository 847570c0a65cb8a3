//! The held side of a `HashJoin`: its rows by their keys.
//!
//! ```text
//!   while the held side is read (one JoinBuild a worker):     pending: (number of key, sequence, row), as they come
//!   frozen (one JoinTable for all workers):
//!
//!     key ──▶ Keys ──▶ number 1         starts  [0, 2, 5, …]
//!                                                   │  │
//!                                   rows    [a0 a1 b0 b1 b2 c0 …]      rows(1) = [b0 b1 b2], in order of arrival
//! ```
//!
//! Each worker that streams marks in a [`Matched`] which keys it met; merged, they tell which held rows met nobody, and
//! those come out once, whatever the number of workers.
//!
//! Memory: each key once, each row once; twice for a moment, while freezing sorts them. All of it is held at once: a held
//! side that does not fit the memory cannot be joined yet.

use std::fmt;

use crate::value::Type;

use super::keys::Keys;

/// Gathers the rows of the held side; one for each worker.
pub struct JoinBuild<R> {
    keys: Keys,
    pending: Vec<Pending<R>>,
}

struct Pending<R> {
    key: usize,
    sequence: u64,
    row: R,
}

impl<R> Default for JoinBuild<R> {
    fn default() -> Self {
        Self { keys: Keys::default(), pending: Vec::new() }
    }
}

impl<R> JoinBuild<R> {
    /// Takes in a row of the block with this sequence number.
    #[inline]
    pub fn push(&mut self, sequence: u64, key: &[u8], row: R) {
        let key = self.keys.insert(key);
        self.pending.push(Pending { key, sequence, row });
    }

    /// Takes in what another worker gathered.
    pub fn append(&mut self, other: Self) {
        if self.pending.is_empty() {
            *self = other;
            return;
        }
        let numbers: Vec<usize> =
            (0..other.keys.len()).map(|number| self.keys.insert(other.keys.get(number))).collect();
        self.pending.extend(other.pending.into_iter().map(|row| Pending { key: numbers[row.key], ..row }));
    }
}

impl<R> fmt::Debug for JoinBuild<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinBuild").field("keys", &self.keys.len()).field("rows", &self.pending.len()).finish()
    }
}

/// The held side, complete; workers share it.
///
/// # Example
/// ```
/// use flow_runtime::{operators::{JoinBuild, JoinTable, Matched}, value::{Encode, Type}};
/// fn key(ip: &str) -> Vec<u8> {
///     let mut key = Vec::new();
///     ip.encode(&mut key);
///     key
/// }
///
/// let mut build = JoinBuild::default();
/// build.push(0, &key("b"), "Bern");
/// build.push(0, &key("a"), "Aarau");
/// build.push(1, &key("b"), "Basel");
/// let table = JoinTable::freeze(build, &[Type::Text]);
///
/// let mut matched = Matched::default();
/// let entry = table.find(&key("b")).unwrap();
/// matched.mark(entry);
/// assert_eq!(table.rows(entry), ["Bern", "Basel"]);
/// assert_eq!(table.unmatched(&matched).collect::<Vec<_>>(), [&"Aarau"]);
/// ```
pub struct JoinTable<R> {
    keys: Keys,
    key: &'static [Type],
    /// Where the rows of a key begin in `rows`, by its number; where the next one's begin, they end.
    starts: Vec<usize>,
    rows: Vec<R>,
}

/// A key that the held side has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry(usize);

impl<R> Default for JoinTable<R> {
    fn default() -> Self {
        Self::freeze(JoinBuild::default(), &[])
    }
}

impl<R> JoinTable<R> {
    /// Makes the table from all workers' rows; `key` are the types of the key's values.
    #[must_use]
    pub fn freeze(build: JoinBuild<R>, key: &'static [Type]) -> Self {
        let JoinBuild { keys, mut pending } = build;
        // Stable: rows of one block stay in the order of their pushing.
        pending.sort_by_key(|row| (row.key, row.sequence));
        let mut starts = vec![0; keys.len() + 1];
        for (index, row) in pending.iter().enumerate() {
            starts[row.key + 1] = index + 1;
        }
        Self { keys, key, starts, rows: pending.into_iter().map(|row| row.row).collect() }
    }

    /// The entry of a key, if the held side has it.
    #[inline]
    #[must_use]
    pub fn find(&self, key: &[u8]) -> Option<Entry> {
        self.keys.find(key).map(Entry)
    }

    /// The rows of a key, in order of arrival.
    #[inline]
    #[must_use]
    pub fn rows(&self, entry: Entry) -> &[R] {
        match self.starts.get(entry.0..) {
            Some(&[start, end, ..]) => self.rows.get(start..end).unwrap_or_default(),
            _ => &[],
        }
    }

    /// The rows whose keys are not in `matched`: keys ascending, null first.
    pub fn unmatched<'a>(&'a self, matched: &'a Matched) -> impl Iterator<Item = &'a R> {
        let mut numbers: Vec<usize> = (0..self.keys.len()).filter(|&number| !matched.contains(number)).collect();
        numbers.sort_unstable_by(|&a, &b| self.keys.compare(self.key, a, b));
        numbers.into_iter().flat_map(|number| self.rows(Entry(number)))
    }
}

impl<R> fmt::Debug for JoinTable<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinTable").field("keys", &self.keys.len()).field("rows", &self.rows.len()).finish()
    }
}

/// Which keys of a held side met a partner; one for each worker.
#[derive(Clone, Debug, Default)]
pub struct Matched {
    /// One bit for each key, by its number.
    bits: Vec<u64>,
}

impl Matched {
    /// Says that this key met a partner.
    #[inline]
    pub fn mark(&mut self, entry: Entry) {
        let (word, bit) = (entry.0 / 64, entry.0 % 64);
        if word >= self.bits.len() {
            self.bits.resize(word + 1, 0);
        }
        self.bits[word] |= 1 << bit;
    }

    /// Takes in what another worker marked.
    pub fn merge(&mut self, other: Self) {
        if self.bits.len() < other.bits.len() {
            self.bits.resize(other.bits.len(), 0);
        }
        for (mine, others) in self.bits.iter_mut().zip(other.bits) {
            *mine |= others;
        }
    }

    fn contains(&self, number: usize) -> bool {
        self.bits.get(number / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }
}

#[cfg(test)]
#[path = "join_table_tests.rs"]
mod tests;
