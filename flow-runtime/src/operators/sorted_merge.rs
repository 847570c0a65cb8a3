//! Merges sorted parts, in memory and on disk, into groups in the order of their keys.
//!
//! ```text
//!   in memory   a:1  b:2  d:1 ┐   a heap of the parts,
//!   in memory   b:1  c:4      ├─▶ that with the least key first ──▶  a:1  b:6  c:4  d:2  e:1
//!   run         b:3  d:1  e:1 ┘
//! ```
//!
//! Memory: the parts that are in memory, and of each run one block.

use std::{cmp::Ordering, mem};

use super::{
    Accumulators,
    keys::Keys,
    run::{Run, RunReader, SpillPlace},
};
use crate::{
    Error,
    value::{Type, compare_rows},
};

/// Groups in memory, by their keys.
pub(super) struct Gathered<A> {
    pub(super) keys: Keys,
    /// One for each key, by its number.
    pub(super) groups: Vec<A>,
    /// Bytes that the accumulators own.
    pub(super) heap_bytes: usize,
}

impl<A> Default for Gathered<A> {
    fn default() -> Self {
        Self { keys: Keys::default(), groups: Vec::new(), heap_bytes: 0 }
    }
}

impl<A> Gathered<A> {
    /// Bytes that are allocated, and those that sorting will take.
    pub(super) fn held_bytes(&self) -> usize {
        let groups = self.groups.capacity() * size_of::<A>() + self.groups.len() * size_of::<usize>();
        self.keys.held_bytes() + groups + self.heap_bytes
    }
}

/// Sorted groups.
enum Part<A> {
    /// In memory: the numbers of those that are left, the last first.
    Memory { gathered: Gathered<A>, left: Vec<usize> },
    /// On disk.
    Run(RunReader),
}

impl<A: Accumulators> Part<A> {
    fn sorted(gathered: Gathered<A>, key: &[Type]) -> Self {
        let mut left: Vec<usize> = (0..gathered.groups.len()).collect();
        left.sort_unstable_by(|&a, &b| gathered.keys.compare(key, b, a));
        Self::Memory { gathered, left }
    }

    /// The key of the next group, if there is one more.
    #[inline]
    fn key(&self) -> Option<&[u8]> {
        match self {
            Self::Memory { gathered, left } => left.last().map(|&number| gathered.keys.get(number)),
            Self::Run(run) => run.key(),
        }
    }

    /// Takes the next group.
    fn take(&mut self) -> Result<A, Error> {
        match self {
            Self::Memory { gathered, left } => {
                let group = left.pop().and_then(|number| gathered.groups.get_mut(number));
                Ok(group.map(mem::take).unwrap_or_default())
            }
            Self::Run(run) => run.take(),
        }
    }

    fn held_bytes(&self) -> usize {
        match self {
            Self::Memory { gathered, .. } => gathered.held_bytes(),
            Self::Run(_) => 0,
        }
    }

    fn is_in_memory(&self) -> bool {
        matches!(self, Self::Memory { .. })
    }
}

/// Sorted parts, being merged.
pub(super) struct SortedMerge<A> {
    key: &'static [Type],
    parts: Vec<Part<A>>,
    /// Indexes of the parts that have a group left: a heap, that with the least key first.
    heap: Vec<usize>,
}

impl<A: Accumulators> SortedMerge<A> {
    /// Sorts what is in memory, opens what is on disk; `key` are the types of the keys' values.
    pub(super) fn new(
        key: &'static [Type],
        gathered: impl IntoIterator<Item = Gathered<A>>,
        runs: impl IntoIterator<Item = Run>,
    ) -> Result<Self, Error> {
        let gathered = gathered.into_iter().map(|gathered| Ok(Part::sorted(gathered, key)));
        let runs = runs.into_iter().map(|run| run.open().map(Part::Run));
        let parts = gathered.chain(runs).collect::<Result<Vec<_>, _>>()?;
        let heap = (0..parts.len()).filter(|&part| parts[part].key().is_some()).collect();
        let mut merge = Self { key, parts, heap };
        (0..merge.heap.len() / 2).rev().for_each(|at| merge.sift_down(at));
        Ok(merge)
    }

    /// Whether no group is left.
    pub(super) fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// Takes the next group, and appends its key to `key`.
    pub(super) fn next(&mut self, key: &mut Vec<u8>) -> Result<Option<A>, Error> {
        let start = key.len();
        let Some(first) = self.first_key() else { return Ok(None) };
        key.extend_from_slice(first);
        let mut group = self.take_first()?;
        while self.first_key().is_some_and(|other| other == &key[start..]) {
            group.merge(self.take_first()?);
        }
        Ok(Some(group))
    }

    /// Writes the groups that are left into a run.
    pub(super) fn write(mut self, place: &SpillPlace) -> Result<Run, Error> {
        let mut run = place.create()?;
        let mut key = Vec::new();
        while let Some(group) = self.next(&mut key)? {
            run.push(&key, &group)?;
            key.clear();
        }
        run.finish()
    }

    /// Moves to disk what is left of the parts in memory.
    pub(super) fn spill(&mut self, place: &SpillPlace) -> Result<(), Error> {
        for part in self.parts.iter_mut().filter(|part| part.is_in_memory()) {
            let mut run = place.create()?;
            while let Some(key) = part.key() {
                // The key is borrowed from the part.
                let key = key.to_vec();
                run.push(&key, &part.take()?)?;
            }
            *part = Part::Run(run.finish()?.open()?);
        }
        Ok(())
    }

    /// Bytes that the parts in memory hold.
    pub(super) fn held_bytes(&self) -> usize {
        self.parts.iter().map(Part::held_bytes).sum()
    }

    #[inline]
    fn first_key(&self) -> Option<&[u8]> {
        self.heap.first().and_then(|&part| self.parts[part].key())
    }

    /// Takes the next group of the first part.
    fn take_first(&mut self) -> Result<A, Error> {
        let part = &mut self.parts[self.heap[0]];
        let group = part.take()?;
        if part.key().is_none() {
            self.heap.swap_remove(0);
        }
        self.sift_down(0);
        Ok(group)
    }

    /// Moves a part down the heap until those below have greater keys.
    fn sift_down(&mut self, mut at: usize) {
        loop {
            let below = [2 * at + 1, 2 * at + 2].into_iter().filter(|&child| child < self.heap.len());
            let Some(least) = below.min_by(|&a, &b| self.compare(a, b)) else { return };
            if self.compare(at, least).is_le() {
                return;
            }
            self.heap.swap(at, least);
            at = least;
        }
    }

    fn compare(&self, a: usize, b: usize) -> Ordering {
        let key = |at: usize| self.parts[self.heap[at]].key().unwrap_or_default();
        compare_rows(self.key, key(a), key(b))
    }
}
