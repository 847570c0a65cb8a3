//! The columns that COPY loads, and what each of them takes of a field.

use super::{load_error::Reason, options::Format, times};

/// A column of the table.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Type,
    is_required: bool,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// So many bytes, unless the table was not made here.
    Varchar(Option<usize>),
    Char(usize),
    /// Of so many bytes.
    Integer(u8),
    Decimal {
        precision: usize,
        scale: usize,
    },
    /// Of so many bytes.
    Float(u8),
    Boolean,
    Date,
    Timestamp,
    TimestampTz,
    /// Whatever PostgreSQL makes of it.
    Other,
}

impl Column {
    /// A column as the catalog of PostgreSQL has it: its name, its type, that type's modifier, whether null is refused.
    pub(super) fn read(row: &[Option<String>]) -> Option<Self> {
        let [Some(name), Some(kind), Some(modifier), Some(is_required)] = row else { return None };
        let modifier: i64 = modifier.parse().ok()?;
        let inner = usize::try_from(modifier - 4).ok();
        let kind = match kind.as_str() {
            "character varying" => Type::Varchar(inner),
            "character" => Type::Char(inner.unwrap_or(1)),
            "smallint" => Type::Integer(2),
            "integer" => Type::Integer(4),
            "bigint" => Type::Integer(8),
            "numeric" => {
                inner.map_or(Type::Other, |inner| Type::Decimal { precision: inner >> 16, scale: inner & 0x7ff })
            }
            "real" => Type::Float(4),
            "double precision" => Type::Float(8),
            "boolean" => Type::Boolean,
            "date" => Type::Date,
            "timestamp without time zone" => Type::Timestamp,
            "timestamp with time zone" => Type::TimestampTz,
            _ => Type::Other,
        };
        Some(Self { name: name.clone(), kind, is_required: is_required == "t" })
    }

    /// Writes a field as PostgreSQL's COPY reads it.
    pub(super) fn write(&self, field: &[u8], format: &Format, to: &mut Vec<u8>) -> Result<(), Reason> {
        let is_text = matches!(self.kind, Type::Varchar(_) | Type::Char(_));
        let is_null = field == format.null || field.is_empty() && (!is_text || format.is_empty_null);
        if is_null {
            if self.is_required {
                return Err(Reason::new(1213, "Missing data for not-null field"));
            }
            to.extend_from_slice(b"\\N");
            return Ok(());
        }
        self.kind.write(field, format, to)
    }
}

impl Type {
    /// As the table of load errors has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Varchar(_) => "varchar",
            Self::Char(_) => "char",
            Self::Integer(2) => "int2",
            Self::Integer(4) => "int4",
            Self::Integer(_) => "int8",
            Self::Decimal { .. } => "numeric",
            Self::Float(4) => "float4",
            Self::Float(_) => "float8",
            Self::Boolean => "bool",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::TimestampTz => "timestamptz",
            Self::Other => "",
        }
    }

    /// The length that it was declared with.
    pub(super) fn length(self) -> String {
        match self {
            Self::Varchar(Some(bytes)) | Self::Char(bytes) => bytes.to_string(),
            Self::Decimal { precision, scale } => format!("{precision}, {scale}"),
            _ => String::new(),
        }
    }

    fn write(self, field: &[u8], format: &Format, to: &mut Vec<u8>) -> Result<(), Reason> {
        match self {
            Self::Varchar(bytes) => return write_text(field, bytes, format, to),
            Self::Char(_) if !field.is_ascii() => {
                return Err(Reason::new(1220, "Multibyte character not supported for CHAR (Hint: Try using VARCHAR)"));
            }
            Self::Char(bytes) => return write_text(field.trim_ascii_end(), Some(bytes), format, to),
            Self::Other => return write_text(field, None, format, to),
            Self::Integer(bytes) => check_integer(field, bytes)?,
            Self::Decimal { precision, scale } if !format.rounds => {
                return write_decimal(field, precision, scale, to);
            }
            Self::Decimal { .. } => check_digits(field, "Decimal", true)?,
            Self::Float(bytes) => check_float(field, bytes)?,
            Self::Boolean => check_boolean(field)?,
            Self::Date => times::check_date(field)?,
            Self::Timestamp => times::check_timestamp(field, false)?,
            Self::TimestampTz => times::check_timestamp(field, true)?,
        }
        to.extend_from_slice(field);
        Ok(())
    }
}

fn write_text(mut field: &[u8], bytes: Option<usize>, format: &Format, to: &mut Vec<u8>) -> Result<(), Reason> {
    if let Some(bytes) = bytes
        && field.len() > bytes
    {
        if !format.truncates {
            return Err(Reason::new(1204, "String length exceeds DDL length"));
        }
        let mut end = bytes;
        // Between two characters.
        while field[end] & 0xc0 == 0x80 && end > 0 {
            end -= 1;
        }
        field = &field[..end];
    }
    check_characters(field)?;
    for byte in field {
        match byte {
            b'\\' => to.extend_from_slice(b"\\\\"),
            b'\t' => to.extend_from_slice(b"\\t"),
            b'\n' => to.extend_from_slice(b"\\n"),
            b'\r' => to.extend_from_slice(b"\\r"),
            byte => to.push(*byte),
        }
    }
    Ok(())
}

/// UTF-8, without NUL and without what Unicode says is no character.
fn check_characters(field: &[u8]) -> Result<(), Reason> {
    if field.is_ascii() && !field.contains(&0) {
        return Ok(());
    }
    let wrong = |at: usize, bytes: &[u8]| {
        let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let text = format!(
            "String contains invalid or unsupported UTF8 codepoints. Bad UTF8 hex sequence: {} (error 4)",
            bytes.join(" ")
        );
        Err(Reason { position: at, ..Reason::new(1220, text) })
    };
    let text = match str::from_utf8(field) {
        Ok(text) => text,
        Err(error) => {
            let at = error.valid_up_to();
            return wrong(at, &field[at..field.len().min(at + error.error_len().unwrap_or(4))]);
        }
    };
    let refused = |char: char| matches!(char, '\0' | '\u{fdd0}'..='\u{fdef}' | '\u{fffe}' | '\u{ffff}');
    match text.char_indices().find(|(_, char)| refused(*char)) {
        Some((at, char)) => wrong(at, &field[at..at + char.len_utf8()]),
        None => Ok(()),
    }
}

/// Digits after a sign, if there is one; with a point among them, where that may be.
fn check_digits(field: &[u8], name: &str, may_have_point: bool) -> Result<(), Reason> {
    let start = usize::from(matches!(field.first(), Some(b'+' | b'-')));
    let mut points = 0;
    let is_wrong = |(_, byte): &(usize, &u8)| {
        points += usize::from(**byte == b'.');
        !(byte.is_ascii_digit() || **byte == b'.' && may_have_point && points == 1)
    };
    let wrong = field.iter().enumerate().skip(start).find(is_wrong);
    let position = match wrong {
        Some((at, _)) => at,
        None if !field.iter().any(u8::is_ascii_digit) => 0,
        None => return Ok(()),
    };
    let value = field.get(position).map_or(' ', |byte| char::from(*byte));
    let text = format!("Invalid digit, Value '{value}', Pos {position}, Type: {name}");
    Err(Reason { position, ..Reason::new(if may_have_point { 1209 } else { 1207 }, text) })
}

fn check_integer(field: &[u8], bytes: u8) -> Result<(), Reason> {
    let name = match bytes {
        2 => "Short",
        4 => "Integer",
        _ => "Long",
    };
    check_digits(field, name, false)?;
    let value: Option<i128> = str::from_utf8(field).ok().and_then(|text| text.parse().ok());
    let bound = 1_i128 << (u32::from(bytes) * 8 - 1);
    if value.is_some_and(|value| (-bound..bound).contains(&value)) {
        return Ok(());
    }
    Err(Reason::new(1222, format!("Overflow, Value '{}', Type: {name}", String::from_utf8_lossy(field))))
}

/// Decimals have no more digits after the point than the column: the others are cut off.
fn write_decimal(field: &[u8], precision: usize, scale: usize, to: &mut Vec<u8>) -> Result<(), Reason> {
    check_digits(field, "Decimal", true)?;
    let point = field.iter().position(|byte| *byte == b'.').unwrap_or(field.len());
    let whole = field[..point].iter().filter(|byte| byte.is_ascii_digit()).skip_while(|byte| **byte == b'0').count();
    if whole > precision - scale.min(precision) {
        return Err(Reason::new(1204, "Numeric data overflow (result precision)"));
    }
    to.extend_from_slice(&field[..field.len().min(point + usize::from(scale > 0) * (scale + 1))]);
    if point == 0 && scale == 0 || to.is_empty() {
        to.push(b'0');
    }
    Ok(())
}

/// A number, neither infinite nor none.
fn check_float(field: &[u8], bytes: u8) -> Result<(), Reason> {
    let name = if bytes == 4 { "Float" } else { "Double" };
    let is_number = field.first().is_some_and(|byte| byte.is_ascii_digit() || b"+-.".contains(byte));
    let value: Option<f64> = str::from_utf8(field).ok().filter(|_| is_number).and_then(|text| text.parse().ok());
    let max = if bytes == 4 { f64::from(f32::MAX) } else { f64::MAX };
    match value {
        Some(value) if value.abs() <= max => Ok(()),
        Some(value) if value.is_finite() || field.iter().any(u8::is_ascii_digit) => {
            Err(Reason::new(1204, format!("Overflow, Type: {name}")))
        }
        _ => {
            let value = char::from(field.first().copied().unwrap_or(b' '));
            Err(Reason::new(1208, format!("Invalid digit, Value '{value}', Pos 0, Type: {name}")))
        }
    }
}

fn check_boolean(field: &[u8]) -> Result<(), Reason> {
    let known: [&[u8]; 10] = [b"t", b"true", b"y", b"yes", b"1", b"f", b"false", b"n", b"no", b"0"];
    if known.iter().any(|word| field.eq_ignore_ascii_case(word)) {
        return Ok(());
    }
    Err(Reason::new(1210, "Unknown boolean format"))
}
