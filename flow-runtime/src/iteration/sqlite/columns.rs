//! Rows of the tables as plain data.

use rusqlite::Row;

use crate::{
    flow::Counts,
    iteration::{Attempt, OperatorCounts, Output, Range, SealedShard, State, TableVersion, decide::AttemptState},
    sink::{Mode, staging::StagedManifest},
    source::{LastRead, Position},
};

/// Reads id, iteration, owner, opened, plan_hash.
pub(super) fn attempt(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    Ok(Attempt {
        id: row.get(0)?,
        iteration: row.get(1)?,
        owner: row.get(2)?,
        opened_us: row.get(3)?,
        plan_hash: parse_hash(&row.get::<_, String>(4)?)?,
    })
}

/// Reads port, shard, name, mark, first, next, hash, covered.
pub(super) fn shard(row: &Row<'_>) -> rusqlite::Result<SealedShard> {
    let position = |column| row.get::<_, String>(column).map(Position::new);
    let (first, next, hash) = (position(4)?, position(5)?, row.get(6)?);
    let last = (first != next).then(|| LastRead { first, next: next.clone(), hash });
    Ok(SealedShard {
        port: row.get(0)?,
        shard: row.get(1)?,
        name: row.get(2)?,
        mark: row.get(3)?,
        next,
        last,
        covered_us: row.get(7)?,
    })
}

/// Reads port, target, mode, file, rows, bytes, hash, fields, loaded.
pub(super) fn output(row: &Row<'_>) -> rusqlite::Result<Output> {
    let staged = StagedManifest {
        port: row.get(0)?,
        file: row.get(3)?,
        rows: row.get(4)?,
        bytes: row.get(5)?,
        hash: row.get(6)?,
        fields: row.get(7)?,
    };
    let mode = parse_mode(&row.get::<_, String>(2)?)?;
    Ok(Output { staged, place: row.get(1)?, mode, loaded: row.get(8)? })
}

/// Reads port, shard, name, mark, first, next, records, bytes, hash, covered.
pub(super) fn range(row: &Row<'_>) -> rusqlite::Result<Range> {
    Ok(Range {
        port: row.get(0)?,
        shard: row.get(1)?,
        name: row.get(2)?,
        mark: row.get(3)?,
        first: Position::new(row.get::<_, String>(4)?),
        next: Position::new(row.get::<_, String>(5)?),
        records: row.get(6)?,
        bytes: row.get(7)?,
        hash: row.get(8)?,
        covered_us: row.get(9)?,
    })
}

/// Reads port, records, bytes, hash.
pub(super) fn table(row: &Row<'_>) -> rusqlite::Result<TableVersion> {
    Ok(TableVersion { port: row.get(0)?, records: row.get(1)?, bytes: row.get(2)?, hash: row.get(3)? })
}

/// Reads operator, rows_in, rows_out, filtered, trapped.
pub(super) fn counts(row: &Row<'_>) -> rusqlite::Result<OperatorCounts> {
    let counts = Counts { rows_in: row.get(1)?, rows_out: row.get(2)?, filtered: row.get(3)?, trapped: row.get(4)? };
    Ok(OperatorCounts { operator: row.get(0)?, counts })
}

fn parse_mode(text: &str) -> rusqlite::Result<Mode> {
    Mode::parse(text).ok_or_else(|| unreadable(format!("unknown mode `{text}`")))
}

pub(super) fn parse_state(text: &str) -> rusqlite::Result<State> {
    State::parse(text).ok_or_else(|| unreadable(format!("unknown state `{text}`")))
}

pub(super) fn parse_attempt_state(text: &str) -> rusqlite::Result<AttemptState> {
    AttemptState::parse(text).ok_or_else(|| unreadable(format!("unknown state `{text}`")))
}

pub(super) fn parse_hash(text: &str) -> rusqlite::Result<u64> {
    u64::from_str_radix(text, 16).map_err(|_| unreadable(format!("`{text}` is no hash")))
}

fn unreadable(what: String) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, what.into())
}
