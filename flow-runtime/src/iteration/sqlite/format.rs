//! The format of the file: how it is marked, made and recognised.

use std::{io, path::Path};

use rusqlite::{Connection, ErrorCode};

use crate::{
    Error, Failure,
    effect::{disk, effect, sqlite},
};

/// Marks the file as a store of flow: `flow` in ASCII.
const APPLICATION_ID: i32 = 0x666c_6f77;
/// The version of `schema.sql`.
const SCHEMA_VERSION: i32 = 5;

/// The error for a file that cannot be opened as a store.
pub(in crate::iteration) fn cannot_open(path: &Path, error: &rusqlite::Error) -> Error {
    let failure = failure(path).cause(error);
    Error::Store(match advice(error) {
        Some(advice) => failure.help(advice),
        None => failure,
    })
}

/// The error for a store whose folder cannot be made.
pub(super) fn cannot_make_folder(path: &Path, error: &io::Error) -> Error {
    Error::Store(failure(path).cause(error).help("give --checkpoint a place that can be written to"))
}

/// What to do about an error of the store, where that is known.
pub(super) fn advice(error: &rusqlite::Error) -> Option<&'static str> {
    Some(match error.sqlite_error_code()? {
        ErrorCode::DiskFull | ErrorCode::SystemIoFailure => "make room on its disk and run again",
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            "another program writes to it: wait for it and run again"
        }
        ErrorCode::NotADatabase => "give --checkpoint another file",
        ErrorCode::DatabaseCorrupt => {
            "put the file back from a backup, together with the targets; or start both anew, which reads everything \
             again: empty targets, and a new --checkpoint"
        }
        ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied => {
            "give --checkpoint a place that can be written to"
        }
        _ => return None,
    })
}

/// Whether there is a file. A folder is no store; SQLite's own words for that help nobody.
pub(crate) fn is_there(path: &Path) -> Result<bool, Error> {
    let refuse = |cause: String, help| Err(Error::Store(failure(path).cause(cause).help(help)));
    match disk::there("store", path) {
        Ok(Some(found)) if found.is_dir() => {
            refuse("it is a folder".to_owned(), "give --checkpoint the path of a file")
        }
        Ok(found) => Ok(found.is_some()),
        Err(error) => refuse(error.to_string(), "give --checkpoint a path that this process may look at"),
    }
}

fn failure(path: &Path) -> Failure {
    Failure::new("cannot open the checkpoint store").at(path.display().to_string())
}

/// Whether the file is new: SQLite has written nothing yet, or nothing but an empty database.
pub(super) fn is_unwritten(connection: &Connection) -> rusqlite::Result<bool> {
    let count = || connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0));
    let tables: i64 = effect("store.read", count)?;
    Ok(tables == 0)
}

/// Makes the tables, unless another run has just done so.
pub(super) fn create_schema(connection: &Connection) -> rusqlite::Result<()> {
    let transaction = sqlite::begin("store", connection)?;
    if is_unwritten(&transaction)? {
        transaction.execute_batch(include_str!("schema.sql"))?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    }
    sqlite::commit("store", transaction)
}

/// Refuses a database that is something else, or of another version of flow.
pub(in crate::iteration) fn check(connection: &Connection, path: &Path) -> Result<(), Error> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let read = || Ok((pragma("application_id")?, pragma("user_version")?));
    match read().map_err(|error: rusqlite::Error| cannot_open(path, &error))? {
        (APPLICATION_ID, SCHEMA_VERSION) => Ok(()),
        (APPLICATION_ID, version) => Err(Error::Store(
            failure(path)
                .cause(format!("its format is {version}, this program knows {SCHEMA_VERSION}"))
                .help("use a program built with the same version of flow"),
        )),
        _ => Err(Error::Store(
            failure(path).cause("it is a database, but not a checkpoint store").help("give --checkpoint another file"),
        )),
    }
}
