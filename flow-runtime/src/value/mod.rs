//! The types of fields: what expressions see, how text becomes a value, how rows are encoded.
//!
//! One file a type that is not Rust's own; `text.rs` parses and prints, `encoding.rs` encodes, `row.rs` holds and reads
//! what is encoded.

mod date;
mod decimal;
mod encoding;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod row;
mod text;
mod timestamp;

use std::{cmp::Ordering, fmt};

pub use date::Date;
pub use decimal::Decimal;
pub use encoding::{Decode, Encode};
pub use row::{RowBuffer, RowReader, compare_rows};
pub(crate) use text::Shown;
pub use text::{DisplayValue, FromText, optional, required};
pub use timestamp::Timestamp;

/// The type of a field, without its nullability; prints itself as the user writes it.
///
/// # Example
/// ```
/// use flow_runtime::value::Type;
/// assert_eq!(Type::Text.to_string(), "&str");
/// assert_eq!(Type::Date("%Y-%m-%d").to_string(), r#"Date("%Y-%m-%d")"#);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// `bool`.
    Bool,
    /// `i16`.
    I16,
    /// `i32`.
    I32,
    /// `i64`.
    I64,
    /// `f32`.
    F32,
    /// `f64`.
    F64,
    /// `&str`.
    Text,
    /// `&[u8]`.
    Bytes,
    /// `Timestamp("…")`: the format that text is read and written with.
    Timestamp(&'static str),
    /// `Date("…")`: the format that text is read and written with.
    Date(&'static str),
    /// `Decimal(precision, scale)`.
    Decimal(u8, u8),
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("bool"),
            Self::I16 => f.write_str("i16"),
            Self::I32 => f.write_str("i32"),
            Self::I64 => f.write_str("i64"),
            Self::F32 => f.write_str("f32"),
            Self::F64 => f.write_str("f64"),
            Self::Text => f.write_str("&str"),
            Self::Bytes => f.write_str("&[u8]"),
            Self::Timestamp(format) => write!(f, "Timestamp({format:?})"),
            Self::Date(format) => write!(f, "Date({format:?})"),
            Self::Decimal(precision, scale) => write!(f, "Decimal({precision}, {scale})"),
        }
    }
}

/// One value of a row, borrowed from its encoding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// Null.
    Null,
    /// A `bool`.
    Bool(bool),
    /// An `i16`, `i32` or `i64`.
    Int(i64),
    /// An `f32` or `f64`.
    Float(f64),
    /// A `&str`.
    Text(&'a str),
    /// A `&[u8]`.
    Bytes(&'a [u8]),
    /// A `Timestamp`.
    Timestamp(Timestamp),
    /// A `Date`.
    Date(Date),
    /// A `Decimal`.
    Decimal(Decimal),
}

impl Value<'_> {
    /// The order of two values of one type: null first, text by its bytes, floats by [`f64::total_cmp`].
    #[must_use]
    pub fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Null, Self::Null) => Ordering::Equal,
            (Self::Null, _) => Ordering::Less,
            (_, Self::Null) => Ordering::Greater,
            (Self::Bool(a), Self::Bool(b)) => a.cmp(&b),
            (Self::Int(a), Self::Int(b)) => a.cmp(&b),
            (Self::Float(a), Self::Float(b)) => a.total_cmp(&b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Bytes(a), Self::Bytes(b)) => a.cmp(b),
            (Self::Timestamp(a), Self::Timestamp(b)) => a.cmp(&b),
            (Self::Date(a), Self::Date(b)) => a.cmp(&b),
            (Self::Decimal(a), Self::Decimal(b)) => a.cmp(&b),
            // Values of one column are of one type.
            _ => Ordering::Equal,
        }
    }
}

/// Makes `Into<Value>` of the types that are values.
macro_rules! into_value {
    ($($from:ty => $variant:ident,)*) => {$(
        impl<'a> From<$from> for Value<'a> {
            fn from(value: $from) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}

into_value! {
    bool => Bool,
    i16 => Int,
    i32 => Int,
    i64 => Int,
    f32 => Float,
    f64 => Float,
    &'a str => Text,
    &'a [u8] => Bytes,
    Timestamp => Timestamp,
    Date => Date,
    Decimal => Decimal,
}
