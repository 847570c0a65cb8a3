//! Choices made by the bytes of a fuzz target: numbers, texts and values, taken off one after the other.

use crate::value::{Date, Decimal, Encode as _, Timestamp, Type, Value};

/// What is left of the bytes; at their end everything is zero, the first of its kind, empty or null.
#[derive(Debug)]
pub(crate) struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let [byte] = self.bytes();
        byte
    }

    pub(crate) fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// One of `choices`.
    pub(crate) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.byte()) % choices.len()]
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        let (taken, rest) = self.rest.split_at(self.rest.len().min(N));
        bytes[..taken.len()].copy_from_slice(taken);
        self.rest = rest;
        bytes
    }

    /// As many bytes as the next one says.
    pub(crate) fn slice(&mut self) -> &'a [u8] {
        let len = usize::from(self.byte()).min(self.rest.len());
        let (taken, rest) = self.rest.split_at(len);
        self.rest = rest;
        taken
    }

    /// A value of the type, or null.
    pub(crate) fn value(&mut self, ty: Type) -> Value<'a> {
        if self.byte() % 8 == 7 {
            return Value::Null;
        }
        match ty {
            Type::Bool => Value::Bool(self.flag()),
            Type::I16 => Value::Int(i16::from_le_bytes(self.bytes()).into()),
            Type::I32 => Value::Int(i32::from_le_bytes(self.bytes()).into()),
            Type::I64 => Value::Int(i64::from_le_bytes(self.bytes())),
            Type::F32 => Value::Float(f32::from_le_bytes(self.bytes()).into()),
            Type::F64 => Value::Float(f64::from_le_bytes(self.bytes())),
            Type::Text => Value::Text(valid(self.slice())),
            Type::Bytes => Value::Bytes(self.slice()),
            Type::Timestamp(_) => Value::Timestamp(Timestamp::from_microseconds(i64::from_le_bytes(self.bytes()))),
            Type::Date(_) => Value::Date(Date::from_days(i32::from_le_bytes(self.bytes()))),
            Type::Decimal(precision, scale) => {
                let limit = 10_i128.pow(precision.into());
                Value::Decimal(Decimal::new(i128::from_le_bytes(self.bytes()) % limit, scale))
            }
        }
    }
}

/// The bytes up to the first that is not UTF-8.
fn valid(bytes: &[u8]) -> &str {
    bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid())
}

/// Appends the encoding of a value of a column of this type.
pub(crate) fn encode(value: Value<'_>, ty: Type, row: &mut Vec<u8>) {
    match (value, ty) {
        (Value::Null, _) => None::<bool>.encode(row),
        (Value::Bool(value), _) => value.encode(row),
        (Value::Int(value), Type::I16) => (value as i16).encode(row),
        (Value::Int(value), Type::I32) => (value as i32).encode(row),
        (Value::Int(value), _) => value.encode(row),
        (Value::Float(value), Type::F32) => (value as f32).encode(row),
        (Value::Float(value), _) => value.encode(row),
        (Value::Text(value), _) => value.encode(row),
        (Value::Bytes(value), _) => value.encode(row),
        (Value::Timestamp(value), _) => value.encode(row),
        (Value::Date(value), _) => value.encode(row),
        (Value::Decimal(value), _) => value.encode(row),
    }
}
