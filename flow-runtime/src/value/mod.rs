//! The types of fields: what expressions see, how text becomes a value, how rows are encoded.
//!
//! One file a type that is not Rust's own; `text.rs` parses and prints, `row.rs` encodes.

mod row;

pub use row::{Decode, Encode, RowBuffer, RowReader};

/// The type of a field, without its nullability.
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
}
