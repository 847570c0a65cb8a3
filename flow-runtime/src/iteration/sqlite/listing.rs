//! What the store has of a flow, for people: [`iterations`] as a list, [`detail`] one in full.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use super::{
    detail,
    format::{self, cannot_open},
    is_there, look,
};
use crate::{
    Error, Failure,
    iteration::{
        IterationDetail, IterationRow, State,
        listing::{FormerListing, Listing, time, waiting},
    },
};

/// Lists the iterations of a flow, by its logical name, oldest first; a run may be under way.
///
/// An iteration that is being read, or whose run died while it was, comes last, as [`State::Open`]. What is from before a
/// reset is not listed.
///
/// # Errors
/// [`Error::Store`] when `path` is no store or cannot be read.
pub fn iterations(path: &Path, flow: &str) -> Result<Vec<IterationRow>, Error> {
    Ok(list(path, flow, None)?.rows)
}

/// As [`iterations`], at most the `last` ones of each epoch, with those from before resets.
pub(crate) fn list(path: &Path, flow: &str, last: Option<u64>) -> Result<Listing, Error> {
    look_into(path, flow, |snapshot| {
        let Some(epoch) = epoch(snapshot, flow)? else { return Ok(Listing::default()) };
        let mut rows = sealed(snapshot, &epoch, last)?;
        rows.extend(pending(snapshot, &epoch)?);
        let earlier = earlier(snapshot, &epoch, &rows)?;
        Ok(Listing { rows, earlier, former: former(snapshot, flow, last)?, epoch })
    })
}

/// One iteration in full; `None` if the store knows nothing of it.
///
/// # Errors
/// [`Error::Store`] when `path` is no store or cannot be read.
pub(crate) fn detail(path: &Path, flow: &str, iteration: u64) -> Result<Option<IterationDetail>, Error> {
    look_into(path, flow, |snapshot| match epoch(snapshot, flow)? {
        Some(epoch) => detail::read(snapshot, &epoch, iteration),
        None => Ok(None),
    })
}

/// The targets that any iteration of the flow is sealed for, each as [`identity`](crate::sink::identity) writes it.
///
/// # Errors
/// [`Error::Store`] when `path` is no store or cannot be read.
pub(crate) fn targets(path: &Path, flow: &str) -> Result<Vec<String>, Error> {
    let targets = "SELECT DISTINCT target FROM outputs WHERE epoch IN (SELECT epoch FROM flows WHERE name = ?1
                   UNION SELECT epoch FROM former_epochs WHERE flow = ?1) ORDER BY target";
    look_into(path, flow, |snapshot| snapshot.prepare(targets)?.query_map([flow], |row| row.get(0))?.collect())
}

/// Reads from a store without changing it, in one snapshot: a run may seal between two statements.
fn look_into<T>(path: &Path, flow: &str, read: impl Fn(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T, Error> {
    let fail = |error: rusqlite::Error| cannot_open(path, &error);
    must_exist(path, flow)?;
    look::reading(path, |connection| {
        format::check(&connection, path)?;
        connection.unchecked_transaction().and_then(|snapshot| read(&snapshot)).map_err(fail)
    })
}

/// Makes sure that there is a store: who only looks at one, or tidies it up, makes none.
///
/// # Errors
/// [`Error::Store`] when there is nothing at `path`, or a folder.
pub(crate) fn must_exist(path: &Path, flow: &str) -> Result<(), Error> {
    if is_there(path)? {
        return Ok(());
    }
    Err(Error::Store(
        Failure::new("there is no checkpoint store")
            .at(path.display().to_string())
            .help(format!("{flow} has not run with it yet; if it ran elsewhere, say where with --checkpoint")),
    ))
}

fn epoch(connection: &Connection, flow: &str) -> rusqlite::Result<Option<String>> {
    connection.query_row("SELECT epoch FROM flows WHERE name = ?1", [flow], |row| row.get(0)).optional()
}

fn former(connection: &Connection, flow: &str, last: Option<u64>) -> rusqlite::Result<Vec<FormerListing>> {
    let mut epochs = connection.prepare("SELECT epoch, ended FROM former_epochs WHERE flow = ?1 ORDER BY rowid")?;
    let epochs = epochs.query_map([flow], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
    let mut former = Vec::new();
    for epoch in epochs {
        let (epoch, ended) = epoch?;
        let rows = sealed(connection, &epoch, last)?;
        former.push(FormerListing { earlier: earlier(connection, &epoch, &rows)?, ended: time(ended), rows, epoch });
    }
    Ok(former)
}

/// How many iterations there are before `rows`.
fn earlier(connection: &Connection, epoch: &str, rows: &[IterationRow]) -> rusqlite::Result<u64> {
    let first = rows.first().map_or(0, |row| row.number);
    let count = "SELECT count(*) FROM iterations WHERE epoch = ?1 AND iteration < ?2";
    connection.query_row(count, params![epoch, first], |row| row.get(0))
}

fn sealed(connection: &Connection, epoch: &str, last: Option<u64>) -> rusqlite::Result<Vec<IterationRow>> {
    let mut statement = connection.prepare(
        "SELECT i.iteration, i.state, a.opened, i.done, i.note,
                (SELECT coalesce(sum(records), 0) FROM ranges r WHERE r.epoch = i.epoch AND r.iteration = i.iteration),
                (SELECT coalesce(sum(bytes), 0) FROM ranges r WHERE r.epoch = i.epoch AND r.iteration = i.iteration),
                (SELECT coalesce(sum(trapped), 0) FROM counts c WHERE c.epoch = i.epoch AND c.iteration = i.iteration)
         FROM iterations i JOIN attempts a ON a.id = i.attempt WHERE i.epoch = ?1
         ORDER BY i.iteration DESC LIMIT ?2",
    )?;
    // To SQLite, a negative limit is none.
    let limit = last.and_then(|last| i64::try_from(last).ok()).unwrap_or(-1);
    let rows = statement.query_map(params![epoch, limit], sealed_row)?;
    let mut rows: Vec<IterationRow> = rows.collect::<Result<_, _>>()?;
    rows.reverse();
    let mut outputs = connection
        .prepare("SELECT port, rows, loaded FROM outputs WHERE epoch = ?1 AND iteration = ?2 ORDER BY port")?;
    for row in &mut rows {
        let outputs = outputs
            .query_map(params![epoch, row.number], |output| Ok((output.get(0)?, output.get(1)?, output.get(2)?)))?;
        let outputs: Vec<(String, u64, bool)> = outputs.collect::<Result<_, _>>()?;
        let unloaded = outputs.iter().filter(|(_, _, loaded)| !loaded).map(|(port, _, _)| port.as_str());
        row.note = waiting(row.state, &row.note, &unloaded.collect::<Vec<_>>());
        row.rows = outputs.into_iter().map(|(port, rows, _)| (port, rows)).collect();
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
        bytes: row.get(6)?,
        trapped: row.get(7)?,
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
        bytes: 0,
        trapped: 0,
        rows: Vec::new(),
        note,
    }))
}
