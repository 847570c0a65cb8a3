//! Statements by the extended protocol: parameters with their types, and COPY of what comes from here.

use std::pin::pin;

use bytes::Bytes;
use futures_util::SinkExt as _;
use tokio_postgres::{
    Row,
    types::{ToSql, Type},
};

use super::POSTGRES;
use crate::sink::sql::{Session, Step, Trouble};

/// The parameters of a statement, with their types: nothing is asked of the server to find these out.
pub(super) type Parameters<'a> = &'a [(&'a (dyn ToSql + Sync), Type)];

impl Session<'_> {
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
}

/// Reads a column of an answer.
pub(super) fn get<'a, T: tokio_postgres::types::FromSql<'a>>(
    step: Step,
    row: &'a Row,
    index: usize,
) -> Result<T, Trouble> {
    row.try_get(index).map_err(|error| Trouble::of(&POSTGRES, step, &error))
}
