//! The ledger: the table `flow_ledger` in the schema of the sink's table. What its entries mean is in `sink/ledger.rs`.
//! They go by the table, too: another one has another story.

use tokio_postgres::types::Type as PgType;

use super::{session::get, shape, table::Table};
use crate::sink::{
    Mode, Ticket,
    iteration_column::Noted,
    ledger::{Described, LedgerEntry, Turn, turn_of_table},
    sql::{Session, Step, Trouble},
};

/// The ledger beside a table.
#[derive(Clone, Copy)]
pub(super) struct Ledger<'a> {
    pub(super) session: &'a Session<'a>,
    pub(super) table: &'a Table,
    /// For people.
    pub(super) place: &'a str,
}

const EXISTS: &str = "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                      WHERE n.nspname = $1 AND c.relname = $2";

const COLUMNS: &str = "flow text NOT NULL, port text NOT NULL, target text NOT NULL, epoch text NOT NULL, iteration bigint NOT NULL, \
                       hash text NOT NULL, rows bigint NOT NULL, published timestamp with time zone NOT NULL DEFAULT \
                       now(), PRIMARY KEY (flow, port, target, epoch, iteration)";

impl Ledger<'_> {
    /// Makes it where there is none, outside of any transaction.
    pub(super) fn make(&self) -> Result<(), Trouble> {
        if self.exists()? {
            return Ok(());
        }
        let made = self.session.run(Step::MakeLedger, &create(self.table));
        // Of two that make it at once, one is refused; it is there all the same.
        if made.is_err() && self.exists()? { Ok(()) } else { made }
    }

    /// Readers go on; other loaders wait.
    pub(super) fn lock(&self) -> Result<(), Trouble> {
        self.session.run(Step::LockLedger, &lock(self.table))
    }

    /// Whether it is the ticket's turn, and whether the table is there. Without the lock it is an answer for people.
    pub(super) fn turn(&self, ticket: &Ticket) -> Result<(Turn, bool), Trouble> {
        let last = if self.exists()? { self.last(ticket)? } else { None };
        let has_table = shape::exists(self.session, self.table, self.place)?;
        let (ledger, flow, port) = (self.table.ledger(), &ticket.flow, &ticket.port);
        let forget = format!("DELETE FROM {ledger} WHERE flow = '{flow}' AND port = '{port}'");
        let target = Described { place: self.place, how_to_forget: &forget };
        let turn = turn_of_table(last.as_ref(), has_table, ticket, self.table.shape.mode, target)?;
        Ok((turn, has_table))
    }

    fn last(&self, ticket: &Ticket) -> Result<Option<LedgerEntry>, Trouble> {
        let step = Step::ReadLedger;
        let sql = last(self.table);
        let parameters = [&ticket.flow, &ticket.port, &self.table.name, &ticket.epoch];
        let rows = self.session.rows(step, &sql, &parameters.map(|text| (text as _, PgType::TEXT)))?;
        let entry = |row| {
            Ok(LedgerEntry {
                epoch: get(step, row, 0)?,
                iteration: u64::try_from(get::<i64>(step, row, 1)?).ok(),
                hash: get(step, row, 2)?,
            })
        };
        rows.first().map(entry).transpose()
    }

    /// What it has of the ticket's iteration.
    pub(super) fn noted(&self, ticket: &Ticket) -> Result<Option<Noted>, Trouble> {
        if !self.exists()? {
            return Ok(None);
        }
        let step = Step::ReadLedger;
        let iteration = i64::try_from(ticket.iteration).unwrap_or(i64::MAX);
        let texts = [&ticket.flow, &ticket.port, &self.table.name, &ticket.epoch].map(|text| (text as _, PgType::TEXT));
        let parameters: Vec<_> = texts.into_iter().chain([(&iteration as _, PgType::INT8)]).collect();
        let rows = self.session.rows(step, &noted(self.table), &parameters)?;
        let noted =
            |row| Ok(Noted { hash: get(step, row, 0)?, rows: get::<i64>(step, row, 1)?.unsigned_abs(), staged: None });
        rows.first().map(noted).transpose()
    }

    /// The flow and port that keep the table with a store, if any do.
    pub(super) fn keeper(&self) -> Result<Option<(String, String)>, Trouble> {
        if !self.exists()? {
            return Ok(None);
        }
        let step = Step::ReadLedger;
        let sql = format!("SELECT flow, port FROM {} WHERE target = $1 LIMIT 1", self.table.ledger());
        let rows = self.session.rows(step, &sql, &[(&self.table.name as _, PgType::TEXT)])?;
        rows.first().map(|row| Ok((get(step, row, 0)?, get(step, row, 1)?))).transpose()
    }

    /// Adds the entry of an iteration. It may be there, of a table that was dropped and is replaced.
    pub(super) fn add(&self, ticket: &Ticket, row_count: u64) -> Result<(), Trouble> {
        let is_there = self.table.shape.mode == Mode::Replace;
        self.write(&add(self.table, is_there), ticket, row_count)
    }

    /// Puts an entry in the place of that of the same iteration.
    pub(super) fn renew(&self, ticket: &Ticket, row_count: u64) -> Result<(), Trouble> {
        self.write(&add(self.table, true), ticket, row_count)
    }

    fn write(&self, sql: &str, ticket: &Ticket, row_count: u64) -> Result<(), Trouble> {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let numbers = [number(ticket.iteration), number(row_count)];
        let text = |text| (text as _, PgType::TEXT);
        let parameters = [
            text(&ticket.flow),
            text(&ticket.port),
            text(&self.table.name),
            text(&ticket.epoch),
            (&numbers[0] as _, PgType::INT8),
            text(&ticket.hash),
            (&numbers[1] as _, PgType::INT8),
        ];
        self.session.execute(Step::WriteLedger, sql, &parameters).map(drop)
    }

    /// Removes the entries of the flow's port for this table, of all epochs.
    pub(super) fn forget(&self, flow: &str) -> Result<(), Trouble> {
        let sql = forget(self.table);
        let parameters = [flow, self.table.shape.port.name, &self.table.name];
        let parameters = parameters.each_ref().map(|text| (text as _, PgType::TEXT));
        self.session.execute(Step::WriteLedger, &sql, &parameters).map(drop)
    }

    pub(super) fn exists(&self) -> Result<bool, Trouble> {
        let parameters = [(&self.table.schema as _, PgType::TEXT), (&super::LEDGER as _, PgType::TEXT)];
        Ok(!self.session.rows(Step::ReadLedger, EXISTS, &parameters)?.is_empty())
    }
}

pub(super) fn create(table: &Table) -> String {
    format!("CREATE TABLE {} ({COLUMNS})", table.ledger())
}

pub(super) fn lock(table: &Table) -> String {
    format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", table.ledger())
}

/// The last iteration; any other epoch than the ticket's comes first, for it must be noticed.
pub(super) fn last(table: &Table) -> String {
    format!(
        "SELECT epoch, iteration, hash FROM {} WHERE flow = $1 AND port = $2 AND target = $3 \
         ORDER BY epoch = $4, iteration DESC LIMIT 1",
        table.ledger()
    )
}

/// What was published of one iteration.
pub(super) fn noted(table: &Table) -> String {
    format!(
        "SELECT hash, rows FROM {} WHERE flow = $1 AND port = $2 AND target = $3 AND epoch = $4 AND iteration = $5",
        table.ledger()
    )
}

pub(super) fn add(table: &Table, may_be_there: bool) -> String {
    // Elsewhere the entry cannot be there, and the key is the last thing that would not let rows in twice.
    let instead = match may_be_there {
        true => {
            " ON CONFLICT (flow, port, target, epoch, iteration) DO UPDATE SET hash = excluded.hash, \
             rows = excluded.rows, published = excluded.published"
        }
        false => "",
    };
    format!(
        "INSERT INTO {} (flow, port, target, epoch, iteration, hash, rows) VALUES ($1, $2, $3, $4, $5, $6, $7){instead}",
        table.ledger()
    )
}

pub(super) fn forget(table: &Table) -> String {
    format!("DELETE FROM {} WHERE flow = $1 AND port = $2 AND target = $3", table.ledger())
}
