//! Reads and processes one iteration: reader threads, worker threads, and the calling thread between them.
//!
//! ```text
//! reader of each port ──piece──► calling thread ──work──► workers      F::read
//!         ▲                      │ order, bounds, hashes     │
//!         └────────buffer────────┴◄────rows, trapped─────────┘
//! ```
//!
//! The calling thread's part is `run.rs`; what tables may hold, and what happens when it is too much, `memory.rs`. Everything that is sent carries one of a fixed number of buffers, so that no queue grows with the input and no
//! sender ever blocks: whatever fails, the calling thread leaves, and the others find that nobody listens. What the
//! workers made is handed to the [`Collect`] in the order of the pieces, whoever was faster.

use std::{
    num::NonZeroUsize,
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
    thread,
    time::Duration,
};

use super::{Bounds, Progress, limits::ClosedBy, memory::Memory, run::Run};
use crate::{
    Error,
    flow::{Counts, Flow},
    operators::SpillPlace,
    origin::Origin,
    plan::Step,
    sink::Demands,
    source::{Position, Reading, ShardFrom, SourceTap},
    value::RowBuffer,
};

/// The reading and processing of one iteration.
pub(crate) struct Execution<'a> {
    /// The flow's input ports.
    pub(crate) inputs: Vec<InputJob<'a>>,
    /// What the targets of the ports cannot store, in the order of the plan.
    pub(crate) demands: Arc<[Demands]>,
    /// Worker threads.
    pub(crate) workers: NonZeroUsize,
    /// What closes the iteration before its sources end; tables are always read whole.
    pub(crate) bounds: &'a Bounds,
    /// What tables may hold.
    pub(crate) memory_bytes: u64,
    /// Where groups go that do not fit: a directory that need not exist.
    pub(crate) spill: PathBuf,
    /// Whether operators run although no source has a new record.
    pub(crate) run_when_empty: bool,
    /// Set from outside to abandon the iteration.
    pub(crate) stop: &'a AtomicBool,
    /// Set from outside to close the iteration early.
    pub(crate) drain: &'a AtomicBool,
    /// Raised as records are processed.
    pub(crate) progress: &'a Progress,
    /// The time since the iteration began.
    pub(crate) clock: &'a dyn Fn() -> Duration,
}

/// One input port and what to read of it.
#[derive(Debug)]
pub(crate) struct InputJob<'a> {
    /// Index into [`Plan::ports`](crate::Plan::ports).
    pub(crate) port: usize,
    /// Where it is read from.
    pub(crate) tap: &'a dyn SourceTap,
    /// What is read, and from where.
    pub(crate) shards: Vec<ShardFrom>,
    /// How.
    pub(crate) reading: Reading,
    /// Whether it is a source, to which bounds apply, and not a table.
    pub(crate) is_source: bool,
}

/// Takes what comes out, on the thread that called [`execute`].
pub(crate) trait Collect {
    /// Takes rows of a sink, and where they come from.
    ///
    /// # Errors
    /// What ends the run: a full disk.
    fn rows(&mut self, port: usize, rows: &RowBuffer, origin: &Origin<'_>) -> Result<(), Error>;

    /// Takes a record of a trap, and where it comes from.
    ///
    /// # Errors
    /// What ends the run: a full disk, a trap without an address.
    fn trapped(&mut self, port: usize, record: &TrappedRecord<'_>, origin: &Origin<'_>) -> Result<(), Error>;
}

/// A record or a row that failed, as a trap keeps it: its fields are those of
/// [`TRAP_FIELDS`](crate::trap::TRAP_FIELDS).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TrappedRecord<'a> {
    /// The record's bytes, or the row as text; nothing before a table's first row.
    pub(crate) record: Option<&'a [u8]>,
    /// The name of the input port; nothing for a row.
    pub(crate) source: Option<&'a str>,
    /// The name of the shard; nothing for a row.
    pub(crate) shard: Option<&'a str>,
    /// Where in the shard; nothing for a row.
    pub(crate) position: Option<Position>,
    /// Which operator refused it, as a person would write it.
    pub(crate) operator: &'a str,
    /// Why.
    pub(crate) reason: &'a str,
}

/// What was read and processed.
#[derive(Debug)]
pub(crate) struct Executed {
    /// One entry for each of [`Plan::operators`](crate::Plan::operators).
    pub(crate) counts: Vec<Counts>,
    /// One entry for each of [`Execution::inputs`].
    pub(crate) inputs: Vec<InputRead>,
    /// Whether a source had a new record, or the flow has no source.
    pub(crate) new_records: bool,
    /// Records out of a trap that were trapped again.
    pub(crate) failed_again: u64,
    /// Why the sources were read no further.
    pub(crate) closed_by: ClosedBy,
}

/// How far an input was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InputRead {
    /// Index into [`Plan::ports`](crate::Plan::ports).
    pub(crate) port: usize,
    /// Its shards, in reading order.
    pub(crate) shards: Vec<ShardRead>,
}

/// How far a shard was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ShardRead {
    /// [`Shard::id`](crate::source::Shard::id).
    pub(crate) id: String,
    /// [`Shard::name`](crate::source::Shard::name).
    pub(crate) name: String,
    /// [`Shard::mark`](crate::source::Shard::mark).
    pub(crate) mark: String,
    /// The first position that was to be read.
    pub(crate) first: Position,
    /// The first position not read.
    pub(crate) next: Position,
    /// Records read.
    pub(crate) records: u64,
    /// Bytes read: of lines with their ends, of listed records without.
    pub(crate) bytes: u64,
    /// A hash of these bytes, the same however they were cut into pieces.
    pub(crate) hash: String,
    /// Whatever arrived before this has been read, if the source knows times.
    pub(crate) covered_us: Option<i64>,
    /// [`ShardFrom::gap`](crate::source::ShardFrom::gap).
    pub(crate) gap: Option<String>,
}

/// Follows the plan's steps. Sources are looked at first: if none has a new record, no operator runs.
///
/// # Errors
/// What a reader or the collector failed with; [`Error::Record`] for a record that no trap takes and for a panic in the
/// flow's code; [`Error::Interrupted`]. All threads have ended by then.
pub(crate) fn execute<F: Flow>(job: Execution<'_>, collect: &mut dyn Collect) -> Result<Executed, Error> {
    let run_when_empty = job.run_when_empty;
    let memory = Memory::new(F::PLAN, job.memory_bytes, job.workers, SpillPlace::new(&job.spill));
    thread::scope(|threads| {
        // Dropped when this closure ends, however it ends, it makes the readers end.
        let mut run = Run::new(F::PLAN, job, &memory, collect, threads);
        let new_records = run.open_sources()?;
        if new_records || run_when_empty {
            let (mut shared, mut state) = (F::Shared::default(), F::Worker::default());
            for step in F::PLAN.steps {
                match step {
                    Step::Read(ports) => run.read::<F>(ports, &shared, &mut state)?,
                    Step::Drain(drain) => run.drain::<F>(*drain, &mut shared, &mut state)?,
                }
            }
        }
        Ok(run.finish(new_records))
    })
}

#[cfg(test)]
#[path = "execute_tests.rs"]
mod tests;
