//! What the statements of all servers have in common: names, types as a sink declares them, and how the rows of one table
//! are merged into another: `t` is the table, `i` what comes.

use crate::{
    Error, Failure,
    effect::{Mutant, mutant},
    plan::FieldPlan,
    sink::SinkShape,
};

/// A name as SQL takes it, whatever it holds.
pub(in crate::sink) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Finds out whether the columns can be made as the sink declares them; some names no field may have.
///
/// # Errors
/// [`Error::Config`] for a column type or a field's name that cannot be one.
pub(in crate::sink) fn declared(shape: SinkShape, is_reserved: impl Fn(&str) -> bool) -> Result<(), Error> {
    let is_type = |column: &str| column.chars().all(|c| c.is_ascii_alphanumeric() || " (),_".contains(c));
    for field in shape.fields() {
        let refuse = |what: String, help: &str| {
            Err(Error::Config(Failure::new(what).at(format!("field `{}`", field.name)).help(help)))
        };
        if let Some(column) = field.column.filter(|column| !is_type(column)) {
            return refuse(format!("`{column}` is no column type"), "write one as in `as varchar(100)`");
        }
        if is_reserved(field.name) {
            return refuse("flow merges rows by a column of this name".to_owned(), "rename the field");
        }
    }
    Ok(())
}

/// The fields of the sink's key.
pub(in crate::sink) fn keys(shape: SinkShape) -> impl Iterator<Item = &'static FieldPlan> {
    let fields = shape.fields();
    shape.port.key.iter().filter_map(|&index| fields.get(index))
}

/// The columns, with commas between them.
pub(in crate::sink) fn columns(shape: SinkShape, alias: &str) -> String {
    let column = |field: &FieldPlan| format!("{alias}{}", quoted(field.name));
    shape.fields().iter().map(column).collect::<Vec<_>>().join(", ")
}

/// Whether there is nothing but keys.
pub(in crate::sink) fn is_of_keys(shape: SinkShape) -> bool {
    keys(shape).count() == shape.fields().len()
}

/// Asks which of the keys that may be null are, row by row, each combination once.
pub(in crate::sink) fn null_patterns(shape: SinkShape, incoming: &str) -> Option<String> {
    let nulls: Vec<String> =
        keys(shape).filter(|key| key.nullable).map(|key| format!("{} IS NULL", quoted(key.name))).collect();
    (!nulls.is_empty()).then(|| format!("SELECT DISTINCT {} FROM {incoming}", nulls.join(", ")))
}

/// How a server tells that a key is the same in `t` and `i`: a condition, for a key that is null in both, or in neither.
pub(in crate::sink) type SameKey = fn(&FieldPlan, bool) -> String;

/// Changes the rows of equal key, for the keys with these nulls; nothing if there is nothing but keys.
pub(in crate::sink) fn update(
    shape: SinkShape,
    same: SameKey,
    table: &str,
    incoming: &str,
    nulls: &[bool],
) -> Option<String> {
    let is_key = |index: usize| shape.port.key.contains(&index);
    let fields = shape.fields().iter().enumerate();
    let changes: Vec<String> = fields.filter(|(index, _)| !is_key(*index)).map(|(_, field)| change(field)).collect();
    let sql = || {
        let same = same_key(shape, same, nulls);
        format!("UPDATE {table} t SET {} FROM {incoming} i WHERE {same}", changes.join(", "))
    };
    (!changes.is_empty()).then(sql)
}

/// Adds the rows whose key is not there, for the keys with these nulls.
pub(in crate::sink) fn insert(shape: SinkShape, same: SameKey, table: &str, incoming: &str, nulls: &[bool]) -> String {
    let (names, values) = (columns(shape, ""), columns(shape, "i."));
    let (own, same) = (key_nulls(shape, nulls), same_key(shape, same, nulls));
    format!(
        "INSERT INTO {table} ({names}) SELECT {values} FROM {incoming} i WHERE {own} AND NOT EXISTS (SELECT 1 FROM {table} \
         t WHERE {same})"
    )
}

/// The condition that all of the key is the same.
pub(in crate::sink) fn same_key(shape: SinkShape, same: SameKey, nulls: &[bool]) -> String {
    let same = |(key, is_null)| same(key, is_null && !mutant(Mutant::MergeByEquals));
    keys_with(shape, nulls).map(same).collect::<Vec<_>>().join(" AND ")
}

/// Which rows have these nulls in their key.
pub(in crate::sink) fn key_nulls(shape: SinkShape, nulls: &[bool]) -> String {
    let null = |(key, is_null): (&FieldPlan, bool)| {
        format!("i.{} IS {}NULL", quoted(key.name), if is_null { "" } else { "NOT " })
    };
    keys_with(shape, nulls).map(null).collect::<Vec<_>>().join(" AND ")
}

/// The key's fields, each with whether it is null; `nulls` has those that may be.
fn keys_with(shape: SinkShape, nulls: &[bool]) -> impl Iterator<Item = (&'static FieldPlan, bool)> {
    let mut nulls = nulls.iter().copied();
    keys(shape).map(move |key| (key, key.nullable && nulls.next().unwrap_or(false)))
}

/// Null adds nothing; a sum that the column cannot hold is refused by the server.
fn change(field: &FieldPlan) -> String {
    let column = quoted(field.name);
    match field.add {
        true => format!("{column} = COALESCE(t.{column} + i.{column}, t.{column}, i.{column})"),
        false => format!("{column} = i.{column}"),
    }
}
