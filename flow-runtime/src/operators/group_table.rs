//! The groups of a `GroupBy`: one set of accumulators for each key.
//!
//! ```text
//!   while rows are read:   key ──▶ Keys ──▶ number ──▶ groups[number].update(…)      one table a worker
//!   when all are read:     workers merged, numbers sorted by key, rows out in key order, null first
//! ```
//!
//! Memory: each key once, and its accumulators; nothing for each row. All of it is held at once: a flow with more
//! distinct keys than fit the memory cannot run yet.

use crate::value::{RowReader, Type};

use super::keys::Keys;

/// The accumulators of one group: a struct of aggregators that generated code prints.
pub trait Accumulators: Default + Send {
    /// Takes in what another worker gathered.
    fn merge(&mut self, other: Self);
}

/// Groups by their keys.
///
/// # Example
/// ```
/// use flow_runtime::{operations::Count, operators::{Accumulators, GroupTable}, value::{Decode, Encode, Type}};
///
/// #[derive(Default)]
/// struct Row { count: Count }
/// impl Accumulators for Row {
///     fn merge(&mut self, other: Self) { self.count.merge(other.count) }
/// }
///
/// let mut table = GroupTable::<Row>::default();
/// let mut key = Vec::new();
/// for ip in [Some("b"), None, Some("b")] {
///     key.clear();
///     ip.encode(&mut key);
///     table.group(&key).count.update();
/// }
/// let groups = table.sorted(&[Type::Text]);
/// let rows: Vec<_> = groups.iter().map(|(mut key, row)| (Option::<&str>::decode(&mut key), row.count.finish())).collect();
/// assert_eq!(rows, [(None, 1), (Some("b"), 2)]);
/// ```
#[derive(Debug)]
pub struct GroupTable<A> {
    keys: Keys,
    /// One for each key, by its number.
    groups: Vec<A>,
}

impl<A> Default for GroupTable<A> {
    fn default() -> Self {
        Self { keys: Keys::default(), groups: Vec::new() }
    }
}

impl<A: Accumulators> GroupTable<A> {
    /// The group with this key, made if it is new.
    #[inline]
    pub fn group(&mut self, key: &[u8]) -> &mut A {
        let number = self.keys.insert(key);
        if number == self.groups.len() {
            self.groups.push(A::default());
        }
        &mut self.groups[number]
    }

    /// Takes in another worker's groups.
    pub fn merge(&mut self, other: Self) {
        if self.groups.is_empty() {
            *self = other;
            return;
        }
        for (number, group) in other.groups.into_iter().enumerate() {
            self.group(other.keys.get(number)).merge(group);
        }
    }

    /// The groups in the order of their keys, whose values have these types.
    #[must_use]
    pub fn sorted(self, key: &'static [Type]) -> SortedGroups<A> {
        let Self { keys, groups } = self;
        let mut order: Vec<usize> = (0..groups.len()).collect();
        order.sort_unstable_by(|&a, &b| keys.compare(key, a, b));
        SortedGroups { keys, groups, order }
    }
}

/// Groups in the order of their keys.
#[derive(Debug)]
pub struct SortedGroups<A> {
    keys: Keys,
    groups: Vec<A>,
    order: Vec<usize>,
}

impl<A> SortedGroups<A> {
    /// Each group's key and accumulators.
    pub fn iter(&self) -> impl Iterator<Item = (RowReader<'_>, &A)> {
        self.order.iter().map(|&number| (RowReader::new(self.keys.get(number)), &self.groups[number]))
    }
}

#[cfg(test)]
#[path = "group_table_tests.rs"]
mod tests;
