//! `JsonLine`, against serde_json.

use serde::de::IgnoredAny;
use serde_json::Value;

use crate::{
    flow::Record,
    scheme::{JsonName, JsonValue, read_json},
};

const fn leaf(name: &'static str, field: usize) -> JsonName {
    JsonName { name, field: Some(field), inner: &[] }
}

const NAMES: &[JsonName] = &[
    leaf("a", 0),
    JsonName {
        name: "b",
        field: Some(1),
        inner: &[leaf("c", 2), JsonName { name: "d", field: None, inner: &[leaf("é", 3)] }],
    },
];

/// How serde_json finds the same values.
const POINTERS: [&str; 4] = ["/a", "/b", "/b/c", "/b/d/é"];

/// Any record is an object where serde_json has one, with the same values.
pub(super) fn json(bytes: &[u8]) {
    let read = read_json::<4>(&Record::new(0, bytes), NAMES);
    if read.as_ref().is_err_and(|reason| reason.as_str().starts_with("nested deeper")) {
        return;
    }
    assert_eq!(read.is_ok(), is_object(bytes), "{read:?}");
    let (Ok(values), Ok(expected)) = (read, serde_json::from_slice::<Value>(bytes)) else { return };
    for (value, pointer) in values.into_iter().zip(POINTERS) {
        check(value, expected.pointer(pointer));
    }
}

fn is_object(bytes: &[u8]) -> bool {
    let is_space = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    std::str::from_utf8(bytes).is_ok()
        && bytes.iter().find(|byte| !is_space(byte)) == Some(&b'{')
        && serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

/// A value is of one kind; what serde_json has of it is the same.
fn check(found: JsonValue<'_>, expected: Option<&Value>) {
    let mut unquoted = String::from("left from the record before");
    let text = found.text(&mut unquoted).ok();
    assert_eq!(found.check_text().is_ok(), text.is_some());
    let expected = expected.unwrap_or(&Value::Null);
    match expected {
        Value::String(expected) => assert_eq!(text, Some(expected.as_str())),
        Value::Array(_) | Value::Object(_) => {
            assert_eq!(text.map(serde_json::from_str::<Value>).unwrap().unwrap(), *expected);
        }
        _ => assert_eq!(text, None),
    }
    assert_eq!(found.boolean().ok(), expected.as_bool());
    // serde_json makes a float of `-0`, and of whole numbers beyond 64 bits.
    if let Some(number) = expected.as_i64() {
        assert_eq!(found.number::<i64>(()), Ok(number));
    }
    assert_eq!(found.number::<f64>(()).is_ok(), expected.is_number());
}
