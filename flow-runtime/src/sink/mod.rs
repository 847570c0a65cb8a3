//! Sinks and traps: where rows go.
//!
//! [`Sink`] and [`Trap`] are the handles that a flow's struct holds: an address and a mode, bound to a tap
//! when the run opens. Rows are staged durably under the iteration's attempt before the seal, by `staging`, and
//! published after it, by the tap, in one step. One file a tap; what a ledger means is in `ledger.rs`, what merging does
//! to two rows in `merge.rs`.
//!
#![cfg_attr(feature = "aws", doc = include_str!("dynamodb.md"))]

#[cfg(any(test, feature = "faults"))]
#[doc(hidden)]
pub mod conformance;
mod demands;
#[cfg(feature = "aws")]
pub(crate) mod dynamodb;
mod file;
#[cfg(test)]
mod fixtures;
mod handle;
mod iteration_column;
pub(crate) mod ledger;
mod memory;
mod merge;
#[cfg(feature = "aws")]
mod objects;
mod open;
#[cfg(feature = "postgres")]
mod postgres;
mod read_back;
#[cfg(feature = "redshift")]
mod redshift;
#[cfg(feature = "aws")]
mod s3;
#[cfg(feature = "postgres")]
mod sql;
mod sqlite;
pub mod staging;
mod stdout;
mod survey;

use std::fmt;

use crate::{
    Error, Failure,
    plan::{FieldPlan, PortKind, PortPlan},
    trap::output_fields,
};

pub use demands::{Demands, Dialect};
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use file::fuzzing;
pub use handle::{Sink, Target, Trap};
pub use memory::{FromRow, MemoryRows, TrappedRow};
pub(crate) use open::{demands_of, identity};
pub use open::{open, place};
pub use read_back::{Entries, Entry, TrapReader};
pub use staging::{LeftBehind, Staged, Stager};
pub use survey::{Statement, Survey, Work};

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

impl Mode {
    /// As an address and the store have it: `append`, `replace`, `merge`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Replace => "replace",
            Self::Merge => "merge",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Append, Self::Replace, Self::Merge].into_iter().find(|mode| mode.as_str() == text)
    }
}

/// Which publication this is: the entry in the ledger inside the target.
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
    /// The hash of what was staged; empty while nothing is.
    pub hash: String,
    /// The iteration that was published to this port before, if any: the last one whose seal has a manifest for it. A
    /// sink has one even without rows, a trap only with rows.
    pub after: Option<u64>,
    /// The iteration that the target is to begin with, as its address says: what came before is elsewhere.
    pub from: Option<u64>,
}

/// A ledger that is locked.
#[derive(Debug)]
#[non_exhaustive]
pub struct LedgerLock {
    /// Who keeps it locked, and what can be done about it.
    pub failure: Failure,
    /// Whether somebody waits for it.
    pub is_awaited: bool,
}

/// What publishing did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// The rows are there now.
    Now,
    /// The ledger already had this iteration with this hash: nothing was done.
    Before,
}

/// A tap that rows are published to; made by [`open`], which has its errors name the port.
pub trait SinkTap: fmt::Debug + Send {
    /// What happens to rows that are already there.
    fn mode(&self) -> Mode;

    /// Says which flow's the port is, once, before anything else: targets that stage rows themselves keep those of each
    /// flow apart.
    fn of_flow(&mut self, flow: &str) {
        let _ = flow;
    }

    /// What the target cannot store: such rows are trapped before they are staged. Made of the sink's declaration alone, so
    /// that it is the same in each run.
    fn demands(&self) -> Demands {
        Demands::default()
    }

    /// Finds out, without changing anything, whether publishing could work: the place exists or can be made, a table
    /// there has the right shape.
    ///
    /// # Errors
    /// What does not fit, and what to do.
    fn check(&self) -> Result<(), Error>;

    /// Finds out, without changing anything, whether the ledger inside the target would take the iteration of `ticket`, of
    /// which nothing may be staged yet: what [`publish`](SinkTap::publish) would hold is held before anything is read. Says
    /// whether the target has the iteration already, with the same hash. Taps without a ledger have nothing to say.
    ///
    /// # Errors
    /// [`Error::Held`] when ledger and ticket disagree.
    fn check_ledger(&self, ticket: &Ticket) -> Result<bool, Error>;

    /// Finds out, without changing anything, whether somebody keeps the ledger locked for longer than a moment.
    ///
    /// # Errors
    /// What could not be looked at.
    fn look_at_lock(&self) -> Result<Option<LedgerLock>, Error> {
        Ok(None)
    }

    /// Finds out, without changing anything, whether a run without a store may publish here. Such a run reads everything
    /// every time: it replaces what is there, or must find nothing there.
    ///
    /// # Errors
    /// [`Error::Target`] when rows would be doubled.
    fn check_without_store(&self) -> Result<(), Error>;

    /// What stages the rows of `attempt` at `iteration`, if the target does so itself; nothing is done before the first row. Others are
    /// staged on the disk of the machine that reads.
    fn stager(&self, iteration: u64, attempt: &str) -> Option<Box<dyn Stager>> {
        let _ = (iteration, attempt);
        None
    }

    /// Finds out, without changing anything, whether a stager of this tap has a place to stage rows in.
    ///
    /// # Errors
    /// What keeps it from that.
    fn check_staging(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Finds out whether what a stager of this tap has staged at `address` is still there, as it was.
    ///
    /// # Errors
    /// [`Error::Held`] when it is not.
    fn check_staged(&self, address: &str) -> Result<(), Error> {
        let _ = address;
        Ok(())
    }

    /// Removes what stagers of this tap have staged for `attempt`, which is given up, or done. What is published by being
    /// there stays, as the target's own ledger names it. Nothing staged is no error.
    ///
    /// # Errors
    /// What could not be removed.
    fn remove_staged(&self, attempt: &str) -> Result<(), Error> {
        let _ = attempt;
        Ok(())
    }

    /// What attempts of `flow` have left here that the target's ledger does not name, whoever wants it still; as far as the
    /// target tells, and without changing anything.
    ///
    /// # Errors
    /// What could not be looked at.
    fn left_behind(&self, flow: &str) -> Result<Vec<LeftBehind>, Error> {
        let _ = flow;
        Ok(Vec::new())
    }

    /// Removes all that is left of attempts, as [`remove_staged`](Self::remove_staged) does, but also what only going
    /// through all that is there finds.
    ///
    /// # Errors
    /// What could not be removed.
    fn remove_left_behind(&self, attempts: &[String]) -> Result<(), Error> {
        attempts.iter().try_for_each(|attempt| self.remove_staged(attempt))
    }

    /// Publishes the staged rows in one step, or finds in the ledger that it was done. Without a ticket, as a run
    /// without a store has none, no ledger is read or written, and what
    /// [`check_without_store`](SinkTap::check_without_store) refuses is refused here.
    ///
    /// # Errors
    /// What failed; then nothing of the iteration is visible. [`Error::Held`] when ledger and ticket disagree.
    fn publish(&mut self, staged: &Staged, ticket: Option<&Ticket>) -> Result<Published, Error>;

    /// Finds out, without changing anything, how many rows the target has of the ticket's iteration, which
    /// [`replace`](SinkTap::replace) would put others in the place of.
    ///
    /// # Errors
    /// [`Error::Config`] from targets that do not know whose their rows are; [`Error::Held`] when the ledger does not have
    /// the iteration as it was sealed.
    fn replaceable(&self, ticket: &Ticket) -> Result<u64, Error> {
        let _ = ticket;
        Err(Error::Config(
            Failure::new("this kind of target does not know which rows are of which iteration")
                .help("give the port another target, or stdout:"),
        ))
    }

    /// Puts the staged rows in the place of those that the target has of the ticket's iteration, in one step; the ledger
    /// goes on saying that it is there, as it was sealed. Says how many rows there were.
    ///
    /// # Errors
    /// As [`replaceable`](SinkTap::replaceable); [`Error::Held`] when the rows that are there are not those that were
    /// loaded; what failed. Then nothing was changed.
    fn replace(&mut self, staged: &Staged, ticket: &Ticket) -> Result<u64, Error> {
        let _ = staged;
        self.replaceable(ticket)
    }

    /// Has the ledger forget the port of `flow`, so that the target begins with whatever iteration comes next; with `empty`
    /// the rows go, too. In one step, or so that a second call finishes what the first began.
    ///
    /// # Errors
    /// What failed. [`Error::Config`] from taps that cannot.
    fn forget(&mut self, flow: &str, empty: bool) -> Result<(), Error> {
        let _ = (flow, empty);
        Err(Error::Config(
            Failure::new("this kind of target cannot be made to forget")
                .help("do by hand what the error of the run says"),
        ))
    }

    /// What reads a trap's records back, for `flow`; `None` while nothing has been trapped.
    ///
    /// # Errors
    /// What keeps it from being read. [`Error::Config`] from taps that cannot.
    fn trapped(&self, flow: &str) -> Result<Option<Box<dyn TrapReader>>, Error> {
        let _ = flow;
        Err(Error::Config(
            Failure::new("this kind of trap cannot be read back").help("retry from a file:, s3: or sqlite: trap"),
        ))
    }

    /// How it is with what `setup` can make of the target beforehand; `None` where publishing makes all that it needs.
    ///
    /// # Errors
    /// What could not be looked at.
    fn survey(&self) -> Result<Option<Survey>, Error> {
        Ok(None)
    }

    /// Every statement that the sink would send to its server for `flow`, in the order of a load, with something else in the
    /// place of what is known only then; nothing of sinks that send none.
    fn statements(&self, flow: &str) -> Vec<Statement> {
        let _ = flow;
        Vec::new()
    }

    /// Runs statements of the [`Survey`], all or none.
    ///
    /// # Errors
    /// What failed.
    fn execute(&self, work: Work, statements: &[String]) -> Result<(), Error> {
        let _ = (work, statements);
        Ok(())
    }

    /// Shows the first `rows_max` rows that are in the target, without going through a big one: in the order of the sink's
    /// key if the target is small or keeps that order, and counted to [`ROWS_COUNTED_MAX`]. `None` from taps that have shown
    /// their rows, or cannot read them back.
    ///
    /// # Errors
    /// What could not be read.
    fn head(&self, rows_max: usize) -> Result<Option<Head>, Error>;
}

/// Rows of a target that [`SinkTap::head`] counts and sorts.
pub const ROWS_COUNTED_MAX: u64 = 100_000;

/// The first rows of a target, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The rows, null as `None`.
    pub rows: Vec<Vec<Option<String>>>,
    /// How many there are in all; no more than one beyond [`ROWS_COUNTED_MAX`] are counted.
    pub row_count: u64,
}

/// What a tap is opened with.
#[derive(Clone, Copy, Debug)]
pub struct SinkShape {
    /// The sink or trap as the flow declares it.
    pub port: &'static PortPlan,
    /// The mode.
    pub mode: Mode,
}

impl SinkShape {
    fn fields(&self) -> &'static [FieldPlan] {
        output_fields(self.port)
    }
}

/// Without a store everything is read again, and rows that are there would be there twice.
fn would_double(place: &str, shape: SinkShape) -> Error {
    let help = match shape.port.kind {
        PortKind::Trap => "keep a checkpoint, or give the trap an empty target",
        _ => "keep a checkpoint, choose the mode replace, or give an empty target",
    };
    Error::Target(
        Failure::new("there are rows already, and a run without a checkpoint would add them all again")
            .at(place)
            .help(help),
    )
}

/// A run without a store would put its own rows among, or in the place of, those that a store keeps.
fn kept(place: &str, flow: &str, port: &str) -> Error {
    Error::Target(
        Failure::new("a flow with a checkpoint publishes to this table")
            .at(place)
            .cause(format!("its ledger names port `{port}` of flow {flow}"))
            .help("keep the checkpoint, or give another table with ?table=…"),
    )
}
