//! From text to values and back.
//!
//! Empty text is null for an `Option`, empty text for `&str`, and a reason for a trap where a number cannot be null.
//! There is no trimming and no guessing: ` 5` is no number.

use std::fmt::{self, Write as _};

use super::{Date, Decimal, Timestamp, Type, Value, decimal::Unfit};
use crate::flow::Reason;

/// How much of a text a reason shows.
const SHOWN_CHARS_MAX: usize = 40;

/// A type that text can be read as.
pub trait FromText<'a>: Sized {
    /// What else must be known: the format of a timestamp, the digits of a decimal.
    type Format: Copy;

    /// Reads all of `text`.
    ///
    /// # Errors
    /// Why it is no such value.
    fn from_text(text: &'a str, format: Self::Format) -> Result<Self, Reason>;
}

/// Reads a value that cannot be null; a missing column counts as empty text.
///
/// # Errors
/// Why it is no such value.
///
/// # Example
/// ```
/// use flow_runtime::value::required;
/// assert_eq!(required::<i16>(Some("404"), ()).unwrap(), 404);
/// assert_eq!(required::<i16>(Some("-"), ()).unwrap_err().as_str(), "`-` is not an i16");
/// assert_eq!(required::<i16>(None, ()).unwrap_err().as_str(), "empty, but an i16 cannot be null");
/// ```
#[inline]
pub fn required<'a, T: FromText<'a>>(text: Option<&'a str>, format: T::Format) -> Result<T, Reason> {
    T::from_text(text.unwrap_or_default(), format)
}

/// Reads a value that is null where the column is missing or empty.
///
/// # Errors
/// Why it is no such value.
#[inline]
pub fn optional<'a, T: FromText<'a>>(text: Option<&'a str>, format: T::Format) -> Result<Option<T>, Reason> {
    match text {
        None | Some("") => Ok(None),
        Some(text) => T::from_text(text, format).map(Some),
    }
}

impl<'a> FromText<'a> for &'a str {
    type Format = ();

    #[inline]
    fn from_text(text: &'a str, (): ()) -> Result<Self, Reason> {
        Ok(text)
    }
}

impl<'a> FromText<'a> for &'a [u8] {
    type Format = ();

    #[inline]
    fn from_text(text: &'a str, (): ()) -> Result<Self, Reason> {
        Ok(text.as_bytes())
    }
}

impl FromText<'_> for bool {
    type Format = ();

    #[inline]
    fn from_text(text: &str, (): ()) -> Result<Self, Reason> {
        match text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(refused(text, Type::Bool, "is not")),
        }
    }
}

/// Reads integers, telling those that are too large from what is none at all.
macro_rules! integers {
    ($($integer:ty => $ty:ident,)*) => {$(
        impl FromText<'_> for $integer {
            type Format = ();

            #[inline]
            fn from_text(text: &str, (): ()) -> Result<Self, Reason> {
                use std::num::IntErrorKind::{NegOverflow, PosOverflow};
                text.parse::<$integer>().map_err(|error| match error.kind() {
                    PosOverflow | NegOverflow => refused(text, Type::$ty, "does not fit"),
                    _ => refused(text, Type::$ty, "is not"),
                })
            }
        }
    )*};
}

integers! { i16 => I16, i32 => I32, i64 => I64, }

/// Reads floats, infinite ones only where the text has no digits: `1e999` is too large, `inf` is not.
macro_rules! floats {
    ($($float:ty => $ty:ident,)*) => {$(
        impl FromText<'_> for $float {
            type Format = ();

            #[inline]
            fn from_text(text: &str, (): ()) -> Result<Self, Reason> {
                match text.parse::<$float>() {
                    Ok(value) if value.is_infinite() && text.contains(|c: char| c.is_ascii_digit()) => {
                        Err(refused(text, Type::$ty, "does not fit"))
                    }
                    Ok(value) => Ok(value),
                    Err(_) => Err(refused(text, Type::$ty, "is not")),
                }
            }
        }
    )*};
}

floats! { f32 => F32, f64 => F64, }

impl FromText<'_> for Timestamp {
    type Format = &'static str;

    #[inline]
    fn from_text(text: &str, format: &'static str) -> Result<Self, Reason> {
        Self::parse(text, format).ok_or_else(|| refused(text, Type::Timestamp(format), "is not"))
    }
}

impl FromText<'_> for Date {
    type Format = &'static str;

    #[inline]
    fn from_text(text: &str, format: &'static str) -> Result<Self, Reason> {
        Self::parse(text, format).ok_or_else(|| refused(text, Type::Date(format), "is not"))
    }
}

impl FromText<'_> for Decimal {
    /// Precision and scale.
    type Format = (u8, u8);

    #[inline]
    fn from_text(text: &str, (precision, scale): (u8, u8)) -> Result<Self, Reason> {
        Self::parse(text, precision, scale).map_err(|unfit| {
            let verdict = match unfit {
                Unfit::NotANumber => "is not",
                Unfit::TooManyDigits => "does not fit",
            };
            refused(text, Type::Decimal(precision, scale), verdict)
        })
    }
}

impl Decimal {
    /// The same number as a field `Decimal(precision, scale)` has it, for Rust code may make one of any scale.
    ///
    /// # Errors
    /// That it does not fit: nothing is rounded.
    ///
    /// # Example
    /// ```
    /// use flow_runtime::value::Decimal;
    /// assert_eq!(Decimal::new(125, 1).fit(10, 2), Ok(Decimal::new(1250, 2)));
    /// let reason = Decimal::new(12_505, 3).fit(10, 2).unwrap_err();
    /// assert_eq!(reason.as_str(), "`12.505` does not fit a Decimal(10, 2)");
    /// ```
    #[inline]
    pub fn fit(self, precision: u8, scale: u8) -> Result<Self, Reason> {
        let fit = self.rescaled(precision, scale);
        fit.ok_or_else(|| refused(&self.to_string(), Type::Decimal(precision, scale), "does not fit"))
    }
}

#[cold]
fn refused(text: &str, ty: Type, verdict: &str) -> Reason {
    let article = if matches!(ty, Type::I16 | Type::I32 | Type::I64 | Type::F32 | Type::F64) { "an" } else { "a" };
    if text.is_empty() {
        return Reason::new(format!("empty, but {article} {ty} cannot be null"));
    }
    Reason::new(format!("{} {verdict} {article} {ty}", Shown(text)))
}

/// A text as a reason shows it: in backticks, its beginning if it is long.
pub(crate) struct Shown<'a>(pub(crate) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(SHOWN_CHARS_MAX) {
            Some((end, _)) => write!(f, "`{}…`", &self.0[..end]),
            None => write!(f, "`{}`", self.0),
        }
    }
}

impl<'a> Value<'a> {
    /// Prints the value of a column of this type as a text file holds it: null as nothing, numbers plainly, timestamps
    /// and dates in their format, bytes that are no UTF-8 as `�`. Reading it back gives the same value, except for bytes,
    /// empty text (which reads as null), and years before 0 that their format does not set apart, as `%Y%m%d`.
    ///
    /// # Example
    /// ```
    /// use flow_runtime::value::{Date, Type, Value};
    /// assert_eq!(Value::Int(404).display(Type::I16).to_string(), "404");
    /// assert_eq!(Value::Date(Date::from_days(0)).display(Type::Date("%d.%m.%Y")).to_string(), "01.01.1970");
    /// assert_eq!(Value::Null.display(Type::Text).to_string(), "");
    /// ```
    #[must_use]
    pub fn display(self, ty: Type) -> DisplayValue<'a> {
        DisplayValue { value: self, ty }
    }
}

/// Prints a value; made by [`Value::display`].
#[derive(Clone, Copy, Debug)]
pub struct DisplayValue<'a> {
    value: Value<'a>,
    ty: Type,
}

impl fmt::Display for DisplayValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.value, self.ty) {
            (Value::Null, _) => Ok(()),
            (Value::Bool(value), _) => write!(f, "{value}"),
            (Value::Int(value), _) => write!(f, "{value}"),
            // The shortest text that reads back as the same f32 is shorter than that of the f64.
            (Value::Float(value), Type::F32) => write!(f, "{}", value as f32),
            (Value::Float(value), _) => write!(f, "{value}"),
            (Value::Text(value), _) => f.write_str(value),
            (Value::Bytes(value), _) => write_lossily(value, f),
            (Value::Timestamp(value), Type::Timestamp(format)) => value.write(format, f),
            (Value::Timestamp(value), _) => write!(f, "{value}"),
            (Value::Date(value), Type::Date(format)) => value.write(format, f),
            (Value::Date(value), _) => write!(f, "{value}"),
            (Value::Decimal(value), _) => write!(f, "{value}"),
        }
    }
}

fn write_lossily(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for chunk in bytes.utf8_chunks() {
        f.write_str(chunk.valid())?;
        if !chunk.invalid().is_empty() {
            f.write_char(char::REPLACEMENT_CHARACTER)?;
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
