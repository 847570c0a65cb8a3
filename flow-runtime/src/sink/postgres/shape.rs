//! What the server has where a sink writes to: a table of the right shape, or the right to make one.

use tokio_postgres::{Row, types::Type as PgType};

use super::{
    session::{Parameters, get},
    table::Table,
};
use crate::{
    Error, Failure,
    sink::{
        Mode,
        sql::{Column, Fit, Session, Step, Trouble, fit, misfit},
    },
};

const LOOK: Step = Step::LookAtTable;

/// The columns of a table, a row each; one row of nulls for a table without any, none where there is no table.
const COLUMNS: &str = "SELECT c.relkind::text, c.relpersistence::text, a.attname::text, \
    format_type(a.atttypid, a.atttypmod), a.attnotnull \
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
    WHERE n.nspname = $1 AND c.relname = $2 ORDER BY a.attnum";

const TYPE_NAMES: &str = "SELECT format_type(t.oid, t.modifier) FROM unnest($1::oid[], $2::int[]) WITH ORDINALITY \
    AS t (oid, modifier, position) ORDER BY position";

const SERVER: &str = "SELECT pg_is_in_recovery(), has_database_privilege(current_database(), 'TEMPORARY'), \
    has_schema_privilege(n.oid, 'USAGE'), has_schema_privilege(n.oid, 'CREATE') \
    FROM (SELECT 1) one LEFT JOIN pg_namespace n ON n.nspname = $1";

const PRIVILEGES: &str = "SELECT has_table_privilege(c.oid, $3) FROM pg_class c JOIN pg_namespace n \
    ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2";

/// Whether the table is there; if so, it has the right columns.
///
/// # Errors
/// [`Error::Target`] with both lists of columns when they differ, or when it is no table that keeps its rows.
pub(super) fn exists(session: &Session<'_>, table: &Table, place: &str) -> Result<bool, Trouble> {
    // Asked first, for a column type that there is not is worth an answer even where there is no table.
    let expected = expected(session, table)?;
    let Some(found) = found(session, table, place)? else { return Ok(false) };
    Ok(compared(table, &expected, &found, place).and_then(|additions| {
        if additions.is_empty() { Ok(true) } else { Err(misfit(&expected, &found, &additions, place)) }
    })?)
}

/// The columns that the table has, if it is there.
///
/// # Errors
/// [`Error::Target`] when it is no table that keeps its rows.
pub(super) fn found(session: &Session<'_>, table: &Table, place: &str) -> Result<Option<Vec<Column>>, Trouble> {
    let parameters = [table.schema.clone(), table.name.clone()];
    let rows = session.rows(LOOK, COLUMNS, &[(&parameters[0], PgType::TEXT), (&parameters[1], PgType::TEXT)])?;
    let Some(first) = rows.first() else { return Ok(None) };
    let refuse = |what: &str, help: &str| Err(Error::Target(Failure::new(what).at(place).help(help)).into());
    match (get::<&str>(LOOK, first, 0)?, get::<&str>(LOOK, first, 1)?) {
        // A partitioned table is one, too.
        ("r" | "p", "p") => {}
        ("r" | "p", _) => {
            return refuse(
                "the table is unlogged: a crash of the server empties it, while the ledger remembers its rows",
                "ALTER TABLE … SET LOGGED, or give another table with ?table=…",
            );
        }
        _ => return refuse("this is no table", "give the name of a table with ?table=…"),
    }
    Ok(Some(rows.iter().map(column).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect()))
}

/// The statements that add the columns which the table lacks.
///
/// # Errors
/// [`Error::Target`] with both lists of columns when these are not all that differs.
pub(super) fn compared(
    table: &Table,
    expected: &[Column],
    found: &[Column],
    place: &str,
) -> Result<Vec<String>, Error> {
    match fit(expected, found) {
        Fit::Fits => Ok(Vec::new()),
        Fit::Lacks(columns) => Ok(table.add_columns(&columns)),
        Fit::Differs => Err(misfit(expected, found, &[], place)),
    }
}

/// The columns that the sink would make, in the server's own words.
pub(super) fn expected(session: &Session<'_>, table: &Table) -> Result<Vec<Column>, Trouble> {
    let (types, modifiers) = session.types(LOOK, &table.typed_nulls())?;
    let parameters: Parameters<'_> = &[(&types, PgType::OID_ARRAY), (&modifiers, PgType::INT4_ARRAY)];
    let names = session.rows(LOOK, TYPE_NAMES, parameters)?;
    let column = |((name, is_not_null), row): ((&str, bool), &Row)| {
        Ok(Column { name: name.to_owned(), ty: get(LOOK, row, 0)?, is_not_null })
    };
    let fields = table.shape.fields().iter().map(|field| (field.name, !field.nullable));
    fields.chain(table.iteration_column.iter().map(|name| (name.as_str(), false))).zip(&names).map(column).collect()
}

fn column(row: &Row) -> Result<Option<Column>, Trouble> {
    let Some(name) = get(LOOK, row, 2)? else { return Ok(None) };
    Ok(Some(Column { name, ty: get(LOOK, row, 3)?, is_not_null: get(LOOK, row, 4)? }))
}

/// Whether the user may do all that a load does, and the server lets anybody.
///
/// # Errors
/// [`Error::Target`] with the right that is missing.
pub(super) fn permitted(session: &Session<'_>, table: &Table, place: &str) -> Result<(), Trouble> {
    let refuse =
        |what: String, help: &str| Err(Error::Target(Failure::new(what).at(place).help(help.to_owned())).into());
    let rows = session.rows(LOOK, SERVER, &[(&table.schema, PgType::TEXT)])?;
    let Some(row) = rows.first() else { return refuse("the server says nothing about itself".to_owned(), "run again") };
    if get(LOOK, row, 0)? {
        return refuse("this server only answers questions".to_owned(), "give the address of the one it follows");
    }
    let (usage, create): (Option<bool>, Option<bool>) = (get(LOOK, row, 2)?, get(LOOK, row, 3)?);
    let (Some(usage), Some(create)) = (usage, create) else {
        return refuse(format!("there is no schema `{}`", table.schema), "make it: CREATE SCHEMA");
    };
    if !usage {
        return refuse(format!("the user may not use the schema `{}`", table.schema), "GRANT USAGE ON SCHEMA");
    }
    let is_merge = table.shape.mode == Mode::Merge;
    if is_merge && !get::<bool>(LOOK, row, 1)? {
        return refuse("the user may not make temporary tables".to_owned(), "GRANT TEMPORARY ON DATABASE");
    }
    let rights = match table.shape.mode {
        Mode::Append => &["INSERT"][..],
        Mode::Replace => &["INSERT", "DELETE"],
        Mode::Merge => &["INSERT", "SELECT", "UPDATE"],
    };
    // Locking it takes more than reading and adding, and so does replacing an entry.
    let of_ledger = &["SELECT", "INSERT", "UPDATE"][..];
    for (name, rights) in [(table.name.as_str(), rights), (super::LEDGER, of_ledger)] {
        for right in rights {
            let parameters =
                [(&table.schema as _, PgType::TEXT), (&name as _, PgType::TEXT), (right as _, PgType::TEXT)];
            match session.rows(LOOK, PRIVILEGES, &parameters)?.first() {
                Some(row) if !get::<bool>(LOOK, row, 0)? => {
                    let what = format!("the user lacks the right {right} on the table {name}");
                    return refuse(what, "give it with GRANT");
                }
                None if !create => {
                    let what = format!("the user may not make the table {name}");
                    return refuse(what, "GRANT CREATE ON SCHEMA, or have somebody make it");
                }
                _ => {}
            }
        }
    }
    Ok(())
}
