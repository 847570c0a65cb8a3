//! What a store must give to whoever looks closer, mends or tidies: `check`, `restage`, `reset`, `clean`.
//!
//! What `store.rs` says of a write holds here, too: it may arrive late or twice, and its reply may be lost.

use super::{
    IterationDetail, OperatorCounts, Output, TableVersion,
    decide::Staged,
    store::{SealEnd, Store},
};
use crate::Error;

/// A manifest that is to take the place of a sealed one whose staged rows were lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Swap<'a> {
    /// The iteration.
    pub(crate) iteration: u64,
    /// The attempt that is sealed as the iteration.
    pub(crate) from: &'a str,
    /// The open attempt that has staged the iteration anew.
    pub(crate) to: &'a str,
    /// The outputs that were not loaded when they were looked at, by their ports: those that go.
    pub(crate) unloaded: Vec<String>,
    /// What comes in their place.
    pub(crate) outputs: Vec<Output>,
    /// What the tables held when they were read again.
    pub(crate) tables: Vec<TableVersion>,
    /// The counts of the second reading.
    pub(crate) counts: Vec<OperatorCounts>,
}

/// What is left of an epoch that a reset has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FormerEpoch {
    /// The random number.
    pub(crate) epoch: String,
    /// When the reset was, in microseconds since the epoch of Unix.
    pub(crate) ended_us: i64,
    /// How many iterations it has.
    pub(crate) iterations: u64,
}

/// The last sealed iteration, and the program that read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LastProgram {
    pub(crate) iteration: u64,
    /// [`Plan::hash`](crate::Plan::hash) of the program.
    pub(crate) plan_hash: u64,
}

/// A store that can be mended and tidied.
pub(crate) trait Upkeep: Store {
    /// What tells this store of a flow from any other, where that cannot be told by where it is; resets keep it.
    fn origin(&self) -> &str {
        self.epoch()
    }

    /// All that is kept of an iteration.
    fn iteration(&self, iteration: u64) -> Result<Option<IterationDetail>, Error>;

    /// Swaps a manifest in one step, on the condition of [`may_swap`](super::decide::may_swap); the former attempt is
    /// revoked. Says whether the condition held.
    fn write_swap(&self, swap: &Swap<'_>) -> Result<bool, Error>;

    /// Gives the logical name a new epoch in one step, on the condition that it still has the store's; every open attempt
    /// is revoked. Says whether the condition held.
    fn write_reset(&self, epoch: &str, now_us: i64) -> Result<bool, Error>;

    /// The epoch that the logical name has now; [`Store::epoch`] is the one that the store was opened with.
    fn present_epoch(&self) -> Result<String, Error>;

    /// What is known of an attempt that may have something staged.
    fn staged(&self, attempt: &str) -> Result<Staged, Error>;

    /// The program that read the last sealed iteration.
    fn last_program(&self) -> Result<Option<LastProgram>, Error>;

    /// The most that was ever staged for an iteration.
    fn staged_bytes_max(&self) -> Result<u64, Error>;

    /// The targets that iterations are sealed for, each with its port.
    fn targets(&self) -> Result<Vec<(String, String)>, Error>;

    /// The epochs of this flow that resets have ended, oldest first.
    fn former_epochs(&self) -> Result<Vec<FormerEpoch>, Error>;

    /// Forgets a former epoch; one that the logical name has now stays.
    fn forget_epoch(&self, epoch: &str) -> Result<(), Error>;

    /// The iterations that nobody needs any more if the last `kept` stay: they are done, and no ledger goes by them. What
    /// was read is not forgotten with them.
    fn forgettable(&self, kept: u64) -> Result<Vec<u64>, Error>;

    /// Forgets what [`forgettable`](Self::forgettable) names.
    fn forget_iterations(&self, kept: u64) -> Result<(), Error>;

    /// Gives unused room back to the disk; says how many bytes.
    fn compact(&self) -> Result<u64, Error>;
}

/// Swaps a manifest: one conditional write, and, whenever that did not plainly succeed, a look at what the store has.
///
/// # Errors
/// The store's, when the manifest is not swapped, or when that cannot be found out.
pub(crate) fn swap(store: &dyn Upkeep, swap: &Swap<'_>) -> Result<SealEnd, Error> {
    let there = || store.sealed_attempt(swap.iteration);
    settle(store.write_swap(swap), swap.to, there)
}

/// Makes a new epoch, likewise.
///
/// # Errors
/// The store's, when there is no new epoch, or when that cannot be found out.
pub(crate) fn reset(store: &dyn Upkeep, epoch: &str, now_us: i64) -> Result<SealEnd, Error> {
    settle(store.write_reset(epoch, now_us), epoch, || store.present_epoch().map(Some))
}

/// How a conditional write ended that puts `own` where `there` looks: as with a seal, a lost reply is no lost race.
fn settle(
    written: Result<bool, Error>,
    own: &str,
    there: impl FnOnce() -> Result<Option<String>, Error>,
) -> Result<SealEnd, Error> {
    if let Ok(true) = written {
        return Ok(SealEnd::Won);
    }
    match (written, there()) {
        (_, Ok(Some(there))) if there == own => Ok(SealEnd::Won),
        (Ok(_), Ok(_)) => Ok(SealEnd::Lost),
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}
