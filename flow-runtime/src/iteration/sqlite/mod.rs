//! The store in a SQLite file; one file holds any number of flows.
//!
//! It keeps a write-ahead log and syncs it at every commit (`synchronous=FULL`). That is as durable as a rollback
//! journal, whose deletion would need a sync of its own to survive a power cut, at one sync instead of two or three; and
//! whoever lists iterations neither waits for a run nor makes it wait. The price: the file must lie on a local disk.
//!
//! What is not here: the order of the calls (`driver/mod.rs`), and the lock that keeps two runs apart (`driver/lock.rs`);
//! the seal is right without it.

mod columns;
pub(super) mod format;
mod seal;

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OptionalExtension as _, Row, params};

pub(crate) use format::refuse_folder;

use super::{Attempt, Output, Seal, Sealed, SealedShard, store::Store};
use crate::{Error, Failure};

/// How long a write waits for the write of another flow's run.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The iterations of one flow in a SQLite file.
#[derive(Debug)]
pub(crate) struct SqliteStore {
    connection: Connection,
    flow: String,
    epoch: String,
    /// For messages.
    place: String,
}

impl SqliteStore {
    /// Opens the store of `flow` in the file `path`, and makes what is missing; a new logical name gets `new_epoch`.
    pub(crate) fn open(path: &Path, flow: &str, new_epoch: &str, now_us: i64) -> Result<Self, Error> {
        let fail = |error: rusqlite::Error| format::cannot_open(path, &error);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| format::cannot_make_folder(path, &error))?;
        }
        let connection = Connection::open(path).map_err(fail)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(fail)?;
        if format::is_unwritten(&connection).map_err(fail)? {
            format::create_schema(&connection).map_err(fail)?;
        }
        format::check(&connection, path)?;
        Self::of_flow(connection, flow, new_epoch, now_us, path.display().to_string()).map_err(fail)
    }

    /// A store that goes with the run, for those without one.
    pub(crate) fn in_memory(flow: &str, epoch: &str, now_us: i64) -> Result<Self, Error> {
        let open = || {
            let connection = Connection::open_in_memory()?;
            format::create_schema(&connection)?;
            Self::of_flow(connection, flow, epoch, now_us, "in memory".to_owned())
        };
        open().map_err(|error| Error::Store(Failure::new("cannot make a store in memory").cause(error)))
    }

    fn of_flow(
        connection: Connection,
        flow: &str,
        new_epoch: &str,
        now_us: i64,
        place: String,
    ) -> rusqlite::Result<Self> {
        let settings = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";
        connection.execute_batch(settings)?;
        let new_flow = "INSERT INTO flows (name, epoch, created) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        connection.execute(new_flow, params![flow, new_epoch, now_us])?;
        let epoch = connection.query_row("SELECT epoch FROM flows WHERE name = ?1", [flow], |row| row.get(0))?;
        Ok(Self { connection, flow: flow.to_owned(), epoch, place })
    }

    fn failed(&self, what: &str) -> impl Fn(rusqlite::Error) -> Error {
        let what = format!("cannot {what}");
        let place = format!("store {}", self.place);
        move |error| {
            let failure = Failure::new(what.clone()).at(place.clone()).cause(&error);
            Error::Store(match format::advice(&error) {
                Some(advice) => failure.help(advice),
                None => failure,
            })
        }
    }

    fn rows<T>(
        &self,
        what: &str,
        sql: &str,
        parameters: impl rusqlite::Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Error> {
        let rows = || -> rusqlite::Result<Vec<T>> {
            let mut statement = self.connection.prepare(sql)?;
            statement.query_map(parameters, read)?.collect()
        };
        rows().map_err(self.failed(what))
    }

    fn outputs(&self, iteration: u64) -> Result<Vec<Output>, Error> {
        self.rows(
            "read a manifest",
            "SELECT port, target, mode, file, rows, bytes, hash, fields, loaded FROM outputs
             WHERE flow = ?1 AND iteration = ?2 ORDER BY port",
            params![self.flow, iteration],
            columns::output,
        )
    }

    /// Changes one row of `iterations`.
    fn mark(&self, what: &str, sql: &str, parameters: impl rusqlite::Params) -> Result<(), Error> {
        match self.connection.execute(sql, parameters).map_err(self.failed(what))? {
            1 => Ok(()),
            _ => Err(Error::Store(
                Failure::new(format!("cannot {what}"))
                    .at(format!("store {}", self.place))
                    .cause("the iteration is not there, or not in the state before"),
            )),
        }
    }
}

impl Store for SqliteStore {
    fn epoch(&self) -> &str {
        &self.epoch
    }

    fn latest(&self) -> Result<Option<u64>, Error> {
        self.connection
            .query_row("SELECT max(iteration) FROM iterations WHERE flow = ?1", [&self.flow], |row| row.get(0))
            .map_err(self.failed("read the iterations"))
    }

    fn unfinished(&self) -> Result<Vec<Sealed>, Error> {
        let sealed = self.rows(
            "read the iterations",
            "SELECT iteration, attempt FROM iterations WHERE flow = ?1 AND state <> 'done' ORDER BY iteration",
            [&self.flow],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let with_outputs =
            |(iteration, attempt)| self.outputs(iteration).map(|outputs| Sealed { iteration, attempt, outputs });
        sealed.into_iter().map(with_outputs).collect()
    }

    fn shards(&self) -> Result<Vec<SealedShard>, Error> {
        self.rows(
            "read the positions",
            "SELECT port, shard, name, next FROM shards WHERE flow = ?1 ORDER BY rowid",
            [&self.flow],
            columns::shard,
        )
    }

    fn last_output(&self, port: &str, before: u64) -> Result<Option<u64>, Error> {
        let sql = "SELECT max(iteration) FROM outputs WHERE flow = ?1 AND port = ?2 AND iteration < ?3";
        self.connection
            .query_row(sql, params![self.flow, port, before], |row| row.get(0))
            .map_err(self.failed("read the manifests"))
    }

    fn open_attempts(&self) -> Result<Vec<Attempt>, Error> {
        self.rows(
            "read the attempts",
            "SELECT id, iteration, owner, opened, plan_hash FROM attempts WHERE flow = ?1 AND state = 'open'",
            [&self.flow],
            columns::attempt,
        )
    }

    fn open(&self, attempt: &Attempt) -> Result<(), Error> {
        let Attempt { id, iteration, owner, opened_us, plan_hash } = attempt;
        let insert = "INSERT INTO attempts (id, flow, iteration, state, owner, opened, plan_hash)
                      VALUES (?1, ?2, ?3, 'open', ?4, ?5, ?6)";
        let open = || {
            let transaction = self.connection.unchecked_transaction()?;
            // Why the last attempt was held is told until the next one.
            transaction.execute("DELETE FROM attempts WHERE flow = ?1 AND state = 'held'", [&self.flow])?;
            let hash = format!("{plan_hash:016x}");
            transaction.execute(insert, params![id, self.flow, iteration, owner, opened_us, hash])?;
            transaction.commit()
        };
        open().map_err(self.failed("open an iteration"))
    }

    fn revoke(&self, attempt: &Attempt, held: Option<&str>) -> Result<bool, Error> {
        // An attempt that is not there can be sealed as little as one that is held.
        let changed = match held {
            None => self.connection.execute("DELETE FROM attempts WHERE id = ?1 AND state <> 'sealed'", [&attempt.id]),
            Some(why) => {
                let hold = "UPDATE attempts SET state = 'held', note = ?2 WHERE id = ?1 AND state <> 'sealed'";
                self.connection.execute(hold, params![attempt.id, why])
            }
        };
        match changed.map_err(self.failed("give up an attempt"))? {
            0 => Ok(self.sealed_attempt(attempt.iteration)?.as_ref() != Some(&attempt.id)),
            _ => Ok(true),
        }
    }

    fn write_seal(&self, attempt: &Attempt, seal: &Seal) -> Result<bool, Error> {
        seal::write(&self.connection, &self.flow, &self.epoch, attempt, seal).map_err(self.failed("seal an iteration"))
    }

    fn sealed_attempt(&self, iteration: u64) -> Result<Option<String>, Error> {
        let sql = "SELECT attempt FROM iterations WHERE flow = ?1 AND iteration = ?2";
        self.connection
            .query_row(sql, params![self.flow, iteration], |row| row.get(0))
            .optional()
            .map_err(self.failed("read an iteration"))
    }

    fn mark_output_loaded(&self, iteration: u64, port: &str) -> Result<(), Error> {
        let sql = "UPDATE outputs SET loaded = 1 WHERE flow = ?1 AND iteration = ?2 AND port = ?3";
        self.mark("note that a target is loaded", sql, params![self.flow, iteration, port])
    }

    fn mark_loaded(&self, iteration: u64, now_us: i64) -> Result<(), Error> {
        let sql = "UPDATE iterations SET state = 'loaded', loaded = ?3, note = iif(state = 'held', '', note)
                   WHERE flow = ?1 AND iteration = ?2 AND state <> 'done'
                   AND NOT EXISTS (SELECT 1 FROM outputs WHERE flow = ?1 AND iteration = ?2 AND loaded = 0)";
        self.mark("note that an iteration is loaded", sql, params![self.flow, iteration, now_us])
    }

    fn mark_done(&self, iteration: u64, now_us: i64) -> Result<(), Error> {
        let sql = "UPDATE iterations SET state = 'done', done = ?3
                   WHERE flow = ?1 AND iteration = ?2 AND state = 'loaded'";
        self.mark("note that an iteration is done", sql, params![self.flow, iteration, now_us])
    }

    fn mark_held(&self, iteration: u64, why: &str) -> Result<(), Error> {
        let sql = "UPDATE iterations SET state = 'held', note = ?3
                   WHERE flow = ?1 AND iteration = ?2 AND state IN ('sealed', 'held')";
        self.mark("note that an iteration is held", sql, params![self.flow, iteration, why])
    }
}

#[cfg(test)]
mod tests;
