//! `postgres:` sinks and traps: a table in a PostgreSQL database, each iteration exactly once.
//!
//! `postgres://user@host:5432/database?table=schema.table&mode=merge`: what an address may say, where the password comes
//! from, connections, their failures and how often a load is tried are in `sink/sql/`. Names are taken as they are written,
//! upper case too; a table without a schema is in `public`. The ledger is the table `flow_ledger` in the schema of the
//! sink's table.
//!
//! - `load.rs`: the transaction. `ledger.rs` and `table.rs`: its statements. `copy.rs`: its rows. `shape.rs`: what must be
//!   there before.
//! - `server.rs`: what PostgreSQL has of its own. `session.rs`: its protocol.
//!
//! A row that a column cannot hold, as the sink declares it, is trapped before it is staged (`demands/`). One that only the
//! server refuses stops the load and is named; nothing of the iteration is visible then. Connections are plain: there is no
//! TLS yet.

mod copy;
mod ledger;
mod load;
mod script;
mod server;
mod session;
mod shape;
mod survey;
mod table;

use std::env;

pub(super) use self::server::POSTGRES;
use self::{
    ledger::Ledger,
    load::{Load, forget, refuse_without_store, replaced_by},
    session::get,
    table::Table,
};
use super::{
    Demands, Dialect, Head, Mode, Published, ROWS_COUNTED_MAX, SinkShape, SinkTap, Staged, Statement, Survey, Ticket,
    Work, iteration_column,
    ledger::Turn,
    sql::{ATTEMPTS_MAX, Attempts, Location, Session, Site, Step, Trouble, may_pass, may_try_again},
};
use crate::{Address, Error};

/// The table that remembers what was published.
const LEDGER: &str = "flow_ledger";

/// Which table an address leads to, whoever connects: the same text for the same table. None, if it leads to none.
pub(super) fn identity(address: &Address, port_name: &str) -> Option<String> {
    let Site { host, port, database, schema, table } = Site::parse(&POSTGRES, address, port_name).ok()?;
    Some(format!("postgres://{host}:{port}/{database}?table={schema}.{table}"))
}

/// Publishes to a table.
#[derive(Debug)]
pub(super) struct PostgresTap {
    attempts: Attempts,
    table: Table,
}

impl PostgresTap {
    pub(super) fn open(address: &Address, shape: SinkShape) -> Result<Self, Error> {
        let location = Location::parse(&POSTGRES, address, shape.port.name, |name| env::var(name).ok())?;
        let table = Table::new(&location.site.schema, &location.site.table, shape)?;
        let table = table.with_iteration_column(iteration_column::parse(address, shape)?);
        Ok(Self { attempts: Attempts::new(location), table })
    }

    fn load_once(&self, session: &Session<'_>, staged: &Staged, ticket: Option<&Ticket>) -> Result<Published, Trouble> {
        let load = Load { ledger: self.ledger(session), staged };
        match ticket {
            Some(ticket) => load.once(ticket),
            None => load.without_ledger().map_err(Trouble::without_ledger),
        }
    }

    fn read_head(&self, session: &Session<'_>, rows_max: usize) -> Result<Option<Head>, Trouble> {
        if !shape::exists(session, &self.table, self.place())? {
            return Ok(None);
        }
        let step = Step::ReadBack;
        let count = session.rows(step, &self.table.count(ROWS_COUNTED_MAX + 1), &[])?;
        let row_count = count.first().map_or(Ok(0), |row| get::<i64>(step, row, 0))?.unsigned_abs();
        let sql = self.table.head(rows_max, row_count <= ROWS_COUNTED_MAX);
        let rows = session.rows(step, &sql, &[])?;
        let cells = |row: &tokio_postgres::Row| (0..row.len()).map(|index| get(step, row, index)).collect();
        let rows = rows.iter().map(cells).collect::<Result<_, _>>()?;
        Ok(Some(Head { rows, row_count }))
    }

    /// For people.
    fn place(&self) -> &str {
        &self.attempts.place
    }

    fn ledger<'a>(&'a self, session: &'a Session<'a>) -> Ledger<'a> {
        Ledger { session, table: &self.table, place: self.place() }
    }
}

impl SinkTap for PostgresTap {
    fn mode(&self) -> Mode {
        self.table.shape.mode
    }

    fn demands(&self) -> Demands {
        Demands::new(Dialect::Postgres, self.table.shape.fields())
    }

    fn check(&self) -> Result<(), Error> {
        self.attempts.ask(|session| {
            shape::exists(session, &self.table, self.place())?;
            shape::permitted(session, &self.table, self.place())
        })
    }

    fn check_ledger(&self, ticket: &Ticket) -> Result<bool, Error> {
        let has_it = |(turn, _)| turn == Turn::Skip;
        self.attempts.attempt(ATTEMPTS_MAX, may_pass, |session| self.ledger(session).turn(ticket).map(has_it))
    }

    fn check_without_store(&self) -> Result<(), Error> {
        self.attempts.ask(|session| refuse_without_store(&self.ledger(session)).map(drop))
    }

    fn publish(&mut self, staged: &Staged, ticket: Option<&Ticket>) -> Result<Published, Error> {
        let may_try_again = |trouble: &Trouble| may_try_again(trouble, ticket.is_some(), self.mode());
        self.attempts.attempt(ATTEMPTS_MAX, may_try_again, |session| self.load_once(session, staged, ticket))
    }

    fn replaceable(&self, ticket: &Ticket) -> Result<u64, Error> {
        let noted = |session: &Session<'_>| replaced_by(&self.ledger(session), ticket).map(|(noted, _)| noted.rows);
        self.attempts.attempt(ATTEMPTS_MAX, may_pass, noted)
    }

    fn replace(&mut self, staged: &Staged, ticket: &Ticket) -> Result<u64, Error> {
        let had = self.replaceable(ticket)?;
        // Done once more it comes to the same, so a commit whose answer was lost needs no look.
        let may_try_again = |trouble: &Trouble| may_try_again(trouble, true, self.mode());
        let replace = |session: &Session<'_>| Load { ledger: self.ledger(session), staged }.replace(ticket);
        self.attempts.attempt(ATTEMPTS_MAX, may_try_again, replace).map(|()| had)
    }

    fn forget(&mut self, flow: &str, empty: bool) -> Result<(), Error> {
        self.attempts.attempt(ATTEMPTS_MAX, may_pass, |session| forget(&self.ledger(session), flow, empty))
    }

    fn survey(&self) -> Result<Option<Survey>, Error> {
        self.attempts.ask(|session| survey::survey(&self.ledger(session)).map(Some))
    }

    fn execute(&self, work: Work, statements: &[String]) -> Result<(), Error> {
        self.attempts.execute(work, statements)
    }

    fn statements(&self, _flow: &str) -> Vec<Statement> {
        script::statements(&self.table)
    }

    fn head(&self, rows_max: usize) -> Result<Option<Head>, Error> {
        self.attempts.ask(|session| self.read_head(session, rows_max))
    }
}

#[cfg(test)]
mod tests;
