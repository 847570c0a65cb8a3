//! What the server has of the table and its ledger, for `setup` and `teardown`.

use super::{
    ledger::{self, Ledger},
    shape,
};
use crate::sink::{
    Survey,
    sql::{Step, Trouble},
};

/// How it is with the table and its ledger.
pub(super) fn survey(beside: &Ledger<'_>) -> Result<Survey, Trouble> {
    let Ledger { session, table, place } = *beside;
    let (found, mut misfit) = match shape::found(session, table, place) {
        Err(Trouble::Own(error)) => (None, Some(error)),
        found => (found?, None),
    };
    beside.wait_less(Step::Connect)?;
    let has_ledger = beside.exists()?;
    let mut making = match &found {
        None => vec![table.create()],
        Some(found) => shape::compared(table, found, place).unwrap_or_else(|error| {
            misfit = Some(error);
            Vec::new()
        }),
    };
    let (mut dropping, mut flows) = (Vec::new(), Vec::new());
    if has_ledger {
        let sql = format!("SELECT DISTINCT flow FROM {} ORDER BY flow", table.ledger());
        flows = beside.read(&sql)?.into_iter().flatten().flatten().collect();
        // A load that is under way is waited for.
        dropping.push(ledger::lock(table));
    } else {
        making.push(ledger::create(table));
    }
    let mut row_count = None;
    if found.is_some() {
        let count = session.text(Step::ReadBack, &format!("SELECT count(*) FROM {}", table.quoted()))?.rows;
        row_count = count.first().and_then(|row| row.first()?.as_ref()?.parse().ok());
        dropping.push(format!("DROP TABLE {}", table.quoted()));
    }
    if has_ledger {
        dropping.push(format!("DROP TABLE {}", table.ledger()));
    }
    let table = format!("{}.{}", table.schema, table.name);
    Ok(Survey { table, place: place.to_owned(), row_count, flows, misfit, making, dropping })
}
