//! Rows: values encoded one after the other, as `encoding.rs` has it.

use std::cmp::Ordering;

use super::{Date, Decimal, Decode, Timestamp, Type, Value};

/// Rows, one after the other, in one allocation.
#[derive(Debug, Default)]
pub struct RowBuffer {
    bytes: Vec<u8>,
    rows: u64,
    /// Where the last row begins.
    last: usize,
}

impl RowBuffer {
    /// Where to encode the next row's values.
    #[inline]
    pub fn row(&mut self) -> &mut Vec<u8> {
        self.rows += 1;
        self.last = self.bytes.len();
        &mut self.bytes
    }

    /// The last row, as it was encoded; nothing where there is none.
    #[must_use]
    pub fn last_row(&self) -> &[u8] {
        self.bytes.get(self.last..).unwrap_or_default()
    }

    /// Takes the last row away, once.
    pub fn take_back(&mut self) {
        if self.last < self.bytes.len() {
            self.bytes.truncate(self.last);
            self.rows -= 1;
        }
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
        self.last = 0;
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

    /// Takes the next value; text as bytes, for whoever has no need to see that it is text.
    pub(crate) fn unchecked(&mut self, ty: Type) -> Value<'a> {
        self.value(if ty == Type::Text { Type::Bytes } else { ty })
    }

    /// Takes the next values, one of each type, and returns their encoding: a row, or a row's key.
    pub fn encoded(&mut self, types: impl IntoIterator<Item = Type>) -> &'a [u8] {
        let before = self.rest;
        for ty in types {
            self.unchecked(ty);
        }
        before.get(..before.len() - self.rest.len()).unwrap_or_default()
    }

    fn value_of<T: Decode<'a> + Into<Value<'a>>>(&mut self) -> Value<'a> {
        Option::<T>::decode(self).map_or(Value::Null, T::into)
    }

    /// The first byte of what is left; it is not taken.
    #[inline]
    pub(super) fn first(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Takes so many bytes: zeros, and everything that is left, if there are fewer.
    #[inline]
    pub(super) fn take<const N: usize>(&mut self) -> [u8; N] {
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

    /// Takes so many bytes: none, and everything that is left, if there are fewer.
    #[inline]
    pub(super) fn take_slice(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at_checked(len).unwrap_or_default();
        self.rest = rest;
        taken
    }
}

/// The order of two rows or keys of these types: value by value, each as [`Value::compare`] has it.
#[must_use]
pub fn compare_rows(types: &[Type], a: &[u8], b: &[u8]) -> Ordering {
    let (mut a, mut b) = (RowReader::new(a), RowReader::new(b));
    // Text is ordered by its bytes.
    let mut orders = types.iter().map(|&ty| a.unchecked(ty).compare(b.unchecked(ty)));
    orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}
