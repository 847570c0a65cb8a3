//! `JsonLine`: a record is one JSON object, whose values are found by name.
//!
//! All of the record is read, whatever of it is asked for: malformed JSON is refused as a whole. Of a name that an object
//! has twice the last value counts. What is not there is null, and so is everything inside of null. A value of another
//! kind than the field's type is refused, never converted: `"5"` is no number, and an empty text is not null.
//!
//! What a value is as a field stands in `value.rs`, how the record is walked in `walk.rs`, what `\n` and `\u00e9` mean in
//! `escapes.rs`.

mod escapes;
mod value;
mod walk;

pub use value::JsonValue;

use crate::flow::{Reason, Record};

/// A name in an object, and what is wanted of its value; generated code has a list of them as a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonName {
    /// The name, without quotes and escapes.
    pub name: &'static str,
    /// Which of the port's fields takes the value.
    pub field: Option<usize>,
    /// What is wanted of the names in the value, if it is an object.
    pub inner: &'static [JsonName],
}

/// Finds the values of a record's `N` fields; those that are not there are null.
///
/// # Errors
/// Why the record is no JSON object.
///
/// # Example
/// ```
/// use flow_runtime::{flow::Record, scheme::{JsonName, read_json}};
/// const NAMES: &[JsonName] = &[
///     JsonName { name: "user", field: None, inner: &[JsonName { name: "id", field: Some(0), inner: &[] }] },
///     JsonName { name: "site", field: Some(1), inner: &[] },
/// ];
/// let record = Record::new(0, br#"{"site": "a\tb", "user": {"id": 17, "name": "x"}}"#);
/// let [id, site] = read_json(&record, NAMES).unwrap();
/// assert_eq!(id.number::<i64>(()), Ok(17));
/// assert_eq!(site.text(&mut String::new()), Ok("a\tb"));
/// ```
#[inline]
pub fn read_json<'r, const N: usize>(
    record: &Record<'r>,
    names: &'static [JsonName],
) -> Result<[JsonValue<'r>; N], Reason> {
    let mut values = [JsonValue::MISSING; N];
    walk::record(record.text()?, names, &mut values)?;
    Ok(values)
}

#[cfg(test)]
mod tests;
