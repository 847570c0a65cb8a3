//! `memory:` sinks and traps: rows that a test or a program reads back.
//!
//! All modes work as in a table. Memory outlives no process, so it stands outside the promise of exactly once; within a
//! process it is kept, by a ledger in memory. With a store, another process begins where the last one ended.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    Demands, Dialect, Head, Mode, Published, SinkShape, SinkTap, Staged, Ticket,
    ledger::{Described, LedgerEntry, Turn, turn},
    merge,
};
use crate::{
    Error, Failure,
    plan::FieldPlan,
    value::{Decode, RowReader},
};

const MEMORY: Described<'_> = Described { place: "memory", how_to_forget: "that is, bind other MemoryRows" };

/// A struct that a sink's rows can be read back into; generated for each sink.
pub trait FromRow: Sized {
    /// Reads the values in the order of the sink's fields.
    fn from_row(row: &mut RowReader<'_>) -> Self;
}

/// Rows in memory, shared with whoever holds a clone.
///
/// # Example
/// ```
/// use flow_runtime::{MemoryRows, Sink};
/// let rows = MemoryRows::default();
/// let counts = Sink::memory(&rows).replace();
/// // … run a flow with `counts`, then look:
/// assert!(rows.is_empty());
/// # let _ = counts;
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryRows {
    content: Arc<Mutex<Content>>,
    /// Whose columns they stand for.
    dialect: Option<Dialect>,
}

#[derive(Debug, Default)]
struct Content {
    /// Those of the sink or trap that published last.
    fields: &'static [FieldPlan],
    /// Encoded.
    rows: Vec<Vec<u8>>,
    /// What was published last, by flow and port.
    ledger: BTreeMap<(String, String), LedgerEntry>,
}

/// A record that was trapped in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrappedRow {
    /// Its bytes; of a table's row, the row as text.
    pub record: Vec<u8>,
    /// The input port it came from; `None` for a table's row, as are shard and position.
    pub source: Option<String>,
    /// Its shard.
    pub shard: Option<String>,
    /// Its position in the shard.
    pub position: Option<String>,
    /// The operator that refused it.
    pub operator: String,
    /// Why.
    pub reason: String,
}

impl FromRow for TrappedRow {
    fn from_row(row: &mut RowReader<'_>) -> Self {
        let record = <&[u8]>::decode(row).to_vec();
        let mut text = || Option::<&str>::decode(row).map(str::to_owned);
        let (source, shard, position) = (text(), text(), text());
        let (operator, reason) = (text().unwrap_or_default(), text().unwrap_or_default());
        Self { record, source, shard, position, operator, reason }
    }
}

impl MemoryRows {
    /// Rows in memory that stand for a table of this dialect: what its columns would refuse is trapped, as it would be there.
    #[must_use]
    pub fn like(dialect: Dialect) -> Self {
        Self { dialect: Some(dialect), ..Self::default() }
    }

    /// The rows of a sink, as the struct that was generated for it.
    #[must_use]
    pub fn rows<R: FromRow>(&self) -> Vec<R> {
        self.content().rows.iter().map(|row| R::from_row(&mut RowReader::new(row))).collect()
    }

    /// The records of a trap.
    #[must_use]
    pub fn trapped(&self) -> Vec<TrappedRow> {
        self.rows()
    }

    /// The rows as text, null as `None`.
    #[must_use]
    pub fn values(&self) -> Vec<Vec<Option<String>>> {
        let content = self.content();
        let text = |row: &Vec<u8>| {
            let mut reader = RowReader::new(row);
            let values = content.fields.iter().map(|field| (reader.value(field.ty), field.ty));
            values
                .map(|(value, ty)| (value != crate::value::Value::Null).then(|| value.display(ty).to_string()))
                .collect()
        };
        content.rows.iter().map(text).collect()
    }

    /// How many rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.content().rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        // Content is only changed in one step, so a panic elsewhere leaves it whole.
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Publishes to memory.
#[derive(Debug)]
pub(super) struct MemoryTap {
    target: MemoryRows,
    shape: SinkShape,
}

impl MemoryTap {
    pub(super) fn new(target: &MemoryRows, shape: SinkShape) -> Self {
        Self { target: target.clone(), shape }
    }

    fn turn(&self, content: &Content, ticket: &Ticket) -> Result<Turn, Error> {
        match content.ledger.get(&(ticket.flow.clone(), ticket.port.clone())) {
            // What came before went with the process that it was published in.
            None => Ok(Turn::Publish),
            last => turn(last, ticket, self.shape.mode, MEMORY),
        }
    }

    /// The rows after publishing.
    fn published(&self, there: &[Vec<u8>], staged: &Staged) -> Result<Vec<Vec<u8>>, Error> {
        let mut rows = if self.shape.mode == Mode::Replace { Vec::new() } else { there.to_vec() };
        let mut by_key = HashMap::new();
        if self.shape.mode == Mode::Merge {
            by_key = rows.iter().enumerate().map(|(index, row)| (self.key(row), index)).collect();
        }
        let mut staged_rows = staged.rows()?;
        while let Some(row) = staged_rows.next_row()? {
            let row = row.rest();
            if self.shape.mode == Mode::Merge {
                let index = *by_key.entry(self.key(row)).or_insert(rows.len());
                if let Some(there) = rows.get_mut(index) {
                    *there = self.merged(there, row)?;
                    continue;
                }
            }
            rows.push(row.to_vec());
        }
        Ok(rows)
    }

    /// The encoding of a row's key.
    fn key(&self, row: &[u8]) -> Vec<u8> {
        let mut reader = RowReader::new(row);
        let columns: Vec<&[u8]> = self.shape.fields().iter().map(|field| reader.encoded([field.ty])).collect();
        self.shape.port.key.iter().flat_map(|&key| columns.get(key).copied().unwrap_or_default()).copied().collect()
    }

    fn merged(&self, there: &[u8], new: &[u8]) -> Result<Vec<u8>, Error> {
        let (mut there, mut new) = (RowReader::new(there), RowReader::new(new));
        let mut row = Vec::new();
        for field in self.shape.fields() {
            let (there, new) = (there.value(field.ty), new.value(field.ty));
            let value = if field.add { merge::add(there, new) } else { Ok(new) };
            value.and_then(|value| merge::encode(value, field.ty, &mut row)).map_err(|reason| {
                Error::Target(Failure::new("cannot merge a row").at("memory").cause(reason.of_field(field.name)))
            })?;
        }
        Ok(row)
    }
}

impl SinkTap for MemoryTap {
    fn mode(&self) -> Mode {
        self.shape.mode
    }

    fn demands(&self) -> Demands {
        self.target.dialect.map_or_else(Demands::default, |dialect| Demands::new(dialect, self.shape.fields()))
    }

    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    fn check_ledger(&self, ticket: &Ticket) -> Result<bool, Error> {
        self.turn(&self.target.content(), ticket).map(|turn| turn == Turn::Skip)
    }

    /// A program that runs a flow twice over the same rows in memory knows why.
    fn check_without_store(&self) -> Result<(), Error> {
        Ok(())
    }

    fn publish(&mut self, staged: &Staged, ticket: Option<&Ticket>) -> Result<Published, Error> {
        let mut content = self.target.content();
        if let Some(ticket) = ticket
            && self.turn(&content, ticket)? == Turn::Skip
        {
            return Ok(Published::Before);
        }
        content.rows = self.published(&content.rows, staged)?;
        content.fields = self.shape.fields();
        if let Some(Ticket { flow, port, epoch, iteration, hash, .. }) = ticket.cloned() {
            content.ledger.insert((flow, port), LedgerEntry { epoch, iteration: Some(iteration), hash });
        }
        Ok(Published::Now)
    }

    fn head(&self, _rows_max: usize) -> Result<Option<Head>, Error> {
        Ok(None)
    }
}

#[cfg(test)]
#[path = "memory_tests.rs"]
mod tests;
