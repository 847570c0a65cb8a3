//! The statements of a load, with what each is for, in their order: for `plan --sql`.

use super::{
    ledger,
    load::BEGIN,
    table::{FOLDED, Table},
};
use crate::sink::{
    Mode, Statement,
    sql::{keys, null_patterns},
};

/// What is known only when it is sent is a parameter, as it is sent.
pub(super) fn statements(table: &Table) -> Vec<Statement> {
    let mut all = vec![
        ("make the ledger, if there is none", ledger::create(table)),
        ("begin", BEGIN.to_owned()),
        ("lock the ledger", ledger::lock(table)),
        ("ask the ledger", ledger::last(table)),
        ("make the table, if there is none", table.create()),
    ];
    match table.shape.mode {
        Mode::Append => {}
        Mode::Replace => all.push(("empty the table", table.empty())),
        Mode::Merge => all.push(("make room for what comes", table.create_incoming())),
    }
    all.push(("load", table.copy()));
    if table.shape.mode == Mode::Merge {
        let shape = table.shape;
        all.push(("one row a key", table.fold()));
        all.extend(null_patterns(shape, FOLDED).map(|sql| ("which keys are null", sql)));
        let nullable = keys(shape).filter(|key| key.nullable).count();
        for is_null in [false, true].into_iter().take(1 + nullable.min(1)) {
            let nulls = vec![is_null; nullable];
            all.extend(table.update(&nulls).map(|sql| ("change", sql)));
            all.push(("add", table.insert(&nulls)));
        }
    }
    all.push(("note it in the ledger", ledger::add(table, table.shape.mode == Mode::Replace)));
    all.push(("commit", "COMMIT".to_owned()));
    if let Some(column) = &table.iteration_column {
        all.extend([
            ("replay in place: what the ledger has of the iteration", ledger::noted(table)),
            ("replay in place: remove its rows, before the others are loaded", table.remove_iteration(column)),
            ("replay in place: note it in the ledger", ledger::add(table, true)),
        ]);
    }
    all.push(("forget the flow", ledger::forget(table)));
    all.into_iter().map(|(purpose, sql)| Statement { purpose, sql }).collect()
}
