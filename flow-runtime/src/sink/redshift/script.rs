//! Every statement that the sink sends, with what it is for, in the order of a load and then of what else there is: for
//! `plan --sql`, and for `golden.sql`, which is held against it.

use super::{
    ledger, load_error,
    server::{LOCK_WAIT, settings, statement_timeout},
    shape,
    staging::Address,
    table::{FOLDED, Table},
};
use crate::sink::{
    Mode, Statement, Ticket,
    sql::{keys, null_patterns},
};

/// What the statements of a table are made for.
pub(super) struct Script<'a> {
    pub(super) table: &'a Table,
    pub(super) ticket: &'a Ticket,
    pub(super) staged: &'a Address,
    pub(super) row_count: u64,
    /// What COPY reads S3 by, as SQL.
    pub(super) credentials: &'a str,
    /// How long a statement may take.
    pub(super) limit: std::time::Duration,
}

/// Merging is shown for keys without null, then for those that have it wherever it may be.
const SHOWN_NULLS: [bool; 2] = [false, true];

impl Script<'_> {
    pub(super) fn statements(&self) -> Vec<Statement> {
        let table = self.table;
        let begin = settings(self.limit).into_iter().map(|sql| ("begin the session", sql));
        let mut all: Vec<(&'static str, String)> = begin.collect();
        all.extend([
            ("is there a ledger", shape::relation(&table.schema, &table.ledger_name())),
            ("make the ledger, if there is none", ledger::create(table)),
            ("limit how long the lock is waited for", statement_timeout(LOCK_WAIT.min(self.limit))),
            ("begin", "BEGIN".to_owned()),
            ("lock the ledger", ledger::lock(table)),
            ("limit the others as before", statement_timeout(self.limit)),
            ("ask the ledger", ledger::last(table, self.ticket)),
            ("what columns the table has", shape::columns(table)),
            ("make the table, if there is none", table.create()),
        ]);
        all.extend(self.load());
        if table.shape.mode == Mode::Replace {
            all.push(("forget an entry of a table that was dropped", ledger::forget_iteration(table, self.ticket)));
        }
        let noted = ledger::add(table, self.ticket, self.row_count, Some(&self.staged.url()));
        all.extend([("note it in the ledger", noted), ("commit", "COMMIT".to_owned())]);
        all.extend(self.besides());
        all.into_iter().map(|(purpose, sql)| Statement { purpose, sql }).collect()
    }

    /// What brings the rows into the table.
    fn load(&self) -> Vec<(&'static str, String)> {
        let table = self.table;
        let mut all = match table.shape.mode {
            Mode::Append => Vec::new(),
            Mode::Replace => vec![("empty the table", table.empty())],
            Mode::Merge => vec![("make room for what comes", table.create_incoming())],
        };
        all.push(("load", table.copy(self.staged, self.credentials)));
        all.push(("count", "SELECT pg_last_copy_count()".to_owned()));
        if table.shape.mode != Mode::Merge {
            return all;
        }
        let shape = table.shape;
        all.push(("one row a key", table.fold()));
        all.extend(null_patterns(shape, FOLDED).map(|sql| ("which keys are null", sql)));
        let nullable = keys(shape).filter(|key| key.nullable).count();
        for is_null in &SHOWN_NULLS[..1 + nullable.min(1)] {
            let nulls = vec![*is_null; nullable];
            all.extend(table.update(&nulls).map(|sql| ("change", sql)));
            all.push(("add", table.insert(&nulls)));
        }
        all.push(("count the keys", format!("SELECT count(*) FROM {FOLDED}")));
        all
    }

    /// What `replay` sends to put an iteration's rows in the place of those that are there, behind the lock of the ledger.
    fn replacing(&self) -> Vec<(&'static str, String)> {
        let (table, ticket) = (self.table, self.ticket);
        let Some(column) = &table.iteration_column else { return Vec::new() };
        vec![
            ("replay in place: what the ledger has of the iteration", ledger::noted_of(table, ticket)),
            ("replay in place: remove its rows, before the others are loaded", {
                table.remove_iteration(column, ticket.iteration)
            }),
            ("replay in place: forget its entry, before it is noted again", ledger::forget_iteration(table, ticket)),
        ]
    }

    /// What is not sent by each load.
    fn besides(&self) -> Vec<(&'static str, String)> {
        let (table, staged) = (self.table, self.staged);
        let added = table.shape.fields().iter().position(|field| field.nullable);
        let added = table.add_columns(&added.into_iter().collect::<Vec<_>>());
        let mut all = self.replacing();
        all.extend(added.into_iter().map(|sql| ("a column that was added", sql)));
        all.extend([
            ("who holds the ledger", ledger::holders(table)),
            ("why a row was refused", load_error::from_sys(staged)),
            ("the same where that view is missing", load_error::from_stl(staged)),
            ("its value", load_error::value_from_stl(staged)),
            ("whose is what was staged", ledger::epoch(table, &self.ticket.flow)),
            ("forget the flow", ledger::forget(table, &self.ticket.flow)),
            ("count what is there", table.count(crate::sink::ROWS_COUNTED_MAX + 1)),
            ("show the first rows", table.head(20, true)),
            ("drop the table", format!("DROP TABLE {}", table.quoted())),
            ("drop the ledger", format!("DROP TABLE {}", table.ledger())),
        ]);
        all
    }
}
