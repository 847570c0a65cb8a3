//! A connection of its own for each load. Every statement has a time limit here and, so that nothing goes on that nobody
//! waits for, a shorter one on the server.
//!
//! The client is asynchronous; all else is not. What is sent and what is answered passes [`exchange`] alone.

use std::{env, future::Future, time::Duration};

use tokio::runtime::Runtime;
#[cfg(feature = "redshift")]
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::{Client, Config, NoTls, config::SslMode, error::Error as PgError};

use super::{
    attempts::Attempts,
    location::Location,
    password,
    server::{Server, Sslmode},
    trouble::{Step, Trouble},
};
use crate::effect::network::{Unanswered, round_trip};

/// How much longer to wait than the server does: its own refusal says more than silence.
const GRACE_MAX: Duration = Duration::from_secs(5);

/// How long a connection may be silent before its ends ask each other whether they are there.
pub(in crate::sink) const KEEPALIVES_IDLE: Duration = Duration::from_secs(30);

/// A connection.
pub(in crate::sink) struct Session<'a> {
    attempts: &'a Attempts,
    runtime: &'a Runtime,
    pub(in crate::sink) client: Client,
    /// How long a statement may take.
    pub(in crate::sink) limit: Duration,
}

/// What a statement answers.
#[cfg(feature = "redshift")]
#[derive(Debug, Default)]
pub(in crate::sink) struct Answer {
    pub(in crate::sink) rows: Vec<Vec<Option<String>>>,
    /// How many rows it has changed, as the server says.
    pub(in crate::sink) changed: u64,
}

impl<'a> Session<'a> {
    pub(in crate::sink) fn open(runtime: &'a Runtime, attempts: &'a Attempts) -> Result<Self, Trouble> {
        let location = &attempts.location;
        let (step, limit) = (Step::Connect, location.connect_timeout);
        let config = config(location);
        let server = location.server;
        // A connection ends when its client is dropped; what it fails with, the client's statements fail with.
        let client = match location.tls.mode {
            Sslmode::Disable => {
                let (client, connection) = exchange(server, runtime, step, limit, limit, config.connect(NoTls))?;
                runtime.spawn(async { drop(connection.await) });
                client
            }
            #[cfg(feature = "redshift")]
            Sslmode::VerifyFull => {
                let tls = attempts.tls()?;
                let (client, connection) = exchange(server, runtime, step, limit, limit, config.connect(tls))?;
                runtime.spawn(async { drop(connection.await) });
                client
            }
        };
        let session = Self { attempts, runtime, client, limit: location.statement_timeout };
        // A server that is slow with these is none that can be reached.
        let set =
            |setting: &String| exchange(server, runtime, step, limit, limit, session.client.batch_execute(setting));
        (server.settings)(session.limit).iter().try_for_each(set)?;
        Ok(session)
    }

    /// One more to the same server.
    #[cfg(feature = "redshift")]
    pub(in crate::sink) fn another(&self) -> Result<Self, Trouble> {
        Self::open(self.runtime, self.attempts)
    }

    /// Runs statements that give no rows.
    pub(in crate::sink) fn run(&self, step: Step, sql: &str) -> Result<(), Trouble> {
        self.limited(step, self.client.batch_execute(sql))
    }

    /// Runs a statement by itself, without parameters, and gives what it answers as text.
    #[cfg(feature = "redshift")]
    pub(in crate::sink) fn text(&self, step: Step, sql: &str) -> Result<Answer, Trouble> {
        let messages = self.limited(step, self.client.simple_query(sql))?;
        let mut answer = Answer::default();
        for message in messages {
            match message {
                SimpleQueryMessage::Row(row) => {
                    answer.rows.push((0..row.len()).map(|index| row.get(index).map(str::to_owned)).collect());
                }
                SimpleQueryMessage::CommandComplete(rows) => answer.changed = rows,
                _ => {}
            }
        }
        Ok(answer)
    }

    /// Waits for an answer, no longer than the step may take, and a little longer than the server lets a statement take.
    pub(in crate::sink) fn limited<T>(
        &self,
        step: Step,
        answer: impl Future<Output = Result<T, PgError>>,
    ) -> Result<T, Trouble> {
        let server = self.attempts.location.server;
        let limit = (server.step_limit)(step).map_or(self.limit, |most| most.min(self.limit));
        exchange(server, self.runtime, step, limit, limit + limit.min(GRACE_MAX), answer)
    }
}

/// Sends something to the server and waits for its answer, so long and no longer; `limit` is what people are told.
fn exchange<T>(
    server: &Server,
    runtime: &Runtime,
    step: Step,
    limit: Duration,
    patience: Duration,
    answer: impl Future<Output = Result<T, PgError>>,
) -> Result<T, Trouble> {
    round_trip((server.effect)(step), runtime, patience, answer).map_err(|unanswered| match unanswered {
        Unanswered::Failed(error) => Trouble::of(server, step, &error),
        Unanswered::Late => Trouble::late(step, limit),
        Unanswered::Broken(broken) => Trouble::lost(step, &broken),
    })
}

fn config(location: &Location) -> Config {
    let mut config = Config::new();
    config
        .host(&location.site.host)
        .port(location.site.port)
        .user(&location.user)
        .dbname(&location.site.database)
        .application_name("flow")
        .ssl_mode(match location.tls.mode {
            Sslmode::Disable => SslMode::Disable,
            #[cfg(feature = "redshift")]
            Sslmode::VerifyFull => SslMode::Require,
        })
        .connect_timeout(location.connect_timeout)
        .keepalives_idle(KEEPALIVES_IDLE);
    if let Some(password) = password::find(location, |name| env::var(name).ok()) {
        config.password(password.0);
    }
    config
}
