//! The contract between generated code and the runtime.
//!
//! A `flow!` expands to a struct of ports and an implementation of [`Flow`]. Generated code works on *blocks*: one
//! buffer and the offsets of its records go in; rows, indexes of trapped records with their reasons, and counters come
//! out. It does no I/O and knows no tap; the driver never looks inside a record.
//!
//! What is not here: the plan as data (`plan.rs`), the taps (`source`, `sink`), the tables that generated code fills
//! (`operators`).

use std::{fmt, sync::Arc};

use crate::{
    Plan, Sink, Source, Table, Trap, operators::SpillGroups, origin::Lineage, sink::Demands, value::RowBuffer,
};

/// A data flow as the `flow!` macro prints it: its plan, and its fused loops.
///
/// The driver follows [`Plan::steps`]: it reads the ports of a [`Step::Read`](crate::plan::Step) on worker threads, one
/// [`Flow::Worker`] each, folds the workers into one with [`Flow::merge`], and runs every [`Step::Drain`](crate::plan::Step)
/// on that one alone, piece by piece. In between it looks at what the [`Flow::tables`] of each worker hold.
pub trait Flow: fmt::Debug + Sized + 'static {
    /// What the flow is, as data.
    const PLAN: &'static Plan;

    /// What workers share and only read while they run: the held sides of joins.
    type Shared: Default + Send + Sync;

    /// What one worker owns: its part of every table, its scratch space.
    type Worker: Default + Send;

    /// Lends the ports, in the order of [`Plan::ports`].
    fn ports(&self) -> Vec<PortRef<'_>>;

    /// Lends the ports for binding, in the order of [`Plan::ports`].
    fn ports_mut(&mut self) -> Vec<PortMut<'_>>;

    /// Pushes the records of one block of the input port `port` (an index into [`Plan::ports`]) through its loop.
    ///
    /// # Errors
    /// [`Stop`] when a record fails where no trap reaches.
    fn read(
        port: usize,
        shared: &Self::Shared,
        worker: &mut Self::Worker,
        block: &Block<'_>,
        out: &mut Output,
    ) -> Result<(), Stop>;

    /// Takes in what another worker gathered; the order of the calls does not change the result.
    fn merge(worker: &mut Self::Worker, other: Self::Worker);

    /// Does a piece of drain `drain` (of [`Plan::drains`]): freezes a held side, or pushes some of a table's rows on. Of a
    /// group these are the ones that [`SpillGroups::load`] has just loaded.
    ///
    /// # Errors
    /// [`Stop`] when a row fails where no trap reaches, or a sum overflows.
    fn drain(
        drain: usize,
        shared: &mut Self::Shared,
        worker: &mut Self::Worker,
        out: &mut Output,
    ) -> Result<Drained, Stop>;

    /// Lends the tables that grow with the input: what they hold is counted, and bounded.
    fn tables<'a>(_shared: &'a Self::Shared, _worker: &'a mut Self::Worker) -> Vec<TableMut<'a>> {
        Vec::new()
    }
}

/// Whether a drain has pushed on all of its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// Some are left.
    Partly,
    /// None is left.
    Wholly,
}

/// A table that grows with the input, lent; `operator` is an index into [`Plan::operators`].
#[derive(Debug)]
pub enum TableMut<'a> {
    /// The held side of a join, frozen: all workers share it.
    Frozen {
        /// The join.
        operator: usize,
        /// What it holds in memory.
        bytes: usize,
    },
    /// What a worker has of a join: rows of the held side, marks.
    Join {
        /// The join.
        operator: usize,
        /// What it holds in memory.
        bytes: usize,
    },
    /// What a worker has of a group.
    Groups {
        /// The group.
        operator: usize,
        /// The groups, which can go to disk.
        groups: &'a mut dyn SpillGroups,
    },
}

/// A port, lent.
#[derive(Clone, Copy, Debug)]
pub enum PortRef<'a> {
    /// An input that goes on where the last iteration ended.
    Source(&'a Source),
    /// An input that is read whole in every iteration.
    Table(&'a Table),
    /// An output.
    Sink(&'a Sink),
    /// Where records go that fail.
    Trap(&'a Trap),
}

/// A port, lent for binding.
#[derive(Debug)]
pub enum PortMut<'a> {
    /// An input that goes on where the last iteration ended.
    Source(&'a mut Source),
    /// An input that is read whole in every iteration.
    Table(&'a mut Table),
    /// An output.
    Sink(&'a mut Sink),
    /// Where records go that fail.
    Trap(&'a mut Trap),
}

/// Where a record lies in a block's bytes: `start..end`, line end excluded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// Just after the last byte.
    pub end: usize,
}

/// Some records of one shard: one buffer and their offsets.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    bytes: &'a [u8],
    /// The same bytes when all of them are valid UTF-8, so that no record need be checked again.
    text: Option<&'a str>,
    records: &'a [Span],
    sequence: u64,
    starts_shard: bool,
}

impl<'a> Block<'a> {
    /// Makes a block of `records` in `bytes`; `sequence` orders the blocks of one read step, `starts_shard` says that
    /// the first record is the first of its file or shard.
    #[must_use]
    pub fn new(bytes: &'a [u8], records: &'a [Span], sequence: u64, starts_shard: bool) -> Self {
        Self { bytes, text: std::str::from_utf8(bytes).ok(), records, sequence, starts_shard }
    }

    /// The records in order.
    pub fn records(&self) -> impl Iterator<Item = Record<'a>> + use<'a> {
        let Self { bytes, text, records, .. } = *self;
        records.iter().enumerate().map(move |(index, span)| Record {
            index,
            bytes: bytes.get(span.start..span.end).unwrap_or_default(),
            text: text.and_then(|text| text.get(span.start..span.end)),
        })
    }

    /// Where this block stands among those of its read step: results are ordered by it, whichever worker ran it.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Whether the first record is the first of its file, so that a header line can only be there.
    #[must_use]
    pub fn starts_shard(&self) -> bool {
        self.starts_shard
    }
}

/// One record of a block.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    index: usize,
    bytes: &'a [u8],
    text: Option<&'a str>,
}

impl<'a> Record<'a> {
    /// A record by itself, as tests need it.
    #[must_use]
    pub fn new(index: usize, bytes: &'a [u8]) -> Self {
        Self { index, bytes, text: std::str::from_utf8(bytes).ok() }
    }

    /// Its index in the block.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// Its bytes, line end excluded.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Its text.
    ///
    /// # Errors
    /// A reason that names the first byte that is not UTF-8.
    pub fn text(&self) -> Result<&'a str, Reason> {
        match self.text {
            Some(text) => Ok(text),
            None => std::str::from_utf8(self.bytes)
                .map_err(|error| Reason::new(format!("not UTF-8 at byte {} of the record", error.valid_up_to()))),
        }
    }
}

/// Why a record could not be processed: text for the trap, lower case, no period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(Box<str>);

impl Reason {
    /// A reason with this text.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The same reason, said of a field: `` `size`: … ``.
    #[must_use]
    pub fn of_field(self, field: &str) -> Self {
        Self(format!("`{field}`: {}", self.0).into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a run stops for: a record or a row failed where no trap reaches.
#[derive(Clone, Debug)]
pub struct Stop {
    /// Index into [`Plan::operators`].
    pub operator: usize,
    /// What failed.
    pub at: At,
    /// Why.
    pub reason: Reason,
}

/// What generated code was working on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// The record with this index in its block.
    Record(usize),
    /// A row of a table that was being drained, as text: `ip=…, count=…`; empty before the first.
    Row(String),
}

/// A record that goes to a trap.
#[derive(Clone, Debug)]
pub struct Trapped {
    /// Index into [`Plan::ports`]: the trap.
    pub trap: usize,
    /// Index into [`Plan::operators`]: the operator that refused it.
    pub operator: usize,
    /// Which record.
    pub at: At,
    /// Why.
    pub reason: Reason,
}

/// How many rows an operator has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counts {
    /// Rows that came in.
    pub rows_in: u64,
    /// Rows that went out.
    pub rows_out: u64,
    /// Rows dropped on purpose: by a filter, as a header, or for want of a partner in a join.
    pub filtered: u64,
    /// Rows that went to a trap.
    pub trapped: u64,
}

impl Counts {
    /// Adds another worker's counts.
    pub fn add(&mut self, other: Self) {
        self.rows_in += other.rows_in;
        self.rows_out += other.rows_out;
        self.filtered += other.filtered;
        self.trapped += other.trapped;
    }
}

/// What generated code hands back: rows for the sinks, trapped records, counters.
#[derive(Debug)]
pub struct Output {
    /// One buffer for each entry of [`Plan::ports`]; only those of sinks are filled.
    pub rows: Vec<RowBuffer>,
    /// Records that go to a trap, in the order of their failing.
    pub trapped: Vec<Trapped>,
    /// One entry for each of [`Plan::operators`].
    pub counts: Vec<Counts>,
    at: Option<usize>,
    /// For each port which records its rows were made of, as far as they were held against demands.
    lineages: Vec<Lineage>,
    /// What the targets of the ports cannot store, in the order of [`Plan::ports`]; none where nobody asked.
    demands: Arc<[Demands]>,
}

impl Output {
    /// Room for what `plan` can hand back; any row is accepted.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        Self::demanding(plan, &Arc::default())
    }

    /// The same, but rows that the target of their port cannot store are refused.
    #[must_use]
    pub fn demanding(plan: &Plan, demands: &Arc<[Demands]>) -> Self {
        Self {
            rows: plan.ports.iter().map(|_| RowBuffer::default()).collect(),
            trapped: Vec::new(),
            counts: vec![Counts::default(); plan.operators.len()],
            at: None,
            lineages: vec![Lineage::default(); plan.ports.len()],
            demands: Arc::clone(demands),
        }
    }

    /// Accepts the row that was just encoded for the sink `port`, or takes it back.
    ///
    /// # Errors
    /// Why the port's target cannot store it.
    #[inline]
    pub fn accept(&mut self, port: usize) -> Result<(), Reason> {
        match self.demands.get(port) {
            Some(demands) if !demands.is_empty() => {
                check_last(demands, &mut self.rows[port])?;
                if let Some(record) = self.at {
                    self.lineages[port].note(record);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Which records the rows of `port` were made of; nothing if that was not noted.
    pub(crate) fn lineage(&self, port: usize) -> Option<&Lineage> {
        let rows = self.rows.get(port)?.rows();
        self.lineages.get(port).filter(|lineage| lineage.rows() == rows)
    }

    /// Forgets which records rows were made of.
    pub(crate) fn forget_lineages(&mut self) {
        self.lineages.iter_mut().for_each(Lineage::clear);
    }

    /// Says which record of the block comes next; a panic or a [`Stop`] is reported at it.
    #[inline]
    pub fn at_record(&mut self, record: &Record<'_>) {
        self.at = Some(record.index);
    }

    /// Says that rows of a table come next, not records of a block.
    #[inline]
    pub fn at_rows(&mut self) {
        self.at = None;
    }

    /// The record being worked on, if any.
    #[must_use]
    pub fn current_record(&self) -> Option<usize> {
        self.at
    }

    /// The counts of one operator.
    #[inline]
    pub fn count(&mut self, operator: usize) -> &mut Counts {
        &mut self.counts[operator]
    }

    /// Traps the current record, or, while a table is drained, the row that `row` describes.
    #[cold]
    pub fn trap(&mut self, trap: usize, operator: usize, reason: Reason, row: impl FnOnce(&mut RowText)) {
        self.counts[operator].trapped += 1;
        let at = self.describe(row);
        self.trapped.push(Trapped { trap, operator, at, reason });
    }

    /// Makes the [`Stop`] for the current record or row.
    #[cold]
    pub fn stop(&mut self, operator: usize, reason: Reason, row: impl FnOnce(&mut RowText)) -> Stop {
        Stop { operator, at: self.describe(row), reason }
    }

    fn describe(&self, row: impl FnOnce(&mut RowText)) -> At {
        match self.at {
            Some(index) => At::Record(index),
            None => {
                let mut text = RowText::default();
                row(&mut text);
                At::Row(text.0)
            }
        }
    }
}

#[inline(never)]
fn check_last(demands: &Demands, rows: &mut RowBuffer) -> Result<(), Reason> {
    demands.check(rows.last_row()).inspect_err(|_| rows.take_back())
}

/// Describes a row for a trap: `ip=…, count=…`.
#[derive(Debug, Default)]
pub struct RowText(String);

impl RowText {
    /// Adds one field.
    pub fn field(&mut self, name: &str, value: &dyn fmt::Debug) {
        use fmt::Write as _;
        let separator = if self.0.is_empty() { "" } else { ", " };
        // Writing to a String cannot fail.
        let _ = write!(self.0, "{separator}{name}={value:?}");
    }
}
