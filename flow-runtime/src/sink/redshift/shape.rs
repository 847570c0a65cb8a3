//! What the server has where a sink writes to: a table of the right shape, or the right to make one.

use super::{
    table::{ITERATION_TYPE, Table, literal},
    types::{column_type, in_catalog},
};
use crate::{
    Error, Failure,
    plan::FieldPlan,
    sink::{
        Mode,
        sql::{Column, Fit, Session, Step, Trouble, fit, misfit},
    },
};

const LOOK: Step = Step::LookAtTable;

/// Whether there is a table, a view or the like of this name.
pub(super) fn has_relation(session: &Session<'_>, step: Step, schema: &str, name: &str) -> Result<bool, Trouble> {
    Ok(!session.text(step, &relation(schema, name))?.rows.is_empty())
}

/// Asks for a table, a view or the like of this name.
pub(super) fn relation(schema: &str, name: &str) -> String {
    format!(
        "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = {} AND c.relname = {}",
        literal(schema),
        literal(name)
    )
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
    let Some(found) = found(session, table, place)? else { return Ok(false) };
    Ok(compared(table, &found, place).and_then(|additions| {
        if additions.is_empty() { Ok(true) } else { Err(misfit(&expected(table), &found, &additions, place)) }
    })?)
}

/// The columns that the table has, if it is there.
///
/// # Errors
/// [`Error::Target`] when it is no table.
pub(super) fn found(session: &Session<'_>, table: &Table, place: &str) -> Result<Option<Vec<Column>>, Trouble> {
    let rows = session.text(LOOK, &columns(table))?.rows;
    let Some(first) = rows.first() else { return Ok(None) };
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
    Ok(Some(rows.iter().filter_map(column).collect()))
}

/// The statements that add the columns which the table lacks.
///
/// # Errors
/// [`Error::Target`] with both lists of columns when these are not all that differs.
pub(super) fn compared(table: &Table, found: &[Column], place: &str) -> Result<Vec<String>, Error> {
    let expected = expected(table);
    match fit(&expected, found) {
        Fit::Fits => Ok(Vec::new()),
        Fit::Lacks(columns) => Ok(table.add_columns(&columns)),
        Fit::Differs => Err(misfit(&expected, found, &[], place)),
    }
}

fn expected(table: &Table) -> Vec<Column> {
    let iteration = table.iteration_column.iter().map(|name| {
        let ty = in_catalog(ITERATION_TYPE);
        Column { name: name.clone(), ty, is_not_null: false }
    });
    table.shape.fields().iter().map(column_of).chain(iteration).collect()
}

/// The column that the sink would make, in the catalog's words.
fn column_of(field: &FieldPlan) -> Column {
    let ty = in_catalog(&column_type(field).unwrap_or_default());
    Column { name: field.name.to_ascii_lowercase(), ty, is_not_null: !field.nullable }
}

/// Whether rows have a place to wait in that are to be merged.
const MAY_MAKE_TEMPORARY: &str = "SELECT has_database_privilege(current_database(), 'temp')";

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
    if table.shape.mode == Mode::Merge {
        let rows = session.text(LOOK, MAY_MAKE_TEMPORARY)?.rows;
        if !is_true(rows.first().and_then(|row| row.first())) {
            let what = "the user may not make temporary tables, which merging needs".to_owned();
            return refuse(what, "GRANT TEMPORARY ON DATABASE");
        }
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
