//! The load: one transaction, statement by statement.
//!
//! The ledger is locked first, by a statement of its own, so that whatever is read after it was committed before it: of
//! two loaders one waits, and then finds what the other did. Rows and the ledger's entry are committed together. When a
//! statement's outcome is unknown, all of this is done again, never a part of it.

use bytes::Bytes;
use tokio_postgres::types::Type as PgType;

use super::{
    copy,
    ledger::Ledger,
    session::get,
    shape,
    table::{FOLDED, Table},
};
use crate::{
    Error, Failure,
    sink::{
        Mode, Published, Staged, Ticket,
        iteration_column::{self, Noted},
        kept,
        ledger::Turn,
        sql::{Session, Step, Trouble, is_of_keys, null_patterns},
        would_double,
    },
};

pub(super) const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

/// How much is sent at a time.
const PIECE_BYTES: usize = 64 * 1024;

/// One load into a table.
pub(super) struct Load<'a> {
    pub(super) ledger: Ledger<'a>,
    pub(super) staged: &'a Staged,
}

impl Load<'_> {
    /// Publishes under the ledger.
    pub(super) fn once(&self, ticket: &Ticket) -> Result<Published, Trouble> {
        self.ledger.make()?;
        begin(self.session())?;
        self.ledger.lock()?;
        let (turn, has_table) = self.ledger.turn(ticket)?;
        if turn == Turn::Skip {
            self.session().run(Step::Rollback, "ROLLBACK")?;
            return Ok(Published::Before);
        }
        self.write(has_table)?;
        self.ledger.add(ticket, self.staged.row_count())?;
        self.session().run(Step::Commit, "COMMIT")?;
        Ok(Published::Now)
    }

    /// Publishes without a ledger: into an empty table, or in place of what is there.
    pub(super) fn without_ledger(&self) -> Result<Published, Trouble> {
        let Ledger { session, table, place } = self.ledger;
        begin(session)?;
        if shape::exists(session, table, place)? {
            let lock = format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", table.quoted());
            session.run(Step::LockTable, &lock)?;
        }
        let has_table = refuse_without_store(&self.ledger)?;
        self.write(has_table)?;
        session.run(Step::Commit, "COMMIT")?;
        Ok(Published::Now)
    }

    /// Puts the rows in the place of those that the table has of the ticket's iteration.
    pub(super) fn replace(&self, ticket: &Ticket) -> Result<(), Trouble> {
        let Ledger { session, table, place } = self.ledger;
        begin(session)?;
        if self.ledger.exists()? {
            self.ledger.lock()?;
        }
        let (noted, column) = replaced_by(&self.ledger, ticket)?;
        let iteration = i64::try_from(ticket.iteration).unwrap_or(i64::MAX);
        let remove = table.remove_iteration(column);
        let removed = session.execute(Step::Empty, &remove, &[(&iteration as _, PgType::INT8)])?;
        iteration_column::removed(removed, &noted, column, place)?;
        self.write(true)?;
        self.ledger.renew(ticket, self.staged.row_count())?;
        session.run(Step::Commit, "COMMIT")
    }

    fn session(&self) -> &Session<'_> {
        self.ledger.session
    }

    fn table(&self) -> &Table {
        self.ledger.table
    }

    /// Writes all rows; nothing is visible before the transaction is committed.
    fn write(&self, exists: bool) -> Result<(), Trouble> {
        if !exists {
            self.session().run(Step::MakeTable, &self.table().create())?;
        }
        match self.table().shape.mode {
            Mode::Append => self.copy(),
            Mode::Replace => {
                self.session().run(Step::Empty, &self.table().empty())?;
                self.copy()
            }
            Mode::Merge => {
                self.session().run(Step::Merge, &self.table().create_incoming())?;
                self.copy()?;
                self.merge()
            }
        }
    }

    fn copy(&self) -> Result<(), Trouble> {
        let fields = self.table().shape.fields();
        let is_numbered = self.table().shape.mode == Mode::Merge;
        let iteration = self.table().iteration_column.as_ref().map(|_| self.staged.iteration());
        let mut rows = self.staged.rows()?;
        let mut number = 0;
        let next = || {
            let mut piece = String::new();
            while piece.len() < PIECE_BYTES
                && let Some(row) = rows.next_row()?
            {
                number += 1;
                copy::write_row(fields, is_numbered.then_some(number).or(iteration), row, &mut piece)
                    .map_err(|unfit| self.unfit(number, &unfit))?;
            }
            Ok((!piece.is_empty()).then(|| Bytes::from(piece)))
        };
        let taken = self.session().copy(&self.table().copy(), next)?;
        self.compare(taken, self.staged.row_count())
    }

    fn merge(&self) -> Result<(), Trouble> {
        let (session, shape) = (self.session(), self.table().shape);
        session.run(Step::Merge, &self.table().fold())?;
        let patterns = match null_patterns(shape, FOLDED) {
            None => vec![Vec::new()],
            Some(sql) => {
                let rows = session.rows(Step::Merge, &sql, &[])?;
                let pattern = |row: &tokio_postgres::Row| (0..row.len()).map(|at| get(Step::Merge, row, at)).collect();
                rows.iter().map(pattern).collect::<Result<Vec<Vec<bool>>, _>>()?
            }
        };
        let mut changed = 0;
        for nulls in &patterns {
            if let Some(update) = self.table().update(nulls) {
                changed += session.execute(Step::Merge, &update, &[])?;
            }
            changed += session.execute(Step::Merge, &self.table().insert(nulls), &[])?;
        }
        if is_of_keys(shape) {
            // It is a set: what was there is neither changed nor counted.
            return Ok(());
        }
        let sql = format!("SELECT count(*) FROM {}", FOLDED);
        let keys = session.rows(Step::Merge, &sql, &[])?;
        let keys: i64 = keys.first().map_or(Ok(0), |row| get(Step::Merge, row, 0))?;
        self.compare(changed, keys.unsigned_abs())
    }

    /// Whether the server did to the table what it was told to: it may have rules and triggers of its own, or rows that
    /// are there twice.
    fn compare(&self, done: u64, expected: u64) -> Result<(), Trouble> {
        if done == expected {
            return Ok(());
        }
        let (what, help) = match done > expected {
            true => ("the table has several rows of one key", "remove the rows that are there twice, and run again"),
            false => ("the table did not take all rows", "drop the trigger or rule that keeps rows out, and run again"),
        };
        let cause = format!("{done} rows were written for {expected}");
        Err(Error::Target(Failure::new(what).at(self.ledger.place).cause(cause).help(help)).into())
    }

    fn unfit(&self, number: u64, unfit: &copy::Unfit) -> Error {
        Error::Target(
            Failure::new("a row cannot be stored in PostgreSQL")
                .at(format!("{}, row {number} of the iteration, field `{}`", self.ledger.place, unfit.field))
                .cause(unfit.why)
                .help("nothing was changed; change or drop such rows in the flow"),
        )
    }
}

/// What the ledger has of the ticket's iteration, which others may take the place of, and the column that tells its rows.
/// Without the lock it is an answer for people.
pub(super) fn replaced_by<'a>(ledger: &Ledger<'a>, ticket: &Ticket) -> Result<(Noted, &'a str), Trouble> {
    let Ledger { session, table, place } = *ledger;
    let Some(column) = &table.iteration_column else {
        return Err(iteration_column::not_kept(place, table.shape).into());
    };
    let noted = if shape::exists(session, table, place)? { ledger.noted(ticket)? } else { None };
    Ok((iteration_column::noted(noted, ticket, place)?, column))
}

/// With the isolation that these statements are written for, whatever the database's default is.
fn begin(session: &Session<'_>) -> Result<(), Trouble> {
    session.run(Step::Begin, BEGIN)
}

/// Has the ledger forget what `flow` has published to the table; with `empty` the rows go in the same transaction.
pub(super) fn forget(ledger: &Ledger<'_>, flow: &str, empty: bool) -> Result<(), Trouble> {
    let Ledger { session, table, place } = *ledger;
    begin(session)?;
    // A load that is under way is waited for: its rows and its entry go, too.
    if ledger.exists()? {
        ledger.lock()?;
        ledger.forget(flow)?;
    }
    if empty && shape::exists(session, table, place)? {
        session.run(Step::Empty, &table.empty())?;
    }
    session.run(Step::Commit, "COMMIT")
}

/// Refuses what a run without a store must not do to the table: add rows once more, as it reads everything, or put its
/// own in the place of rows that a store keeps. Says whether the table is there.
pub(super) fn refuse_without_store(ledger: &Ledger<'_>) -> Result<bool, Trouble> {
    let Ledger { session, table, place } = *ledger;
    if let Some((flow, port)) = ledger.keeper()? {
        return Err(kept(place, &flow, &port).into());
    }
    let exists = shape::exists(session, table, place)?;
    if !exists || table.shape.mode == Mode::Replace {
        return Ok(exists);
    }
    let sql = format!("SELECT 1 FROM {} LIMIT 1", table.quoted());
    match session.rows(Step::LookAtTable, &sql, &[])?.is_empty() {
        true => Ok(exists),
        false => Err(would_double(place, table.shape).into()),
    }
}
