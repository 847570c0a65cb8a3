//! A row that COPY cannot load: told to the client in a sentence, and kept for whoever looks it up.

use std::{io, sync::PoisonError};

use super::{Copy, columns::Column};
use crate::redshift::{Warehouse, error::Refusal, sql::literal};

/// What is wrong with a field or a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reason {
    /// As AWS' table of load errors numbers them.
    pub(super) code: u16,
    pub(super) text: String,
    /// Where in the field.
    pub(super) position: usize,
}

impl Reason {
    pub(super) fn new(code: u16, text: impl Into<String>) -> Self {
        Self { code, text: text.into(), position: 0 }
    }
}

/// A row that cannot be loaded.
#[derive(Debug)]
pub(super) struct LoadError {
    pub(super) reason: Reason,
    pub(super) file: String,
    pub(super) line: u64,
    pub(super) column: Option<Column>,
    pub(super) raw_line: Vec<u8>,
    pub(super) raw_field: Vec<u8>,
}

impl LoadError {
    /// Notes it, where it outlives the transaction, and says what the client is told.
    pub(super) fn noted(&self, copy: &Copy, place: &Place, warehouse: &Warehouse) -> io::Result<Refusal> {
        let Place { query, session, table } = place;
        let column = self.column.as_ref();
        let text = |text: &str| literal(text);
        let sql = format!(
            "INSERT INTO stand_in.load_errors SELECT 100, {query}, coalesce((SELECT backend_xid::text::bigint FROM \
             pg_stat_activity WHERE pid = {session}), 0), {session}, current_database(), {table}, \
             statement_timestamp() AT TIME ZONE 'UTC', {file}, {line}, {name}, {kind}, {length}, {position}, {raw_line}, \
             {raw_field}, {code}, {message}",
            file = text(&self.file),
            line = self.line,
            name = text(column.map_or("", |column| &column.name)),
            kind = text(column.map_or("", |column| column.kind.name())),
            length = text(&column.map(|column| column.kind.length()).unwrap_or_default()),
            position = self.reason.position,
            raw_line = text(&dotted(&self.raw_line)),
            raw_field = text(&dotted(&self.raw_field)),
            code = self.reason.code,
            message = text(&self.reason.text),
        );
        warehouse.clerk.lock().unwrap_or_else(PoisonError::into_inner).run(&sql)?;
        let table = copy.table.bare();
        let text =
            format!("Load into table '{table}' failed.  Check 'sys_load_error_detail' system table for details.");
        Ok(Refusal::internal(text))
    }
}

/// Where COPY runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) query: u64,
    pub(super) session: i32,
    /// Its number in the catalog.
    pub(super) table: u32,
}

/// The beginning of a raw text, with points for the characters that take several bytes.
fn dotted(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().take(1024).map(|char| if char.is_ascii() && char != '\0' { char } else { '.' }).collect()
}
