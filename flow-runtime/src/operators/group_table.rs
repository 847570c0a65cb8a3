//! The groups of a `GroupBy`: one set of accumulators for each key.
//!
//! ```text
//!   while rows are read:   key ──▶ Keys ──▶ number ──▶ groups[number].update(…)      one table a worker
//!   too much memory:       numbers sorted by key ──▶ a run on disk; the table is empty again
//!   when all are read:     what all workers have in memory and on disk, merged: groups in key order, null first
//! ```
//!
//! Memory: each key of a worker once, and its accumulators; nothing for each row. A table never looks at how much that
//! is: whoever does has it spilled ([`SpillGroups::spill`]). From then on only what came since is in memory, and while
//! the groups go on, one block of at most [`RUNS_MERGED_MAX`] runs.

use std::{collections::VecDeque, fmt, mem};

use super::{
    heap::make_room,
    run::{Run, SpillPlace},
    sorted_merge::{Gathered, SortedMerge},
};
use crate::{
    Error,
    flow::Drained,
    value::{RowReader, Type},
};

/// Runs that are read at once: as many blocks are in memory, and as many files open.
const RUNS_MERGED_MAX: usize = 64;

/// Groups that go on at once.
const GROUPS_LOADED_MAX: usize = 1024;

/// The accumulators of one group: a struct of aggregators that generated code prints.
pub trait Accumulators: Default + Send {
    /// Takes in what was gathered for the same key elsewhere.
    fn merge(&mut self, other: Self);

    /// Appends what [`Accumulators::decode`] reads back.
    fn encode(&self, bytes: &mut Vec<u8>);

    /// Takes off `row` what [`Accumulators::encode`] wrote.
    fn decode(row: &mut RowReader<'_>) -> Self;
}

/// A group table as the driver sees it: it knows neither key nor accumulators.
pub trait SpillGroups: fmt::Debug + Send {
    /// Bytes that it holds in memory, and those that sorting it will take.
    fn held_bytes(&self) -> usize;

    /// Moves what is in memory to disk.
    ///
    /// # Errors
    /// [`Error::Store`] when the disk is full or cannot be written to.
    fn spill(&mut self, place: &SpillPlace) -> Result<(), Error>;

    /// Loads some of the next groups, in the order of their keys, for generated code to push on; no key may be added any
    /// more. There may be none although the table is not drained: what is on disk is put in order first.
    ///
    /// # Errors
    /// [`Error::Store`] when the disk is full or cannot be written to, or does not give back what was written.
    fn load(&mut self, place: &SpillPlace) -> Result<(), Error>;
}

/// Groups by their keys.
///
/// # Example
/// ```
/// use flow_runtime::{
///     flow::Drained,
///     operations::Count,
///     operators::{Accumulators, GroupTable, SpillGroups, SpillPlace},
///     value::{Decode, Encode, RowReader, Type},
/// };
///
/// #[derive(Default)]
/// struct Row { count: Count }
/// impl Accumulators for Row {
///     fn merge(&mut self, other: Self) { self.count.merge(other.count) }
///     fn encode(&self, bytes: &mut Vec<u8>) { self.count.encode(bytes) }
///     fn decode(row: &mut RowReader<'_>) -> Self { Self { count: Count::decode(row) } }
/// }
///
/// let folder = tempfile::tempdir().unwrap();
/// let place = SpillPlace::new(folder.path());
/// let mut table = GroupTable::<Row>::new(&[Type::Text]);
/// let mut key = Vec::new();
/// for ip in [Some("b"), None, Some("b")] {
///     key.clear();
///     ip.encode(&mut key);
///     table.group(&key).0.count.update();
///     table.spill(&place)?;
/// }
/// table.load(&place)?;
/// let groups = table.take_loaded();
/// let rows: Vec<_> = groups.iter().map(|(mut key, row)| (Option::<&str>::decode(&mut key), row.count.finish())).collect();
/// assert_eq!(rows, [(None, 1), (Some("b"), 2)]);
/// assert_eq!(table.drained(), Drained::Wholly);
/// # Ok::<(), flow_runtime::Error>(())
/// ```
pub struct GroupTable<A> {
    key: &'static [Type],
    gathered: Gathered<A>,
    /// What other workers gathered.
    others: Vec<Gathered<A>>,
    /// What has been spilled, the oldest first.
    runs: VecDeque<Run>,
    /// While the groups go on: everything above.
    merge: Option<SortedMerge<A>>,
    loaded: SortedGroups<A>,
}

impl<A: Accumulators> GroupTable<A> {
    /// A table without groups; `key` are the types of the keys' values.
    #[must_use]
    pub fn new(key: &'static [Type]) -> Self {
        Self {
            key,
            gathered: Gathered::default(),
            others: Vec::new(),
            runs: VecDeque::new(),
            merge: None,
            loaded: SortedGroups::default(),
        }
    }

    /// The group with this key, made if it is new, and the bytes that all groups own, for it to raise.
    #[inline]
    pub fn group(&mut self, key: &[u8]) -> (&mut A, &mut usize) {
        let Gathered { keys, groups, heap_bytes } = &mut self.gathered;
        let number = keys.insert(key);
        if number == groups.len() {
            make_room(groups, 1);
            groups.push(A::default());
        }
        (&mut groups[number], heap_bytes)
    }

    /// Takes in another worker's groups.
    pub fn merge(&mut self, other: Self) {
        // They stay apart until all are sorted: nothing is held twice, and what is on disk goes the same way.
        let gathered = { other.others }.into_iter().chain([other.gathered]);
        self.others.extend(gathered.filter(|gathered| !gathered.groups.is_empty()));
        self.runs.extend(other.runs);
    }

    /// The groups that were loaded.
    pub fn take_loaded(&mut self) -> SortedGroups<A> {
        mem::take(&mut self.loaded)
    }

    /// Whether groups are left that have not been loaded.
    #[must_use]
    pub fn drained(&self) -> Drained {
        let is_empty = match &self.merge {
            Some(merge) => merge.is_empty(),
            None => self.gathered.groups.is_empty() && self.others.is_empty() && self.runs.is_empty(),
        };
        if is_empty { Drained::Wholly } else { Drained::Partly }
    }

    fn take_gathered(&mut self) -> impl Iterator<Item = Gathered<A>> + use<A> {
        [mem::take(&mut self.gathered)].into_iter().chain(mem::take(&mut self.others))
    }

    /// Merges the oldest runs into one while there are too many; once a call, so that nobody has to wait for all of it.
    fn merge_runs(&mut self, place: &SpillPlace) -> Result<bool, Error> {
        if self.runs.len() <= RUNS_MERGED_MAX {
            return Ok(false);
        }
        let oldest = self.runs.drain(..RUNS_MERGED_MAX);
        let merged = SortedMerge::<A>::new(self.key, [], oldest)?.write(place)?;
        self.runs.push_back(merged);
        Ok(true)
    }
}

impl<A: Accumulators> SpillGroups for GroupTable<A> {
    fn held_bytes(&self) -> usize {
        let merging = self.merge.as_ref().map_or(0, SortedMerge::held_bytes);
        merging + self.gathered.held_bytes() + self.others.iter().map(Gathered::held_bytes).sum::<usize>()
    }

    fn spill(&mut self, place: &SpillPlace) -> Result<(), Error> {
        if let Some(merge) = &mut self.merge {
            return merge.spill(place);
        }
        let gathered = self.take_gathered();
        let merge = SortedMerge::new(self.key, gathered, [])?;
        if !merge.is_empty() {
            self.runs.push_back(merge.write(place)?);
        }
        Ok(())
    }

    fn load(&mut self, place: &SpillPlace) -> Result<(), Error> {
        if self.merge.is_none() {
            if self.merge_runs(place)? {
                return Ok(());
            }
            let (gathered, runs) = (self.take_gathered(), mem::take(&mut self.runs));
            self.merge = Some(SortedMerge::new(self.key, gathered, runs)?);
        }
        let Some(merge) = &mut self.merge else { return Ok(()) };
        let SortedGroups { keys, ends, groups } = &mut self.loaded;
        while groups.len() < GROUPS_LOADED_MAX
            && let Some(group) = merge.next(keys)?
        {
            ends.push(keys.len());
            groups.push(group);
        }
        if merge.is_empty() {
            // Gives memory and disk back; the table could be filled anew.
            self.merge = None;
        }
        Ok(())
    }
}

impl<A> fmt::Debug for GroupTable<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups = self.gathered.groups.len();
        f.debug_struct("GroupTable").field("groups", &groups).field("runs", &self.runs).finish_non_exhaustive()
    }
}

/// Some groups, in the order of their keys.
#[derive(Debug)]
pub struct SortedGroups<A> {
    keys: Vec<u8>,
    ends: Vec<usize>,
    groups: Vec<A>,
}

impl<A> Default for SortedGroups<A> {
    fn default() -> Self {
        Self { keys: Vec::new(), ends: Vec::new(), groups: Vec::new() }
    }
}

impl<A> SortedGroups<A> {
    /// Each group's key and accumulators.
    pub fn iter(&self) -> impl Iterator<Item = (RowReader<'_>, &A)> {
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        let keys = starts.zip(&self.ends).map(|(start, &end)| self.keys.get(start..end).unwrap_or_default());
        keys.map(RowReader::new).zip(&self.groups)
    }
}

#[cfg(test)]
#[path = "group_table_tests.rs"]
mod tests;
