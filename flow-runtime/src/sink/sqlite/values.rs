//! Values on their way into SQLite, and the sums of a merge.
//!
//! Sums are made here, not by `+`: SQLite turns an integer that overflows into a float, and a decimal into one always.

use rusqlite::{
    Connection, Result, ToSql,
    functions::{Context, FunctionFlags},
    types::{ToSqlOutput, Value as Stored, ValueRef},
};

use super::{ADD_DECIMAL, ADD_NUMBER};
use crate::{
    flow::Reason,
    sink::merge,
    value::{Decimal, FromText, Value},
};

/// A value as the parameter of a statement.
pub(super) struct Parameter<'a>(pub(super) Value<'a>);

impl ToSql for Parameter<'_> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Value::Null => ToSqlOutput::Owned(Stored::Null),
            Value::Bool(value) => ToSqlOutput::Owned(Stored::Integer(value.into())),
            Value::Int(value) => ToSqlOutput::Owned(Stored::Integer(value)),
            Value::Float(value) if value.is_nan() => ToSqlOutput::Borrowed(ValueRef::Text(b"NaN")),
            Value::Float(value) => ToSqlOutput::Owned(Stored::Real(value)),
            Value::Text(value) => ToSqlOutput::Borrowed(ValueRef::Text(value.as_bytes())),
            Value::Bytes(value) => ToSqlOutput::Borrowed(ValueRef::Blob(value)),
            // Of one length, so that they sort: as text, `…01Z` would come after `…01.5Z`.
            Value::Timestamp(value) => ToSqlOutput::Owned(Stored::Text(format!("{value:.6}"))),
            Value::Date(value) => ToSqlOutput::Owned(Stored::Text(value.to_string())),
            Value::Decimal(value) => ToSqlOutput::Owned(Stored::Text(value.to_string())),
        })
    }
}

/// Defines the SQL functions `flow_add(there, new)` and `flow_add_decimal(there, new, scale)`.
pub(super) fn add_functions(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function(ADD_NUMBER, 2, flags, |context| {
        let (there, new) = alike(number(context.get_raw(0)), number(context.get_raw(1)));
        let sum = merge::add(there, new).map_err(refused)?;
        Ok(match sum {
            Value::Int(sum) => Stored::Integer(sum),
            Value::Float(sum) => Stored::Real(sum),
            _ => Stored::Null,
        })
    })?;
    connection.create_scalar_function(ADD_DECIMAL, 3, flags, |context| {
        let scale = context.get(2)?;
        let sum = merge::add(decimal(context, 0, scale)?, decimal(context, 1, scale)?).map_err(refused)?;
        Ok(match sum {
            Value::Decimal(sum) => Stored::Text(sum.to_string()),
            _ => Stored::Null,
        })
    })
}

fn number(stored: ValueRef<'_>) -> Value<'_> {
    match stored {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => Value::Int(value),
        ValueRef::Real(value) => Value::Float(value),
        ValueRef::Text(b"NaN") => Value::Float(f64::NAN),
        // Adding to what is no number is refused by `merge::add`.
        ValueRef::Text(value) | ValueRef::Blob(value) => Value::Bytes(value),
    }
}

/// A numeric column, as somebody may have made it, keeps 3.0 as an integer.
fn alike<'a>(there: Value<'a>, new: Value<'a>) -> (Value<'a>, Value<'a>) {
    match (there, new) {
        (Value::Int(there), Value::Float(_)) => (Value::Float(there as f64), new),
        (Value::Float(_), Value::Int(new)) => (there, Value::Float(new as f64)),
        both => both,
    }
}

/// A decimal as it was stored: as text, or as a number in a column that somebody made `decimal(10, 2)`.
fn decimal(context: &Context<'_>, argument: usize, scale: u8) -> Result<Value<'static>> {
    let text = match context.get_raw(argument) {
        ValueRef::Null => return Ok(Value::Null),
        ValueRef::Integer(value) => value.to_string(),
        ValueRef::Real(value) => value.to_string(),
        ValueRef::Text(value) | ValueRef::Blob(value) => String::from_utf8_lossy(value).into_owned(),
    };
    Decimal::from_text(&text, (Decimal::DIGITS_MAX, scale)).map(Value::Decimal).map_err(refused)
}

fn refused(reason: Reason) -> rusqlite::Error {
    rusqlite::Error::UserFunctionError(reason.as_str().into())
}
