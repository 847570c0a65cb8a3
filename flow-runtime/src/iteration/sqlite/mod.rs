//! The store in a SQLite file; one file holds any number of flows.
//!
//! It keeps a write-ahead log and syncs it at every commit. That is as durable as a rollback journal, whose deletion
//! needs a sync of its own to survive a power cut, at one sync instead of two or three; and whoever lists iterations
//! neither waits for a run nor makes it wait. The price: the file must lie on a local disk. Where SQLite cannot keep the
//! log it keeps a rollback journal and does not complain; `synchronous=EXTRA` is right for both.
//!
//! What is not here: the order of the calls (`driver/mod.rs`), and the lock that keeps two runs apart (`driver/lock.rs`);
//! the seal is right without it.

mod columns;
mod detail;
mod format;
pub(crate) mod listing;
mod look;
mod seal;
mod upkeep;

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, Row, params};

pub(crate) use format::is_there;

use super::{
    Attempt, Output, Seal, Sealed, SealedShard, State,
    decide::{AttemptState, Marked, Staged, is_garbage, mark, may_revoke},
    store::{GivenUp, Store},
};
use crate::{
    Error, Failure,
    effect::{disk, effect, patience, sqlite},
};

/// How long a write waits for the write of another flow's run.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Iterations after which attempts that failed are forgotten.
const REFUSED_KEPT_ITERATIONS: u64 = 100;

/// The epoch of a flow, and when it began.
const EPOCH: &str = "SELECT epoch, created FROM flows WHERE name = ?1";

/// The iterations of one flow in a SQLite file.
#[derive(Debug)]
pub(crate) struct SqliteStore {
    connection: Connection,
    flow: String,
    epoch: String,
    created_us: i64,
    /// For messages.
    place: String,
}

impl SqliteStore {
    /// Opens the store of `flow` in the file `path`, and makes what is missing; a new logical name gets `new_epoch`.
    pub(crate) fn open(path: &Path, flow: &str, new_epoch: &str, now_us: i64) -> Result<Self, Error> {
        let fail = |error: rusqlite::Error| format::cannot_open(path, &error);
        if let Some(folder) = path.parent() {
            disk::create_dir_all("store", folder).map_err(|error| format::cannot_make_folder(path, &error))?;
        }
        let connection = sqlite::open("store", path, OpenFlags::default()).map_err(fail)?;
        connection.busy_timeout(patience(BUSY_TIMEOUT)).map_err(fail)?;
        if format::is_unwritten(&connection).map_err(fail)? {
            format::create_schema(&connection).map_err(fail)?;
        }
        format::check(&connection, path)?;
        Self::of_flow(connection, flow, new_epoch, now_us, path.display().to_string()).map_err(fail)
    }

    /// A store that goes with the run, for those without one.
    pub(crate) fn in_memory(flow: &str, epoch: &str, now_us: i64) -> Result<Self, Error> {
        let open = || {
            let connection = sqlite::open_in_memory()?;
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
        let settings = "PRAGMA journal_mode = WAL; PRAGMA synchronous = EXTRA; PRAGMA foreign_keys = ON;";
        connection.execute_batch(settings)?;
        let new_flow = "INSERT INTO flows (name, epoch, created) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        effect("store.flow", || connection.execute(new_flow, params![flow, new_epoch, now_us]))?;
        let flow = flow.to_owned();
        let (epoch, created_us) = connection.query_row(EPOCH, [&flow], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Self { connection, flow, epoch, created_us, place })
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
        effect("store.read", rows).map_err(self.failed(what))
    }

    fn row<T>(
        &self,
        what: &str,
        sql: &str,
        parameters: impl rusqlite::Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        effect("store.read", || self.connection.query_row(sql, parameters, read)).map_err(self.failed(what))
    }

    fn outputs(&self, iteration: u64) -> Result<Vec<Output>, Error> {
        self.rows("read a manifest", detail::OUTPUTS, params![self.epoch, iteration], columns::output)
    }

    /// Notes that an iteration has reached a state, by `update`, if it may.
    fn mark(&self, iteration: u64, to: State, update: &str, parameters: impl rusqlite::Params) -> Result<(), Error> {
        let what = format!("note that an iteration is {to}");
        let name = match to {
            State::Loaded => "store.loaded",
            State::Done => "store.done",
            _ => "store.held",
        };
        let write = || -> rusqlite::Result<Marked> {
            let transaction = sqlite::begin("store", &self.connection)?;
            let (from, all_loaded) = transaction.query_row(
                "SELECT coalesce((SELECT state FROM iterations WHERE epoch = ?1 AND iteration = ?2),
                                 (SELECT 'done' FROM iterations WHERE epoch = ?1 AND iteration > ?2)),
                        NOT EXISTS (SELECT 1 FROM outputs WHERE epoch = ?1 AND iteration = ?2 AND loaded = 0)",
                params![self.epoch, iteration],
                |row| Ok((row.get::<_, Option<String>>(0)?, row.get(1)?)),
            )?;
            let from = from.map(|text| columns::parse_state(&text)).transpose()?;
            let marked = mark(from, to, all_loaded);
            if marked == Marked::Written {
                transaction.execute(update, parameters)?;
            }
            sqlite::commit("store", transaction)?;
            Ok(marked)
        };
        match effect(name, write).map_err(self.failed(&what))? {
            Marked::Written | Marked::Already => Ok(()),
            Marked::Refused => Err(self.not_there(&what)),
        }
    }

    fn not_there(&self, what: &str) -> Error {
        Error::Store(
            Failure::new(format!("cannot {what}"))
                .at(format!("store {}", self.place))
                .cause("the iteration is not there, or not in the state before"),
        )
    }
}

impl Store for SqliteStore {
    fn epoch(&self) -> &str {
        &self.epoch
    }

    fn created_us(&self) -> i64 {
        self.created_us
    }

    fn latest(&self) -> Result<Option<u64>, Error> {
        let sql = "SELECT max(iteration) FROM iterations WHERE epoch = ?1";
        self.row("read the iterations", sql, [&self.epoch], |row| row.get(0))
    }

    fn unfinished(&self) -> Result<Vec<Sealed>, Error> {
        let sealed = self.rows(
            "read the iterations",
            "SELECT iteration, attempt FROM iterations WHERE epoch = ?1 AND state <> 'done' ORDER BY iteration",
            [&self.epoch],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let with_outputs =
            |(iteration, attempt)| self.outputs(iteration).map(|outputs| Sealed { iteration, attempt, outputs });
        sealed.into_iter().map(with_outputs).collect()
    }

    fn shards(&self) -> Result<Vec<SealedShard>, Error> {
        self.rows(
            "read the positions",
            "SELECT port, shard, name, mark, first, next, hash, covered FROM shards WHERE epoch = ?1 ORDER BY rowid",
            [&self.epoch],
            columns::shard,
        )
    }

    fn last_output(&self, port: &str, before: u64) -> Result<Option<u64>, Error> {
        let sql = "SELECT max(iteration) FROM outputs WHERE epoch = ?1 AND port = ?2 AND iteration < ?3";
        self.row("read the manifests", sql, params![self.epoch, port, before], |row| row.get(0))
    }

    fn open_attempts(&self) -> Result<Vec<Attempt>, Error> {
        self.rows(
            "read the attempts",
            "SELECT id, iteration, owner, opened, plan_hash FROM attempts WHERE epoch = ?1 AND state = 'open'",
            [&self.epoch],
            columns::attempt,
        )
    }

    fn open(&self, attempt: &Attempt) -> Result<(), Error> {
        let Attempt { id, iteration, owner, opened_us, plan_hash } = attempt;
        let insert = "INSERT INTO attempts (id, epoch, iteration, state, owner, opened, plan_hash)
                      VALUES (?1, ?2, ?3, 'open', ?4, ?5, ?6)";
        let open = || {
            let transaction = sqlite::begin("store", &self.connection)?;
            // Who was refused stays refused: an attempt that is not known may not be sealed either.
            let forget = "DELETE FROM attempts WHERE epoch = ?1 AND state IN ('revoked', 'held')
                          AND iteration <= (SELECT max(iteration) - ?2 FROM iterations WHERE epoch = ?1)";
            transaction.execute(forget, params![self.epoch, REFUSED_KEPT_ITERATIONS])?;
            let hash = format!("{plan_hash:016x}");
            transaction.execute(insert, params![id, self.epoch, iteration, owner, opened_us, hash])?;
            sqlite::commit("store", transaction)
        };
        effect("store.open_attempt", open).map_err(self.failed("open an iteration"))
    }

    fn revoke(&self, attempt: &str, why: GivenUp<'_>) -> Result<bool, Error> {
        let revoke = || -> rusqlite::Result<bool> {
            let transaction = sqlite::begin("store", &self.connection)?;
            let Staged { epoch_is_current, attempt: state, iteration } =
                upkeep::staged(&transaction, &self.flow, attempt)?;
            if state.is_none() || !may_revoke(state) {
                return Ok(is_garbage(epoch_is_current, state, iteration));
            }
            let refuse = "UPDATE attempts SET state = ?2, note = ?3 WHERE id = ?1 AND state = 'open'";
            let refused = |state: AttemptState, note| transaction.execute(refuse, [attempt, state.as_str(), note]);
            match why {
                GivenUp::Revoked(note) => refused(AttemptState::Revoked, note)?,
                GivenUp::Held(note) => refused(AttemptState::Held, note)?,
                GivenUp::Unneeded => transaction.execute("DELETE FROM attempts WHERE id = ?1", [attempt])?,
            };
            sqlite::commit("store", transaction)?;
            Ok(is_garbage(epoch_is_current, Some(AttemptState::Revoked), iteration))
        };
        effect("store.revoke", revoke).map_err(self.failed("give up an attempt"))
    }

    fn write_seal(&self, attempt: &Attempt, seal: &Seal) -> Result<bool, Error> {
        let write = || seal::write(&self.connection, &self.flow, &self.epoch, attempt, seal);
        effect("store.seal", write).map_err(self.failed("seal an iteration"))
    }

    fn sealed_attempt(&self, iteration: u64) -> Result<Option<String>, Error> {
        let sql = "SELECT attempt FROM iterations WHERE epoch = ?1 AND iteration = ?2";
        let attempts = self.rows("read an iteration", sql, params![self.epoch, iteration], |row| row.get(0))?;
        Ok(attempts.into_iter().next())
    }

    fn is_output_loaded(&self, iteration: u64, port: &str) -> Result<bool, Error> {
        // What is forgotten was done.
        let sql = "SELECT EXISTS (SELECT 1 FROM outputs WHERE epoch = ?1 AND iteration = ?2 AND port = ?3 AND loaded)
                   OR (NOT EXISTS (SELECT 1 FROM iterations WHERE epoch = ?1 AND iteration = ?2)
                       AND EXISTS (SELECT 1 FROM iterations WHERE epoch = ?1 AND iteration > ?2))";
        self.row("read a manifest", sql, params![self.epoch, iteration, port], |row| row.get(0))
    }

    fn mark_output_loaded(&self, iteration: u64, port: &str, hash: &str) -> Result<(), Error> {
        let what = "note that a target is loaded";
        let sql = "UPDATE outputs SET loaded = 1 WHERE epoch = ?1 AND iteration = ?2 AND port = ?3 AND hash = ?4";
        let mark = || self.connection.execute(sql, params![self.epoch, iteration, port, hash]);
        match effect("store.output_loaded", mark).map_err(self.failed(what))? {
            0 if !self.is_output_loaded(iteration, port)? => Err(self.not_there(what)),
            _ => Ok(()),
        }
    }

    fn mark_loaded(&self, iteration: u64, now_us: i64) -> Result<(), Error> {
        let sql = "UPDATE iterations SET state = 'loaded', loaded = ?3, note = iif(state = 'held', '', note)
                   WHERE epoch = ?1 AND iteration = ?2";
        self.mark(iteration, State::Loaded, sql, params![self.epoch, iteration, now_us])
    }

    fn mark_done(&self, iteration: u64, now_us: i64) -> Result<(), Error> {
        let sql = "UPDATE iterations SET state = 'done', done = ?3 WHERE epoch = ?1 AND iteration = ?2";
        self.mark(iteration, State::Done, sql, params![self.epoch, iteration, now_us])
    }

    fn mark_held(&self, iteration: u64, why: &str) -> Result<(), Error> {
        let sql = "UPDATE iterations SET state = 'held', note = ?3 WHERE epoch = ?1 AND iteration = ?2";
        self.mark(iteration, State::Held, sql, params![self.epoch, iteration, why])
    }
}

#[cfg(test)]
mod tests;
