//! Iterations: numbered from 0 within a flow's logical name, each published exactly once.
//!
//! ```text
//! OPEN(n) ── read, process, stage ──► SEALED(n) ── publish to every sink ──► LOADED(n) ──► DONE(n)
//!    crash: nothing was visible;         crash: publish again from the
//!    read again                          manifest; never read again
//! ```
//!
//! `states.rs` is what is kept, `store.rs` and `upkeep.rs` the contract of whatever keeps it and the one way to seal,
//! `sqlite/` the store in a file. `decide/` says what to do, without doing it. What is not here: the doing, in the order
//! above (`driver/mod.rs`), and which store is meant (`driver/place.rs`).

#[cfg(any(test, all(feature = "aws", feature = "faults")))]
pub(crate) mod conformance;
pub(crate) mod decide;
#[cfg(feature = "aws")]
pub(crate) mod dynamodb;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
pub(crate) mod listing;
#[cfg(test)]
pub(crate) mod model;
pub(crate) mod sqlite;
mod states;
pub(crate) mod store;
pub(crate) mod upkeep;

pub use decide::{OutputChange, TableChange, Unfinished};
#[cfg(all(feature = "aws", feature = "faults"))]
#[doc(hidden)]
pub use dynamodb::try_contract;
pub use listing::IterationRow;
pub use sqlite::listing::iterations;
pub use states::State;
pub(crate) use states::{
    Attempt, IterationDetail, OperatorCounts, Output, Range, Seal, Sealed, SealedDetail, SealedShard, TableVersion,
    Tried,
};
