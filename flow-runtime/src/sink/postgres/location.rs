//! Where a table is: `postgres://user:password@host:5432/database?table=schema.table`, read.

use std::{fmt, time::Duration};

use jiff::SignedDuration;

use crate::{Address, Error, Failure, address::percent_decoded, effect::patience};

const OPTIONS: [&str; 6] = ["connect_timeout", "from", "mode", "sslmode", "statement_timeout", "table"];

const FORM: &str = "write postgres://user@host:5432/database?table=schema.table";

/// Where PostgreSQL listens when nobody says otherwise.
const PORT: u16 = 5432;

/// The schema of a table that is named without one. Not the search path: the ledger lies beside the table, and both must
/// be found again whoever connects.
const SCHEMA: &str = "public";

/// What the server cuts longer names to.
const NAME_BYTES_MAX: usize = 63;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(600);

/// A table, whoever goes there and however.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Site {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) database: String,
    pub(super) schema: String,
    pub(super) table: String,
}

/// A table, and how to get there.
#[derive(Debug)]
pub(super) struct Location {
    pub(super) site: Site,
    pub(super) user: String,
    /// The password, if the address has one; else see `password.rs`.
    pub(super) password: Option<Secret>,
    /// How long to wait for a connection.
    pub(super) connect_timeout: Duration,
    /// How long to wait for the end of a statement, or for COPY to go on.
    pub(super) statement_timeout: Duration,
}

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(pub(super) String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Site {
    /// Reads where an address leads; `port_name` names the table where the address doesn't.
    ///
    /// # Errors
    /// [`Error::Config`] with what is wrong or missing.
    pub(super) fn parse(address: &Address, port_name: &str) -> Result<Self, Error> {
        let Some((authority, database)) = address.path().strip_prefix("//").and_then(|path| path.split_once('/'))
        else {
            return refuse(address, "the address names no database", FORM);
        };
        let Some((host, port)) = split_port(credentials_and_host(authority).1) else {
            let help = format!("{FORM}; in a password write @ as %40, / as %2F");
            return refuse(address, "the port is no number", &help);
        };
        if host.is_empty() || database.is_empty() || database.contains('/') {
            return refuse(address, "the address must name one host and one database", FORM);
        }
        let (schema, table) = table_of(address, port_name)?;
        Ok(Self { host: host.to_ascii_lowercase(), port, database: percent_decoded(database), schema, table })
    }
}

/// `host:port/database, table schema.table`
impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, database, schema, table } = self;
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        write!(f, "{host}:{port}/{database}, table {schema}.{table}")
    }
}

impl Location {
    /// Reads an address; `variable` looks into the environment.
    ///
    /// # Errors
    /// [`Error::Config`] with what is wrong or missing.
    pub(super) fn parse(
        address: &Address,
        port_name: &str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        address.allow_options(&OPTIONS)?;
        let site = Site::parse(address, port_name)?;
        let authority = address.path().trim_start_matches('/').split('/').next().unwrap_or_default();
        let credentials = credentials_and_host(authority).0;
        let (user, password) = match credentials.split_once(':') {
            Some((user, password)) => (user, Some(Secret(percent_decoded(password)))),
            None => (credentials, None),
        };
        let user = Some(percent_decoded(user)).filter(|user| !user.is_empty());
        let Some(user) = user.or_else(|| variable("PGUSER")).or_else(|| variable("USER")) else {
            return refuse(address, "the address names no user", &format!("{FORM}, or set PGUSER"));
        };
        if !matches!(address.option("sslmode"), None | Some("disable" | "prefer")) {
            return refuse(
                address,
                "flow has no TLS for PostgreSQL yet",
                "write sslmode=disable where the network can be trusted, or go through a tunnel",
            );
        }
        Ok(Self {
            site,
            user,
            password,
            connect_timeout: duration(address, "connect_timeout", patience(CONNECT_TIMEOUT))?,
            statement_timeout: duration(address, "statement_timeout", patience(STATEMENT_TIMEOUT))?,
        })
    }
}

fn refuse<T>(address: &Address, what: &str, help: &str) -> Result<T, Error> {
    Err(Error::Config(Failure::new(what).at(address.to_string()).help(help.to_owned())))
}

/// `user:password` and `host:port`.
fn credentials_and_host(authority: &str) -> (&str, &str) {
    authority.rsplit_once('@').unwrap_or(("", authority))
}

/// `db:5432`, `db`, `[::1]:5432`; nothing if the port is none.
fn split_port(host: &str) -> Option<(&str, u16)> {
    let (host, rest) = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        Some((host, rest)) => (host, rest),
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    match rest.strip_prefix(':') {
        Some(port) => port.parse().ok().map(|port| (host, port)),
        None => rest.is_empty().then_some((host, PORT)),
    }
}

fn table_of(address: &Address, port_name: &str) -> Result<(String, String), Error> {
    let name = address.option("table").unwrap_or(port_name);
    let (schema, table) = name.split_once('.').unwrap_or((SCHEMA, name));
    let is_name = |name: &str| !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.contains(['.', '\0']);
    if is_name(schema) && is_name(table) && table != super::LEDGER {
        return Ok((schema.to_owned(), table.to_owned()));
    }
    refuse(address, &format!("`{name}` cannot be the name of a table"), "give another with ?table=schema.table")
}

fn duration(address: &Address, option: &str, default: Duration) -> Result<Duration, Error> {
    let Some(text) = address.option(option) else { return Ok(default) };
    let duration = text.parse::<SignedDuration>().ok().and_then(|duration| Duration::try_from(duration).ok());
    match duration.filter(|duration| duration.as_millis() > 0) {
        Some(duration) => Ok(duration),
        None => refuse(address, &format!("`{text}` is no {option}"), "write it as 30s, 5m or 1h30m"),
    }
}

#[cfg(test)]
#[path = "location_tests.rs"]
mod tests;
