//! What the server has of the table and its ledger, for `setup` and `teardown`. Other tables of the schema have the same
//! ledger: it is dropped with the last of them.

use super::{
    ledger::{self, Ledger},
    session::get,
    shape,
};
use crate::sink::{
    Survey,
    sql::{Step, Trouble},
};

/// How it is with the table and its ledger.
pub(super) fn survey(beside: &Ledger<'_>) -> Result<Survey, Trouble> {
    let Ledger { session, table, place } = *beside;
    let expected = shape::expected(session, table)?;
    let (found, mut misfit) = match shape::found(session, table, place) {
        Err(Trouble::Own(error)) => (None, Some(error)),
        found => (found?, None),
    };
    let mut making = match &found {
        None => vec![table.create()],
        Some(found) => shape::compared(table, &expected, found, place).unwrap_or_else(|error| {
            misfit = Some(error);
            Vec::new()
        }),
    };
    let (mut dropping, mut flows) = (Vec::new(), Vec::new());
    let mut is_shared = false;
    let has_ledger = beside.exists()?;
    if has_ledger {
        let sql = format!("SELECT DISTINCT flow, target FROM {} ORDER BY flow", table.ledger());
        for row in session.rows(Step::ReadLedger, &sql, &[])? {
            match get::<String>(Step::ReadLedger, &row, 1)? == table.name {
                true => flows.push(get(Step::ReadLedger, &row, 0)?),
                false => is_shared = true,
            }
        }
    } else {
        making.push(ledger::create(table));
    }
    let mut row_count = None;
    if found.is_some() {
        let count = session.rows(Step::ReadBack, &format!("SELECT count(*) FROM {}", table.quoted()), &[])?;
        row_count = count.first().map(|row| get::<i64>(Step::ReadBack, row, 0)).transpose()?.map(i64::unsigned_abs);
        dropping.push(format!("DROP TABLE {}", table.quoted()));
    }
    if is_shared && !flows.is_empty() {
        let target = table.name.replace('\'', "''");
        dropping.push(format!("DELETE FROM {} WHERE target = '{target}'", table.ledger()));
    } else if has_ledger && !is_shared {
        dropping.push(format!("DROP TABLE {}", table.ledger()));
    }
    if has_ledger && !dropping.is_empty() {
        // A load that is under way is waited for.
        dropping.insert(0, ledger::lock(table));
    }
    let table = format!("{}.{}", table.schema, table.name);
    Ok(Survey { table, place: place.to_owned(), row_count, flows, misfit, making, dropping })
}
