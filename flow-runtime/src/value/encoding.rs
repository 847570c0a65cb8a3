//! The encoding of values: what group and join keys, sink rows and staged files are made of.
//!
//! A value is a tag byte (0 null, 1 present) and, if present, its little-endian bytes; text and bytes have their length
//! before them: one byte below 255, else 255 and eight bytes. `T` and `Option<T>` encode alike, so equal encodings mean
//! equal keys, null equal to null. Nothing separates values or rows: who reads knows the types.
//!
//! Damaged bytes decode to *some* values and never panic; that they are damaged is found by the hash of a staged file.

use std::borrow::Cow;

use super::{Date, Decimal, RowReader, Timestamp};

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

/// Takes a tag.
#[inline]
fn is_present(row: &mut RowReader<'_>) -> bool {
    row.take() != [NULL]
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
                if is_present(row) { Self::from_le_bytes(row.take()) } else { Self::default() }
            }
        }
    )*};
}

// No field has 128 bits, but the sum of a group has.
numbers!(i16 i32 i64 i128 f32 f64);

impl Encode for bool {
    #[inline]
    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&[PRESENT, u8::from(*self)]);
    }
}

impl Decode<'_> for bool {
    #[inline]
    fn decode(row: &mut RowReader<'_>) -> Self {
        is_present(row) && row.take() != [0]
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
        if !is_present(row) {
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
        if !is_present(row) {
            return &[];
        }
        let len = match row.take() {
            [LONG] => usize::try_from(u64::from_le_bytes(row.take())).unwrap_or(usize::MAX),
            [short] => usize::from(short),
        };
        row.take_slice(len)
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
        match row.first() {
            None => None,
            Some(NULL) => {
                row.take::<1>();
                None
            }
            Some(_) => Some(T::decode(row)),
        }
    }
}

#[cfg(test)]
#[path = "encoding_tests.rs"]
mod tests;
