//! What merging does to two rows of equal key, the same for every tap: fields that say `add` are added, others replaced.

use crate::{
    flow::Reason,
    value::{Encode, Type, Value},
};

/// Adds what a row brings to what is there; null adds nothing.
///
/// # Errors
/// A sum that is too large, and values that cannot be added.
pub(super) fn add<'a>(there: Value<'a>, new: Value<'a>) -> Result<Value<'a>, Reason> {
    let sum = match (there, new) {
        (Value::Null, value) | (value, Value::Null) => Some(value),
        (Value::Int(a), Value::Int(b)) => a.checked_add(b).map(Value::Int),
        (Value::Float(a), Value::Float(b)) => Some(Value::Float(a + b)),
        (Value::Decimal(a), Value::Decimal(b)) => a.checked_add(b).map(Value::Decimal),
        _ => return Err(Reason::new("what is there cannot be added to")),
    };
    sum.ok_or_else(|| Reason::new("the sum of what is there and what comes is too large"))
}

/// Encodes a value as one of this type.
///
/// # Errors
/// A number that the type cannot hold.
pub(super) fn encode(value: Value<'_>, ty: Type, row: &mut Vec<u8>) -> Result<(), Reason> {
    let too_large = |_| Reason::new(format!("the sum is too large for an {ty}"));
    match (value, ty) {
        (Value::Null, _) => None::<bool>.encode(row),
        (Value::Bool(value), _) => value.encode(row),
        (Value::Int(value), Type::I16) => i16::try_from(value).map_err(too_large)?.encode(row),
        (Value::Int(value), Type::I32) => i32::try_from(value).map_err(too_large)?.encode(row),
        (Value::Int(value), _) => value.encode(row),
        (Value::Float(value), Type::F32) => (value as f32).encode(row),
        (Value::Float(value), _) => value.encode(row),
        (Value::Text(value), _) => value.encode(row),
        (Value::Bytes(value), _) => value.encode(row),
        (Value::Timestamp(value), _) => value.encode(row),
        (Value::Date(value), _) => value.encode(row),
        (Value::Decimal(value), _) => value.encode(row),
    }
    Ok(())
}
