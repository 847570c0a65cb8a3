//! What a store keeps of an iteration, as plain data.
//!
//! What is not here: how it is kept (`store.rs`, `sqlite.rs`) and what follows from it (`decide.rs`).

use std::fmt;

use crate::{
    flow::Counts,
    iteration::decide::AttemptState,
    sink::{Mode, staging::StagedManifest},
    source::{LastRead, Position},
};

/// How far an iteration has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// An attempt reads, processes and stages; nothing is visible. Also an attempt that died: the next run begins anew.
    Open,
    /// What was read and staged is final; it is being published, or will be by the next run.
    Sealed,
    /// Every sink and trap has it.
    Loaded,
    /// Its staged rows are gone too.
    Done,
    /// It needs a person; every run looks again whether it still does.
    Held,
}

impl State {
    const ALL: [Self; 5] = [Self::Open, Self::Sealed, Self::Loaded, Self::Done, Self::Held];

    /// The state as stores and listings spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Sealed => "sealed",
            Self::Loaded => "loaded",
            Self::Done => "done",
            Self::Held => "held",
        }
    }

    /// The state that is spelled `text`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One try at an iteration: it owns what it stages, and at most one try of an iteration is sealed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Attempt {
    /// A random number, never used twice.
    pub(crate) id: String,
    /// The iteration it tries.
    pub(crate) iteration: u64,
    /// Who tries: `pid 4711`.
    pub(crate) owner: String,
    /// When it began, in microseconds since the epoch of Unix.
    pub(crate) opened_us: i64,
    /// [`Plan::hash`](crate::Plan::hash) of the program.
    pub(crate) plan_hash: u64,
}

/// What was read of one shard of one source in one iteration.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Range {
    /// The source port.
    pub(crate) port: String,
    /// [`Shard::id`](crate::source::Shard::id).
    pub(crate) shard: String,
    /// [`Shard::name`](crate::source::Shard::name).
    pub(crate) name: String,
    /// [`Shard::mark`](crate::source::Shard::mark).
    pub(crate) mark: String,
    /// Position of the first record.
    pub(crate) first: Position,
    /// The first position not read: where the next iteration begins.
    pub(crate) next: Position,
    /// How many records.
    pub(crate) records: u64,
    /// How many bytes of records.
    pub(crate) bytes: u64,
    /// Hash of the records; a replay must find the same.
    pub(crate) hash: String,
    /// Whatever arrived in the shard before this has been read, in microseconds since the epoch of Unix; `None` where the
    /// source knows no times. So a hole in a stream has a size.
    pub(crate) covered_us: Option<i64>,
}

/// Where a shard has been sealed to.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct SealedShard {
    /// The source port.
    pub(crate) port: String,
    /// [`Shard::id`](crate::source::Shard::id).
    pub(crate) shard: String,
    /// [`Shard::name`](crate::source::Shard::name) at the time.
    pub(crate) name: String,
    /// [`Shard::mark`](crate::source::Shard::mark) at the time.
    pub(crate) mark: String,
    /// The first position not read.
    pub(crate) next: Position,
    /// The last of its ranges that is not empty.
    pub(crate) last: Option<LastRead>,
    /// [`Range::covered_us`] of the last range that has it.
    pub(crate) covered_us: Option<i64>,
}

/// What a table held when an iteration read it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct TableVersion {
    /// The table port.
    pub(crate) port: String,
    /// How many records.
    pub(crate) records: u64,
    /// How many bytes of records.
    pub(crate) bytes: u64,
    /// Hash of the records.
    pub(crate) hash: String,
}

/// The manifest of one output: what was staged for a sink or trap, and for which target.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Output {
    /// What was staged, and for which port.
    pub(crate) staged: StagedManifest,
    /// Where it is to be published, without secrets: one place has one text.
    pub(crate) place: String,
    /// How.
    pub(crate) mode: Mode,
    /// Whether the target has it.
    pub(crate) loaded: bool,
}

/// The counts of one operator, under the name it had.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct OperatorCounts {
    /// The operator as the plan prints it.
    pub(crate) operator: String,
    /// Its counts.
    pub(crate) counts: Counts,
}

/// All that a seal makes final.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seal {
    /// When, in microseconds since the epoch of Unix.
    pub(crate) sealed_us: i64,
    /// What a person should know: why it is no bigger.
    pub(crate) note: String,
    /// What was read of each shard.
    pub(crate) ranges: Vec<Range>,
    /// The versions of the tables.
    pub(crate) tables: Vec<TableVersion>,
    /// What was staged; nothing if the iteration had no new record.
    pub(crate) outputs: Vec<Output>,
    /// The counts of every operator.
    pub(crate) counts: Vec<OperatorCounts>,
}

/// A sealed iteration that is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sealed {
    /// Its number.
    pub(crate) iteration: u64,
    /// The attempt that was sealed.
    pub(crate) attempt: String,
    /// What is to be published, and what has been.
    pub(crate) outputs: Vec<Output>,
}

/// A try at an iteration, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Tried {
    /// The try.
    pub(crate) attempt: Attempt,
    /// What became of it.
    pub(crate) state: AttemptState,
    /// Why it was given up; empty if it was not, or if nobody knows.
    pub(crate) note: String,
}

/// All that a store has of one iteration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IterationDetail {
    /// Its number.
    pub(crate) iteration: u64,
    /// How far it has come.
    pub(crate) state: State,
    /// What a person should know: why it is held, who runs it, why it is no bigger.
    pub(crate) note: String,
    /// The tries at it that are remembered, in their order.
    pub(crate) tries: Vec<Tried>,
    /// What the seal made final; `None` while there is none.
    pub(crate) sealed: Option<SealedDetail>,
}

/// A sealed iteration, in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SealedDetail {
    /// The attempt that was sealed.
    pub(crate) attempt: String,
    /// What the seal made final, and what has been loaded of it.
    pub(crate) seal: Seal,
    /// When every target had it, in microseconds since the epoch of Unix.
    pub(crate) loaded_us: Option<i64>,
    /// When nothing was left to do for it.
    pub(crate) done_us: Option<i64>,
    /// What the tables held when they were read before.
    pub(crate) tables_before: Vec<TableVersion>,
}
