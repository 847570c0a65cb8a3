//! A trap in a table, read back by the numbers that SQLite gives its rows.

use std::{collections::VecDeque, path::PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row, types::ValueRef};

use super::{failed, table::quoted};
use crate::{
    Error,
    effect::{effect, sqlite},
    sink::read_back::{Entries, Entry, Mark, TrapReader, changed},
    source::Position,
};

/// Rows read at once.
const BATCH_ROWS: usize = 1000;

/// A table of trapped records.
#[derive(Clone, Debug)]
pub(super) struct TrapTable {
    pub(super) path: PathBuf,
    pub(super) table: String,
}

impl TrapTable {
    fn place(&self) -> String {
        format!("{}, table {}", self.path.display(), self.table)
    }
}

impl TrapReader for TrapTable {
    fn entries(&self, from: Option<&Position>) -> Result<Box<dyn Entries>, Error> {
        let fail = |error| failed(&self.path.display().to_string(), error);
        let mark = Mark::of(from).ok_or_else(|| changed(&self.place(), format!("{from:?} is no place in it")))?;
        let connection = sqlite::open("trap", &self.path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(fail)?;
        let rows = TableRows { connection, of: self.clone(), after: mark.at, batch: VecDeque::new() };
        if mark != Mark::START && !rows.has_kept(mark).map_err(fail)? {
            return Err(changed(&self.place(), format!("row {} is not the one that was retried", mark.at)));
        }
        Ok(Box::new(rows))
    }
}

#[derive(Debug)]
struct TableRows {
    connection: Connection,
    of: TrapTable,
    /// The last row that was read.
    after: u64,
    batch: VecDeque<Entry>,
}

impl TableRows {
    fn select(&self, condition: &str) -> String {
        let table = quoted(&self.of.table);
        format!("SELECT rowid, record, source, shard, position, operator, reason FROM {table} WHERE {condition}")
    }

    /// Whether the row of a mark is there as it was, or is gone with all before it: of what was retried nobody need keep
    /// anything. A number may be given again when the last rows of a table are deleted.
    fn has_kept(&self, mark: Mark) -> rusqlite::Result<bool> {
        let row = |row: &Row<'_>| Ok(digest(row)? == mark.digest);
        match self.connection.query_row(&self.select("rowid = ?1"), [mark.at], row).optional()? {
            Some(is_same) => Ok(is_same),
            None => {
                let before = format!("SELECT NOT EXISTS ({})", self.select("rowid < ?1"));
                self.connection.query_row(&before, [mark.at], |row| row.get(0))
            }
        }
    }

    fn read(&self) -> rusqlite::Result<VecDeque<Entry>> {
        let mut statement = self.connection.prepare(&self.select("rowid > ?1 ORDER BY rowid LIMIT ?2"))?;
        let after = i64::try_from(self.after).unwrap_or(i64::MAX);
        statement.query_map((after, BATCH_ROWS), entry)?.collect()
    }
}

impl Entries for TableRows {
    fn next(&mut self) -> Result<Option<Entry>, Error> {
        if self.batch.is_empty() {
            let read = effect("trap.read", || self.read());
            self.batch = read.map_err(|error| failed(&self.of.path.display().to_string(), error))?;
        }
        let Some(entry) = self.batch.pop_front() else { return Ok(None) };
        self.after = Mark::of(Some(&entry.next)).map_or(self.after, |mark| mark.at);
        Ok(Some(entry))
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let mark = Mark { at: row.get(0)?, digest: digest(row)? };
    let record = match row.get_ref(1)? {
        ValueRef::Null => None,
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(bytes.to_vec()),
        ValueRef::Integer(number) => Some(number.to_string().into_bytes()),
        ValueRef::Real(number) => Some(number.to_string().into_bytes()),
    };
    Ok(Entry {
        next: mark.position(),
        record,
        source: row.get(2)?,
        shard: row.get(3)?,
        position: row.get(4)?,
        operator: row.get(5)?,
    })
}

/// Of all that the row says.
fn digest(row: &Row<'_>) -> rusqlite::Result<u64> {
    let mut bytes = Vec::new();
    for column in 1..=6 {
        match row.get_ref(column)? {
            ValueRef::Text(value) | ValueRef::Blob(value) => {
                bytes.extend((value.len() as u64).to_le_bytes());
                bytes.extend(value);
            }
            ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => bytes.push(0),
        }
    }
    Ok(Mark::new(0, &bytes).digest)
}
