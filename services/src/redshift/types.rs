//! Column types as DDL writes them, and what they are for PostgreSQL.

use std::ops::Range;

use super::{
    error::Refusal,
    sql::{Cursor, Edits, Kind},
};

/// The longest varchar, and what `max` means.
const VARCHAR_BYTES_MAX: u32 = 65_535;

/// Types that PostgreSQL has and Redshift has not.
const FOREIGN: [&str; 16] = [
    "serial",
    "bigserial",
    "smallserial",
    "serial4",
    "serial8",
    "json",
    "jsonb",
    "bytea",
    "uuid",
    "money",
    "xml",
    "inet",
    "cidr",
    "macaddr",
    "bit",
    "tsvector",
];

/// Types that Redshift has and the stand-in has not.
const BEYOND: [&str; 6] = ["super", "varbyte", "varbinary", "geometry", "geography", "hllsketch"];

/// Reads the type of a column, and says what has to stand there instead.
pub(super) fn edit(cursor: &mut Cursor<'_>, edits: &mut Edits) -> Result<(), Refusal> {
    let Some(first) = cursor.next() else { return Err(Refusal::syntax("end of input")) };
    let word = first.text.to_ascii_lowercase();
    if FOREIGN.contains(&word.as_str()) {
        return Err(Refusal::new("0A000", format!("column has unsupported type \"{word}\"")));
    }
    if BEYOND.contains(&word.as_str()) {
        return Err(Refusal::beyond(&format!("the type {word}")));
    }
    let mut range = first.range();
    let is_varying = matches!(word.as_str(), "character" | "char" | "nchar") && cursor.eat("varying");
    if is_varying && let Some(last) = cursor.statement.tokens.get(cursor.at - 1) {
        range.end = last.range().end;
    }
    match word.as_str() {
        _ if is_varying => varchar(cursor, edits, range)?,
        "varchar" | "nvarchar" => varchar(cursor, edits, range)?,
        "text" => edits.push((range, "varchar(256)".to_owned())),
        "bpchar" => edits.push((range, "char(256)".to_owned())),
        "nchar" => edits.push((range, "char".to_owned())),
        "datetime" => edits.push((range, "timestamp".to_owned())),
        "decimal" | "numeric" if !is_open(cursor) => edits.push((range, "decimal(18, 0)".to_owned())),
        "decimal" | "numeric" => {
            let digits = cursor.statement.tokens.get(cursor.at + 1).and_then(|token| token.text.parse().ok());
            if digits.is_some_and(|digits: u32| digits > 38) {
                return Err(Refusal::new(
                    "22023",
                    format!("DECIMAL precision {} must be between 1 and 38", digits.unwrap_or(0)),
                ));
            }
        }
        _ => {}
    }
    if cursor.eat("(") {
        cursor.close();
    }
    if cursor.peek().is_some_and(|token| token.is("[")) {
        return Err(Refusal::syntax("["));
    }
    Ok(())
}

fn is_open(cursor: &Cursor<'_>) -> bool {
    cursor.peek().is_some_and(|token| token.is("("))
}

/// A varchar without a length has 256 bytes, and `max` is a length.
fn varchar(cursor: &mut Cursor<'_>, edits: &mut Edits, mut range: Range<usize>) -> Result<(), Refusal> {
    let mut bytes = 256;
    if cursor.eat("(") {
        let length = cursor.next().ok_or_else(|| Refusal::syntax("("))?;
        bytes = match length.kind {
            Kind::Word if length.is("max") => VARCHAR_BYTES_MAX,
            _ => length.text.parse().map_err(|_| Refusal::syntax(length.text))?,
        };
        let close = cursor.next().filter(|token| token.is(")")).ok_or_else(|| Refusal::syntax(length.text))?;
        range.end = close.range().end;
    }
    if bytes > VARCHAR_BYTES_MAX {
        let text = format!("length for type character varying cannot exceed {VARCHAR_BYTES_MAX}");
        return Err(Refusal::new("22023", text));
    }
    edits.push((range, format!("varchar({bytes})")));
    Ok(())
}
