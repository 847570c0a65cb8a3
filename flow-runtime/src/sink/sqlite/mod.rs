//! `sqlite:` sinks and traps: a table in a SQLite file, each iteration exactly once.
//!
//! The rows and the ledger's entry are written in one transaction, so either both are there or neither. The ledger is
//! the table `flow_ledger` in the same file. What the sink's table looks like and how it is filled is in `table.rs`.
//!
//! Values: `bool` as 0 and 1, timestamps and dates as ISO 8601 text, decimals as text with all their digits, a float
//! that is not a number as the text `NaN` (SQLite takes it for null otherwise).

mod read_back;
mod table;
mod values;

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags, OptionalExtension, Statement, Transaction};

use super::{
    Head, Mode, Published, SinkShape, SinkTap, Staged, Ticket, TrapReader, iteration_column,
    iteration_column::Noted,
    kept,
    ledger::{Described, LedgerEntry, Turn, turn_of_table},
    would_double,
};
use crate::{
    Address, Error, Failure,
    effect::{Mutant, disk, effect, mutant, patience, sqlite},
    folder::parent,
    plan::FieldPlan,
    value::RowReader,
};
use read_back::TrapTable;
use table::Table;

const OPTIONS: [&str; 4] = ["from", "iteration_column", "mode", "table"];

/// How long to wait while another program writes to the database.
const BUSY_WAIT: Duration = Duration::from_secs(5);

/// The table that remembers what was published to which table of the file.
const LEDGER: &str = "flow_ledger";

/// The SQL functions by which a merge adds; see `values.rs`.
const ADD_NUMBER: &str = "flow_add";
const ADD_DECIMAL: &str = "flow_add_decimal";

const CREATE_LEDGER: &str = "CREATE TABLE IF NOT EXISTS flow_ledger (
    flow TEXT NOT NULL,
    port TEXT NOT NULL,
    target TEXT NOT NULL COLLATE NOCASE,
    epoch TEXT NOT NULL,
    iteration INTEGER NOT NULL,
    hash TEXT NOT NULL,
    rows INTEGER NOT NULL,
    published TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    PRIMARY KEY (flow, port, target, epoch, iteration)
) WITHOUT ROWID";

/// The last iteration; any other epoch than the ticket's comes first, for it must be noticed.
const LAST_OF_LEDGER: &str = "SELECT epoch, iteration, hash FROM flow_ledger
    WHERE flow = ?1 AND port = ?2 AND target = ?3 ORDER BY epoch = ?4, iteration DESC LIMIT 1";

/// What was published of one iteration.
const NOTED_IN_LEDGER: &str = "SELECT hash, rows FROM flow_ledger
    WHERE flow = ?1 AND port = ?2 AND target = ?3 AND epoch = ?4 AND iteration = ?5";

const FORGET: &str = "DELETE FROM flow_ledger WHERE flow = ?1 AND port = ?2 AND target = ?3";

/// Whose rows a table has.
const KEEPER: &str = "SELECT flow, port FROM flow_ledger WHERE target = ?1 LIMIT 1";

/// The entry may be there, of a table that was dropped and is replaced, or of rows that others take the place of.
const ADD_TO_LEDGER: &str = "INSERT OR REPLACE INTO flow_ledger (flow, port, target, epoch, iteration, hash, rows)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

/// Publishes to a table.
#[derive(Debug)]
pub(super) struct SqliteTap {
    path: PathBuf,
    table: Table,
    busy_wait: Duration,
}

impl SqliteTap {
    pub(super) fn open(address: &Address, shape: SinkShape) -> Result<Self, Error> {
        address.allow_options(&OPTIONS)?;
        if address.path().is_empty() || address.path().starts_with(':') {
            return Err(Error::Config(
                Failure::new("the address names no file").at(address.to_string()).help("write sqlite:counts.db"),
            ));
        }
        let name = address.option("table").unwrap_or(shape.port.name);
        let table = Table::new(name, shape, iteration_column::parse(address, shape)?)?;
        Ok(Self { path: address.path().into(), table, busy_wait: patience(BUSY_WAIT) })
    }

    /// Opens the file for looking, if there is one. SQLite itself says whether it may write: to open the file beside it
    /// would drop the locks that other connections of this process hold.
    fn look(&self) -> Result<Option<Connection>, Error> {
        match disk::metadata("sqlite", &self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Ok(found) if !found.is_file() => Err(Error::Target(
                Failure::new("this is not a regular file").at(self.place()).help("give the path of a SQLite file"),
            )),
            Ok(_) => self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE).map(Some),
            Err(error) => Err(unreachable_file(&self.path, &error)),
        }
    }

    fn connect(&self, flags: OpenFlags) -> Result<Connection, Error> {
        let open = || -> rusqlite::Result<Connection> {
            let connection = sqlite::open("sqlite", &self.path, flags)?;
            connection.busy_timeout(self.busy_wait)?;
            // A commit with a rollback journal is the removal of the journal: EXTRA makes that durable too.
            connection.pragma_update(None, "synchronous", "EXTRA")?;
            Ok(connection)
        };
        open().map_err(|error| self.failed(error))
    }

    /// Refuses what a run without a store must not do to the table: add rows once more, as it reads everything, or put
    /// its own in the place of rows that a store keeps.
    fn refuse_without_store(&self, connection: &Connection) -> Result<(), Error> {
        let has_ledger = self.has_ledger(connection)?;
        let keeper = || -> rusqlite::Result<Option<(String, String)>> {
            if !has_ledger {
                return Ok(None);
            }
            connection.query_row(KEEPER, [&self.table.name], |row| Ok((row.get(0)?, row.get(1)?))).optional()
        };
        if let Some((flow, port)) = keeper().map_err(|error| self.failed(error))? {
            return Err(kept(&self.place_of_table(), &flow, &port));
        }
        let exists = self.table.exists(connection, &self.place())?;
        if !exists || self.mode() == Mode::Replace {
            return Ok(());
        }
        match self.table.is_empty(connection).map_err(|error| self.failed(error))? {
            true => Ok(()),
            false => Err(would_double(&self.place_of_table(), self.table.shape)),
        }
    }

    /// Whether there is a ledger.
    ///
    /// # Errors
    /// [`Error::Target`] for one that does not say of which table its entries are, as early versions of flow made it: only
    /// a person knows whether they are all of this one.
    fn has_ledger(&self, connection: &Connection) -> Result<bool, Error> {
        let columns = || -> rusqlite::Result<(bool, bool)> {
            Ok((has_table(connection, LEDGER)?, has_column(connection, LEDGER, "target")?))
        };
        match columns().map_err(|error| self.failed(error))? {
            (true, false) => Err(Error::Target(
                Failure::new(format!("{LEDGER} was made by an early version of flow: it names no tables"))
                    .at(self.place_of_table())
                    .help(format!(
                        "nothing was changed; if all of it is of this table: ALTER TABLE {LEDGER} ADD COLUMN target TEXT \
                         NOT NULL DEFAULT '{}' COLLATE NOCASE",
                        self.table.name.replace('\'', "''")
                    )),
            )),
            (has_ledger, _) => Ok(has_ledger),
        }
    }

    /// The ledger's last entry for the table.
    fn last(&self, connection: &Connection, ticket: &Ticket) -> Result<Option<LedgerEntry>, Error> {
        let has_ledger = self.has_ledger(connection)?;
        let last = || -> rusqlite::Result<Option<LedgerEntry>> {
            if !has_ledger {
                return Ok(None);
            }
            let entry = |row: &rusqlite::Row<'_>| {
                let iteration: i64 = row.get(1)?;
                Ok(LedgerEntry { epoch: row.get(0)?, iteration: u64::try_from(iteration).ok(), hash: row.get(2)? })
            };
            let of = [&ticket.flow, &ticket.port, &self.table.name, &ticket.epoch];
            connection.query_row(LAST_OF_LEDGER, of, entry).optional()
        };
        effect("sqlite.ledger", last).map_err(|error| self.failed(error))
    }

    /// Whether this is the ticket's turn, by the ledger; no connection where there is no file.
    fn turn(&self, connection: Option<&Connection>, ticket: &Ticket) -> Result<Turn, Error> {
        let (mut last, mut exists) = (None, false);
        if let Some(connection) = connection {
            last = self.last(connection, ticket)?;
            exists = self.table.exists(connection, &self.place())?;
        }
        let forget = self.how_to_forget(ticket);
        let target = Described { place: &self.place_of_table(), how_to_forget: &forget };
        turn_of_table(last.as_ref(), exists, ticket, self.mode(), target)
    }

    /// What the ledger has of the ticket's iteration, which others may take the place of, and the column that tells its
    /// rows; no connection where there is no file.
    fn replaced_by(&self, connection: Option<&Connection>, ticket: &Ticket) -> Result<(Noted, &str), Error> {
        let place = self.place_of_table();
        let Some(column) = &self.table.iteration_column else {
            return Err(iteration_column::not_kept(&place, self.table.shape));
        };
        let noted = match connection {
            Some(connection) if self.table.exists(connection, &self.place())? => self.noted(connection, ticket)?,
            _ => None,
        };
        Ok((iteration_column::noted(noted, ticket, &place)?, column))
    }

    /// What the ledger has of the ticket's iteration.
    fn noted(&self, connection: &Connection, ticket: &Ticket) -> Result<Option<Noted>, Error> {
        let has_ledger = self.has_ledger(connection)?;
        let noted = || -> rusqlite::Result<Option<Noted>> {
            if !has_ledger {
                return Ok(None);
            }
            let noted = |row: &rusqlite::Row<'_>| {
                let rows: i64 = row.get(1)?;
                Ok(Noted { hash: row.get(0)?, rows: rows.unsigned_abs(), staged: None })
            };
            let Ticket { flow, port, epoch, iteration, .. } = ticket;
            let of = (flow, port, &self.table.name, epoch, number(*iteration));
            connection.query_row(NOTED_IN_LEDGER, of, noted).optional()
        };
        effect("sqlite.ledger", noted).map_err(|error| self.failed(error))
    }

    fn how_to_forget(&self, ticket: &Ticket) -> String {
        format!("DELETE FROM {LEDGER} WHERE flow = '{}' AND port = '{}'", ticket.flow, ticket.port)
    }

    /// Writes all rows; nothing is visible before the transaction is committed.
    fn write(&self, transaction: &Transaction<'_>, exists: bool, staged: &Staged) -> Result<(), Error> {
        transaction.execute_batch(&self.table.prepare(exists)).map_err(|error| self.failed(error))?;
        let prepare = |sql: &str| transaction.prepare(sql).map_err(|error| self.failed(error));
        let mut insert = prepare(&self.table.insert())?;
        let mut update = match self.mode() {
            Mode::Merge => Some(prepare(&self.table.update())?),
            Mode::Append | Mode::Replace => None,
        };
        let fields = self.table.shape.fields();
        let iteration = self.table.iteration_column.as_ref().map(|_| number(staged.iteration()));
        let mut rows = staged.rows()?;
        while let Some(row) = rows.next_row()? {
            let changed = match &mut update {
                Some(update) => execute(update, fields, row.clone(), None).map_err(|error| self.failed(error))?,
                None => 0,
            };
            match changed {
                0 => execute(&mut insert, fields, row, iteration).map(drop).map_err(|error| self.failed(error))?,
                1 => {}
                many => return Err(self.ambiguous(many)),
            }
        }
        Ok(())
    }

    fn ambiguous(&self, rows: usize) -> Error {
        Error::Target(
            Failure::new("the table has several rows of one key")
                .at(self.place_of_table())
                .cause(format!("merging would have changed {rows} rows by one"))
                .help("remove the rows that are there twice, and run again"),
        )
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn place_of_table(&self) -> String {
        format!("{}, table {}", self.place(), self.table.name)
    }

    fn failed(&self, error: rusqlite::Error) -> Error {
        failed(&self.place(), error)
    }
}

impl SinkTap for SqliteTap {
    fn mode(&self) -> Mode {
        self.table.shape.mode
    }

    fn check(&self) -> Result<(), Error> {
        if let Some(connection) = self.look()? {
            self.table.exists(&connection, &self.place())?;
            if connection.is_readonly(MAIN_DB).map_err(|error| self.failed(error))? {
                return Err(unreachable_file(&self.path, &io::ErrorKind::PermissionDenied.into()));
            }
        }
        // SQLite makes a journal beside its file: a file without a name tells whether it can, and leaves nothing.
        disk::probe("sqlite", parent(&self.path)).map_err(|error| unreachable_file(&self.path, &error))?;
        Ok(())
    }

    fn check_ledger(&self, ticket: &Ticket) -> Result<bool, Error> {
        self.turn(self.look()?.as_ref(), ticket).map(|turn| turn == Turn::Skip)
    }

    fn check_without_store(&self) -> Result<(), Error> {
        match self.look()? {
            None => Ok(()),
            Some(connection) => self.refuse_without_store(&connection),
        }
    }

    fn publish(&mut self, staged: &Staged, ticket: Option<&Ticket>) -> Result<Published, Error> {
        let connection = self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        values::add_functions(&connection).map_err(|error| self.failed(error))?;
        let mut transaction = sqlite::begin("sqlite", &connection).map_err(|error| self.failed(error))?;
        if let Some(ticket) = ticket
            && self.turn(Some(&transaction), ticket)? == Turn::Skip
        {
            return Ok(Published::Before);
        }
        if ticket.is_none() {
            self.refuse_without_store(&transaction)?;
        }
        let exists = self.table.exists(&transaction, &self.place())?;
        effect("sqlite.rows", || self.write(&transaction, exists, staged))?;
        if mutant(Mutant::LedgerApart) {
            sqlite::commit("sqlite", transaction).map_err(|error| self.failed(error))?;
            transaction = sqlite::begin("sqlite", &connection).map_err(|error| self.failed(error))?;
        }
        if let Some(ticket) = ticket {
            let entry = || add_to_ledger(&transaction, ticket, &self.table.name, staged.row_count());
            effect("sqlite.ledger", entry).map_err(|error| self.failed(error))?;
        }
        sqlite::commit("sqlite", transaction).map_err(|error| self.failed(error))?;
        Ok(Published::Now)
    }

    fn replaceable(&self, ticket: &Ticket) -> Result<u64, Error> {
        self.replaced_by(self.look()?.as_ref(), ticket).map(|(noted, _)| noted.rows)
    }

    fn replace(&mut self, staged: &Staged, ticket: &Ticket) -> Result<u64, Error> {
        let connection = self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let transaction = sqlite::begin("sqlite", &connection).map_err(|error| self.failed(error))?;
        let (noted, column) = self.replaced_by(Some(&transaction), ticket)?;
        let remove = || transaction.execute(&self.table.remove_iteration(column), [number(ticket.iteration)]);
        let removed = effect("sqlite.remove", remove).map_err(|error| self.failed(error))?;
        iteration_column::removed(removed as u64, &noted, column, &self.place_of_table())?;
        effect("sqlite.rows", || self.write(&transaction, true, staged))?;
        let entry = || add_to_ledger(&transaction, ticket, &self.table.name, staged.row_count());
        effect("sqlite.ledger", entry).map_err(|error| self.failed(error))?;
        sqlite::commit("sqlite", transaction).map_err(|error| self.failed(error))?;
        Ok(noted.rows)
    }

    fn forget(&mut self, flow: &str, empty: bool) -> Result<(), Error> {
        if self.look()?.is_none() {
            return Ok(());
        }
        let connection = self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let forget = || -> rusqlite::Result<()> {
            let transaction = sqlite::begin("sqlite", &connection)?;
            effect("sqlite.forget", || -> rusqlite::Result<()> {
                if has_table(&transaction, LEDGER)? {
                    transaction.execute(FORGET, [flow, self.table.shape.port.name, &self.table.name])?;
                }
                if empty && has_table(&transaction, &self.table.name)? {
                    transaction.execute_batch(&self.table.empty())?;
                }
                Ok(())
            })?;
            sqlite::commit("sqlite", transaction)
        };
        forget().map_err(|error| self.failed(error))
    }

    fn trapped(&self, _flow: &str) -> Result<Option<Box<dyn TrapReader>>, Error> {
        let Some(connection) = self.look()? else { return Ok(None) };
        let exists = self.table.exists(&connection, &self.place())?;
        let (path, table) = (self.path.clone(), self.table.name.clone());
        Ok(exists.then(|| Box::new(TrapTable { path, table }) as Box<dyn TrapReader>))
    }

    fn head(&self, rows_max: usize) -> Result<Option<Head>, Error> {
        let Some(connection) = self.look()? else { return Ok(None) };
        if !self.table.exists(&connection, &self.place())? {
            return Ok(None);
        }
        self.table.head(&connection, rows_max).map(Some).map_err(|error| self.failed(error))
    }
}

/// Whether there is such a table now. `Connection::table_exists` goes by the schema that the connection has read, which is
/// that of an empty file when another publishes for the first time while this one waits for its turn.
fn has_table(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    let table = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE";
    connection.query_row(table, [name], |_| Ok(())).optional().map(|found| found.is_some())
}

/// Whether a table has such a column now.
fn has_column(connection: &Connection, table: &str, name: &str) -> rusqlite::Result<bool> {
    let column = "SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2 COLLATE NOCASE";
    connection.query_row(column, [table, name], |_| Ok(())).optional().map(|found| found.is_some())
}

/// Runs a statement whose parameters are the fields of a row, and behind them an iteration's number, if it takes one.
fn execute(
    statement: &mut Statement<'_>,
    fields: &[FieldPlan],
    mut row: RowReader<'_>,
    iteration: Option<i64>,
) -> rusqlite::Result<usize> {
    for (index, field) in fields.iter().enumerate() {
        statement.raw_bind_parameter(index + 1, values::Parameter(row.value(field.ty)))?;
    }
    if let Some(iteration) = iteration {
        statement.raw_bind_parameter(fields.len() + 1, iteration)?;
    }
    statement.raw_execute()
}

fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn add_to_ledger(transaction: &Transaction<'_>, ticket: &Ticket, target: &str, rows: u64) -> rusqlite::Result<()> {
    transaction.execute(CREATE_LEDGER, [])?;
    let Ticket { flow, port, epoch, iteration, hash, .. } = ticket;
    transaction.execute(ADD_TO_LEDGER, (flow, port, target, epoch, number(*iteration), hash, number(rows)))?;
    Ok(())
}

fn unreachable_file(path: &Path, error: &io::Error) -> Error {
    let help = match error.kind() {
        io::ErrorKind::NotFound => "make the directory first",
        _ => "make file and directory writable",
    };
    Error::Target(Failure::new("cannot write the database").at(path.display().to_string()).cause(error).help(help))
}

/// The error for what the database refuses.
fn failed(path: &str, error: rusqlite::Error) -> Error {
    let help = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another program writes to it: wait for it and run again, what is sealed is loaded then"
        }
        Some(ErrorCode::DiskFull) => "free some space and run again: what is sealed is loaded then",
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => "give the path of a SQLite file",
        Some(ErrorCode::CannotOpen) => "the directory must exist, and file and directory be writable",
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => "make file and directory writable",
        Some(ErrorCode::ConstraintViolation) => {
            "the table forbids a row: mend it as the cause says, and run again: what is sealed is loaded then"
        }
        _ => "nothing was changed; mend it and run again: what is sealed is loaded then",
    };
    Error::Target(Failure::new("the database refuses").at(path).cause(error).help(help))
}

#[cfg(test)]
mod tests;
