//! What one kind of server has of its own, as data.

use std::time::Duration;

use tokio_postgres::error::DbError;

use super::trouble::Step;

/// A kind of server.
#[derive(Debug)]
pub(in crate::sink) struct Server {
    /// As people call it.
    pub(in crate::sink) name: &'static str,
    /// An address of it, for who has written another.
    pub(in crate::sink) form: &'static str,
    /// Where it listens when nobody says otherwise.
    pub(in crate::sink) port: u16,
    /// The options that its addresses take.
    pub(in crate::sink) options: &'static [&'static str],
    /// How connections are kept from others when the address does not say.
    pub(in crate::sink) sslmode: Sslmode,
    /// How long a statement may take when the address does not say.
    pub(in crate::sink) statement_timeout: Duration,
    /// How long a step may take at most, whatever the address says; none for those that take as long as there are rows.
    pub(in crate::sink) step_limit: fn(Step) -> Option<Duration>,
    /// The longest name of a schema or table.
    pub(in crate::sink) name_bytes_max: usize,
    /// Whether upper case in names, quoted ones too, means lower case.
    pub(in crate::sink) folds_names: bool,
    /// Whether a table of this name would be a ledger.
    pub(in crate::sink) is_ledger: fn(&str) -> bool,
    /// What a session begins with, each a request of its own; how long a statement may take is given.
    pub(in crate::sink) settings: fn(Duration) -> Vec<String>,
    /// The name of a step's round trips: dotted, stable, in lower case.
    pub(in crate::sink) effect: fn(Step) -> &'static str,
    /// Whether the same may succeed in a moment.
    pub(in crate::sink) is_passing: fn(&DbError) -> bool,
    /// What to do about what it refuses: by the step, and its code.
    pub(in crate::sink) help: fn(Step, &str) -> &'static str,
    /// What to do while others hold the ledger.
    pub(in crate::sink) busy: &'static str,
}

/// How a connection is kept from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sink) enum Sslmode {
    /// It is not.
    Disable,
    /// By TLS, with a server whose certificate is looked at, and is for this host.
    #[cfg(feature = "redshift")]
    VerifyFull,
}
