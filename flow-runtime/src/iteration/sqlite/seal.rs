//! The seal as one transaction: its condition, and all that it makes final.

use rusqlite::{Connection, Transaction, params};

use super::columns;
use crate::{
    effect::{Mutant, mutant, sqlite},
    iteration::{
        Attempt, Output, Range, Seal,
        decide::{SealFacts, may_seal},
    },
    sink::staging::StagedManifest,
};

/// Writes the seal if its condition holds; says whether it did.
pub(super) fn write(
    connection: &Connection,
    flow: &str,
    epoch: &str,
    attempt: &Attempt,
    seal: &Seal,
) -> rusqlite::Result<bool> {
    if mutant(Mutant::PositionsBeforeSeal) {
        let early = sqlite::begin("store", connection)?;
        move_on(&early, epoch, seal)?;
        sqlite::commit("store", early)?;
    }
    let transaction = sqlite::begin("store", connection)?;
    if mutant(Mutant::SealWithoutCondition) {
        forget(&transaction, epoch, attempt.iteration)?;
    } else if !may_seal(facts(&transaction, flow, epoch, attempt)?) {
        return Ok(false);
    }
    insert_header(&transaction, epoch, attempt, seal)?;
    insert_ranges(&transaction, epoch, attempt.iteration, seal)?;
    insert_contents(&transaction, epoch, attempt.iteration, seal)?;
    sqlite::commit("store", transaction)?;
    Ok(true)
}

/// Makes room for another seal of an iteration: of a mutant.
fn forget(transaction: &Transaction<'_>, epoch: &str, iteration: u64) -> rusqlite::Result<()> {
    ["counts", "ranges", "tables", "outputs", "iterations"].iter().try_for_each(|table| {
        let delete = format!("DELETE FROM {table} WHERE epoch = ?1 AND iteration = ?2");
        transaction.execute(&delete, params![epoch, iteration]).map(drop)
    })
}

/// What the condition asks; `transaction` already has the only right to write. The last iteration is never forgotten, so
/// one before it that is not there was sealed and done.
fn facts(transaction: &Transaction<'_>, flow: &str, epoch: &str, attempt: &Attempt) -> rusqlite::Result<SealFacts> {
    transaction.query_row(
        "SELECT EXISTS (SELECT 1 FROM flows WHERE name = ?1 AND epoch = ?2),
                (SELECT state FROM attempts WHERE id = ?3),
                NOT EXISTS (SELECT 1 FROM iterations WHERE epoch = ?2 AND iteration >= ?4)",
        params![flow, epoch, attempt.id, attempt.iteration],
        |row| {
            let attempt: Option<String> = row.get(1)?;
            let attempt = attempt.map(|text| columns::parse_attempt_state(&text)).transpose()?;
            Ok(SealFacts { epoch_is_current: row.get(0)?, attempt, iteration_is_absent: row.get(2)? })
        },
    )
}

fn insert_header(to: &Transaction<'_>, epoch: &str, attempt: &Attempt, seal: &Seal) -> rusqlite::Result<()> {
    to.execute("UPDATE attempts SET state = 'sealed' WHERE id = ?1", [&attempt.id])?;
    to.execute(
        "INSERT INTO iterations (epoch, iteration, attempt, state, sealed, note) VALUES (?1, ?2, ?3, 'sealed', ?4, ?5)",
        params![epoch, attempt.iteration, attempt.id, seal.sealed_us, seal.note],
    )?;
    Ok(())
}

fn insert_ranges(to: &Transaction<'_>, epoch: &str, iteration: u64, seal: &Seal) -> rusqlite::Result<()> {
    let mut ranges =
        to.prepare("INSERT INTO ranges VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)")?;
    for (place, range) in seal.ranges.iter().enumerate() {
        let Range { port, shard, name, mark, first, next, records, bytes, hash, covered_us } = range;
        let (first, next) = (first.as_str(), next.as_str());
        let of =
            params![epoch, iteration, port, place, shard, name, mark, first, next, records, bytes, hash, covered_us];
        ranges.execute(of)?;
    }
    move_on(to, epoch, seal)
}

/// Notes where each shard has been read to.
fn move_on(to: &Transaction<'_>, epoch: &str, seal: &Seal) -> rusqlite::Result<()> {
    let mut shards = to.prepare(
        "INSERT INTO shards (epoch, port, shard, name, mark, first, next, hash, covered)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (epoch, port, shard) DO UPDATE SET name = excluded.name, mark = excluded.mark, next = excluded.next,
             covered = coalesce(excluded.covered, covered),
             first = iif(excluded.first = excluded.next, first, excluded.first),
             hash = iif(excluded.first = excluded.next, hash, excluded.hash)",
    )?;
    for Range { port, shard, name, mark, first, next, hash, covered_us, .. } in &seal.ranges {
        shards.execute(params![epoch, port, shard, name, mark, first.as_str(), next.as_str(), hash, covered_us])?;
    }
    Ok(())
}

/// What a manifest that is swapped brings anew: all but what was read.
pub(super) fn insert_contents(to: &Transaction<'_>, epoch: &str, iteration: u64, seal: &Seal) -> rusqlite::Result<()> {
    let mut tables = to.prepare("INSERT INTO tables VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    for table in &seal.tables {
        tables.execute(params![epoch, iteration, table.port, table.records, table.bytes, table.hash])?;
    }
    let mut outputs = to.prepare("INSERT INTO outputs VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")?;
    for Output { staged, place, mode, loaded } in &seal.outputs {
        let mode = mode.as_str();
        let StagedManifest { port, file, rows, bytes, hash, fields } = staged;
        outputs.execute(params![epoch, iteration, port, place, mode, file, rows, bytes, hash, fields, loaded])?;
    }
    let mut counts = to.prepare("INSERT INTO counts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
    for (place, row) in seal.counts.iter().enumerate() {
        let of = row.counts;
        counts.execute(params![
            epoch,
            iteration,
            place,
            row.operator,
            of.rows_in,
            of.rows_out,
            of.filtered,
            of.trapped
        ])?;
    }
    Ok(())
}
