//! What goes wrong with a server, sorted by what to do about it: tell a person, or try the whole load once more.

use std::{error, fmt, io};

use tokio_postgres::error::{DbError, Error as PgError, SqlState};

use crate::{Error, Failure};

/// Why a statement, and with it the load, did not come to its end.
#[derive(Debug)]
pub(super) enum Trouble {
    /// What flow itself refuses.
    Own(Error),
    /// What the server refuses, and would refuse again.
    Refused(Account),
    /// What may be otherwise in a moment. Whether the statement was done is not known.
    Passing(Account),
}

/// What failed and why.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) step: Step,
    cause: String,
    help: &'static str,
}

/// The steps of a load, as a person would name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Connect,
    MakeLedger,
    Begin,
    LockLedger,
    LockTable,
    ReadLedger,
    LookAtTable,
    MakeTable,
    Empty,
    Copy,
    Merge,
    WriteLedger,
    Commit,
    Rollback,
    ReadBack,
}

impl Step {
    fn verb(self) -> &'static str {
        match self {
            Self::Connect => "connect to the database",
            Self::MakeLedger => "make the ledger",
            Self::Begin => "begin a transaction",
            Self::LockLedger => "lock the ledger",
            Self::LockTable => "lock the table",
            Self::ReadLedger => "read the ledger",
            Self::LookAtTable => "look at the table",
            Self::MakeTable => "make the table",
            Self::Empty => "empty the table",
            Self::Copy => "copy the rows",
            Self::Merge => "merge the rows",
            Self::WriteLedger => "write to the ledger",
            Self::Commit => "commit",
            Self::Rollback => "end a transaction",
            Self::ReadBack => "read the table",
        }
    }

    /// The name of its round trips.
    pub(super) fn effect(self) -> &'static str {
        match self {
            Self::Connect => "postgres.connect",
            Self::MakeLedger => "postgres.ledger_make",
            Self::Begin => "postgres.begin",
            Self::LockLedger => "postgres.ledger_lock",
            Self::LockTable => "postgres.table_lock",
            Self::ReadLedger => "postgres.ledger_read",
            Self::LookAtTable => "postgres.look",
            Self::MakeTable => "postgres.table_make",
            Self::Empty => "postgres.empty",
            Self::Copy => "postgres.copy",
            Self::Merge => "postgres.merge",
            Self::WriteLedger => "postgres.ledger_write",
            Self::Commit => "postgres.commit",
            Self::Rollback => "postgres.rollback",
            Self::ReadBack => "postgres.head",
        }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Own(error)
    }
}

impl Trouble {
    /// Sorts what a statement ended with.
    pub(super) fn of(step: Step, error: &PgError) -> Self {
        let account = |cause, help| Account { step, cause, help };
        match error.as_db_error() {
            Some(refusal) if is_passing(refusal.code()) => Self::Passing(account(told(refusal), later(step))),
            Some(refusal) => Self::Refused(account(told(refusal), help(step, refusal.code()))),
            None if is_lost(error) => Self::lost(step, &chain(error)),
            None if step == Step::Connect => Self::Refused(account(chain(error), PASSWORD)),
            None => Self::Refused(account(chain(error), NOTHING_CHANGED)),
        }
    }

    /// The same where no ledger tells what was done.
    pub(super) fn without_ledger(self) -> Self {
        match self {
            Self::Passing(account) if account.step == Step::Commit => {
                Self::Passing(Account { help: UNKNOWN, ..account })
            }
            Self::Passing(account) if account.step != Step::Connect => {
                Self::Passing(Account { help: NOTHING_CHANGED, ..account })
            }
            other => other,
        }
    }

    /// No answer came.
    pub(super) fn lost(step: Step, cause: &impl fmt::Display) -> Self {
        Self::Passing(Account { step, cause: cause.to_string(), help: later(step) })
    }

    /// No answer came in time.
    pub(super) fn late(step: Step, limit: std::time::Duration) -> Self {
        let help = if step == Step::Connect { later(step) } else { LATE };
        Self::Passing(Account { step, cause: format!("no answer for {limit:?}"), help })
    }

    /// As an error that says where, and which attempt it was.
    pub(super) fn into_error(self, place: &str, (attempt, attempts_max): (u32, u32)) -> Error {
        let (account, place) = match self {
            Self::Own(error) => return error,
            Self::Refused(account) => (account, place.to_owned()),
            Self::Passing(account) => (account, format!("{place}, attempt {attempt} of {attempts_max}")),
        };
        let failure =
            Failure::new(format!("cannot {}", account.step.verb())).at(place).cause(account.cause).help(account.help);
        match account.step {
            // Whoever holds the ledger is another load.
            Step::LockLedger if account.help == BUSY => Error::Busy(failure),
            _ => Error::Target(failure),
        }
    }
}

/// What to do about what may pass.
fn later(step: Step) -> &'static str {
    match step {
        Step::Connect => "see that the server runs and can be reached from here, and run again: nothing was changed",
        _ => "nothing, or all of the iteration, is there: run again, and the ledger tells which",
    }
}

const UNKNOWN: &str = "whether the rows are there is not known, for without a checkpoint there is no ledger: look into the \
                       table, and run again when it is empty";
const LATE: &str = "run again, what is sealed is loaded then; if it is the server that is slow, allow more with \
                    ?statement_timeout=…";
const BUSY: &str = "another load, or a person, holds the ledger: see pg_stat_activity for who does, wait for them or end \
                    their session with pg_terminate_backend, which loses nothing that flow has sealed, and run again";
const NOTHING_CHANGED: &str = "nothing was changed";
const PASSWORD: &str = "give the password with PGPASSWORD or in ~/.pgpass, which nobody else may read";
const ROW: &str =
    "nothing was changed; line n is row n of the iteration: drop such rows in the flow, or change the column";

/// Whether the same may succeed in a moment.
fn is_passing(code: &SqlState) -> bool {
    let code = code.code();
    // Connections; shutting down and starting up; serialization and deadlocks; too many connections; a transaction that
    // stood still too long.
    code.starts_with("08")
        || matches!(code, "57P01" | "57P02" | "57P03" | "40001" | "40003" | "40P01" | "53300" | "25P03")
}

/// Whether the connection failed, and not what was sent over it.
fn is_lost(error: &PgError) -> bool {
    let mut cause = error::Error::source(error);
    while let Some(error) = cause {
        if error.is::<io::Error>() {
            return true;
        }
        cause = error.source();
    }
    error.is_closed()
}

fn help(step: Step, code: &SqlState) -> &'static str {
    match (step, code.code()) {
        (Step::LockLedger, "57014" | "55P03") => BUSY,
        (_, "57014") => LATE,
        (_, "28P01") => PASSWORD,
        (_, "28000") => "pg_hba.conf must let this user in, from here and without TLS, which flow does not have yet",
        (_, "3D000") => "make the database first, or give another address",
        (_, "3F000") => "make the schema first: CREATE SCHEMA",
        (_, "42501") => "give the user the right with GRANT",
        (_, "25006") => "this server only answers questions: give the address of one that can be written to",
        (_, "42704") => "write a type of PostgreSQL, as in `as varchar(100)`",
        (_, "54000") => "nothing was changed; if it is the index that flow made for merging, drop it",
        (_, code) if code.starts_with("53") => "free some space and run again: what is sealed is loaded then",
        (Step::Copy | Step::Merge | Step::Commit, code) if code.starts_with("22") || code.starts_with("23") => ROW,
        _ => NOTHING_CHANGED,
    }
}

/// All that the server says: message, detail, and where in the rows.
fn told(refusal: &DbError) -> String {
    let parts = [Some(refusal.message()), refusal.detail(), refusal.where_()];
    parts.into_iter().flatten().map(|part| part.replace('\n', ", ")).collect::<Vec<_>>().join("; ")
}

fn chain(error: &PgError) -> String {
    let mut text = error.to_string();
    let mut cause = error::Error::source(error);
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}
