//! The driver: runs a flow's iterations from its ports to its ports.
//!
//! `execute.rs` reads and processes one iteration (reader threads, workers, bounded channels); this file holds the order
//! of an iteration: decide → read, process, stage → check the counts → seal → load → done. It never looks inside a
//! record.

mod balance;
#[cfg_attr(not(test), expect(dead_code, reason = "the order of an iteration calls it"))]
mod execute;
mod intake;
mod limits;
mod lock;
mod panics;
mod readers;
mod refusal;
mod run;
mod sequencer;
mod surroundings;
mod workers;

use std::{
    num::NonZeroUsize,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64},
    },
    time::Duration,
};

use crate::flow::Counts;

/// How to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Worker threads.
    pub workers: NonZeroUsize,
    /// What closes an iteration before its sources end.
    pub bounds: Bounds,
    /// Where iterations are kept.
    pub checkpoint: Checkpoint,
    /// Set from outside to abandon the open iteration.
    pub stop: Arc<AtomicBool>,
    /// Read from outside while the run goes on.
    pub progress: Arc<Progress>,
}

/// What closes an iteration before its sources end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Records over all sources; exact.
    pub max_records: Option<u64>,
    /// Bytes of records over all sources; the record that reaches it is the last.
    pub max_bytes: Option<u64>,
    /// Time since the iteration began.
    pub iteration_timeout: Option<Duration>,
    /// Time since the last new record, for sources that wait for more.
    pub no_data_timeout: Option<Duration>,
}

/// Where iterations are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checkpoint {
    /// Nowhere: everything is read, every time.
    None,
    /// In a SQLite file.
    Sqlite(PathBuf),
}

/// Counters that the driver raises while it runs.
#[derive(Debug, Default)]
pub struct Progress {
    /// Records read from sources and tables.
    pub records: AtomicU64,
    /// Bytes read from sources and tables.
    pub bytes: AtomicU64,
    /// Records trapped.
    pub trapped: AtomicU64,
    /// An index into [`PHASES`].
    pub phase: AtomicU64,
    /// Set when the run is over.
    pub finished: AtomicBool,
}

/// What a run does, one after the other.
pub const PHASES: [&str; 4] = ["reading", "sealing", "loading", "done"];

/// What a run did.
#[derive(Debug)]
pub struct Outcome {
    /// Iterations of earlier runs that were sealed and have now been published.
    pub resumed: Vec<u64>,
    /// The iteration of this run; `None` without a store, or if nothing was new.
    pub iteration: Option<u64>,
    /// No source had a new record, and nothing was published.
    pub nothing_new: bool,
    /// Every port, in the order of the plan.
    pub ports: Vec<PortOutcome>,
    /// One entry for each operator of the plan.
    pub counts: Vec<Counts>,
    /// How long it took.
    pub elapsed: Duration,
}

/// What a run did at one port.
#[derive(Clone, Debug, Default)]
pub struct PortOutcome {
    /// Rows or records read, written or trapped.
    pub rows: u64,
    /// Bytes read; 0 for outputs.
    pub bytes: u64,
    /// Where it is bound to, for people: a path, or the address.
    pub place: String,
}
