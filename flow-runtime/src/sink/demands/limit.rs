//! One limit of a column, and a value held against it.

use std::fmt;

use crate::value::{Decimal, Type, Value};

/// What stands for null in a file that Redshift loads. Text that is just this is refused, for whether quotes keep it from
/// being null is not documented.
pub(in crate::sink) const REDSHIFT_NULL: &str = "@NULL@";

/// Numbers of DynamoDB are 0, or from here to below there, and the same below 0 ("Supported data types and naming rules in Amazon
/// DynamoDB", 2026-11-22).
#[cfg(feature = "aws")]
const ITEM_NUMBER_MIN: f64 = 1e-130;
#[cfg(feature = "aws")]
const ITEM_NUMBER_END: f64 = 1e126;

/// What the values of a field must keep to. `column` is the type of the column, for people.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Limit {
    /// So long at most.
    Length { max: usize, unit: Unit, column: &'static str },
    /// So many bytes at most where a value of this type, which is no text, is written as one for Redshift.
    Written { max: usize, ty: Type, column: &'static str },
    /// Nothing but these code points.
    Letters(Letters),
    /// Whole numbers from here to there.
    Whole { min: i64, max: i64, column: &'static str },
    /// So many digits in all, so many of them after the point; what is finer is rounded or cut off.
    Digits { precision: u16, scale: u16, rounds: bool, column: &'static str },
    /// What a float of 32 bits holds, too.
    Single { column: &'static str },
    /// Floats that are numbers.
    Finite,
    /// What a key of DynamoDB can be: something, and not longer.
    #[cfg(feature = "aws")]
    Key { bytes_max: usize },
    /// What a number of DynamoDB can be.
    #[cfg(feature = "aws")]
    ItemNumber,
    /// Not before this day, nor outside the calendar that rows are written by.
    Calendar { first_day: i32 },
}

/// What length is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Bytes,
    /// Spaces at the end do not count: the server drops those that are too many.
    Characters,
}

/// Which code points a text may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Letters {
    /// All but NUL.
    Postgres,
    /// All but NUL and those that are no characters.
    Redshift,
    /// ASCII but NUL.
    RedshiftChar,
}

/// How long a row may be as a line of CSV.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RowLimit {
    pub(super) bytes_max: usize,
    pub(super) fields: usize,
}

/// What a field takes at most beside its text: quotes, a comma, and the digits of a number or the letters of null.
const CELL_BYTES_MAX: usize = 64;

impl RowLimit {
    /// Why the encoded row is refused, if it is: a little early, as nothing is written for it.
    pub(super) fn refuses(self, row: &[u8]) -> Option<String> {
        let Self { bytes_max, fields } = self;
        let bytes = row.len() + fields * CELL_BYTES_MAX;
        // Quotes are doubled.
        if bytes + row.len() <= bytes_max {
            return None;
        }
        let bytes = bytes + memchr::memchr_iter(b'"', row).count();
        (bytes > bytes_max).then(|| format!("a row of {bytes} bytes is longer than Redshift loads, {bytes_max}"))
    }
}

impl Limit {
    /// Why the value is refused, if it is. Null is by keys alone, for it is what `Option` says. Text comes as bytes.
    pub(super) fn refuses(&self, value: Value<'_>) -> Option<String> {
        match (*self, value) {
            (Self::Length { max, unit, column }, Value::Bytes(text)) => unit.refuses(text, max, column),
            (Self::Letters(letters), Value::Bytes(text)) => letters.refuses(text),
            (Self::Written { max, ty, column }, value) => {
                let bytes = written_bytes(value, ty);
                (bytes > max).then(|| format!("{bytes} bytes do not fit {column}"))
            }
            (Self::Whole { min, max, column }, Value::Int(value)) => {
                (value < min || max < value).then(|| format!("{value} does not fit {column}"))
            }
            (Self::Digits { precision, scale, rounds, column }, Value::Decimal(value)) => {
                let fits = decimal_fits(value, (precision.into(), scale.into()), rounds);
                (!fits).then(|| format!("{value} does not fit {column}"))
            }
            (Self::Digits { precision, scale, rounds, column }, Value::Float(value)) => {
                let fits = float_fits(value, (precision.into(), scale.into()), rounds);
                (!fits).then(|| format!("{value:?} does not fit {column}"))
            }
            (Self::Single { column }, Value::Float(value)) => {
                let single = value as f32;
                let is_lost = single.is_infinite() && value.is_finite() || single == 0.0 && value != 0.0;
                is_lost.then(|| format!("{value:e} does not fit {column}"))
            }
            (Self::Finite, Value::Float(value)) => {
                (!value.is_finite()).then(|| format!("{value} is no number, and Redshift loads none but numbers"))
            }
            #[cfg(feature = "aws")]
            (Self::Key { .. }, Value::Null) => Some("it is null, and no key of DynamoDB can be".to_owned()),
            #[cfg(feature = "aws")]
            (Self::Key { .. }, Value::Bytes([])) => Some("it is empty, and no key of DynamoDB can be".to_owned()),
            #[cfg(feature = "aws")]
            (Self::Key { bytes_max }, Value::Bytes(key)) => (key.len() > bytes_max)
                .then(|| format!("{} bytes are too many for a key of DynamoDB: {bytes_max}", key.len())),
            #[cfg(feature = "aws")]
            (Self::ItemNumber, Value::Float(value)) => {
                let is_one = value == 0.0 || (ITEM_NUMBER_MIN..ITEM_NUMBER_END).contains(&value.abs());
                (!is_one).then(|| format!("{value:e} is no number that DynamoDB stores"))
            }
            #[cfg(feature = "aws")]
            (Self::ItemNumber, Value::Decimal(value)) => (value.units().unsigned_abs() >= 10_u128.pow(38))
                .then(|| format!("{value} has more digits than DynamoDB stores: 38")),
            (Self::Calendar { first_day }, Value::Timestamp(value)) => {
                let is_inside = jiff::Timestamp::from_microsecond(value.microseconds()).is_ok();
                let fits = is_inside && value.date().days() >= first_day;
                (!fits).then(|| format!("{value} lies outside the calendar of the target"))
            }
            (Self::Calendar { first_day }, Value::Date(value)) => {
                let fits = value.civil().is_some() && value.days() >= first_day;
                (!fits).then(|| format!("{value} lies outside the calendar of the target"))
            }
            _ => None,
        }
    }
}

impl Unit {
    fn refuses(self, text: &[u8], max: usize, column: &str) -> Option<String> {
        // No character takes less than a byte.
        if text.len() <= max {
            return None;
        }
        let (len, unit) = match self {
            Self::Bytes => (text.len(), "bytes"),
            Self::Characters => {
                let end = text.iter().rposition(|&byte| byte != b' ').map_or(0, |last| last + 1);
                (characters(&text[..end]), "characters")
            }
        };
        (len > max).then(|| format!("{len} {unit} do not fit {column}"))
    }
}

/// The characters of text: the bytes that do not go on with one.
fn characters(text: &[u8]) -> usize {
    text.iter().filter(|&&byte| byte & 0b1100_0000 != 0b1000_0000).count()
}

impl Letters {
    fn refuses(self, text: &[u8]) -> Option<String> {
        if self != Self::Postgres && text == REDSHIFT_NULL.as_bytes() {
            return Some(format!("it is {REDSHIFT_NULL}, which stands for null in what Redshift loads"));
        }
        let (at, letter) = match self {
            Self::Postgres => nul(text),
            Self::Redshift if text.is_ascii() => nul(text),
            Self::Redshift => letters(text).find(|(_, letter)| *letter == '\0' || is_no_character(*letter)),
            Self::RedshiftChar => letters(text).find(|(_, letter)| *letter == '\0' || !letter.is_ascii()),
        }?;
        let taken = match self {
            Self::Postgres => "which PostgreSQL takes in no text",
            Self::Redshift => "which Redshift takes in no text",
            Self::RedshiftChar => "and a `char` of Redshift takes letters of one byte alone",
        };
        Some(format!("it holds U+{:04X} at byte {at}, {taken}", u32::from(letter)))
    }
}

fn nul(text: &[u8]) -> Option<(usize, char)> {
    memchr::memchr(0, text).map(|at| (at, '\0'))
}

fn letters(text: &[u8]) -> impl Iterator<Item = (usize, char)> {
    std::str::from_utf8(text).unwrap_or_default().char_indices()
}

/// The code points that are kept from being characters and that Redshift refuses.
fn is_no_character(letter: char) -> bool {
    matches!(letter, '\u{fdd0}'..='\u{fdef}' | '\u{fffe}' | '\u{ffff}')
}

/// The digits of a float as Redshift is to read them: without an exponent, which no decimal takes, up to where decimals end.
pub(in crate::sink) struct RedshiftFloat(pub(in crate::sink) f64, pub(in crate::sink) Type);

impl fmt::Display for RedshiftFloat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(value, ty) = *self;
        let single = value as f32;
        match (ty == Type::F32, value.abs() < 1e38) {
            (true, true) => write!(f, "{single}"),
            (true, false) => write!(f, "{single:e}"),
            (false, true) => write!(f, "{value}"),
            (false, false) => write!(f, "{value:e}"),
        }
    }
}

/// How long what is no text becomes as one.
fn written_bytes(value: Value<'_>, ty: Type) -> usize {
    match value {
        Value::Bool(_) => "t".len(),
        Value::Date(_) => "2026-11-22".len(),
        Value::Timestamp(_) => "2026-11-22 15:16:17.123456".len(),
        Value::Decimal(value) => value.to_string().len(),
        Value::Float(value) => RedshiftFloat(value, ty).to_string().len(),
        _ => 0,
    }
}

/// The least and the greatest number of so many bits.
pub(super) fn whole_numbers_of(bits: u32) -> (i64, i64) {
    let max = i64::MAX >> 64_u32.saturating_sub(bits);
    (-max - 1, max)
}

/// The least number of so many digits, the greatest of so many.
pub(super) fn whole_numbers(digits_below: usize, digits_above: usize) -> (i64, i64) {
    let limit = |digits: usize| u32::try_from(digits).ok().and_then(|digits| 10_i64.checked_pow(digits));
    (limit(digits_below).map_or(i64::MIN, |limit| 1 - limit), limit(digits_above).map_or(i64::MAX, |limit| limit - 1))
}

/// Whether the number, brought to `scale`, has no more than `precision` digits.
fn decimal_fits(value: Decimal, (precision, scale): (u32, u32), rounds: bool) -> bool {
    let (units, own_scale) = (value.units().unsigned_abs(), u32::from(value.scale()));
    let fits = |units: u128, digits: u32| 10_u128.checked_pow(digits).is_none_or(|limit| units < limit);
    if scale >= own_scale {
        return match (precision + own_scale).checked_sub(scale) {
            Some(digits) => fits(units, digits),
            None => units == 0,
        };
    }
    // A scale is 38 at most, and 10^38 fits.
    let one = 10_u128.pow(own_scale - scale);
    let is_raised = rounds && units % one >= one / 2;
    fits(units / one + u128::from(is_raised), precision)
}

/// The same of a float, as exactly as floats are. What is no number has its place in a `numeric`, infinity has none.
fn float_fits(value: f64, (precision, scale): (i32, i32), rounds: bool) -> bool {
    let half = if rounds { 0.5 * 10_f64.powi(-scale) } else { 0.0 };
    value.is_nan() || value.abs() + half < 10_f64.powi(precision - scale)
}
