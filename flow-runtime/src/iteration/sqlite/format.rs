//! The format of the file: how it is marked, made and recognised.

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::{Error, Failure};

/// Marks the file as a store of flow: `flow` in ASCII.
const APPLICATION_ID: i32 = 0x666c_6f77;
/// The version of `schema.sql`.
const SCHEMA_VERSION: i32 = 1;
pub(in crate::iteration) fn cannot_open(path: &Path) -> Failure {
    Failure::new("cannot open the checkpoint store").at(path.display().to_string())
}

/// Whether the file is new: SQLite has written nothing yet, or nothing but an empty database.
pub(super) fn is_unwritten(connection: &Connection) -> rusqlite::Result<bool> {
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(tables == 0)
}

/// Makes the tables, unless another run has just done so.
pub(super) fn create_schema(connection: &Connection) -> rusqlite::Result<()> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    if is_unwritten(&transaction)? {
        transaction.execute_batch(include_str!("schema.sql"))?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    }
    transaction.commit()
}

/// Refuses a database that is something else, or of a later version of flow.
pub(in crate::iteration) fn check(connection: &Connection, path: &Path) -> Result<(), Error> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let read = || Ok((pragma("application_id")?, pragma("user_version")?));
    match read().map_err(|error: rusqlite::Error| Error::Store(cannot_open(path).cause(error)))? {
        (APPLICATION_ID, SCHEMA_VERSION) => Ok(()),
        (APPLICATION_ID, version) => Err(Error::Store(
            cannot_open(path)
                .cause(format!("its format is {version}, this program knows {SCHEMA_VERSION}"))
                .help("use a program built with the same version of flow"),
        )),
        _ => Err(Error::Store(
            cannot_open(path)
                .cause("it is a database, but not a checkpoint store")
                .help("give --checkpoint another file"),
        )),
    }
}
