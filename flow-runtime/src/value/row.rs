//! The encoding of rows: what group and join keys, sink rows and staged files are made of.
//!
//! A value is a tag byte (0 null, 1 present) and, if present, its little-endian bytes; text and bytes have a `u32`
//! length before them. `T` and `Option<T>` encode alike, so equal encodings mean equal keys, null equal to null.

/// A value that can be part of a row.
pub trait Encode {
    /// Appends the encoding.
    fn encode(&self, bytes: &mut Vec<u8>);
}

/// A value that can be read back from a row.
pub trait Decode<'a>: Sized {
    /// Takes the next value off `row`.
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
#[derive(Clone, Debug)]
pub struct RowReader<'a> {
    rest: &'a [u8],
}
