//! A connection of its own for each load. Every statement has a time limit here and, so that nothing goes on that nobody
//! waits for, a shorter one on the server.
//!
//! The client is asynchronous; all else is not. What is sent and what is answered passes [`exchange`] alone.

use std::{env, future::Future, pin::pin, time::Duration};

use bytes::Bytes;
use futures_util::SinkExt as _;
use tokio::runtime::Runtime;
use tokio_postgres::{
    Client, Config, NoTls, Row,
    config::SslMode,
    error::Error as PgError,
    types::{ToSql, Type},
};

use super::{
    location::Location,
    password,
    trouble::{Step, Trouble},
};
use crate::effect::network::{Unanswered, round_trip};

/// How much longer to wait than the server does: its own refusal says more than silence.
const GRACE_MAX: Duration = Duration::from_secs(5);

const KEEPALIVES_IDLE: Duration = Duration::from_secs(30);

/// After how long the server gives up a client whose machine is gone, and whose ledger lock others wait for; the system's
/// own way takes two hours.
const CLIENT_GONE: Duration = Duration::from_secs(60);
/// How often it asks, of those that are left after [`KEEPALIVES_IDLE`].
const KEEPALIVES: u64 = 3;

/// A connection.
pub(super) struct Session<'a> {
    runtime: &'a Runtime,
    client: Client,
    limit: Duration,
}

/// The parameters of a statement, with their types: nothing is asked of the server to find these out.
pub(super) type Parameters<'a> = &'a [(&'a (dyn ToSql + Sync), Type)];

impl<'a> Session<'a> {
    pub(super) fn open(runtime: &'a Runtime, location: &Location) -> Result<Self, Trouble> {
        let (step, limit) = (Step::Connect, location.connect_timeout);
        let config = config(location);
        let (client, connection) = exchange(runtime, step, limit, limit, config.connect(NoTls))?;
        // It ends when the client is dropped; what it fails with, the client's statements fail with.
        runtime.spawn(async { drop(connection.await) });
        let session = Self { runtime, client, limit: location.statement_timeout };
        session.run(step, &settings(session.limit))?;
        Ok(session)
    }

    /// Runs statements that give no rows.
    pub(super) fn run(&self, step: Step, sql: &str) -> Result<(), Trouble> {
        self.limited(step, self.client.batch_execute(sql))
    }

    /// Runs a statement and says how many rows it changed.
    pub(super) fn execute(&self, step: Step, sql: &str, parameters: Parameters<'_>) -> Result<u64, Trouble> {
        self.limited(step, self.client.execute_typed(sql, parameters))
    }

    /// Asks for rows.
    pub(super) fn rows(&self, step: Step, sql: &str, parameters: Parameters<'_>) -> Result<Vec<Row>, Trouble> {
        self.limited(step, self.client.query_typed(sql, parameters))
    }

    /// The types of the columns that a query would give, and their modifiers, such as a length.
    pub(super) fn types(&self, step: Step, sql: &str) -> Result<(Vec<u32>, Vec<i32>), Trouble> {
        let statement = self.limited(step, self.client.prepare(sql))?;
        Ok(statement.columns().iter().map(|column| (column.type_().oid(), column.type_modifier())).unzip())
    }

    /// Sends what `next` gives, piece by piece, until it gives nothing; says how many rows the server took.
    ///
    /// The time limit is that of a piece, for nobody knows how long all will take.
    pub(super) fn copy(
        &self,
        sql: &str,
        mut next: impl FnMut() -> Result<Option<Bytes>, Trouble>,
    ) -> Result<u64, Trouble> {
        let step = Step::Copy;
        self.run(step, "SET LOCAL statement_timeout = 0")?;
        let sink = self.limited(step, self.client.copy_in::<_, Bytes>(sql))?;
        let mut sink = pin!(sink);
        while let Some(piece) = next()? {
            self.limited(step, sink.send(piece))?;
        }
        let rows = self.limited(step, sink.finish())?;
        self.run(step, &format!("SET LOCAL statement_timeout = {}", self.limit.as_millis()))?;
        Ok(rows)
    }

    fn limited<T>(&self, step: Step, answer: impl Future<Output = Result<T, PgError>>) -> Result<T, Trouble> {
        exchange(self.runtime, step, self.limit, self.limit + self.limit.min(GRACE_MAX), answer)
    }
}

/// Sends something to the server and waits for its answer, so long and no longer; `limit` is what people are told.
fn exchange<T>(
    runtime: &Runtime,
    step: Step,
    limit: Duration,
    patience: Duration,
    answer: impl Future<Output = Result<T, PgError>>,
) -> Result<T, Trouble> {
    round_trip(step.effect(), runtime, patience, answer).map_err(|unanswered| match unanswered {
        Unanswered::Failed(error) => Trouble::of(step, &error),
        Unanswered::Late => Trouble::late(step, limit),
        Unanswered::Broken(broken) => Trouble::lost(step, &broken),
    })
}

/// Reads a column of an answer.
pub(super) fn get<'a, T: tokio_postgres::types::FromSql<'a>>(
    step: Step,
    row: &'a Row,
    index: usize,
) -> Result<T, Trouble> {
    row.try_get(index).map_err(|error| Trouble::of(step, &error))
}

fn config(location: &Location) -> Config {
    let mut config = Config::new();
    config
        .host(&location.site.host)
        .port(location.site.port)
        .user(&location.user)
        .dbname(&location.site.database)
        .application_name("flow")
        .ssl_mode(SslMode::Disable)
        .connect_timeout(location.connect_timeout)
        .keepalives_idle(KEEPALIVES_IDLE);
    if let Some(password) = password::find(location, |name| env::var(name).ok()) {
        config.password(password.0);
    }
    config
}

/// What a load must be able to rely on, whatever the database's own settings are: an end to every statement and to a
/// transaction in which nothing happens, and to one whose client is gone (a COPY has no other end), values spelt in one way, and that what is committed is on the disk.
fn settings(limit: Duration) -> String {
    let limit = limit.as_millis().min(i32::MAX as u128);
    let (idle, gone) = (KEEPALIVES_IDLE.as_secs(), CLIENT_GONE.as_secs());
    let interval = (gone - idle) / KEEPALIVES;
    format!(
        "SET statement_timeout = {limit}; SET idle_in_transaction_session_timeout = {limit}; \
         SET tcp_keepalives_idle = {idle}; SET tcp_keepalives_interval = {interval}; \
         SET tcp_keepalives_count = {KEEPALIVES}; SET tcp_user_timeout = '{gone}s'; SET TimeZone = 'UTC'; \
         SET DateStyle = 'ISO'; SET bytea_output = 'hex'; SELECT set_config('synchronous_commit', 'on', false) \
         WHERE current_setting('synchronous_commit') = 'off'"
    )
}
