//! COPY from S3: what is in the files goes, as PostgreSQL's COPY reads it, into the client's own session.
//!
//! `options.rs` reads the statement, `objects.rs` the manifest and files, `records.rs` splits them, `columns.rs` (`times.rs`)
//! says what a column takes, `load_error.rs` keeps what none takes.

mod columns;
mod load_error;
mod objects;
mod options;
mod records;
mod times;

use std::{io, sync::atomic::Ordering};

use super::{
    Warehouse,
    backend::Backend,
    error::Refusal,
    sql::{identifier, literal},
    wire::Message,
};
use columns::Column;
use load_error::{LoadError, Place, Reason};
use objects::Entry;
use options::Format;
use records::{Fields, Records};

pub(super) use options::Copy;

/// Rows are sent when there are so many bytes of them.
const BUFFER_BYTES: usize = 1 << 16;

/// Why the load ends before its end.
enum Trouble {
    Refused(Refusal),
    Row(Box<LoadError>),
}

/// Loads what the statement names; says how many rows that is.
pub(super) fn run(copy: &Copy, warehouse: &Warehouse, backend: &mut Backend) -> io::Result<Result<u64, Refusal>> {
    let query = warehouse.queries.fetch_add(1, Ordering::SeqCst) + 1;
    let (columns, table) = match columns(copy, backend)? {
        Ok(found) => found,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let entries = match objects::manifest(warehouse.s3, &copy.from, query) {
        Ok(entries) => entries,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let names: Vec<String> = columns.iter().map(|column| identifier(&column.name)).collect();
    backend.send_query(&format!("COPY {} ({}) FROM STDIN", copy.table.sql(), names.join(", ")))?;
    let mut load =
        Load { s3: warehouse.s3, query, format: &copy.format, columns: &columns, rows: 0, files: Vec::new() };
    let begun = backend.read()?;
    let ended = match begun.kind {
        b'G' => Some(load.entries(&entries, backend)?),
        _ => None,
    };
    match ended {
        Some(Ok(())) => backend.send(&Message::new(b'c', []))?,
        Some(Err(_)) => backend.send(&Message::text(b'f', "a row cannot be loaded"))?,
        None => {}
    }
    let refused = until_ready(begun, backend)?;
    let place = Place { query, session: backend.pid, table };
    let error = match (ended, refused) {
        (Some(Ok(())), None) => return Ok(Ok(load.rows)),
        (_, Some(refusal)) if refusal.is_fatal() => return Ok(Err(refusal)),
        // Of a row that is refused here, PostgreSQL knows nothing but that there are no more.
        (Some(Err(trouble)), Some(refusal)) if refusal.code() == "57014" => trouble,
        (_, Some(refusal)) => load.refused(refusal),
        (Some(Err(trouble)), None) => trouble,
        (None, None) => return Err(io::ErrorKind::InvalidData.into()),
    };
    match error {
        Trouble::Refused(refusal) => Ok(Err(refusal)),
        Trouble::Row(error) => error.noted(copy, &place, warehouse).map(Err),
    }
}

/// The columns to load, and the table's number in the catalog.
fn columns(copy: &Copy, backend: &mut Backend) -> io::Result<Result<(Vec<Column>, u32), Refusal>> {
    let table = literal(&copy.table.sql());
    let sql = format!(
        "SELECT attname, format_type(atttypid, NULL), atttypmod, attnotnull, attrelid FROM pg_catalog.pg_attribute \
         WHERE attrelid = {table}::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
    );
    let rows = match backend.ask(&sql)? {
        Ok(rows) => rows,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let number = rows.first().and_then(|row| row.get(4)?.as_deref()?.parse().ok()).unwrap_or(0);
    let all: Vec<Column> = rows.iter().filter_map(|row| Column::read(row.get(..4)?)).collect();
    if copy.columns.is_empty() {
        return Ok(Ok((all, number)));
    }
    let named = |name: &String| {
        let found = all.iter().find(|column| column.name == *name).cloned();
        let text = || format!("column \"{name}\" of relation \"{}\" does not exist", copy.table.bare());
        found.ok_or_else(|| Refusal::new("42703", text()))
    };
    let columns: Result<Vec<Column>, Refusal> = copy.columns.iter().map(named).collect();
    Ok(columns.map(|columns| (columns, number)))
}

/// Reads on to the end of an answer; says which error is in it.
fn until_ready(mut message: Message, backend: &mut Backend) -> io::Result<Option<Refusal>> {
    let mut refused = None;
    loop {
        match message.kind {
            b'E' => {
                let refusal = refused.insert(Refusal::read(&message));
                if refusal.is_fatal() {
                    return Ok(refused);
                }
            }
            b'Z' => return Ok(refused),
            _ => {}
        }
        message = backend.read()?;
    }
}

/// A load that runs.
struct Load<'a> {
    s3: u16,
    query: u64,
    format: &'a Format,
    columns: &'a [Column],
    rows: u64,
    /// The files so far, and how many rows were before each.
    files: Vec<(String, u64)>,
}

impl Load<'_> {
    /// Sends all files.
    fn entries(&mut self, entries: &[Entry], backend: &mut Backend) -> io::Result<Result<(), Trouble>> {
        for entry in entries {
            let object = match objects::read(self.s3, &entry.url, self.format.compression) {
                Ok(object) => object,
                Err(absent) if absent.is_missing && !entry.is_mandatory => continue,
                Err(absent) => return Ok(Err(Trouble::Refused(absent.refusal(self.query)))),
            };
            self.files.push((entry.url.clone(), self.rows));
            if let Err(trouble) = self.file(&entry.url, Records::new(object), backend)? {
                return Ok(Err(trouble));
            }
        }
        if self.files.is_empty() {
            let refusal = Refusal::internal(
                "The specified S3 prefix does not match any file: the manifest names none that is there",
            );
            return Ok(Err(Trouble::Refused(refusal)));
        }
        Ok(Ok(()))
    }

    fn file(
        &mut self,
        url: &str,
        mut records: Records<impl io::Read>,
        backend: &mut Backend,
    ) -> io::Result<Result<(), Trouble>> {
        let (mut fields, mut rows) = (Fields::default(), Vec::with_capacity(BUFFER_BYTES * 2));
        let mut skipped = 0;
        loop {
            let read = match records.next(self.format, &mut fields) {
                Ok(read) => read,
                // What is cut off or garbled is S3's doing, not PostgreSQL's.
                Err(error) => {
                    let refusal = Refusal::internal(format!("failed to read {url}: {error}"));
                    return Ok(Err(Trouble::Refused(refusal)));
                }
            };
            match read {
                Ok(false) => break,
                Ok(true) if skipped < self.format.header_lines => skipped += 1,
                Ok(true) => {
                    if let Err((column, reason)) = self.row(&fields, &mut rows) {
                        return Ok(Err(row_error(url, &fields, column.map(|at| (at, &self.columns[at])), reason)));
                    }
                    self.rows += 1;
                }
                Err(reason) => return Ok(Err(row_error(url, &fields, None, reason))),
            }
            if rows.len() > BUFFER_BYTES {
                backend.send_data(&rows)?;
                rows.clear();
            }
        }
        backend.send_data(&rows)?;
        Ok(Ok(()))
    }

    /// Writes a row, or says which column is wrong, and why.
    fn row(&self, fields: &Fields, to: &mut Vec<u8>) -> Result<(), (Option<usize>, Reason)> {
        if fields.len() > self.columns.len() {
            return Err((None, Reason::new(1202, "Extra column(s) found")));
        }
        if fields.len() < self.columns.len() {
            return Err((Some(fields.len()), Reason::new(1214, "Delimiter not found")));
        }
        for (at, (column, field)) in self.columns.iter().zip(fields.iter()).enumerate() {
            if at > 0 {
                to.push(b'\t');
            }
            column.write(field, self.format, to).map_err(|reason| (Some(at), reason))?;
        }
        to.push(b'\n');
        Ok(())
    }

    /// What PostgreSQL says of a row that looked right here: it counts the rows of all files as lines of one.
    fn refused(&self, refusal: Refusal) -> Trouble {
        let line = refusal.context().split_once("line ").map(|(_, rest)| rest);
        let digits = line.and_then(|line| line.split(|c: char| !c.is_ascii_digit()).next());
        let Some(row) = digits.and_then(|digits| digits.parse::<u64>().ok()) else { return Trouble::Refused(refusal) };
        let Some((file, before)) = self.files.iter().rev().find(|(_, before)| *before < row) else {
            return Trouble::Refused(refusal);
        };
        Trouble::Row(Box::new(LoadError {
            reason: Reason::new(1200, refusal.text()),
            file: file.clone(),
            line: row - before,
            column: None,
            raw_line: Vec::new(),
            raw_field: Vec::new(),
        }))
    }
}

fn row_error(file: &str, fields: &Fields, column: Option<(usize, &Column)>, reason: Reason) -> Trouble {
    let field = column.and_then(|(at, _)| fields.iter().nth(at)).unwrap_or_default();
    Trouble::Row(Box::new(LoadError {
        reason,
        file: file.to_owned(),
        line: fields.line,
        column: column.map(|(_, column)| column.clone()),
        raw_line: fields.raw.clone(),
        raw_field: field.to_vec(),
    }))
}
