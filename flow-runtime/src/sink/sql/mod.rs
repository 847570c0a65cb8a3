//! What the sinks have in common that publish to a server by SQL: where the table is, the password, the connection, its
//! failures, and how often a load is tried.
//!
//! What the servers have of their own stands in `server.rs`, as data; their statements are the sinks'.

mod attempts;
mod columns;
mod location;
mod password;
mod server;
mod session;
mod table;
#[cfg(feature = "redshift")]
mod tls;
mod trouble;

pub(super) use attempts::{ATTEMPTS_MAX, Attempts, may_pass, may_try_again};
pub(super) use columns::{Column, Fit, fit, misfit};
pub(super) use location::{Location, Site};
pub(super) use server::{Server, Sslmode};
pub(super) use session::{KEEPALIVES_IDLE, Session};
pub(super) use table::{columns, declared, insert, is_of_keys, keys, null_patterns, quoted, update};
#[cfg(test)]
pub(super) use table::{key_nulls, same_key};
pub(super) use trouble::{LATE, NOTHING_CHANGED, PASSWORD, Step, Trouble};
