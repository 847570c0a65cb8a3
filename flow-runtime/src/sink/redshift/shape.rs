//! What the server has where a sink writes to: a table of the right shape, or the right to make one.

use super::{
    table::{Table, literal},
    types::{column_type, in_catalog},
};
use crate::{
    Error, Failure,
    plan::FieldPlan,
    sink::{
        Mode,
        sql::{Session, Step, Trouble},
    },
};

const LOOK: Step = Step::LookAtTable;

/// A column as the server has it.
struct Column {
    name: String,
    ty: String,
    is_not_null: bool,
}

impl Column {
    fn declaration(&self) -> String {
        format!("{} {}{}", self.name, self.ty, if self.is_not_null { " NOT NULL" } else { "" })
    }
}

/// Whether there is a table, a view or the like of this name.
pub(super) fn has_relation(session: &Session<'_>, step: Step, schema: &str, name: &str) -> Result<bool, Trouble> {
    let sql = format!(
        "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = {} AND c.relname = {}",
        literal(schema),
        literal(name)
    );
    Ok(!session.text(step, &sql)?.rows.is_empty())
}

/// The columns of a table, a row each; none where there is no table.
pub(super) fn columns(table: &Table) -> String {
    format!(
        "SELECT c.relkind, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull FROM pg_class c JOIN pg_namespace \
         n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid WHERE n.nspname = {} AND c.relname = {} AND \
         a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        literal(&table.schema),
        literal(&table.name)
    )
}

/// Whether the table is there; if so, it has the right columns.
///
/// # Errors
/// [`Error::Target`] with both lists of columns when they differ, or when it is no table.
pub(super) fn exists(session: &Session<'_>, table: &Table, place: &str) -> Result<bool, Trouble> {
    let rows = session.text(LOOK, &columns(table))?.rows;
    let Some(first) = rows.first() else { return Ok(false) };
    if first.first().and_then(Option::as_deref) != Some("r") {
        let help = "give the name of a table with ?table=…";
        return Err(Error::Target(Failure::new("this is no table").at(place).help(help)).into());
    }
    let column = |row: &Vec<Option<String>>| match row.as_slice() {
        [_, Some(name), Some(ty), not_null] => {
            let is_not_null = not_null.as_deref().is_some_and(|text| text.starts_with('t'));
            Some(Column { name: name.clone(), ty: ty.clone(), is_not_null })
        }
        _ => None,
    };
    let found: Vec<Column> = rows.iter().filter_map(column).collect();
    match misfit(table, &found, place) {
        None => Ok(true),
        Some(error) => Err(error.into()),
    }
}

/// What is wrong with the columns, if anything is.
fn misfit(table: &Table, found: &[Column], place: &str) -> Option<Error> {
    let fields = table.shape.fields();
    let expected: Vec<Column> = fields.iter().map(column_of).collect();
    let of = |expected: &Column| found.iter().find(|column| column.name == expected.name);
    let fits = |(field, expected): (&FieldPlan, &Column)| {
        of(expected).is_some_and(|column| column.ty == expected.ty && !(column.is_not_null && field.nullable))
    };
    if found.len() == expected.len() && fields.iter().zip(&expected).all(fits) {
        return None;
    }
    let list = |columns: &[Column]| columns.iter().map(Column::declaration).collect::<Vec<_>>().join(", ");
    let lacking: Vec<&FieldPlan> =
        fields.iter().zip(&expected).filter(|(_, expected)| of(expected).is_none()).map(|(field, _)| field).collect();
    let is_only_lacking = fields.len() == found.len() + lacking.len()
        && fields.iter().zip(&expected).all(|pair| of(pair.1).is_none() || fits(pair))
        && lacking.iter().all(|field| field.nullable);
    let help = match is_only_lacking {
        true => lacking.iter().map(|field| table.add_column(field)).collect::<Vec<_>>().join("; "),
        false => "change the sink (`as …` chooses a column's type) or the table, or give another table with ?table=…"
            .to_owned(),
    };
    let cause = format!("expected ({}), found ({})", list(&expected), list(found));
    let failure = Failure::new("the table has other columns than the sink").at(place).cause(cause).help(help);
    Some(Error::Target(failure))
}

/// The column that the sink would make, in the catalog's words.
fn column_of(field: &FieldPlan) -> Column {
    let ty = in_catalog(&column_type(field).unwrap_or_default());
    Column { name: field.name.to_ascii_lowercase(), ty, is_not_null: !field.nullable }
}

/// Whether the user may do all that a load does.
///
/// # Errors
/// [`Error::Target`] with the right that is missing.
pub(super) fn permitted(session: &Session<'_>, table: &Table, place: &str) -> Result<(), Trouble> {
    let refuse =
        |what: String, help: &str| Err(Error::Target(Failure::new(what).at(place).help(help.to_owned())).into());
    let schema = literal(&table.schema);
    let sql = format!(
        "SELECT has_schema_privilege(nspname, 'usage'), has_schema_privilege(nspname, 'create') FROM pg_namespace WHERE \
         nspname = {schema}"
    );
    let is_true = |value: Option<&Option<String>>| value.and_then(Option::as_deref).is_some_and(|text| text == "t");
    let rows = session.text(LOOK, &sql)?.rows;
    let Some(row) = rows.first() else {
        return refuse(format!("there is no schema `{}`", table.schema), "make it: CREATE SCHEMA");
    };
    if !is_true(row.first()) {
        return refuse(format!("the user may not use the schema `{}`", table.schema), "GRANT USAGE ON SCHEMA");
    }
    let may_create = is_true(row.get(1));
    let rights = match table.shape.mode {
        Mode::Append => &["insert", "select"][..],
        Mode::Replace => &["insert", "select", "delete"],
        Mode::Merge => &["insert", "select", "update"],
    };
    let of_ledger = &["select", "insert", "delete"][..];
    for (name, quoted, rights) in
        [(table.name.clone(), table.quoted(), rights), (table.ledger_name(), table.ledger(), of_ledger)]
    {
        if !has_relation(session, LOOK, &table.schema, &name)? {
            if !may_create {
                let what = format!("the user may not make the table {name}");
                return refuse(what, "GRANT CREATE ON SCHEMA, or have somebody make it");
            }
            continue;
        }
        for right in rights {
            let sql = format!("SELECT has_table_privilege({}, '{right}')", literal(&quoted));
            let rows = session.text(LOOK, &sql)?.rows;
            if !is_true(rows.first().and_then(|row| row.first())) {
                let what = format!("the user lacks the right {} on the table {name}", right.to_uppercase());
                return refuse(what, "give it with GRANT");
            }
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "shape_tests.rs"]
mod tests;
