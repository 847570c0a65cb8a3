//! The tables that operators keep: the held side of a join, the groups of a group.
//!
//! They know rows and encoded keys, and neither fields nor taps. Both hold everything in memory.

mod group_table;
mod join_table;
mod keys;

pub use group_table::{Accumulators, GroupTable, SortedGroups};
pub use join_table::{Entry, JoinBuild, JoinTable, Matched};
