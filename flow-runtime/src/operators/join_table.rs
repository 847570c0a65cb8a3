//! The held side of a `HashJoin`: its rows by their keys.
//!
//! ```text
//!   while the held side is read (one JoinBuild a worker):     pending: (number of key, sequence, nth, row), as they come
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
//! Memory: each key once, each row once, and about 30 bytes for each of both; the keys of one worker twice for a moment,
//! while workers are merged. All of it is held at once, and a held side that is larger than the driver's bound ends the
//! run.

use std::{fmt, iter};

use super::{
    heap::{HeapBytes, make_room},
    keys::Keys,
};
use crate::{flow::Drained, value::Type};

/// Rows that are moved at once when workers are merged.
const ROWS_MOVED_MAX: usize = 16 * 1024;

/// Unmatched rows that go on at once.
const UNMATCHED_ROWS_MAX: usize = 1024;

/// Gathers the rows of the held side; one for each worker.
pub struct JoinBuild<R> {
    keys: Keys,
    pending: Vec<Pending<R>>,
    /// Rows that have been pushed; not those of other workers.
    pushed: u64,
    /// Bytes that the rows own.
    heap_bytes: usize,
}

struct Pending<R> {
    key: usize,
    sequence: u64,
    /// Which of its worker's rows: those of one block come from one worker.
    nth: u64,
    row: R,
}

impl<R> Default for JoinBuild<R> {
    fn default() -> Self {
        Self { keys: Keys::default(), pending: Vec::new(), pushed: 0, heap_bytes: 0 }
    }
}

impl<R: HeapBytes> JoinBuild<R> {
    /// Takes in a row of the block with this sequence number.
    #[inline]
    pub fn push(&mut self, sequence: u64, key: &[u8], row: R) {
        let key = self.keys.insert(key);
        self.heap_bytes += row.heap_bytes();
        make_room(&mut self.pending, 1);
        self.pending.push(Pending { key, sequence, nth: self.pushed, row });
        self.pushed += 1;
    }

    /// Takes in what another worker gathered.
    pub fn append(&mut self, other: Self) {
        if self.pending.is_empty() {
            *self = other;
            return;
        }
        let Self { keys, mut pending, heap_bytes, .. } = other;
        let numbers: Vec<usize> = (0..keys.len()).map(|number| self.keys.insert(keys.get(number))).collect();
        drop(keys);
        self.heap_bytes += heap_bytes;
        self.pending.reserve_exact(pending.len());
        // From the end, and what is moved is given back at once, so that no row takes memory twice.
        while !pending.is_empty() {
            let moved = pending.drain(pending.len().saturating_sub(ROWS_MOVED_MAX)..);
            self.pending.extend(moved.map(|row| Pending { key: numbers[row.key], ..row }));
            pending.shrink_to_fit();
        }
    }

    /// Bytes that it holds, and those that the frozen table will have besides.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        let rows = self.pending.capacity() * size_of::<Pending<R>>();
        self.keys.held_bytes() + self.keys.len() * BYTES_BESIDES_KEY + rows + self.heap_bytes
    }
}

/// A frozen table knows of each key where its rows begin, and at the end whether they met no partner.
const BYTES_BESIDES_KEY: usize = 2 * size_of::<usize>();

impl<R> fmt::Debug for JoinBuild<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinBuild").field("keys", &self.keys.len()).field("rows", &self.pending.len()).finish()
    }
}

/// The held side, complete; workers share it.
///
/// # Example
/// ```
/// use flow_runtime::{flow::Drained, operators::{JoinBuild, JoinTable, Matched}, value::{Encode, Type}};
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
/// assert_eq!(table.unmatched(&mut matched).collect::<Vec<_>>(), [&"Aarau"]);
/// assert_eq!(matched.drained(), Drained::Wholly);
/// ```
pub struct JoinTable<R> {
    keys: Keys,
    key: &'static [Type],
    /// Where the rows of a key begin in `rows`, by its number; where the next one's begin, they end.
    starts: Vec<usize>,
    rows: Vec<R>,
    /// Bytes that the rows own.
    heap_bytes: usize,
}

/// A key that the held side has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry(usize);

impl<R> Default for JoinTable<R> {
    fn default() -> Self {
        Self { keys: Keys::default(), key: &[], starts: Vec::new(), rows: Vec::new(), heap_bytes: 0 }
    }
}

impl<R> JoinTable<R> {
    /// Makes the table from all workers' rows; `key` are the types of the key's values.
    #[must_use]
    pub fn freeze(build: JoinBuild<R>, key: &'static [Type]) -> Self {
        let JoinBuild { keys, mut pending, heap_bytes, .. } = build;
        // In place, and the rows are collected where they are: a stable sort would take half as much memory again.
        pending.sort_unstable_by_key(|row| (row.key, row.sequence, row.nth));
        let mut starts = vec![0; keys.len() + 1];
        for (index, row) in pending.iter().enumerate() {
            starts[row.key + 1] = index + 1;
        }
        let mut rows: Vec<R> = pending.into_iter().map(|row| row.row).collect();
        rows.shrink_to_fit();
        Self { keys, key, starts, rows, heap_bytes }
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

    /// The next rows whose keys are not in `matched`: keys ascending, null first. They come in pieces, one a call, until
    /// [`Matched::drained`] says that there are no more.
    pub fn unmatched<'a>(&'a self, matched: &mut Matched) -> impl Iterator<Item = &'a R> + use<'a, R> {
        if matched.unmatched.is_none() {
            let mut numbers: Vec<usize> = (0..self.keys.len()).filter(|&number| !matched.contains(number)).collect();
            numbers.sort_unstable_by(|&a, &b| self.keys.compare(self.key, b, a));
            matched.unmatched = Some(Unmatched { numbers, row: 0 });
        }
        let mut room = UNMATCHED_ROWS_MAX;
        let pieces: Vec<&[R]> = iter::from_fn(|| matched.unmatched.as_mut()?.next(self, &mut room)).collect();
        pieces.into_iter().flatten()
    }

    /// Bytes that it holds, and those that finding the unmatched rows will take.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        let rows = self.rows.capacity() * size_of::<R>();
        self.keys.held_bytes() + self.keys.len() * BYTES_BESIDES_KEY + rows + self.heap_bytes
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
    /// While the unmatched rows go on.
    unmatched: Option<Unmatched>,
}

/// Unmatched rows that have not gone on.
#[derive(Clone, Debug)]
struct Unmatched {
    /// The numbers of their keys, the last first.
    numbers: Vec<usize>,
    /// How many rows of the first key have gone on.
    row: usize,
}

impl Unmatched {
    /// The next rows of one key: as many as there is room for, which they take.
    fn next<'a, R>(&mut self, table: &'a JoinTable<R>, room: &mut usize) -> Option<&'a [R]> {
        let rows = table.rows(Entry(*self.numbers.last()?)).get(self.row..).unwrap_or_default();
        let taken = rows.len().min(*room);
        *room -= taken;
        self.row += taken;
        if taken == rows.len() {
            self.numbers.pop();
            self.row = 0;
        }
        rows.get(..taken).filter(|taken| !taken.is_empty())
    }
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

    /// Whether [`JoinTable::unmatched`] has given out every row.
    #[must_use]
    pub fn drained(&self) -> Drained {
        match &self.unmatched {
            Some(unmatched) if unmatched.numbers.is_empty() => Drained::Wholly,
            _ => Drained::Partly,
        }
    }

    /// Bytes that it holds.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.bits.capacity() * size_of::<u64>()
    }

    fn contains(&self, number: usize) -> bool {
        self.bits.get(number / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }
}

#[cfg(test)]
#[path = "join_table_tests.rs"]
mod tests;
