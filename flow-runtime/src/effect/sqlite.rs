//! SQLite databases: what opens one, and the two ends of a transaction. Statements pass [`effect`] in groups.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::{Effect, pass};

/// Opens a database: `what.open`.
pub(crate) fn open(what: &'static str, path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let open = || Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX);
    pass(Effect { what, verb: "open", path: Some(path) }, open)
}

/// A database that is nowhere.
pub(crate) fn open_in_memory() -> rusqlite::Result<Connection> {
    Connection::open_in_memory()
}

/// Begins a transaction that alone may write: `what.begin`.
pub(crate) fn begin<'c>(what: &'static str, connection: &'c Connection) -> rusqlite::Result<Transaction<'c>> {
    let begin = || Transaction::new_unchecked(connection, TransactionBehavior::Immediate);
    pass(Effect { what, verb: "begin", path: None }, begin)
}

/// Commits a transaction: `what.commit`. When it fails, nothing of the transaction is left.
pub(crate) fn commit(what: &'static str, transaction: Transaction<'_>) -> rusqlite::Result<()> {
    pass(Effect { what, verb: "commit", path: None }, || transaction.commit())
}
