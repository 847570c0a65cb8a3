//! `redshift:` sinks: a table of an Amazon Redshift cluster or workgroup, each iteration exactly once.
//!
//! `redshift://user@host:5439/database?table=schema.table&staging=s3://bucket/prefix&role=arn:aws:iam::…`. Connections,
//! passwords, failures and how often a load is tried are in `sink/sql/`, shared with `postgres:`. Here everything goes by the
//! simple query protocol, a statement a request: Redshift does not have all of the other, and a lock that comes in one
//! request with others comes after their snapshot.
//!
//! - `staging.rs`: rows become files of CSV in S3 (`rows.rs`) before the seal, and a manifest names them. `origins.rs`: what they were made of.
//! - `load.rs`: the transaction. `ledger.rs` and `table.rs`: its statements. `load_error.rs`: why a row was refused.
//! - `shape.rs`: what must be there before. `types.rs`: columns. `server.rs`: what Redshift has of its own.
//!
//! The ledger of a table is a table of its own, `flow_ledger_<table>` in the same schema: a load locks it, and nobody who
//! reads rows waits for that. Bytes cannot be stored, and so no trap is here. Upper case in names means lower case.
//!
//! Proved against a stand-in only (`flow-services`), never against Redshift.

mod credentials;
mod ledger;
mod load;
mod load_error;
mod origins;
mod rows;
mod script;
mod server;
mod shape;
mod staging;
mod survey;
mod table;
mod types;

use std::env;

pub(super) use self::server::REDSHIFT;
use self::{
    credentials::Credentials,
    ledger::{Ledger, Lockers},
    load::{Load, forget, refuse_without_store, replaced_by},
    script::Script,
    staging::{Form, Staging},
    table::{Layout, Table},
};
use super::{
    Demands, Dialect, Head, LedgerLock, LeftBehind, Mode, Published, ROWS_COUNTED_MAX, SinkShape, SinkTap, Staged,
    Stager, Statement, Survey, Ticket, Work, iteration_column,
    ledger::Turn,
    objects::Compression,
    sql::{ATTEMPTS_MAX, Attempts, Location, Session, Site, Step, Trouble, may_pass, may_try_again},
};
use crate::{Address, Error, Failure, aws::Account, held::Cause};

/// What the names of ledgers begin with, before that of their tables.
const LEDGER_PREFIX: &str = "flow_ledger_";

/// A number that only a load knows.
const LATER: u64 = u64::MAX;

/// Which table an address leads to, whoever connects: the same text for the same table. None, if it leads to none.
pub(super) fn identity(address: &Address, port_name: &str) -> Option<String> {
    let Site { host, port, database, schema, table } = Site::parse(&REDSHIFT, address, port_name).ok()?;
    Some(format!("redshift://{host}:{port}/{database}?table={schema}.{table}"))
}

/// Publishes to a table.
#[derive(Debug)]
pub(super) struct RedshiftTap {
    attempts: Attempts,
    table: Table,
    staging: Staging,
    credentials: Credentials,
}

impl RedshiftTap {
    pub(super) fn open(address: &Address, shape: SinkShape) -> Result<Self, Error> {
        let location = Location::parse(&REDSHIFT, address, shape.port.name, |name| env::var(name).ok())?;
        let table = Table::new((&location.site.schema, &location.site.table), shape, layout(address))?;
        let table = table.with_iteration_column(iteration_column::parse(address, shape)?);
        let form = Form::of(shape.mode, table.iteration_column.is_some());
        let (staging, credentials) = (staging(address, shape, form)?, Credentials::of(address)?);
        Ok(Self { attempts: Attempts::new(location), table, staging, credentials })
    }

    /// What is done with what was staged, on a connection of its own.
    fn load_once<T>(
        &self,
        session: &Session<'_>,
        staged: &Staged,
        act: impl FnOnce(&Load<'_>) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let clauses = self.credentials.clauses(&self.staging.account)?;
        let load = Load { ledger: self.ledger(session), staged, staging: &self.staging, credentials: &clauses.sql };
        act(&load).map_err(|trouble| clauses.concealed(trouble))
    }

    fn read_head(&self, session: &Session<'_>, rows_max: usize) -> Result<Option<Head>, Trouble> {
        if !shape::exists(session, &self.table, self.place())? {
            return Ok(None);
        }
        let step = Step::ReadBack;
        let count = session.text(step, &self.table.count(ROWS_COUNTED_MAX + 1))?.rows;
        let row_count = count.first().and_then(|row| row.first()?.as_ref()?.parse().ok()).unwrap_or(0);
        let sql = self.table.head(rows_max, row_count <= ROWS_COUNTED_MAX);
        Ok(Some(Head { rows: session.text(step, &sql)?.rows, row_count }))
    }

    /// For people.
    fn place(&self) -> &str {
        &self.attempts.place
    }

    fn ledger<'a>(&'a self, session: &'a Session<'a>) -> Ledger<'a> {
        Ledger { session, table: &self.table, place: self.place() }
    }
}

fn layout(address: &Address) -> Layout {
    let names = |option| address.option(option).into_iter().flat_map(|names| names.split(',')).map(str::to_owned);
    Layout { distkey: names("distkey").next(), sortkey: names("sortkey").collect() }
}

fn staging(address: &Address, shape: SinkShape, form: Form) -> Result<Staging, Error> {
    let refuse =
        |what: String, help: &str| Err(Error::Config(Failure::new(what).at(address.to_string()).help(help.to_owned())));
    let how = "rows are staged where Redshift loads them from: add staging=s3://bucket/prefix";
    let place = address.option("staging").and_then(|staging| staging.strip_prefix("s3://"));
    let Some(place) = place else { return refuse("the address names no bucket to stage in".to_owned(), how) };
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    let prefix = prefix.trim_end_matches('/');
    if bucket.is_empty() || prefix.contains(['*', '?', '[']) {
        return refuse(format!("rows cannot be staged in `s3://{place}`"), how);
    }
    let said = address.option("compression").unwrap_or("gzip");
    let Some(compression) = Compression::parse(said) else {
        return refuse(format!("unknown compression `{said}`"), "one of: gzip, zstd, none");
    };
    // The role of the address is Redshift's.
    let account = Account { role: address.option("staging_role").map(str::to_owned), ..Account::of(address) };
    let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
    let (bucket, flow) = (bucket.to_owned(), String::new());
    Ok(Staging { account, bucket, prefix, flow, port: shape.port.name, compression, form })
}

impl SinkTap for RedshiftTap {
    fn mode(&self) -> Mode {
        self.table.shape.mode
    }

    fn of_flow(&mut self, flow: &str) {
        self.staging.flow = format!("{flow}/");
    }

    fn demands(&self) -> Demands {
        Demands::new(Dialect::Redshift, self.table.shape.fields())
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

    fn look_at_lock(&self) -> Result<Option<LedgerLock>, Error> {
        let Lockers { sessions, is_awaited } = self.attempts.ask(|session| self.ledger(session).lockers())?;
        let Some((pid, _)) = sessions.first() else { return Ok(None) };
        let Location { site, user, .. } = &self.attempts.location;
        let end = format!("SELECT pg_terminate_backend({pid})");
        let port = site.port.to_string();
        let command = ["psql", "-h", &site.host, "-p", &port, "-U", user, "-d", &site.database, "-c", &end];
        let who = sessions.iter().map(|(_, session)| session.as_str()).collect::<Vec<_>>().join(", by ");
        let failure = Failure::new("the ledger is locked").at(self.place()).cause(format!("it is held by {who}"));
        let case = Cause::LedgerLocked.case().command(command.map(str::to_owned).into());
        let help = format!("wait for them, or end their session, which loses nothing that flow has sealed: {end}");
        Ok(Some(LedgerLock { failure: failure.help(help).held(case), is_awaited }))
    }

    fn check_without_store(&self) -> Result<(), Error> {
        self.attempts.ask(|session| {
            let ledger = self.ledger(session);
            ledger.wait_less(Step::Connect)?;
            refuse_without_store(&ledger).map(drop)
        })
    }

    fn stager(&self, iteration: u64, attempt: &str) -> Option<Box<dyn Stager>> {
        Some(Box::new(self.staging.stager(self.table.shape.fields(), (iteration, attempt))))
    }

    fn check_staging(&self) -> Result<(), Error> {
        self.staging.look()
    }

    fn check_staged(&self, address: &str) -> Result<(), Error> {
        self.staging.check(address)
    }

    fn remove_staged(&self, attempt: &str) -> Result<(), Error> {
        self.staging.remove(attempt)
    }

    /// All that there is: what was loaded is wanted by nobody. Whose it is the ledger knows.
    fn left_behind(&self, flow: &str) -> Result<Vec<LeftBehind>, Error> {
        let mut left = self.staging.left_behind()?;
        if left.is_empty() {
            return Ok(left);
        }
        if let Some(LedgerLock { failure, .. }) = self.look_at_lock()? {
            return Err(Error::Busy(failure));
        }
        let epoch = self.attempts.ask(|session| self.ledger(session).epoch(flow))?;
        left.iter_mut().for_each(|left| left.epoch.clone_from(&epoch));
        Ok(left)
    }

    fn publish(&mut self, staged: &Staged, ticket: Option<&Ticket>) -> Result<Published, Error> {
        let may_try_again = |trouble: &Trouble| may_try_again(trouble, ticket.is_some(), self.mode());
        let load = |load: &Load<'_>| match ticket {
            Some(ticket) => load.once(ticket),
            None => load.without_ledger().map_err(Trouble::without_ledger),
        };
        self.attempts.attempt(ATTEMPTS_MAX, may_try_again, |session| self.load_once(session, staged, load))
    }

    fn replaceable(&self, ticket: &Ticket) -> Result<u64, Error> {
        let noted = |session: &Session<'_>| {
            let ledger = self.ledger(session);
            ledger.wait_less(Step::Connect)?;
            replaced_by(&ledger, ticket).map(|(noted, _)| noted.rows)
        };
        self.attempts.attempt(ATTEMPTS_MAX, may_pass, noted)
    }

    fn replace(&mut self, staged: &Staged, ticket: &Ticket) -> Result<u64, Error> {
        let had = self.replaceable(ticket)?;
        let may_try_again = |trouble: &Trouble| may_try_again(trouble, true, self.mode());
        let replace = |session: &Session<'_>| self.load_once(session, staged, |load| load.replace(ticket));
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

    fn statements(&self, flow: &str) -> Vec<Statement> {
        let [flow, port, epoch, hash] = [flow, self.staging.port, "<epoch>", "<hash>"].map(str::to_owned);
        let ticket = Ticket { flow, port, epoch, iteration: LATER, hash, after: None, from: None };
        let script = Script {
            table: &self.table,
            ticket: &ticket,
            staged: &self.staging.address("<attempt>"),
            row_count: LATER,
            credentials: &self.credentials.redacted(),
            limit: self.attempts.location.statement_timeout,
        };
        let mut statements = script.statements();
        for statement in &mut statements {
            statement.sql = statement.sql.replace(&LATER.to_string(), "0 /* known later */");
        }
        statements
    }

    fn head(&self, rows_max: usize) -> Result<Option<Head>, Error> {
        self.attempts.ask(|session| self.read_head(session, rows_max))
    }
}

#[cfg(test)]
mod tests;
