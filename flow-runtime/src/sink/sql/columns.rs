//! The columns that a server has, held against those that a sink would make.

use crate::{Error, Failure};

/// A column in the server's own words.
#[derive(Debug)]
pub(in crate::sink) struct Column {
    pub(in crate::sink) name: String,
    pub(in crate::sink) ty: String,
    pub(in crate::sink) is_not_null: bool,
}

impl Column {
    fn declaration(&self) -> String {
        format!("{} {}{}", self.name, self.ty, if self.is_not_null { " NOT NULL" } else { "" })
    }
}

/// How a table's columns are to a sink's.
#[derive(Debug)]
pub(in crate::sink) enum Fit {
    /// Each field has a column of its type, and each column a field.
    Fits,
    /// So it would be if these columns were there, by their places among those of the sink; in the rows that are there, they
    /// would be null, as they may be.
    Lacks(Vec<usize>),
    /// Otherwise.
    Differs,
}

/// How `found` is to what the sink would make.
pub(in crate::sink) fn fit(expected: &[Column], found: &[Column]) -> Fit {
    let mut lacking = Vec::new();
    for (at, expected) in expected.iter().enumerate() {
        match found.iter().find(|column| column.name == expected.name) {
            Some(column) if column.ty == expected.ty && (!column.is_not_null || expected.is_not_null) => {}
            None if !expected.is_not_null => lacking.push(at),
            _ => return Fit::Differs,
        }
    }
    match (found.len() + lacking.len() == expected.len(), lacking.is_empty()) {
        (false, _) => Fit::Differs,
        (true, true) => Fit::Fits,
        (true, false) => Fit::Lacks(lacking),
    }
}

/// What to say of columns that are not the sink's; `additions` are the statements that would make them so, if they would.
pub(in crate::sink) fn misfit(expected: &[Column], found: &[Column], additions: &[String], place: &str) -> Error {
    let list = |columns: &[Column]| columns.iter().map(Column::declaration).collect::<Vec<_>>().join(", ");
    let help = match additions {
        [] => "change the sink (`as …` chooses a column's type) or the table, or give another table with ?table=…"
            .to_owned(),
        additions => {
            format!("{}; `setup` does it, or give another table with ?table=…", additions.join("; "))
        }
    };
    let cause = format!("expected ({}), found ({})", list(expected), list(found));
    Error::Target(Failure::new("the table has other columns than the sink").at(place).cause(cause).help(help))
}
