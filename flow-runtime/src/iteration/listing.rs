//! [`iterations`]: what a store has of a flow, for people.

use std::{
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row, params};

use super::{
    State,
    sqlite::{
        format::{self, cannot_open},
        refuse_folder,
    },
};
use crate::{Error, Failure};

/// One iteration, as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IterationRow {
    /// Its number, from 0.
    pub number: u64,
    /// How far it has come.
    pub state: State,
    /// When its attempt began.
    pub started: SystemTime,
    /// How long it took until it was done; `None` while it is not.
    pub took: Option<Duration>,
    /// Records read from its sources.
    pub records: u64,
    /// Records that went to traps.
    pub trapped: u64,
    /// Rows for each sink and trap that got any, by the name of its port.
    pub rows: Vec<(String, u64)>,
    /// What a person should know: why it is held, who runs it, that nothing was new.
    pub note: String,
}

/// Lists the iterations of a flow, by its logical name, oldest first; a run may be under way.
///
/// An iteration that is being read, or whose run died while it was, comes last, as [`State::Open`].
///
/// # Errors
/// [`Error::Store`] when `path` is no store or cannot be read.
pub fn iterations(path: &Path, flow: &str) -> Result<Vec<IterationRow>, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let fail = |error: rusqlite::Error| cannot_open(path, &error);
    refuse_folder(path)?;
    if !path.exists() {
        return Err(Error::Store(
            Failure::new("there is no checkpoint store")
                .at(path.display().to_string())
                .help(format!("{flow} has not run with it yet; if it ran elsewhere, say where with --checkpoint")),
        ));
    }
    let connection = Connection::open_with_flags(path, flags).map_err(fail)?;
    connection.busy_timeout(Duration::from_secs(10)).map_err(fail)?;
    format::check(&connection, path)?;
    let read = || {
        // One snapshot: a run may seal between two statements.
        let snapshot = connection.unchecked_transaction()?;
        let epoch = "SELECT epoch FROM flows WHERE name = ?1";
        let Some(epoch) = snapshot.query_row(epoch, [flow], |row| row.get::<_, String>(0)).optional()? else {
            return Ok(Vec::new());
        };
        let mut rows = sealed(&snapshot, &epoch)?;
        rows.extend(pending(&snapshot, &epoch)?);
        Ok(rows)
    };
    read().map_err(fail)
}

fn sealed(connection: &Connection, epoch: &str) -> rusqlite::Result<Vec<IterationRow>> {
    let mut statement = connection.prepare(
        "SELECT i.iteration, i.state, a.opened, i.done, i.note,
                (SELECT coalesce(sum(records), 0) FROM ranges r WHERE r.epoch = i.epoch AND r.iteration = i.iteration),
                (SELECT coalesce(sum(trapped), 0) FROM counts c WHERE c.epoch = i.epoch AND c.iteration = i.iteration)
         FROM iterations i JOIN attempts a ON a.id = i.attempt WHERE i.epoch = ?1 ORDER BY i.iteration",
    )?;
    let mut rows: Vec<IterationRow> = statement.query_map([epoch], sealed_row)?.collect::<Result<_, _>>()?;
    let mut outputs =
        connection.prepare("SELECT port, rows FROM outputs WHERE epoch = ?1 AND iteration = ?2 ORDER BY port")?;
    for row in &mut rows {
        row.rows = outputs
            .query_map(params![epoch, row.number], |output| Ok((output.get(0)?, output.get(1)?)))?
            .collect::<Result<_, _>>()?;
    }
    Ok(rows)
}

fn sealed_row(row: &Row<'_>) -> rusqlite::Result<IterationRow> {
    let (opened, done): (i64, Option<i64>) = (row.get(2)?, row.get(3)?);
    let took = done.map(|done| Duration::from_micros(u64::try_from(done.saturating_sub(opened)).unwrap_or(0)));
    Ok(IterationRow {
        number: row.get(0)?,
        state: State::parse(&row.get::<_, String>(1)?).unwrap_or(State::Held),
        started: time(opened),
        took,
        records: row.get(5)?,
        trapped: row.get(6)?,
        rows: Vec::new(),
        note: row.get(4)?,
    })
}

/// The iteration after the last sealed one, if an attempt at it is open, or was held.
fn pending(connection: &Connection, epoch: &str) -> rusqlite::Result<Option<IterationRow>> {
    let mut statement = connection.prepare(
        "SELECT iteration, state, opened, note, owner FROM attempts
         WHERE epoch = ?1 AND iteration = (SELECT coalesce(max(iteration) + 1, 0) FROM iterations WHERE epoch = ?1)
         ORDER BY rowid DESC LIMIT 1",
    )?;
    let last = statement.query_map([epoch], pending_row)?.next().transpose()?;
    Ok(last.flatten())
}

fn pending_row(row: &Row<'_>) -> rusqlite::Result<Option<IterationRow>> {
    let (state, note) = match row.get::<_, String>(1)?.as_str() {
        "open" => (State::Open, row.get(4)?),
        "held" => (State::Held, row.get(3)?),
        _ => return Ok(None),
    };
    Ok(Some(IterationRow {
        number: row.get(0)?,
        state,
        started: time(row.get(2)?),
        took: None,
        records: 0,
        trapped: 0,
        rows: Vec::new(),
        note,
    }))
}

fn time(micros: i64) -> SystemTime {
    let since = Duration::from_micros(micros.unsigned_abs());
    if micros < 0 { UNIX_EPOCH - since } else { UNIX_EPOCH + since }
}
