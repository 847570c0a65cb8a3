//! The load: one transaction, statement by statement, each a request of its own.
//!
//! The ledger is locked first, by a statement of its own, so that whatever is read after it was committed before it: of two
//! loaders one waits, and then finds what the other did. Nobody who reads the table waits. Rows and the ledger's entry are
//! committed together. When a statement's outcome is unknown, all of this is done again on a new connection, never a part
//! of it; an error that COMMIT is answered by is an unknown outcome, too.

use super::{
    ledger::Ledger,
    load_error, shape,
    staging::{Address, Form, Staging},
    table::{FOLDED, Table},
};
use crate::{
    Error, Failure,
    effect::{Mutant, mutant},
    held::Cause,
    sink::{
        Mode, Published, Staged, Ticket,
        iteration_column::{self, Noted},
        kept,
        ledger::Turn,
        sql::{Session, Step, Trouble, is_of_keys, null_patterns},
        would_double,
    },
};

/// One load into a table.
pub(super) struct Load<'a> {
    pub(super) ledger: Ledger<'a>,
    pub(super) staged: &'a Staged,
    /// Where they are.
    pub(super) staging: &'a Staging,
    /// What COPY reads S3 by, as SQL.
    pub(super) credentials: &'a str,
}

impl Load<'_> {
    /// Publishes under the ledger.
    pub(super) fn once(&self, ticket: &Ticket) -> Result<Published, Trouble> {
        let staged = self.address()?;
        self.ledger.make()?;
        let early = mutant(Mutant::LedgerBeforeLock).then(|| self.ledger.turn_under_lock(ticket)).transpose()?;
        self.ledger.begin()?;
        let (turn, has_table) = early.map_or_else(|| self.ledger.turn_under_lock(ticket), Ok)?;
        if turn == Turn::Skip {
            self.session().text(Step::Rollback, "ROLLBACK")?;
            return Ok(Published::Before);
        }
        let write = || {
            self.write(staged.as_ref(), has_table)?;
            if mutant(Mutant::LedgerApart) {
                commit(self.session())?;
                self.ledger.begin()?;
            }
            self.ledger.add(ticket, self.staged.row_count(), self.staged.address())?;
            commit(self.session())
        };
        let written = write();
        if written.is_err() && mutant(Mutant::RetriedFromTheMiddle) {
            self.ledger.begin()?;
            write()?;
        } else {
            written?;
        }
        Ok(Published::Now)
    }

    /// Publishes without a ledger: into an empty table, or in place of what is there. The ledger is locked all the same, so
    /// that no two loads are at work; nothing is written to it.
    pub(super) fn without_ledger(&self) -> Result<Published, Trouble> {
        let staged = self.address()?;
        self.ledger.make()?;
        self.ledger.begin()?;
        let has_table = refuse_without_store(&self.ledger)?;
        self.write(staged.as_ref(), has_table)?;
        commit(self.session())?;
        Ok(Published::Now)
    }

    /// Puts the rows in the place of those that the table has of the ticket's iteration. The ledger's entry then has the
    /// address of what was staged: by it a commit is known whose answer was lost.
    pub(super) fn replace(&self, ticket: &Ticket) -> Result<(), Trouble> {
        let Ledger { session, table, place } = self.ledger;
        let staged = self.address()?;
        self.ledger.begin()?;
        let (noted, column) = replaced_by(&self.ledger, ticket)?;
        if noted.staged.as_deref() == self.staged.address() && noted.rows == self.staged.row_count() {
            return session.text(Step::Rollback, "ROLLBACK").map(drop);
        }
        let removed = session.text(Step::Empty, &table.remove_iteration(column, ticket.iteration))?.changed;
        iteration_column::removed(removed, &noted, column, place)?;
        self.write(staged.as_ref(), true)?;
        self.ledger.renew(ticket, self.staged.row_count(), self.staged.address())?;
        commit(session)
    }

    fn session(&self) -> &Session<'_> {
        self.ledger.session
    }

    fn table(&self) -> &Table {
        self.ledger.table
    }

    /// What was staged, as this load needs it.
    fn address(&self) -> Result<Option<Address>, Trouble> {
        let form = Form::of(self.table().shape.mode, self.table().iteration_column.is_some());
        let held = |cause: &str| {
            Error::Held(
                Failure::new(
                    "the rows were staged for another kind of target, another mode, or another iteration_column",
                )
                .at(self.ledger.place)
                .cause(cause)
                .help("bind the port to the target that they were staged for")
                .held(Cause::StagedLost.case()),
            )
        };
        match self.staged.address() {
            None if self.staged.row_count() == 0 => Ok(None),
            None => Err(held("they are on the disk of the machine that has read them").into()),
            Some(text) => match Address::parse(text) {
                Some(address) if address.form == form => Ok(Some(address)),
                _ => Err(held(text).into()),
            },
        }
    }

    /// Writes all rows; nothing is visible before the transaction is committed.
    fn write(&self, staged: Option<&Address>, exists: bool) -> Result<(), Trouble> {
        let (session, table) = (self.session(), self.table());
        if !exists {
            session.text(Step::MakeTable, &table.create())?;
        }
        if table.shape.mode == Mode::Replace {
            session.text(Step::Empty, &table.empty())?;
        }
        let Some(staged) = staged else { return Ok(()) };
        if table.shape.mode != Mode::Merge {
            return self.copy(staged);
        }
        session.text(Step::Merge, &table.create_incoming())?;
        self.copy(staged)?;
        self.merge()
    }

    fn copy(&self, staged: &Address) -> Result<(), Trouble> {
        let (session, step) = (self.session(), Step::Copy);
        let copy = || session.text(step, &self.table().copy(staged, self.credentials));
        let copied = if mutant(Mutant::CopyAloneRetried) { copy().or_else(|_| copy()) } else { copy() };
        if let Err(trouble) = copied {
            return Err(load_error::explained(session, (staged, self.staging), trouble));
        }
        let count = session.text(step, "SELECT pg_last_copy_count()")?.rows;
        let taken = count.first().and_then(|row| row.first()?.as_ref()?.parse().ok()).unwrap_or(0);
        let too_many = ("more rows were loaded than were staged", TELL);
        self.compare(taken, self.staged.row_count(), too_many)
    }

    fn merge(&self) -> Result<(), Trouble> {
        let (session, shape) = (self.session(), self.table().shape);
        let step = Step::Merge;
        session.text(step, &self.table().fold())?;
        let patterns = match null_patterns(shape, FOLDED) {
            None => vec![Vec::new()],
            Some(sql) => {
                let is_null = |value: &Option<String>| value.as_deref().is_some_and(|text| text.starts_with('t'));
                let rows = session.text(step, &sql)?.rows;
                rows.iter().map(|row| row.iter().map(is_null).collect()).collect::<Vec<Vec<bool>>>()
            }
        };
        let mut changed = 0;
        for nulls in &patterns {
            if let Some(update) = self.table().update(nulls) {
                changed += session.text(step, &update)?.changed;
            }
            changed += session.text(step, &self.table().insert(nulls))?.changed;
        }
        if is_of_keys(shape) {
            // It is a set: what was there is neither changed nor counted.
            return Ok(());
        }
        let keys = session.text(step, &format!("SELECT count(*) FROM {FOLDED}"))?.rows;
        let keys = keys.first().and_then(|row| row.first()?.as_ref()?.parse().ok()).unwrap_or(0);
        let too_many = ("the table has several rows of one key", "remove the rows that are there twice, and run again");
        self.compare(changed, keys, too_many)
    }

    /// Whether the server did what it was told to; `too_many` is what it means that it did more, and what to do.
    fn compare(&self, done: u64, expected: u64, too_many: (&'static str, &'static str)) -> Result<(), Trouble> {
        if done == expected || mutant(Mutant::CopyCountIgnored) {
            return Ok(());
        }
        let (what, help) = if done > expected { too_many } else { ("not all rows were loaded", TELL) };
        let cause = format!("{done} rows were written for {expected}");
        Err(Error::Target(Failure::new(what).at(self.ledger.place).cause(cause).help(help)).into())
    }
}

const TELL: &str = "nothing was changed; run again, and tell who looks after the cluster";

/// An error may be answered when all was done: the ledger tells.
fn commit(session: &Session<'_>) -> Result<(), Trouble> {
    match session.text(Step::Commit, "COMMIT") {
        Err(_) if mutant(Mutant::CommitTakenForDone) => Ok(()),
        Err(Trouble::Refused(account)) => Err(Trouble::Passing(account)),
        done => done.map(drop),
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

/// Has the ledger forget what `flow` has published to the table; with `empty` the rows go in the same transaction.
pub(super) fn forget(ledger: &Ledger<'_>, flow: &str, empty: bool) -> Result<(), Trouble> {
    let Ledger { session, table, place } = *ledger;
    // A load that is under way is waited for: its rows and its entry go, too.
    ledger.make()?;
    ledger.begin()?;
    ledger.forget(flow)?;
    if empty && shape::exists(session, table, place)? {
        session.text(Step::Empty, &table.empty())?;
    }
    commit(session)
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
    match session.text(Step::LookAtTable, &sql)?.rows.is_empty() {
        true => Ok(exists),
        false => Err(would_double(place, table.shape).into()),
    }
}
