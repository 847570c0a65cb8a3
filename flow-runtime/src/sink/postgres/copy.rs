//! Rows in the text format of `COPY`: a line a row, its values between tabs, null as `\N`.
//!
//! Text, not binary: the server then reads each value as its column's type does, whatever `as …` made it. Floats that are
//! no numbers, moments before the year 1 and bytes are written as PostgreSQL spells them.

use std::{fmt, fmt::Write as _};

use crate::{
    plan::FieldPlan,
    value::{Date, RowReader, Timestamp, Type, Value},
};

/// A value that PostgreSQL has no place for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unfit {
    /// The field.
    pub(super) field: &'static str,
    /// Why.
    pub(super) why: &'static str,
}

/// Adds a row as a line; `number` comes first if there is one.
pub(super) fn write_row(
    fields: &'static [FieldPlan],
    number: Option<u64>,
    mut row: RowReader<'_>,
    line: &mut String,
) -> Result<(), Unfit> {
    if let Some(number) = number {
        push(line, format_args!("{number}\t"));
    }
    for (index, field) in fields.iter().enumerate() {
        if index > 0 {
            line.push('\t');
        }
        write_value(row.value(field.ty), field.ty, line).map_err(|why| Unfit { field: field.name, why })?;
    }
    line.push('\n');
    Ok(())
}

fn write_value(value: Value<'_>, ty: Type, line: &mut String) -> Result<(), &'static str> {
    match value {
        Value::Null => line.push_str("\\N"),
        Value::Bool(value) => line.push_str(if value { "t" } else { "f" }),
        Value::Int(value) => push(line, format_args!("{value}")),
        Value::Float(value) => write_float(value, ty, line),
        Value::Text(value) => write_text(value, line)?,
        Value::Bytes(value) => {
            line.push_str("\\\\x");
            value.iter().for_each(|byte| push(line, format_args!("{byte:02x}")));
        }
        Value::Timestamp(value) => write_timestamp(value, line)?,
        Value::Date(value) => write_date(value, line)?,
        Value::Decimal(value) => push(line, format_args!("{value}")),
    }
    Ok(())
}

fn write_text(text: &str, line: &mut String) -> Result<(), &'static str> {
    let mut rest = text;
    while let Some(at) = rest.find(['\\', '\n', '\r', '\t', '\0']) {
        let (before, special) = rest.split_at(at);
        line.push_str(before);
        line.push_str(match special.as_bytes().first() {
            Some(b'\n') => "\\n",
            Some(b'\r') => "\\r",
            Some(b'\t') => "\\t",
            Some(0) => return Err("it holds the character NUL, which PostgreSQL takes in no text"),
            _ => "\\\\",
        });
        rest = &special[1..];
    }
    line.push_str(rest);
    Ok(())
}

/// The shortest digits that read back as the same float.
fn write_float(value: f64, ty: Type, line: &mut String) {
    match (value, ty) {
        _ if value.is_nan() => line.push_str("NaN"),
        _ if value.is_infinite() => line.push_str(if value > 0.0 { "Infinity" } else { "-Infinity" }),
        (_, Type::F32) => push(line, format_args!("{:e}", value as f32)),
        _ => push(line, format_args!("{value:e}")),
    }
}

fn write_timestamp(value: Timestamp, line: &mut String) -> Result<(), &'static str> {
    let moment = jiff::Timestamp::from_microsecond(value.microseconds()).map_err(|_| OUTSIDE)?;
    let moment = jiff::tz::Offset::UTC.to_datetime(moment);
    let era = write_day(moment.date(), line);
    let (hour, minute, second) = (moment.hour(), moment.minute(), moment.second());
    let microsecond = moment.subsec_nanosecond() / 1000;
    push(line, format_args!(" {hour:02}:{minute:02}:{second:02}.{microsecond:06}+00{era}"));
    Ok(())
}

fn write_date(value: Date, line: &mut String) -> Result<(), &'static str> {
    let era = write_day(value.civil().ok_or(OUTSIDE)?, line);
    line.push_str(era);
    Ok(())
}

const OUTSIDE: &str = "it lies outside the calendar, which goes from the year -9999 to 9999";

/// Writes a day and says what must follow at the end: the year before 1 is 1 BC.
fn write_day(day: jiff::civil::Date, line: &mut String) -> &'static str {
    let (year, era) = if day.year() > 0 { (day.year(), "") } else { (1 - day.year(), " BC") };
    push(line, format_args!("{year:04}-{:02}-{:02}", day.month(), day.day()));
    era
}

fn push(line: &mut String, text: fmt::Arguments<'_>) {
    // Writing into a `String` cannot fail.
    let _ = line.write_fmt(text);
}

#[cfg(test)]
#[path = "copy_tests.rs"]
mod tests;
