//! One iteration in full, as the tables have it.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::columns;
use crate::iteration::{IterationDetail, Seal, SealedDetail, State, Tried, decide::AttemptState};

/// All that is kept of an iteration; `None` if neither a seal nor an attempt at it is known. One that is not sealed is
/// open or held, as its last attempt is.
pub(in crate::iteration) fn read(
    connection: &Connection,
    epoch: &str,
    iteration: u64,
) -> rusqlite::Result<Option<IterationDetail>> {
    let of = params![epoch, iteration];
    let tries = rows(connection, TRIES, of, tried)?;
    let header = connection.query_row(HEADER, of, header).optional()?;
    let Some((state, mut sealed)) = header else {
        return Ok(tries.last().map(|last| IterationDetail {
            iteration,
            state: if last.state == AttemptState::Held { State::Held } else { State::Open },
            note: last.note.clone(),
            tries: tries.clone(),
            sealed: None,
        }));
    };
    sealed.seal.ranges = rows(connection, RANGES, of, columns::range)?;
    sealed.seal.tables = rows(connection, TABLES, of, columns::table)?;
    sealed.seal.outputs = rows(connection, OUTPUTS, of, columns::output)?;
    sealed.seal.counts = rows(connection, COUNTS, of, columns::counts)?;
    sealed.tables_before = rows(connection, TABLES_BEFORE, of, columns::table)?;
    Ok(Some(IterationDetail { iteration, state, note: sealed.seal.note.clone(), tries, sealed: Some(sealed) }))
}

const TRIES: &str = "SELECT id, iteration, owner, opened, plan_hash, state, note FROM attempts
    WHERE epoch = ?1 AND iteration = ?2 ORDER BY rowid";

const HEADER: &str = "SELECT state, attempt, sealed, loaded, done, note FROM iterations
    WHERE epoch = ?1 AND iteration = ?2";

const RANGES: &str = "SELECT port, shard, name, mark, first, next, records, bytes, hash, covered FROM ranges
    WHERE epoch = ?1 AND iteration = ?2 ORDER BY place";

const TABLES: &str = "SELECT port, records, bytes, hash FROM tables WHERE epoch = ?1 AND iteration = ?2 ORDER BY port";

const TABLES_BEFORE: &str = "SELECT port, records, bytes, hash FROM tables t WHERE epoch = ?1
    AND iteration = (SELECT max(iteration) FROM tables WHERE epoch = ?1 AND port = t.port AND iteration < ?2)
    ORDER BY port";

pub(super) const OUTPUTS: &str = "SELECT port, target, mode, file, rows, bytes, hash, fields, loaded FROM outputs
    WHERE epoch = ?1 AND iteration = ?2 ORDER BY port";

const COUNTS: &str = "SELECT operator, rows_in, rows_out, filtered, trapped FROM counts
    WHERE epoch = ?1 AND iteration = ?2 ORDER BY place";

fn rows<T>(
    connection: &Connection,
    sql: &str,
    of: &[&dyn rusqlite::ToSql],
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection.prepare(sql)?.query_map(of, read)?.collect()
}

fn tried(row: &Row<'_>) -> rusqlite::Result<Tried> {
    let state = columns::parse_attempt_state(&row.get::<_, String>(5)?)?;
    Ok(Tried { attempt: columns::attempt(row)?, state, note: row.get(6)? })
}

fn header(row: &Row<'_>) -> rusqlite::Result<(State, SealedDetail)> {
    let state = columns::parse_state(&row.get::<_, String>(0)?)?;
    let seal = Seal { sealed_us: row.get(2)?, note: row.get(5)?, ..Seal::default() };
    let (attempt, loaded_us, done_us) = (row.get(1)?, row.get(3)?, row.get(4)?);
    Ok((state, SealedDetail { attempt, seal, loaded_us, done_us, tables_before: Vec::new() }))
}
