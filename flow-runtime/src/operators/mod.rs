//! The tables that operators keep: the held side of a join, the groups of a group.
//!
//! They know rows and encoded keys, and neither fields nor taps. A held side is all in memory; groups can go to disk.
//! How much of the memory they may take, and what happens then, is the driver's to say.

mod group_table;
mod heap;
mod join_table;
mod keys;
mod run;
mod sorted_merge;

pub use group_table::{Accumulators, GroupTable, SortedGroups, SpillGroups};
pub use heap::HeapBytes;
pub use join_table::{Entry, JoinBuild, JoinTable, Matched};
pub use run::SpillPlace;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use run::fuzzing;
