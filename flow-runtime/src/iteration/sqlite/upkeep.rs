//! Mending and tidying the store: a manifest swapped, an epoch ended, what nobody needs forgotten.

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use super::{SqliteStore, columns, detail, seal};
use crate::{
    Error,
    effect::{effect, sqlite},
    iteration::{
        IterationDetail, Seal,
        decide::{Staged, SwapFacts, may_swap},
        upkeep::{FormerEpoch, LastProgram, Swap, Upkeep},
    },
};

/// The tables that keep something under an epoch; those that others refer to come last.
const OF_EPOCH: [&str; 7] = ["ranges", "shards", "tables", "outputs", "counts", "iterations", "attempts"];

/// Done, before the last so many, and not the last that a ledger goes by: per port that is the last one that had
/// something for it, before whatever is not done.
const FORGETTABLE: &str = "SELECT iteration FROM iterations WHERE epoch = ?1 AND state = 'done'
    AND iteration <= (SELECT max(iteration) - ?2 FROM iterations WHERE epoch = ?1)
    AND iteration NOT IN (SELECT max(iteration) FROM outputs WHERE epoch = ?1 AND iteration < coalesce(
        (SELECT min(iteration) FROM iterations WHERE epoch = ?1 AND state <> 'done'), 9223372036854775807) GROUP BY port) ORDER BY iteration";

impl Upkeep for SqliteStore {
    fn iteration(&self, iteration: u64) -> Result<Option<IterationDetail>, Error> {
        let read = || detail::read(&self.connection, &self.epoch, iteration);
        effect("store.read", read).map_err(self.failed("read an iteration"))
    }

    fn write_swap(&self, swap: &Swap<'_>) -> Result<bool, Error> {
        let write = || -> rusqlite::Result<bool> {
            let transaction = sqlite::begin("store", &self.connection)?;
            if !may_swap(self.swap_facts(&transaction, swap)?) {
                return Ok(false);
            }
            self.swap_in(&transaction, swap)?;
            sqlite::commit("store", transaction)?;
            Ok(true)
        };
        effect("store.swap", write).map_err(self.failed("swap a manifest"))
    }

    fn write_reset(&self, epoch: &str, now_us: i64) -> Result<bool, Error> {
        let write = || -> rusqlite::Result<bool> {
            let transaction = sqlite::begin("store", &self.connection)?;
            let end = "UPDATE flows SET epoch = ?1, created = ?2 WHERE name = ?3 AND epoch = ?4";
            if transaction.execute(end, params![epoch, now_us, self.flow, self.epoch])? == 0 {
                return Ok(false);
            }
            let former = "INSERT INTO former_epochs (epoch, flow, ended) VALUES (?1, ?2, ?3)";
            transaction.execute(former, params![self.epoch, self.flow, now_us])?;
            let revoke = "UPDATE attempts SET state = 'revoked', note = 'reset' WHERE epoch = ?1 AND state = 'open'";
            transaction.execute(revoke, [&self.epoch])?;
            sqlite::commit("store", transaction)?;
            Ok(true)
        };
        effect("store.reset", write).map_err(self.failed("make a new epoch"))
    }

    fn present_epoch(&self) -> Result<String, Error> {
        self.row("read the epoch", "SELECT epoch FROM flows WHERE name = ?1", [&self.flow], |row| row.get(0))
    }

    fn staged(&self, attempt: &str) -> Result<Staged, Error> {
        let staged = || staged(&self.connection, &self.flow, attempt);
        effect("store.read", staged).map_err(self.failed("read the attempts"))
    }

    fn last_program(&self) -> Result<Option<LastProgram>, Error> {
        let sql = "SELECT i.iteration, a.plan_hash FROM iterations i JOIN attempts a ON a.id = i.attempt
                   WHERE i.epoch = ?1 ORDER BY i.iteration DESC LIMIT 1";
        let last = self.rows("read the attempts", sql, [&self.epoch], |row| {
            Ok(LastProgram { iteration: row.get(0)?, plan_hash: columns::parse_hash(&row.get::<_, String>(1)?)? })
        })?;
        Ok(last.first().copied())
    }

    fn staged_bytes_max(&self) -> Result<u64, Error> {
        let sql = "SELECT coalesce(max(bytes), 0) FROM
                   (SELECT sum(bytes) AS bytes FROM outputs WHERE epoch = ?1 GROUP BY iteration)";
        let bytes = self.rows("read the manifests", sql, [&self.epoch], |row| row.get(0))?;
        Ok(bytes.first().copied().unwrap_or(0))
    }

    fn targets(&self) -> Result<Vec<(String, String)>, Error> {
        let sql = "SELECT DISTINCT port, target FROM outputs WHERE epoch = ?1 ORDER BY port, target";
        self.rows("read the manifests", sql, [&self.epoch], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    fn former_epochs(&self) -> Result<Vec<FormerEpoch>, Error> {
        let sql = "SELECT epoch, ended, (SELECT count(*) FROM iterations i WHERE i.epoch = f.epoch)
                   FROM former_epochs f WHERE flow = ?1 ORDER BY rowid";
        self.rows("read the epochs", sql, [&self.flow], |row| {
            Ok(FormerEpoch { epoch: row.get(0)?, ended_us: row.get(1)?, iterations: row.get(2)? })
        })
    }

    fn forget_epoch(&self, epoch: &str) -> Result<(), Error> {
        let forget = || -> rusqlite::Result<()> {
            let transaction = sqlite::begin("store", &self.connection)?;
            let former = "DELETE FROM former_epochs WHERE epoch = ?1 AND epoch NOT IN (SELECT epoch FROM flows)";
            if transaction.execute(former, [epoch])? > 0 {
                for table in OF_EPOCH {
                    transaction.execute(&format!("DELETE FROM {table} WHERE epoch = ?1"), [epoch])?;
                }
            }
            sqlite::commit("store", transaction)
        };
        effect("store.forget", forget).map_err(self.failed("forget a former epoch"))
    }

    fn forgettable(&self, kept: u64) -> Result<Vec<u64>, Error> {
        self.rows("read the iterations", FORGETTABLE, params![self.epoch, kept], |row| row.get(0))
    }

    fn forget_iterations(&self, kept: u64) -> Result<(), Error> {
        let forget = || -> rusqlite::Result<()> {
            let transaction = sqlite::begin("store", &self.connection)?;
            let forgettable: Vec<u64> = transaction
                .prepare(FORGETTABLE)?
                .query_map(params![self.epoch, kept], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            for table in OF_EPOCH.into_iter().filter(|table| *table != "shards") {
                let sql = format!("DELETE FROM {table} WHERE epoch = ?1 AND iteration = ?2");
                let mut delete = transaction.prepare(&sql)?;
                for iteration in &forgettable {
                    delete.execute(params![self.epoch, iteration])?;
                }
            }
            sqlite::commit("store", transaction)
        };
        effect("store.forget", forget).map_err(self.failed("forget old iterations"))
    }

    fn compact(&self) -> Result<u64, Error> {
        let bytes = || -> rusqlite::Result<u64> {
            let pragma = |name| self.connection.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
            Ok(pragma("page_count")? * pragma("page_size")?)
        };
        let compact = || -> rusqlite::Result<u64> {
            let before = bytes()?;
            self.connection.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")?;
            Ok(before.saturating_sub(bytes()?))
        };
        effect("store.compact", compact).map_err(self.failed("compact"))
    }
}

impl SqliteStore {
    fn swap_facts(&self, transaction: &Transaction<'_>, swap: &Swap<'_>) -> rusqlite::Result<SwapFacts> {
        let Staged { epoch_is_current, attempt, .. } = staged(transaction, &self.flow, swap.to)?;
        let sealed = "SELECT state, attempt FROM iterations WHERE epoch = ?1 AND iteration = ?2";
        let of = params![self.epoch, swap.iteration];
        let read = |row: &Row<'_>| Ok((columns::parse_state(&row.get::<_, String>(0)?)?, row.get::<_, String>(1)?));
        let sealed = transaction.query_row(sealed, of, read).optional()?;
        let unloaded = "SELECT port FROM outputs WHERE epoch = ?1 AND iteration = ?2 AND loaded = 0 ORDER BY port";
        let unloaded: Vec<String> =
            transaction.prepare(unloaded)?.query_map(of, |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        let mut seen = swap.unloaded.clone();
        seen.sort();
        Ok(SwapFacts {
            epoch_is_current,
            to: attempt,
            iteration: sealed.as_ref().map(|(state, _)| *state),
            from_is_sealed: sealed.is_some_and(|(_, attempt)| attempt == swap.from),
            unloaded_is_as_seen: unloaded == seen,
        })
    }

    fn swap_in(&self, transaction: &Transaction<'_>, swap: &Swap<'_>) -> rusqlite::Result<()> {
        let of = params![self.epoch, swap.iteration];
        transaction.execute("DELETE FROM outputs WHERE epoch = ?1 AND iteration = ?2 AND loaded = 0", of)?;
        transaction.execute("DELETE FROM tables WHERE epoch = ?1 AND iteration = ?2", of)?;
        transaction.execute("DELETE FROM counts WHERE epoch = ?1 AND iteration = ?2", of)?;
        let Swap { outputs, tables, counts, .. } = swap;
        let contents =
            Seal { outputs: outputs.clone(), tables: tables.clone(), counts: counts.clone(), ..Seal::default() };
        seal::insert_contents(transaction, &self.epoch, swap.iteration, &contents)?;
        let header = "UPDATE iterations SET attempt = ?3, state = 'sealed',
                          note = iif(state = 'held' OR note = '', '', note || '; ') || 'restaged'
                      WHERE epoch = ?1 AND iteration = ?2";
        transaction.execute(header, params![self.epoch, swap.iteration, swap.to])?;
        transaction.execute("UPDATE attempts SET state = 'sealed' WHERE id = ?1", [swap.to])?;
        let lost = "UPDATE attempts SET state = 'revoked', note = 'what it had staged was lost' WHERE id = ?1";
        transaction.execute(lost, [swap.from])?;
        Ok(())
    }
}

/// What is known of an attempt, and of the iteration that it is sealed as.
pub(super) fn staged(connection: &Connection, flow: &str, attempt: &str) -> rusqlite::Result<Staged> {
    let known = "SELECT a.state, i.state, a.epoch = (SELECT epoch FROM flows WHERE name = ?2)
                 FROM attempts a LEFT JOIN iterations i ON i.attempt = a.id WHERE a.id = ?1";
    let read = |row: &Row<'_>| {
        let iteration: Option<String> = row.get(1)?;
        Ok(Staged {
            epoch_is_current: row.get(2)?,
            attempt: Some(columns::parse_attempt_state(&row.get::<_, String>(0)?)?),
            iteration: iteration.map(|text| columns::parse_state(&text)).transpose()?,
        })
    };
    let unknown = Staged { epoch_is_current: true, attempt: None, iteration: None };
    Ok(connection.query_row(known, [attempt, flow], read).optional()?.unwrap_or(unknown))
}
