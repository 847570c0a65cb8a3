//! Sinks and traps: where rows go.
//!
//! [`Sink`] and [`Trap`](crate::Trap) are the handles that a flow's struct holds: an address and a mode, bound to a tap
//! when the run opens. Rows are staged durably under the iteration's attempt before the seal, by `staging.rs`, and
//! published after it, by the tap, in one step. One file a tap.

mod handle;
mod memory;
pub mod staging;

use std::fmt;

use crate::{Error, plan::PortPlan};

pub use handle::{Sink, Target, Trap};
pub use memory::MemoryRows;

/// What happens to rows that are already there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// They stay; the iteration's rows are added.
    Append,
    /// They are replaced by the iteration's rows in one step.
    Replace,
    /// Rows of equal key are replaced, or added to where a field says `add`; others are added.
    Merge,
}

/// Which publication this is: the row of the ledger inside the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The flow's logical name.
    pub flow: String,
    /// The port.
    pub port: String,
    /// The logical name's random number, made with the store.
    pub epoch: String,
    /// The iteration, from 0.
    pub iteration: u64,
    /// The hash of what was staged.
    pub hash: String,
    /// The iteration that was published to this port before, if any (iterations without rows are published too).
    pub after: Option<u64>,
}

/// What publishing did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// The rows are there now.
    Now,
    /// The ledger already had this iteration with this hash: nothing was done.
    Before,
}

/// A tap that rows are published to.
pub trait SinkTap: fmt::Debug + Send {
    /// Finds out, without changing anything, whether publishing could work: the place exists or can be made, a table
    /// there has the right shape.
    ///
    /// # Errors
    /// What does not fit, and what to do.
    fn check(&self) -> Result<(), Error>;

    /// Publishes the staged rows in one step, or finds in the ledger that it was done.
    ///
    /// # Errors
    /// What failed; then nothing of the iteration is visible. [`Error::Held`] when ledger and ticket disagree.
    fn publish(&mut self, staged: &crate::sink::staging::Staged, ticket: &Ticket) -> Result<Published, Error>;
}

/// What a tap is opened with.
#[derive(Clone, Copy, Debug)]
pub struct SinkShape {
    /// The sink or trap as the flow declares it.
    pub port: &'static PortPlan,
    /// The mode.
    pub mode: Mode,
}
