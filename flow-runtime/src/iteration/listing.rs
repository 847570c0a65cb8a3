//! What a store has of a flow, for people, as plain data.
//!
//! What is not here: how a store finds it (`sqlite/listing.rs`, `dynamodb/listing.rs`) and how it is shown (`cli/listing.rs`).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::State;

/// One iteration, as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IterationRow {
    /// Its number, from 0.
    pub number: u64,
    /// How far it has come.
    pub state: State,
    /// When its attempt began.
    pub started: SystemTime,
    /// How long it took until it was done; `None` while it is not.
    pub took: Option<Duration>,
    /// Records read from its sources.
    pub records: u64,
    /// Bytes read from its sources.
    pub bytes: u64,
    /// Records that went to traps.
    pub trapped: u64,
    /// Rows for each sink and trap that got any, by the name of its port.
    pub rows: Vec<(String, u64)>,
    /// What a person should know: why it is held, who runs it, that nothing was new, which targets it waits for.
    pub note: String,
}

/// The note of an iteration, and behind it the ports whose targets it waits for, if it is sealed and waits.
pub(super) fn waiting(state: State, note: &str, unloaded: &[&str]) -> String {
    let waits = match (state, unloaded) {
        (State::Sealed, [_, ..]) => format!("waits for {}", unloaded.join(", ")),
        _ => String::new(),
    };
    [note, &waits].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("; ")
}

/// The iterations of a flow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    /// The random number of the logical name; empty if the store does not know it.
    pub(crate) epoch: String,
    /// Oldest first.
    pub(crate) rows: Vec<IterationRow>,
    /// Iterations before these, which were not asked for.
    pub(crate) earlier: u64,
    /// Those from before resets, oldest first.
    pub(crate) former: Vec<FormerListing>,
}

/// The iterations from before a reset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FormerListing {
    /// What the epoch was.
    pub(crate) epoch: String,
    /// When the reset was.
    pub(crate) ended: SystemTime,
    /// Oldest first.
    pub(crate) rows: Vec<IterationRow>,
    /// Iterations before these, which were not asked for.
    pub(crate) earlier: u64,
}

/// A time that is kept as microseconds since the epoch of Unix.
pub(crate) fn time(micros: i64) -> SystemTime {
    let since = Duration::from_micros(micros.unsigned_abs());
    if micros < 0 { UNIX_EPOCH - since } else { UNIX_EPOCH + since }
}
