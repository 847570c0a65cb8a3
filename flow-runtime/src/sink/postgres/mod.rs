//! `postgres:` sinks and traps: a table in a PostgreSQL database, each iteration exactly once.
//!
//! `postgres://user@host:5432/database?table=schema.table&mode=merge`: what an address may say is in `location.rs`, where
//! the password comes from in `password.rs`. Names are taken as they are written, upper case too; a table without a schema
//! is in `public`. The ledger is the table `flow_ledger` in the schema of the sink's table.
//!
//! - `load.rs`: the transaction. `ledger.rs` and `table.rs`: its statements. `copy.rs`: its rows. `shape.rs`: what must be
//!   there before.
//! - `session.rs`: the connection. `trouble.rs`: its failures. Here: how often a load is tried.
//!
//! A row that a column cannot hold, as the sink declares it, is trapped before it is staged (`demands/`). One that only the
//! server refuses stops the load and is named; nothing of the iteration is visible then. Connections are plain: there is no
//! TLS yet.

mod copy;
mod ledger;
mod load;
mod location;
mod password;
mod session;
mod shape;
mod table;
mod trouble;

use std::{env, panic, thread, time::Duration};

use tokio::runtime::{Builder, Runtime};

use self::{
    ledger::Ledger,
    load::{Load, forget, refuse_without_store},
    location::{Location, Site},
    session::{Session, get},
    table::Table,
    trouble::{Step, Trouble},
};
use super::{
    Demands, Dialect, Head, Mode, Published, ROWS_COUNTED_MAX, SinkShape, SinkTap, Staged, Ticket, ledger::Turn,
};
use crate::{
    Address, Error, Failure,
    effect::{clock, inherited},
};

/// The table that remembers what was published.
const LEDGER: &str = "flow_ledger";

/// How often a load, or a look at the ledger, is begun when what stops it may pass.
const ATTEMPTS_MAX: u32 = 6;

/// With the growth, all pauses together are some 17 s, a half more or less: time for a server to start again.
const PAUSE: Duration = Duration::from_millis(50);
const PAUSE_GROWTH: u32 = 4;

/// Which table an address leads to, whoever connects: the same text for the same table. None, if it leads to none.
pub(super) fn identity(address: &Address, port_name: &str) -> Option<String> {
    let Site { host, port, database, schema, table } = Site::parse(address, port_name).ok()?;
    Some(format!("postgres://{host}:{port}/{database}?table={schema}.{table}"))
}

/// Publishes to a table.
#[derive(Debug)]
pub(super) struct PostgresTap {
    location: Location,
    place: String,
    table: Table,
    /// After the first attempt; after each further one it is longer.
    pause: Duration,
}

impl PostgresTap {
    pub(super) fn open(address: &Address, shape: SinkShape) -> Result<Self, Error> {
        let location = Location::parse(address, shape.port.name, |name| env::var(name).ok())?;
        let table = Table::new(&location.site.schema, &location.site.table, shape)?;
        Ok(Self { place: location.site.to_string(), location, table, pause: PAUSE })
    }

    fn load_once(&self, session: &Session<'_>, staged: &Staged, ticket: Option<&Ticket>) -> Result<Published, Trouble> {
        let load = Load { ledger: self.ledger(session), staged };
        match ticket {
            Some(ticket) => load.once(ticket),
            None => load.without_ledger().map_err(Trouble::without_ledger),
        }
    }

    fn read_head(&self, session: &Session<'_>, rows_max: usize) -> Result<Option<Head>, Trouble> {
        if !shape::exists(session, &self.table, &self.place)? {
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

    /// Asks once, before anything is done: who gave a wrong address need not wait.
    fn ask<T: Send>(&self, question: impl Fn(&Session<'_>) -> Result<T, Trouble> + Sync) -> Result<T, Error> {
        self.attempt(1, |_| false, question)
    }

    /// Tries, each time on a connection of its own.
    fn attempt<T: Send>(
        &self,
        attempts_max: u32,
        may_try_again: impl Fn(&Trouble) -> bool + Sync,
        act: impl Fn(&Session<'_>) -> Result<T, Trouble> + Sync,
    ) -> Result<T, Error> {
        self.run(|runtime| {
            let mut attempt = 1;
            loop {
                let trouble = match Session::open(runtime, &self.location).and_then(|session| act(&session)) {
                    Ok(done) => return Ok(done),
                    Err(trouble) => trouble,
                };
                if attempt == attempts_max || !may_try_again(&trouble) {
                    return Err(trouble.into_error(&self.place, (attempt, attempts_max)));
                }
                clock::sleep(pause(self.pause, attempt, fastrand::f64()));
                attempt += 1;
            }
        })
    }

    /// Runs what needs a server on a thread of its own: the program may have a runtime that this thread belongs to.
    fn run<T: Send>(&self, work: impl FnOnce(&Runtime) -> Result<T, Error> + Send) -> Result<T, Error> {
        let run = || {
            let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| {
                Error::Target(Failure::new("cannot open a connection").at(self.place.clone()).cause(error))
            })?;
            let done = work(&runtime);
            // A name that nobody resolves must not keep the program.
            runtime.shutdown_background();
            done
        };
        thread::scope(|scope| scope.spawn(inherited(run)).join())
            .unwrap_or_else(|panicked| panic::resume_unwind(panicked))
    }

    fn ledger<'a>(&'a self, session: &'a Session<'a>) -> Ledger<'a> {
        Ledger { session, table: &self.table, place: &self.place }
    }
}

/// How long to wait after an attempt; `chance`, from 0 to 1, keeps those apart that failed together.
fn pause(first: Duration, attempt: u32, chance: f64) -> Duration {
    first.saturating_mul(PAUSE_GROWTH.saturating_pow(attempt - 1)).mul_f64(0.5 + chance)
}

/// Whether a load that failed is begun again. Without a ledger nothing tells whether a commit was done.
fn may_try_again(trouble: &Trouble, has_ledger: bool, mode: Mode) -> bool {
    match trouble {
        Trouble::Own(_) | Trouble::Refused(_) => false,
        Trouble::Passing(account) => has_ledger || mode == Mode::Replace || account.step != Step::Commit,
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
        self.ask(|session| {
            shape::exists(session, &self.table, &self.place)?;
            shape::permitted(session, &self.table, &self.place)
        })
    }

    fn check_ledger(&self, ticket: &Ticket) -> Result<bool, Error> {
        let may_try_again = |trouble: &Trouble| matches!(trouble, Trouble::Passing(_));
        let has_it = |(turn, _)| turn == Turn::Skip;
        self.attempt(ATTEMPTS_MAX, may_try_again, |session| self.ledger(session).turn(ticket).map(has_it))
    }

    fn check_without_store(&self) -> Result<(), Error> {
        self.ask(|session| refuse_without_store(&self.ledger(session)).map(drop))
    }

    fn publish(&mut self, staged: &Staged, ticket: Option<&Ticket>) -> Result<Published, Error> {
        let may_try_again = |trouble: &Trouble| may_try_again(trouble, ticket.is_some(), self.mode());
        self.attempt(ATTEMPTS_MAX, may_try_again, |session| self.load_once(session, staged, ticket))
    }

    fn forget(&mut self, flow: &str, empty: bool) -> Result<(), Error> {
        let may_try_again = |trouble: &Trouble| matches!(trouble, Trouble::Passing(_));
        self.attempt(ATTEMPTS_MAX, may_try_again, |session| forget(&self.ledger(session), flow, empty))
    }

    fn head(&self, rows_max: usize) -> Result<Option<Head>, Error> {
        self.ask(|session| self.read_head(session, rows_max))
    }
}

#[cfg(test)]
mod tests;
