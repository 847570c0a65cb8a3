//! Rows as COPY reads them: CSV, each text in quotes, null as a text of its own, numbers and days as ISO 8601 and Rust spell
//! them, moments in UTC.

use std::io::{self, Write};

use super::table::NULL;
use crate::{
    plan::FieldPlan,
    sink::demands::RedshiftFloat,
    value::{RowReader, Type, Value},
};

/// Writes a row as one line; `number` comes first if there is one.
pub(super) fn write_row(
    fields: &[FieldPlan],
    number: Option<u64>,
    row: &mut RowReader<'_>,
    out: &mut impl Write,
) -> io::Result<()> {
    if let Some(number) = number {
        write_number(number, out)?;
        out.write_all(b",")?;
    }
    for (index, field) in fields.iter().enumerate() {
        if index > 0 {
            out.write_all(b",")?;
        }
        write_value(row.unchecked(field.ty), field.ty, out)?;
    }
    out.write_all(b"\n")
}

fn write_value(value: Value<'_>, ty: Type, out: &mut impl Write) -> io::Result<()> {
    match value {
        Value::Null => out.write_all(NULL.as_bytes()),
        Value::Bool(value) => out.write_all(if value { b"t" } else { b"f" }),
        Value::Int(value) => write_number(value, out),
        Value::Float(value) => write!(out, "{}", RedshiftFloat(value, ty)),
        Value::Text(value) => write_text(value.as_bytes(), out),
        Value::Bytes(value) if ty == Type::Text => write_text(value, out),
        Value::Decimal(value) => write!(out, "{value}"),
        Value::Timestamp(value) => {
            // Rows outside of this calendar were trapped.
            let moment = jiff::Timestamp::from_microsecond(value.microseconds()).map_err(io::Error::other)?;
            let moment = jiff::tz::Offset::UTC.to_datetime(moment);
            write_day(moment.date(), out)?;
            let (hour, minute, second) = (moment.hour(), moment.minute(), moment.second());
            write!(out, " {hour:02}:{minute:02}:{second:02}.{:06}", moment.subsec_nanosecond() / 1000)
        }
        Value::Date(value) => {
            write_day(value.civil().ok_or_else(|| io::Error::other("a day outside the calendar"))?, out)
        }
        // No table has such a column.
        Value::Bytes(_) => Err(io::Error::other("bytes in a row for Redshift")),
    }
}

fn write_number(number: impl itoa::Integer, out: &mut impl Write) -> io::Result<()> {
    out.write_all(itoa::Buffer::new().format(number).as_bytes())
}

fn write_text(text: &[u8], out: &mut impl Write) -> io::Result<()> {
    out.write_all(b"\"")?;
    let mut rest = text;
    while let Some(quote) = memchr::memchr(b'"', rest) {
        let (before, after) = rest.split_at(quote + 1);
        out.write_all(before)?;
        out.write_all(b"\"")?;
        rest = after;
    }
    out.write_all(rest)?;
    out.write_all(b"\"")
}

fn write_day(day: jiff::civil::Date, out: &mut impl Write) -> io::Result<()> {
    write!(out, "{:04}-{:02}-{:02}", day.year(), day.month(), day.day())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        sink::fixtures::{field, nullable},
        value::Encode,
    };

    fn line(fields: &[FieldPlan], number: Option<u64>, encode: impl Fn(&mut Vec<u8>)) -> String {
        let (mut row, mut line) = (Vec::new(), Vec::new());
        encode(&mut row);
        write_row(fields, number, &mut RowReader::new(&row), &mut line).unwrap();
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn null_is_told_from_empty_text_and_quotes_are_doubled() {
        let fields = [nullable("a", Type::Text), field("b", Type::Text), field("c", Type::I64)];
        let encode = |row: &mut Vec<u8>| {
            None::<&str>.encode(row);
            "".encode(row);
            7_i64.encode(row);
        };
        assert_eq!(line(&fields, None, encode), "@NULL@,\"\",7\n");
        let encode = |row: &mut Vec<u8>| {
            Some("say \"a,\nb\"").encode(row);
            "x".encode(row);
            (-1_i64).encode(row);
        };
        assert_eq!(line(&fields, Some(3), encode), "3,\"say \"\"a,\nb\"\"\",\"x\",-1\n");
    }

    #[test]
    fn floats_keep_all_their_digits_and_have_no_exponent_where_a_decimal_takes_them() {
        let double = |value: f64| line(&[field("a", Type::F64)], None, |row| value.encode(row));
        for (value, digits) in [
            (1e300, "1e300"),
            (-1e38, "-1e38"),
            (1e37, "10000000000000000000000000000000000000"),
            (1e16, "10000000000000000"),
            (-1e-7, "-0.0000001"),
            (0.1, "0.1"),
            (3.0, "3"),
        ] {
            assert_eq!(double(value), format!("{digits}\n"));
            assert_eq!(digits.parse(), Ok(value));
        }
        let fields = [field("b", Type::F32), field("c", Type::F32), field("d", Type::Bool)];
        let encode = |row: &mut Vec<u8>| {
            0.1_f32.encode(row);
            1e-7_f32.encode(row);
            true.encode(row);
        };
        assert_eq!(line(&fields, None, encode), "0.1,0.0000001,t\n");
    }
}
