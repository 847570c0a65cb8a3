//! The encoding of rows: what group and join keys, sink rows and staged files are made of.
//!
//! A value is a tag byte (0 null, 1 present) and, if present, its little-endian bytes; text and bytes have their length
//! before them: one byte below 255, else 255 and eight bytes. `T` and `Option<T>` encode alike, so equal encodings mean
//! equal keys, null equal to null. Nothing separates values or rows: who reads knows the types.
//!
//! Damaged bytes decode to *some* values and never panic; that they are damaged is found by the hash of a staged file.

use std::{borrow::Cow, cmp::Ordering};

use super::{Date, Decimal, Timestamp, Type, Value};

const NULL: u8 = 0;
const PRESENT: u8 = 1;

/// What stands for the length of text of 255 bytes and more.
const LONG: u8 = u8::MAX;

/// A value that can be part of a row.
pub trait Encode {
    /// Appends the encoding.
    fn encode(&self, bytes: &mut Vec<u8>);
}

/// A value that can be read back from a row.
pub trait Decode<'a>: Sized {
    /// Takes the next value off `row`: the type's default where that is null, or at the end.
    fn decode(row: &mut RowReader<'a>) -> Self;
}

/// Rows, one after the other, in one allocation.
#[derive(Debug, Default)]
pub struct RowBuffer {
    bytes: Vec<u8>,
    rows: u64,
}

impl RowBuffer {
    /// Where to encode the next row's values.
    #[inline]
    pub fn row(&mut self) -> &mut Vec<u8> {
        self.rows += 1;
        &mut self.bytes
    }

    /// The encoded rows.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Forgets the rows and keeps the allocation.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.rows = 0;
    }
}

/// Reads encoded values in order.
///
/// # Example
/// ```
/// use flow_runtime::value::{Decode, Encode, RowReader, Type, Value};
/// let mut row = Vec::new();
/// "1.2.3.4".encode(&mut row);
/// None::<i64>.encode(&mut row);
///
/// let mut values = RowReader::new(&row);
/// assert_eq!(values.value(Type::Text), Value::Text("1.2.3.4"));
/// assert_eq!(Option::<i64>::decode(&mut values), None);
/// assert!(values.is_empty());
/// ```
#[derive(Clone, Debug)]
pub struct RowReader<'a> {
    rest: &'a [u8],
}

impl<'a> RowReader<'a> {
    /// Reads these values; one row, or many.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether everything has been read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// What has not been read.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Takes the next value.
    pub fn value(&mut self, ty: Type) -> Value<'a> {
        match ty {
            Type::Bool => self.value_of::<bool>(),
            Type::I16 => self.value_of::<i16>(),
            Type::I32 => self.value_of::<i32>(),
            Type::I64 => self.value_of::<i64>(),
            Type::F32 => self.value_of::<f32>(),
            Type::F64 => self.value_of::<f64>(),
            Type::Text => self.value_of::<&str>(),
            Type::Bytes => self.value_of::<&[u8]>(),
            Type::Timestamp(_) => self.value_of::<Timestamp>(),
            Type::Date(_) => self.value_of::<Date>(),
            Type::Decimal(..) => self.value_of::<Decimal>(),
        }
    }

    /// Takes the next values, one of each type, and returns their encoding: a row, or a row's key.
    pub fn encoded(&mut self, types: impl IntoIterator<Item = Type>) -> &'a [u8] {
        let before = self.rest;
        for ty in types {
            self.value(ty);
        }
        before.get(..before.len() - self.rest.len()).unwrap_or_default()
    }

    fn value_of<T: Decode<'a> + Into<Value<'a>>>(&mut self) -> Value<'a> {
        Option::<T>::decode(self).map_or(Value::Null, T::into)
    }

    /// Takes a tag.
    #[inline]
    fn is_present(&mut self) -> bool {
        let [tag] = self.take();
        tag != NULL
    }

    #[inline]
    fn take<const N: usize>(&mut self) -> [u8; N] {
        match self.rest.split_first_chunk() {
            Some((taken, rest)) => {
                self.rest = rest;
                *taken
            }
            None => {
                self.rest = &[];
                [0; N]
            }
        }
    }

    #[inline]
    fn take_slice(&mut self) -> &'a [u8] {
        let len = match self.take() {
            [LONG] => usize::try_from(u64::from_le_bytes(self.take())).unwrap_or(usize::MAX),
            [short] => usize::from(short),
        };
        let (taken, rest) = self.rest.split_at_checked(len).unwrap_or_default();
        self.rest = rest;
        taken
    }
}

/// The order of two rows or keys of these types: value by value, each as [`Value::compare`] has it.
#[must_use]
pub fn compare_rows(types: &[Type], a: &[u8], b: &[u8]) -> Ordering {
    let (mut a, mut b) = (RowReader::new(a), RowReader::new(b));
    types.iter().map(|&ty| a.value(ty).compare(b.value(ty))).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// Encodes and decodes numbers by their little-endian bytes.
macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl Encode for $number {
            #[inline]
            fn encode(&self, bytes: &mut Vec<u8>) {
                bytes.push(PRESENT);
                bytes.extend_from_slice(&self.to_le_bytes());
            }
        }

        impl Decode<'_> for $number {
            #[inline]
            fn decode(row: &mut RowReader<'_>) -> Self {
                if row.is_present() { Self::from_le_bytes(row.take()) } else { Self::default() }
            }
        }
    )*};
}

numbers!(i16 i32 i64 f32 f64);

impl Encode for bool {
    #[inline]
    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&[PRESENT, u8::from(*self)]);
    }
}

impl Decode<'_> for bool {
    #[inline]
    fn decode(row: &mut RowReader<'_>) -> Self {
        row.is_present() && row.take() != [0]
    }
}

impl Encode for Timestamp {
    #[inline]
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.microseconds().encode(bytes);
    }
}

impl Decode<'_> for Timestamp {
    #[inline]
    fn decode(row: &mut RowReader<'_>) -> Self {
        Self::from_microseconds(i64::decode(row))
    }
}

impl Encode for Date {
    #[inline]
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.days().encode(bytes);
    }
}

impl Decode<'_> for Date {
    #[inline]
    fn decode(row: &mut RowReader<'_>) -> Self {
        Self::from_days(i32::decode(row))
    }
}

impl Encode for Decimal {
    #[inline]
    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&[PRESENT, self.scale()]);
        bytes.extend_from_slice(&self.units().to_le_bytes());
    }
}

impl Decode<'_> for Decimal {
    #[inline]
    fn decode(row: &mut RowReader<'_>) -> Self {
        if !row.is_present() {
            return Self::default();
        }
        let [scale] = row.take();
        Self::new(i128::from_le_bytes(row.take()), scale)
    }
}

impl Encode for [u8] {
    #[inline]
    fn encode(&self, bytes: &mut Vec<u8>) {
        match u8::try_from(self.len()) {
            Ok(short) if short != LONG => bytes.extend_from_slice(&[PRESENT, short]),
            _ => {
                bytes.extend_from_slice(&[PRESENT, LONG]);
                bytes.extend_from_slice(&(self.len() as u64).to_le_bytes());
            }
        }
        bytes.extend_from_slice(self);
    }
}

impl Encode for str {
    #[inline]
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.as_bytes().encode(bytes);
    }
}

impl<'a> Decode<'a> for &'a [u8] {
    #[inline]
    fn decode(row: &mut RowReader<'a>) -> Self {
        if row.is_present() { row.take_slice() } else { &[] }
    }
}

impl<'a> Decode<'a> for &'a str {
    #[inline]
    fn decode(row: &mut RowReader<'a>) -> Self {
        std::str::from_utf8(<&[u8]>::decode(row)).unwrap_or_default()
    }
}

impl<T: Encode + ?Sized> Encode for &T {
    #[inline]
    fn encode(&self, bytes: &mut Vec<u8>) {
        (**self).encode(bytes);
    }
}

impl<T: Encode + ToOwned + ?Sized> Encode for Cow<'_, T> {
    #[inline]
    fn encode(&self, bytes: &mut Vec<u8>) {
        (**self).encode(bytes);
    }
}

impl<'a, T: ToOwned + ?Sized> Decode<'a> for Cow<'a, T>
where
    &'a T: Decode<'a>,
{
    #[inline]
    fn decode(row: &mut RowReader<'a>) -> Self {
        Self::Borrowed(<&T>::decode(row))
    }
}

impl<T: Encode> Encode for Option<T> {
    #[inline]
    fn encode(&self, bytes: &mut Vec<u8>) {
        match self {
            Some(value) => value.encode(bytes),
            None => bytes.push(NULL),
        }
    }
}

impl<'a, T: Decode<'a>> Decode<'a> for Option<T> {
    #[inline]
    fn decode(row: &mut RowReader<'a>) -> Self {
        match row.rest.split_first() {
            None => None,
            Some((&NULL, rest)) => {
                row.rest = rest;
                None
            }
            Some(_) => Some(T::decode(row)),
        }
    }
}

#[cfg(test)]
#[path = "row_tests.rs"]
mod tests;
