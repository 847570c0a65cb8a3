//! The driver: runs a flow's iterations from its ports to its ports.
//!
//! This file holds the order of an iteration, in [`run`]. What happens before the seal is in `attempt.rs`: reading and
//! processing (`execute.rs`), staging (`collect.rs`), checking the counts (`balance.rs`). What happens after it is in
//! `publish.rs`. Which of it is to be done is decided in `iteration/decide.rs`. The driver never looks inside a record.

mod attempt;
mod balance;
mod check;
mod checkpoint;
mod clean;
mod collect;
mod events;
mod execute;
mod follow;
mod forget;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod hash;
mod intake;
mod limits;
mod lock;
mod machine;
mod memory;
mod origin;
mod overlaps;
mod panics;
mod place;
mod ports;
mod preview;
mod progress;
mod publish;
mod readers;
mod refusal;
mod replay;
mod reread;
mod reset;
mod restage;
mod retry;
mod run;
mod sequencer;
mod workers;

use std::{
    num::NonZeroUsize,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

pub use check::{Diagnosis, Finding, Findings, Garbage, LockHolder, What, check, diagnose};
pub use follow::{Service, follow};
pub use preview::{Preview, PreviewOutput, preview};
pub use progress::{Activity, LastDone, Phase, Progress, Status, Trouble};

use attempt::Read;
use checkpoint::OpenCheckpoint;
pub use clean::{Clean, Cleaned, clean};
pub use forget::{Forgetting, Forgotten, Which, forget};
pub(crate) use place::Place;
use ports::Ports;
pub use replay::{Replaced, Replayed, look_at_replay, replay, replay_in_place};
pub use reset::{LoadedTarget, Reset, look_at_reset, reset};
pub use restage::{Restaged, restage};
pub use retry::{Branched, Retry, RetryOutcome, retry_trap};

use crate::{
    Address, Error, Flow,
    effect::clock,
    flow::Counts,
    iteration::{Attempt, store::GivenUp},
    source::Gaps,
};

/// How to run; by default on every processor, without bounds and without a store.
///
/// # Example
/// ```
/// use flow_runtime::driver::{Checkpoint, Options};
/// let mut options = Options::default();
/// options.checkpoint = Checkpoint::Sqlite("flow.db".into());
/// options.bounds.max_records = Some(1_000_000);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Worker threads.
    pub workers: NonZeroUsize,
    /// What closes an iteration before its sources end.
    pub bounds: Bounds,
    /// Bytes that the tables of joins and groups may hold in memory, all workers together; half of the memory that the
    /// machine has, or the control group of the process, if `None`. Groups beyond it go to disk, and come out the same.
    pub memory_bytes: Option<u64>,
    /// Whether the unterminated last line of a source's file is taken as it is; else it waits for its end. Tables, and
    /// runs without a store, take it anyhow.
    pub take_tail: bool,
    /// Where iterations are kept.
    pub checkpoint: Checkpoint,
    /// What to do about a source's file that is not what was read of it.
    pub gaps: Gaps,
    /// Set from outside to abandon the open iteration.
    pub stop: Arc<AtomicBool>,
    /// Set from outside to close the open iteration early: what has been read of its sources is published.
    pub drain: Arc<AtomicBool>,
    /// Read from outside while the run goes on.
    pub progress: Arc<Progress>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            workers: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            bounds: Bounds::default(),
            memory_bytes: None,
            take_tail: false,
            checkpoint: Checkpoint::None,
            gaps: Gaps::Refuse,
            stop: Arc::default(),
            drain: Arc::default(),
            progress: Arc::default(),
        }
    }
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
#[non_exhaustive]
pub enum Checkpoint {
    /// Nowhere: everything is read, every time.
    None,
    /// In a SQLite file.
    Sqlite(PathBuf),
    /// In a table of DynamoDB, `dynamodb://table`, where any number of machines find them; it takes the feature `aws`.
    DynamoDb(Address),
}

/// What a run did.
#[derive(Debug)]
#[non_exhaustive]
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

impl Outcome {
    /// How many iterations were published, with those that earlier runs had left.
    pub(super) fn published(&self) -> u64 {
        self.resumed.len() as u64 + u64::from(!self.nothing_new)
    }
}

/// What a run did at one port.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PortOutcome {
    /// Rows or records read, written or trapped.
    pub rows: u64,
    /// Bytes read; 0 for outputs.
    pub bytes: u64,
    /// Where it is bound to, for people: a path, or the address.
    pub place: String,
    /// The first records that a trap took; empty for other ports.
    pub trapped: Vec<TrappedSample>,
}

/// One of the first records that a trap took, as text for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrappedSample {
    /// Shard and position; empty for a row of a group.
    pub place: String,
    /// Why it was refused.
    pub reason: String,
    /// The beginning of the record.
    pub record: String,
}

/// Trapped records of one trap that [`PortOutcome::trapped`] shows.
pub const TRAPPED_SHOWN_MAX: usize = 5;

/// Letters of a trapped record that [`TrappedSample::record`] shows.
pub const TRAPPED_LETTERS_MAX: usize = 60;

/// Runs one iteration of a flow: what is new in its sources, from where the last iteration ended.
///
/// What an earlier run had sealed and not finished is published first. An error before the seal leaves store and targets
/// as they were; after it, the iteration stays sealed, and the next run publishes it without reading anything again.
///
/// # Errors
/// As [`Error`] says, by what can be done about it.
///
/// # Example
/// ```
/// use flow_runtime::{MemoryRecords, MemoryRows, Sink, Source, driver, flow};
///
/// flow! {
///     pub flow Words {
///         source words { word: &str };
///         sink counts key(word) { word: &str, count: i64 };
///         words -> GroupBy(word) -> Every(Count => count) -> counts;
///     }
/// }
///
/// let counts = MemoryRows::default();
/// let words = Source::memory(&MemoryRecords::lines(["to", "be", "or", "not", "to", "be"]));
/// let flow = Words { words, counts: Sink::memory(&counts).replace() };
/// let outcome = driver::run(&flow, &driver::Options::default())?;
/// assert_eq!((outcome.ports[0].rows, counts.values().len()), (6, 4));
/// # Ok::<(), flow_runtime::Error>(())
/// ```
pub fn run<F: Flow>(flow: &F, options: &Options) -> Result<Outcome, Error> {
    let outcome = run_once(flow, options);
    options.progress.finished.store(true, Ordering::Relaxed);
    outcome
}

fn run_once<F: Flow>(flow: &F, options: &Options) -> Result<Outcome, Error> {
    let mut ports = Ports::open(flow)?;
    fit(flow, &ports, options)?;
    let checkpoint = OpenCheckpoint::open(&options.checkpoint, F::PLAN.logical_name())?;
    iterate::<F>(&checkpoint, &mut ports, options)
}

/// Makes sure, without changing anything, that the ports fit each other and what they are bound to.
fn fit<F: Flow>(flow: &F, ports: &Ports, options: &Options) -> Result<(), Error> {
    overlaps::refuse(F::PLAN.ports.iter().map(|port| port.name).zip(flow.ports()), &options.checkpoint)?;
    ports.check(options.checkpoint != Checkpoint::None)
}

/// Runs one iteration, from ports that were checked, with a checkpoint that is locked.
fn iterate<F: Flow>(checkpoint: &OpenCheckpoint, ports: &mut Ports, options: &Options) -> Result<Outcome, Error> {
    let read = |ports: &Ports, attempt: &Attempt| attempt::read::<F>(checkpoint, ports, options, attempt);
    iterate_reading::<F>(checkpoint, ports, options, read)
}

/// As [`iterate`], with what `read` reads.
fn iterate_reading<F: Flow>(
    checkpoint: &OpenCheckpoint,
    ports: &mut Ports,
    options: &Options,
    read: impl FnOnce(&Ports, &Attempt) -> Result<Read, Error>,
) -> Result<Outcome, Error> {
    let began = clock::elapsed();
    let enter = |phase: Phase| options.progress.enter(phase);

    // Nothing of earlier runs is left over.
    let (resumed, iteration) = publish::leftovers(checkpoint, ports, &options.stop)?;
    checkpoint.sweep(ports)?;

    // OPEN: read, process, stage. SEALED: it is final. An error until here gives the attempt up.
    let attempt = attempt::open(checkpoint, iteration, F::PLAN.hash)?;
    options.progress.opened(iteration);
    let in_attempt = || {
        attempt::check_ledgers(checkpoint, ports, &attempt)?;
        enter(Phase::Reading);
        let read = read(ports, &attempt)?;
        attempt::check(checkpoint, ports, options, &read)?;
        enter(Phase::Sealing);
        let (places, counts) = (attempt::outcomes(ports, &read), read.executed.counts.clone());
        Ok((attempt::seal(checkpoint, ports, &attempt, read)?, places, counts))
    };
    let (sealed, port_outcomes, counts) =
        in_attempt().map_err(|error| attempt::give_up(checkpoint, ports, &attempt, error))?;

    // LOADED: every target has it. DONE: nothing is staged any more.
    enter(Phase::Loading);
    match &sealed {
        Some(sealed) => {
            events::sealed(F::PLAN, sealed, &port_outcomes, clock::elapsed().saturating_sub(began));
            publish::publish(checkpoint, ports, sealed, &options.stop)?;
        }
        None => checkpoint.give_up(ports, &attempt.id, GivenUp::Unneeded)?,
    }
    enter(Phase::Done);

    let nothing_new = sealed.is_none_or(|sealed| sealed.outputs.is_empty());
    let iteration = Some(iteration).filter(|_| checkpoint.is_kept && !nothing_new);
    Ok(Outcome {
        resumed,
        iteration,
        nothing_new,
        ports: port_outcomes,
        counts,
        elapsed: clock::elapsed().saturating_sub(began),
    })
}

#[cfg(test)]
mod tests;
