//! What goes wrong with a server, sorted by what to do about it: tell a person, or try the whole load once more.

use std::{error, fmt, io};

use tokio_postgres::error::{DbError, Error as PgError};

use super::server::Server;
use crate::{Error, Failure, origin::MadeOf};

/// Why a statement, and with it the load, did not come to its end.
#[derive(Debug)]
pub(in crate::sink) enum Trouble {
    /// What flow itself refuses.
    Own(Error),
    /// What the server refuses, and would refuse again.
    Refused(Account),
    /// What may be otherwise in a moment. Whether the statement was done is not known.
    Passing(Account),
}

/// What failed and why.
#[derive(Debug)]
pub(in crate::sink) struct Account {
    pub(in crate::sink) step: Step,
    pub(in crate::sink) cause: String,
    /// What the row was made of that is refused, if it is one.
    pub(in crate::sink) made_of: Option<Box<MadeOf>>,
    help: &'static str,
    /// Whether others hold the ledger.
    is_busy: bool,
    /// Whether no answer came in time.
    #[cfg_attr(not(feature = "redshift"), expect(dead_code, reason = "its LOCK alone is looked into"))]
    is_late: bool,
}

/// The steps of a load, as a person would name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sink) enum Step {
    Connect,
    MakeLedger,
    Begin,
    LockLedger,
    LockTable,
    ReadLedger,
    LookAtTable,
    MakeTable,
    DropTable,
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
            Self::DropTable => "drop the table",
            Self::Empty => "empty the table",
            Self::Copy => "copy the rows",
            Self::Merge => "merge the rows",
            Self::WriteLedger => "write to the ledger",
            Self::Commit => "commit",
            Self::Rollback => "end a transaction",
            Self::ReadBack => "read the table",
        }
    }
}

#[cfg(feature = "redshift")]
impl Account {
    /// Whether others hold the ledger.
    pub(in crate::sink) fn is_busy(&self) -> bool {
        self.is_busy
    }

    /// Whether no answer came in time.
    pub(in crate::sink) fn is_late(&self) -> bool {
        self.is_late
    }

    /// The same, now that others are known to hold the ledger.
    pub(in crate::sink) fn of_busy(self, server: &Server) -> Self {
        Self { is_busy: true, help: server.busy, ..self }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Own(error)
    }
}

impl Trouble {
    /// Sorts what a statement ended with.
    pub(in crate::sink) fn of(server: &Server, step: Step, error: &PgError) -> Self {
        let account = |cause, help| Account { step, cause, made_of: None, help, is_busy: false, is_late: false };
        match error.as_db_error() {
            Some(refusal) if (server.is_passing)(refusal) => Self::Passing(account(told(refusal), later(step))),
            // Who locks it may shut out its readers, too.
            Some(refusal)
                if matches!(step, Step::LockLedger | Step::ReadLedger)
                    && matches!(refusal.code().code(), "57014" | "55P03") =>
            {
                Self::Refused(Account { is_busy: true, ..account(told(refusal), server.busy) })
            }
            Some(refusal) => Self::Refused(account(told(refusal), (server.help)(step, refusal.code().code()))),
            None if is_lost(step, error::Error::source(error)) || error.is_closed() => Self::lost(step, &chain(error)),
            None if chain(error).contains("does not support TLS") => Self::Refused(account(chain(error), NO_TLS)),
            None if chain(error).contains("TLS") => Self::Refused(account(chain(error), CERTIFICATE)),
            None if step == Step::Connect => Self::Refused(account(chain(error), PASSWORD)),
            None => Self::Refused(account(chain(error), NOTHING_CHANGED)),
        }
    }

    /// The same where no ledger tells what was done.
    pub(in crate::sink) fn without_ledger(self) -> Self {
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
    pub(in crate::sink) fn lost(step: Step, cause: &impl fmt::Display) -> Self {
        let (cause, help) = (cause.to_string(), later(step));
        Self::Passing(Account { step, cause, made_of: None, help, is_busy: false, is_late: false })
    }

    /// No answer came in time.
    pub(in crate::sink) fn late(step: Step, limit: std::time::Duration) -> Self {
        let help = if step == Step::Connect { later(step) } else { LATE };
        let cause = format!("no answer for {limit:?}");
        Self::Passing(Account { step, cause, made_of: None, help, is_busy: false, is_late: true })
    }

    /// As an error that says where, and which attempt it was.
    pub(in crate::sink) fn into_error(self, place: &str, (attempt, attempts_max): (u32, u32)) -> Error {
        let (account, place) = match self {
            Self::Own(error) => return error,
            Self::Refused(account) => (account, place.to_owned()),
            Self::Passing(account) => (account, format!("{place}, attempt {attempt} of {attempts_max}")),
        };
        let failure =
            Failure::new(format!("cannot {}", account.step.verb())).at(place).cause(account.cause).help(account.help);
        let failure = failure.made_of(account.made_of);
        // Whoever holds the ledger is another load.
        if account.is_busy { Error::Busy(failure) } else { Error::Target(failure) }
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
pub(in crate::sink) const LATE: &str = "run again, what is sealed is loaded then; if it is the server that is slow, \
                                        allow more with ?statement_timeout=…";
pub(in crate::sink) const NOTHING_CHANGED: &str = "nothing was changed";
pub(in crate::sink) const PASSWORD: &str =
    "give the password with PGPASSWORD or in ~/.pgpass, which nobody else may read";
const CERTIFICATE: &str = "the server must prove that it is this host: give its authority's certificate with sslrootcert=…, or write \
     sslmode=disable where the network can be trusted";

const NO_TLS: &str = "have the server speak TLS, or write sslmode=disable where the network can be trusted";

/// Whether the connection failed, and not what was sent over it.
fn is_lost(step: Step, mut cause: Option<&(dyn error::Error + 'static)>) -> bool {
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            // A certificate that is not believed will not be in a moment either. What is garbled later may be.
            return step != Step::Connect || error.kind() != io::ErrorKind::InvalidData;
        }
        cause = error.source();
    }
    false
}

/// All that the server says: message, detail, and where in the rows.
fn told(refusal: &DbError) -> String {
    let parts = [Some(refusal.message()), refusal.detail(), refusal.where_()];
    let is_text = |line: &&str| line.contains(|letter| letter != '-');
    let part = |part: &str| part.lines().map(str::trim).filter(is_text).collect::<Vec<_>>().join(", ");
    parts.into_iter().flatten().map(part).collect::<Vec<_>>().join("; ")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_garbled_on_the_way_is_a_lost_connection_but_for_a_certificate() {
        let garbled = io::Error::new(io::ErrorKind::InvalidData, "a broken record");
        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        assert!(!is_lost(Step::Connect, Some(&garbled)) && is_lost(Step::Connect, Some(&reset)));
        for step in [Step::Copy, Step::Commit, Step::ReadLedger] {
            assert!(is_lost(step, Some(&garbled)) && is_lost(step, Some(&reset)), "{step:?}");
        }
        assert!(!is_lost(Step::Copy, Some(&fmt::Error)) && !is_lost(Step::Copy, None));
    }
}
