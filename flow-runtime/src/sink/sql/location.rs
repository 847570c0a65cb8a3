//! Where a table is: `postgres://user:password@host:5432/database?table=schema.table`, read.

use std::{fmt, time::Duration};

use jiff::SignedDuration;

use super::server::{Server, Sslmode};
use crate::{Address, Error, Failure, address::percent_decoded, effect::patience};

/// The schema of a table that is named without one. Not the search path: the ledger lies beside the table, and both must
/// be found again whoever connects.
const SCHEMA: &str = "public";

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A table, whoever goes there and however.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sink) struct Site {
    pub(in crate::sink) host: String,
    pub(in crate::sink) port: u16,
    pub(in crate::sink) database: String,
    pub(in crate::sink) schema: String,
    pub(in crate::sink) table: String,
}

/// A table, and how to get there.
#[derive(Debug)]
pub(in crate::sink) struct Location {
    pub(in crate::sink) server: &'static Server,
    pub(in crate::sink) site: Site,
    pub(in crate::sink) user: String,
    /// The password, if the address has one; else see `password.rs`.
    pub(in crate::sink) password: Option<Secret>,
    pub(in crate::sink) tls: Tls,
    /// How long to wait for a connection.
    pub(in crate::sink) connect_timeout: Duration,
    /// How long to wait for the end of a statement, or for COPY to go on.
    pub(in crate::sink) statement_timeout: Duration,
}

/// How the connection is kept from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sink) struct Tls {
    pub(in crate::sink) mode: Sslmode,
    /// The file with those whose certificates are believed, instead of those whom the system believes.
    #[cfg(feature = "redshift")]
    pub(in crate::sink) root: Option<std::path::PathBuf>,
}

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::sink) struct Secret(pub(in crate::sink) String);

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
    pub(in crate::sink) fn parse(server: &Server, address: &Address, port_name: &str) -> Result<Self, Error> {
        let form = format!("write {}", server.form);
        let Some((authority, database)) = address.path().strip_prefix("//").and_then(|path| path.split_once('/'))
        else {
            return refuse(address, "the address names no database", &form);
        };
        let Some((host, port)) = split_port(credentials_and_host(authority).1, server.port) else {
            let help = format!("{form}; in a password write @ as %40, / as %2F");
            return refuse(address, "the port is no number", &help);
        };
        if host.is_empty() || database.is_empty() || database.contains('/') {
            return refuse(address, "the address must name one host and one database", &form);
        }
        let (schema, table) = table_of(server, address, port_name)?;
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
    pub(in crate::sink) fn parse(
        server: &'static Server,
        address: &Address,
        port_name: &str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        address.allow_options(server.options)?;
        let site = Site::parse(server, address, port_name)?;
        let authority = address.path().trim_start_matches('/').split('/').next().unwrap_or_default();
        let credentials = credentials_and_host(authority).0;
        let (user, password) = match credentials.split_once(':') {
            Some((user, password)) => (user, Some(Secret(percent_decoded(password)))),
            None => (credentials, None),
        };
        let user = Some(percent_decoded(user)).filter(|user| !user.is_empty());
        let Some(user) = user.or_else(|| variable("PGUSER")).or_else(|| variable("USER")) else {
            return refuse(address, "the address names no user", &format!("write {}, or set PGUSER", server.form));
        };
        Ok(Self {
            server,
            site,
            user,
            password,
            tls: tls(server, address)?,
            connect_timeout: duration(address, "connect_timeout", patience(CONNECT_TIMEOUT))?,
            statement_timeout: duration(address, "statement_timeout", patience(server.statement_timeout))?,
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
fn split_port(host: &str, default: u16) -> Option<(&str, u16)> {
    let (host, rest) = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        Some((host, rest)) => (host, rest),
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    match rest.strip_prefix(':') {
        Some(port) => port.parse().ok().map(|port| (host, port)),
        None => rest.is_empty().then_some((host, default)),
    }
}

fn tls(server: &Server, address: &Address) -> Result<Tls, Error> {
    let mode = match (address.option("sslmode"), server.sslmode) {
        (None, mode) => mode,
        (Some("disable"), _) | (Some("prefer"), Sslmode::Disable) => Sslmode::Disable,
        #[cfg(feature = "redshift")]
        (Some("verify-full"), Sslmode::VerifyFull) => Sslmode::VerifyFull,
        (Some(_), Sslmode::Disable) => {
            let what = format!("flow has no TLS for {} yet", server.name);
            let help = "write sslmode=disable where the network can be trusted, or go through a tunnel";
            return refuse(address, &what, help);
        }
        #[cfg(feature = "redshift")]
        (Some(mode), Sslmode::VerifyFull) => {
            let what = format!("`{mode}` does not say who answers");
            return refuse(
                address,
                &what,
                "write sslmode=verify-full, or sslmode=disable where the network can be trusted",
            );
        }
    };
    Ok(Tls {
        mode,
        #[cfg(feature = "redshift")]
        root: address.option("sslrootcert").map(std::path::PathBuf::from),
    })
}

fn table_of(server: &Server, address: &Address, port_name: &str) -> Result<(String, String), Error> {
    let name = address.option("table").unwrap_or(port_name);
    let name = if server.folds_names { name.to_ascii_lowercase() } else { name.to_owned() };
    let (schema, table) = name.split_once('.').unwrap_or((SCHEMA, &name));
    let is_name = |name: &str| !name.is_empty() && name.len() <= server.name_bytes_max && !name.contains(['.', '\0']);
    if is_name(schema) && is_name(table) && !(server.is_ledger)(table) {
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
