//! What a target's server has of what a sink needs, for `setup` and `teardown`: data, the statements among it.

use crate::Error;

/// A table and the ledger beside it as they are, and what would make or drop them.
#[derive(Debug)]
#[non_exhaustive]
pub struct Survey {
    /// The table with its schema.
    pub table: String,
    /// Where it is, for people.
    pub place: String,
    /// How many rows are in the table, if it is there.
    pub row_count: Option<u64>,
    /// The flows that the ledger says have published to the table.
    pub flows: Vec<String>,
    /// Why the table is none that this sink could publish to, if so.
    pub misfit: Option<Error>,
    /// The statements that make what is lacking, in order.
    pub making: Vec<String>,
    /// The statements that drop what is there, in order.
    pub dropping: Vec<String>,
}

/// What statements of a [`Survey`] are run for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Making what is lacking.
    Make,
    /// Dropping what is there.
    Drop,
}

/// A statement that a sink sends to its server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statement {
    /// What it is for.
    pub purpose: &'static str,
    /// The statement, without `;`, without secrets.
    pub sql: String,
}
