//! What Redshift has of its own as a server: addresses, settings, and what its errors mean.

use std::time::Duration;

use tokio_postgres::error::DbError;

use crate::{
    effect::patience,
    sink::sql::{LATE, NOTHING_CHANGED, PASSWORD, Server, Sslmode, Step},
};

/// Redshift. Names have 127 bytes at most (Amazon Redshift, Database Developer Guide, "Names and identifiers", 2026-11-22),
/// and that of the ledger is longer than its table's.
pub(in crate::sink) static REDSHIFT: Server = Server {
    name: "Redshift",
    form: "redshift://user@host:5439/database?table=schema.table&staging=s3://bucket/prefix&role=arn:aws:iam::…",
    port: 5439,
    options: &[
        "compression",
        "connect_timeout",
        "copy",
        "distkey",
        "endpoint",
        "from",
        "iteration_column",
        "mode",
        "profile",
        "region",
        "role",
        "sortkey",
        "sslmode",
        "sslrootcert",
        "staging",
        "staging_role",
        "statement_timeout",
        "table",
    ],
    sslmode: Sslmode::VerifyFull,
    // A COPY is one statement, however much it loads.
    statement_timeout: Duration::from_secs(3600),
    step_limit,
    name_bytes_max: 127 - super::LEDGER_PREFIX.len(),
    folds_names: true,
    is_ledger: |table| table.starts_with(super::LEDGER_PREFIX),
    settings,
    effect,
    is_passing,
    help,
    busy: "another load, or a person, holds the ledger: wait for them, or end their session with SELECT \
           pg_terminate_backend(pid), which loses nothing that flow has sealed, and run again",
};

/// How long to wait for who holds the ledger: its readers wait, too, for Redshift's LOCK shuts them out.
pub(super) const LOCK_WAIT: Duration = Duration::from_secs(300);

/// How long to wait for what is done at once, once other queries leave room for it.
const SHORT: Duration = Duration::from_secs(600);

fn step_limit(step: Step) -> Option<Duration> {
    match step {
        Step::Copy | Step::Merge | Step::Empty | Step::DropTable => None,
        Step::LockLedger | Step::ReadLedger => Some(patience(LOCK_WAIT)),
        _ => Some(SHORT),
    }
}

/// Each by itself: a request of several statements is a transaction. Names are folded whatever the cluster's or the user's
/// parameters say, else a column would not be found again by the name that it was made with.
pub(super) fn settings(limit: Duration) -> Vec<String> {
    let fixed = ["SET timezone TO 'UTC'", "SET query_group TO 'flow'", "SET enable_case_sensitive_identifier TO false"];
    [statement_timeout(limit)].into_iter().chain(fixed.map(str::to_owned)).collect()
}

/// How long a statement may take from now on.
pub(super) fn statement_timeout(limit: Duration) -> String {
    format!("SET statement_timeout TO {}", limit.as_millis().min(i32::MAX as u128))
}

fn effect(step: Step) -> &'static str {
    match step {
        Step::Connect => "redshift.connect",
        Step::MakeLedger => "redshift.ledger_make",
        Step::Begin => "redshift.begin",
        Step::LockLedger => "redshift.ledger_lock",
        Step::LockTable => "redshift.table_lock",
        Step::ReadLedger => "redshift.ledger_read",
        Step::LookAtTable => "redshift.look",
        Step::MakeTable => "redshift.table_make",
        Step::DropTable => "redshift.table_drop",
        Step::Empty => "redshift.empty",
        Step::Copy => "redshift.copy",
        Step::Merge => "redshift.merge",
        Step::WriteLedger => "redshift.ledger_write",
        Step::Commit => "redshift.commit",
        Step::Rollback => "redshift.rollback",
        Step::ReadBack => "redshift.head",
    }
}

/// A load that others were in the way of may be tried again, because the ledger is asked before anything is done. What
/// these errors have in common are their words: Redshift has no code of its own for most of them.
fn is_passing(refusal: &DbError) -> bool {
    let code = refusal.code().code();
    let said = format!("{} {}", refusal.message(), refusal.detail().unwrap_or_default()).to_lowercase();
    // Connections; shutting down and starting up; serialization and deadlocks; too many connections.
    code.starts_with("08")
        || matches!(code, "57P01" | "57P02" | "57P03" | "40001" | "40003" | "40P01" | "53300")
        || refusal.message().trim() == "1023"
        || ["serializable isolation violation", "conflict with concurrent transaction", "deadlock detected"]
            .iter()
            .any(|words| said.contains(words))
}

fn help(step: Step, code: &str) -> &'static str {
    match (step, code) {
        (_, "57014") => LATE,
        (_, "28P01") => PASSWORD,
        (_, "28000") => "the cluster must let this user in, from here, by a password",
        (_, "3D000") => "make the database first, or give another address",
        (_, "3F000") => "make the schema first: CREATE SCHEMA",
        (_, "42501") => "give the user the right with GRANT",
        (_, "42704") => "write a type of Redshift, as in `as varchar(100)`",
        (Step::Copy, _) => "nothing was changed; what is staged stays, and is loaded when you run again",
        _ => NOTHING_CHANGED,
    }
}
