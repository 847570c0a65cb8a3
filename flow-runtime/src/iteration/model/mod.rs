//! A model of the protocol, and a search through all that can happen to it.
//!
//! A small world has a source that grows, the store, the staging area, two sinks and a trap with a ledger each, and
//! processes: two runs, a clean-up, a reset (`world.rs`). A process is where it stands in the order of its effects, and
//! what it has in mind (`actor.rs`, `replies.rs`). An effect is data (`effects.rs`), what it does is in
//! `outside.rs` and `target.rs`: it happens, or fails, or happens and its reply is lost, or arrives late, or twice; a
//! process dies at any point, or pauses while others go on (`steps.rs`). There is no lock of the flow: nothing may hang
//! on it.
//!
//! The search (`search.rs`) goes breadth first through every world that can be reached from those of `worlds.rs`. Of each
//! step it asks the rules (`invariants.rs`); from each world it lets all processes die and one run go on without a fault,
//! to see whether every record is then in every target exactly once (`recovery.rs`).
//!
//! The decisions are those of the driver, store and taps, not a copy: `decide::{start, known_shards, close, may_seal,
//! seal_end, may_revoke, is_garbage, mark}` and `ledger::{turn, turn_of_table, borne_out}` (`facts.rs`). That the order of effects is the
//! driver's is checked by `driver/tests/model.rs`, with the runs of `rehearsal.rs`. What is restated here, because there
//! it is SQL: that a condition and its write are one step, under which epoch rows are kept, what is forgotten when.
//!
//! `mutants.rs` breaks the protocol on purpose; the search must find a history for each.
//!
//! What is not in it: more than one shard, changed programs and addresses, targets and staged rows that others change, and
//! what a person does about a held iteration.

mod actor;
mod effects;
mod facts;
mod few;
mod invariants;
mod mutants;
mod outside;
mod recovery;
mod rehearsal;
mod replies;
mod search;
mod steps;
mod target;
mod tests;
mod world;
mod worlds;

pub(crate) use rehearsal::Rehearsal;
