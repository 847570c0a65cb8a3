//! `postgres:` sinks against a real server, one for all of these tests; each has a schema of its own.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod conforms;
mod demands;
mod flows;
mod losses;
mod modes;
mod place;
mod races;
mod refusals;
mod tables;
mod values;
