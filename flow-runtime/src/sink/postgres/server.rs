//! What PostgreSQL has of its own: addresses, settings, and what its errors mean.

use std::time::Duration;

use tokio_postgres::error::DbError;

use crate::sink::sql::{KEEPALIVES_IDLE, LATE, NOTHING_CHANGED, PASSWORD, Server, Sslmode, Step};

/// PostgreSQL.
pub(in crate::sink) static POSTGRES: Server = Server {
    name: "PostgreSQL",
    form: "postgres://user@host:5432/database?table=schema.table",
    port: 5432,
    options: &["connect_timeout", "from", "iteration_column", "mode", "sslmode", "statement_timeout", "table"],
    sslmode: Sslmode::Disable,
    statement_timeout: Duration::from_secs(600),
    step_limit: |_| None,
    name_bytes_max: 63,
    folds_names: false,
    is_ledger: |table| table == super::LEDGER,
    settings,
    effect,
    is_passing,
    help,
    busy: "another load, or a person, holds the ledger: see pg_stat_activity for who does, wait for them or end their \
           session with pg_terminate_backend, which loses nothing that flow has sealed, and run again",
};

/// After how long the server gives up a client whose machine is gone, and whose ledger lock others wait for; the system's
/// own way takes two hours.
const CLIENT_GONE: Duration = Duration::from_secs(60);
/// How often it asks, of those that are left after [`KEEPALIVES_IDLE`].
const KEEPALIVES: u64 = 3;

/// What a load must be able to rely on, whatever the database's own settings are: an end to every statement and to a
/// transaction in which nothing happens, and to one whose client is gone (a COPY has no other end), values spelt in one way, and that what is committed is on the disk.
fn settings(limit: Duration) -> Vec<String> {
    let limit = limit.as_millis().min(i32::MAX as u128);
    let (idle, gone) = (KEEPALIVES_IDLE.as_secs(), CLIENT_GONE.as_secs());
    let interval = (gone - idle) / KEEPALIVES;
    let settings = format!(
        "SET statement_timeout = {limit}; SET idle_in_transaction_session_timeout = {limit}; \
         SET tcp_keepalives_idle = {idle}; SET tcp_keepalives_interval = {interval}; \
         SET tcp_keepalives_count = {KEEPALIVES}; SET tcp_user_timeout = '{gone}s'; SET TimeZone = 'UTC'; \
         SET DateStyle = 'ISO'; SET bytea_output = 'hex'; SELECT set_config('synchronous_commit', 'on', false) \
         WHERE current_setting('synchronous_commit') = 'off'"
    );
    vec![settings]
}

fn effect(step: Step) -> &'static str {
    match step {
        Step::Connect => "postgres.connect",
        Step::MakeLedger => "postgres.ledger_make",
        Step::Begin => "postgres.begin",
        Step::LockLedger => "postgres.ledger_lock",
        Step::LockTable => "postgres.table_lock",
        Step::ReadLedger => "postgres.ledger_read",
        Step::LookAtTable => "postgres.look",
        Step::MakeTable => "postgres.table_make",
        Step::DropTable => "postgres.table_drop",
        Step::Empty => "postgres.empty",
        Step::Copy => "postgres.copy",
        Step::Merge => "postgres.merge",
        Step::WriteLedger => "postgres.ledger_write",
        Step::Commit => "postgres.commit",
        Step::Rollback => "postgres.rollback",
        Step::ReadBack => "postgres.head",
    }
}

fn is_passing(refusal: &DbError) -> bool {
    let code = refusal.code().code();
    // Connections; shutting down and starting up; serialization and deadlocks; too many connections; a transaction that
    // stood still too long.
    code.starts_with("08")
        || matches!(code, "57P01" | "57P02" | "57P03" | "40001" | "40003" | "40P01" | "53300" | "25P03")
}

const ROW: &str =
    "nothing was changed; line n is row n of the iteration: drop such rows in the flow, or change the column";

fn help(step: Step, code: &str) -> &'static str {
    match (step, code) {
        (_, "57014") => LATE,
        (_, "28P01") => PASSWORD,
        (_, "28000") => "pg_hba.conf must let this user in, from here and without TLS, which flow does not have yet",
        (_, "3D000") => "make the database first, or give another address",
        (_, "3F000") => "make the schema first: CREATE SCHEMA",
        (_, "42501") => "give the user the right with GRANT",
        (_, "25006") => "this server only answers questions: give the address of one that can be written to",
        (_, "42704") => "write a type of PostgreSQL, as in `as varchar(100)`",
        (_, "54000") => "nothing was changed; if it is the index that flow made for merging, drop it",
        (_, code) if code.starts_with("53") => "free some space and run again: what is sealed is loaded then",
        (Step::Copy | Step::Merge | Step::Commit, code) if code.starts_with("22") || code.starts_with("23") => ROW,
        _ => NOTHING_CHANGED,
    }
}
