//! The store, looked at: for a check, which must leave no trace.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row};

use super::{BUSY_TIMEOUT, EPOCH, SqliteStore, format};
use crate::{
    Error,
    effect::{disk, effect, patience, sqlite},
};

impl SqliteStore {
    /// The store of `flow` in the file `path`, to be read; `None` where it has not begun.
    ///
    /// # Errors
    /// [`Error::Store`] when the file is no store, or cannot be read.
    pub(crate) fn look(path: &Path, flow: &str) -> Result<Option<Self>, Error> {
        if !format::is_there(path)? {
            return Ok(None);
        }
        reading(path, |connection| Self::look_through(connection, path, flow))
    }

    fn look_through(connection: Connection, path: &Path, flow: &str) -> Result<Option<Self>, Error> {
        let fail = |error: rusqlite::Error| format::cannot_open(path, &error);
        if format::is_unwritten(&connection).map_err(fail)? {
            return Ok(None);
        }
        format::check(&connection, path)?;
        let epoch = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let epoch = effect("store.read", || connection.query_row(EPOCH, [flow], epoch).optional()).map_err(fail)?;
        let (flow, place) = (flow.to_owned(), path.display().to_string());
        Ok(epoch.map(|(epoch, created_us)| Self { connection, flow, epoch, created_us, place }))
    }
}

/// Opens a store and reads it, once more where a run has begun meanwhile: it writes to the file, which SQLite was told that
/// nobody does.
pub(in crate::iteration) fn reading<T>(path: &Path, read: impl Fn(Connection) -> Result<T, Error>) -> Result<T, Error> {
    let read = |is_still| read(open(path, is_still).map_err(|error| format::cannot_open(path, &error))?);
    let is_still = !has_log(path);
    let seen = read(is_still);
    if is_still && (seen.is_err() || has_log(path)) {
        return read(!has_log(path));
    }
    seen
}

/// Without a log nobody is writing, and the file alone is the store.
fn has_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    disk::there("store", log.as_ref()).map_or(true, |found| found.is_some())
}

/// What is still is opened as such: else SQLite would make files beside it, and leave them there, even to read.
fn open(path: &Path, is_still: bool) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = match is_still {
        false => sqlite::open("store", path, flags)?,
        true => sqlite::open("store", uri(path).as_ref(), flags | OpenFlags::SQLITE_OPEN_URI)?,
    };
    connection.busy_timeout(patience(BUSY_TIMEOUT))?;
    Ok(connection)
}

/// The path as SQLite reads it in an address; every byte that could mean something there is escaped.
fn uri(path: &Path) -> String {
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'.' | b'-' | b'_' => uri.push(char::from(*byte)),
            _ if byte.is_ascii_alphanumeric() => uri.push(char::from(*byte)),
            _ => uri.push_str(&format!("%{byte:02x}")),
        }
    }
    uri + "?immutable=1"
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        path::PathBuf,
        sync::{Arc, Mutex},
    };

    use super::*;
    use crate::{
        effect::{Broken, Effect, Moment, World, in_world},
        iteration::{store::Store as _, upkeep::Upkeep as _},
    };

    /// A world in which a run begins when the store has been read for the first time.
    #[derive(Debug)]
    struct RunBegins {
        path: PathBuf,
        writer: Mutex<Option<SqliteStore>>,
    }

    impl World for RunBegins {
        fn id(&self) -> String {
            "e2".to_owned()
        }

        fn permit(&self, effect: &Effect<'_>, moment: Moment) -> Result<(), Broken> {
            // Its own effects pass here, too.
            if let (true, Moment::After, Ok(mut writer)) =
                (effect.to_string() == "store.read", moment, self.writer.try_lock())
                && writer.is_none()
            {
                *writer = Some(SqliteStore::open(&self.path, "late", "e2", 0).unwrap());
            }
            Ok(())
        }
    }

    #[test]
    fn a_run_that_begins_meanwhile_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        drop(SqliteStore::open(&path, "counts", "e1", 0).unwrap());
        let world = Arc::new(RunBegins { path: path.clone(), writer: Mutex::default() });
        let seen = in_world(Arc::clone(&world) as Arc<dyn World>, || SqliteStore::look(&path, "late").unwrap());
        assert!(world.writer.lock().unwrap().is_some() && names(folder.path()).contains(&"store.db-wal".to_owned()));
        assert_eq!(seen.unwrap().epoch(), "e2");
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn to_look_at_a_store_leaves_no_trace_whatever_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a store?#%.db");
        assert!(SqliteStore::look(&path, "counts").unwrap().is_none());
        let epoch = SqliteStore::open(&path, "counts", "e1", 0).unwrap().epoch().to_owned();
        let before = (names(folder.path()), fs::read(&path).unwrap());
        assert!(SqliteStore::look(&path, "others").unwrap().is_none());
        let seen = SqliteStore::look(&path, "counts").unwrap().unwrap();
        assert_eq!((seen.epoch(), seen.latest().unwrap(), seen.last_program().unwrap()), (&*epoch, None, None));
        assert_eq!(seen.staged_bytes_max().unwrap(), 0);
        drop(seen);
        assert_eq!((names(folder.path()), fs::read(&path).unwrap()), before);
    }

    #[test]
    fn a_store_that_is_being_written_shows_what_was_committed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let writer = SqliteStore::open(&path, "counts", "e1", 0).unwrap();
        assert_eq!(SqliteStore::look(&path, "counts").unwrap().unwrap().epoch(), writer.epoch());
    }
}
