//! Values come out as serde_json has them, and what it refuses is refused.

use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::{JsonName, JsonValue, read_json, value::Kind};
use crate::{
    flow::{Reason, Record},
    value::{Date, Decimal, Timestamp},
};

const fn leaf(name: &'static str, field: usize) -> JsonName {
    JsonName { name, field: Some(field), inner: &[] }
}

/// `a`, `b` as a whole, `b.c`, `b.d.e`, `größe`
const NAMES: &[JsonName] = &[
    leaf("a", 0),
    JsonName {
        name: "b",
        field: Some(1),
        inner: &[leaf("c", 2), JsonName { name: "d", field: None, inner: &[leaf("e", 3)] }],
    },
    leaf("größe", 4),
];

/// How serde_json finds the same values.
const POINTERS: [&str; 5] = ["/a", "/b", "/b/c", "/b/d/e", "/größe"];

fn read(record: &str) -> Result<[JsonValue<'_>; 5], Reason> {
    read_json(&Record::new(0, record.as_bytes()), NAMES)
}

fn a(record: &str) -> JsonValue<'_> {
    read(record).unwrap()[0]
}

fn text(value: JsonValue<'_>) -> Result<String, String> {
    let mut unquoted = String::from("left from the record before");
    let text = value.required().and_then(|value| value.text(&mut unquoted).map(str::to_owned));
    text.map_err(|reason| reason.to_string())
}

fn refusal(record: &[u8]) -> String {
    read_json::<5>(&Record::new(0, record), NAMES).unwrap_err().to_string()
}

#[test]
fn values_are_found_by_name_wherever_they_stand() {
    let [a, b, c, e, size] =
        read(r#" { "x": [1, {"a": 2}], "b" : {"d":{"e":-1.5e3},"c":true }, "gr\u00f6\u00DFe":"L","a":7} "#).unwrap();
    assert_eq!(a.number::<i16>(()), Ok(7));
    assert_eq!(text(b).unwrap(), r#"{"d":{"e":-1.5e3},"c":true }"#);
    assert_eq!(c.boolean(), Ok(true));
    assert_eq!(e.number::<f64>(()), Ok(-1500.0));
    assert_eq!(text(size).unwrap(), "L");
}

#[test]
fn what_is_missing_and_what_lies_in_null_is_null() {
    for record in ["{}", r#"{"b": null}"#, r#"{"b": {"d": null, "c": null}}"#, r#"{"x": {"a": 1}}"#] {
        let [a, _, c, e, size] = read(record).unwrap();
        assert_eq!([a, c, e, size].map(JsonValue::optional), [None; 4], "{record}");
    }
    assert_eq!(text(a("{}")).unwrap_err(), "missing, but required");
    assert_eq!(text(a(r#"{"a": null}"#)).unwrap_err(), "null, but required");
}

#[test]
fn of_a_name_twice_in_an_object_the_last_value_counts_with_all_that_is_in_it() {
    assert_eq!(a(r#"{"a": 1, "a": 2}"#).number::<i64>(()), Ok(2));
    assert_eq!(a(r#"{"a": 1, "\u0061": null}"#).optional(), None);
    let [_, _, c, e, _] = read(r#"{"b": {"c": 1, "d": {"e": 2}}, "b": {"d": {"e": 3}}}"#).unwrap();
    assert_eq!((c.optional(), e.number::<i64>(())), (None, Ok(3)));
    let [_, _, _, e, _] = read(r#"{"b": 5, "b": {"d": {"e": 3}}}"#).unwrap();
    assert_eq!(e.number::<i64>(()), Ok(3));
}

#[test]
fn a_path_through_what_is_no_object_is_refused_not_null() {
    let [_, _, c, e, _] = read(r#"{"b": [1]}"#).unwrap();
    assert_eq!(c.number::<i64>(()).unwrap_err().as_str(), "`b` is an array, not an object");
    assert!(e.optional().is_some());
    let [_, _, c, e, _] = read(r#"{"b": {"c": 1, "d": "x"}}"#).unwrap();
    assert_eq!(e.boolean().unwrap_err().as_str(), "`d` is a string, not an object");
    assert_eq!(c.number::<i64>(()), Ok(1));
}

#[test]
fn a_value_of_another_kind_is_refused_and_never_converted() {
    let number = |record| a(record).number::<i64>(()).unwrap_err().to_string();
    assert_eq!(number(r#"{"a": "5"}"#), "`5` is a string, not a number");
    assert_eq!(number(r#"{"a": true}"#), "`true` is not a number");
    assert_eq!(number(r#"{"a": 5.0}"#), "`5.0` is not an i64");
    assert_eq!(number(r#"{"a": 9223372036854775808}"#), "`9223372036854775808` does not fit an i64");
    assert_eq!(a(r#"{"a": 1e999}"#).number::<f64>(()).unwrap_err().as_str(), "`1e999` does not fit an f64");
    assert_eq!(a(r#"{"a": 40000}"#).number::<i16>(()).unwrap_err().as_str(), "`40000` does not fit an i16");
    assert_eq!(
        a(r#"{"a": 1.005}"#).number::<Decimal>((5, 2)).unwrap_err().as_str(),
        "`1.005` does not fit a Decimal(5, 2)"
    );
    assert_eq!(a(r#"{"a": "true"}"#).boolean().unwrap_err().as_str(), "`true` is a string, not true or false");
    assert_eq!(text(a(r#"{"a": 5}"#)).unwrap_err(), "`5` is a number, not text");
    assert_eq!(text(a(r#"{"a": false}"#)).unwrap_err(), "`false` is not text");
}

#[test]
fn an_empty_string_is_text_and_an_object_or_an_array_is_its_json() {
    assert_eq!(text(a(r#"{"a": ""}"#)).unwrap(), "");
    assert_eq!(text(a(r#"{"a": [1, "\n" ] }"#)).unwrap(), r#"[1, "\n" ]"#);
}

#[test]
fn times_are_strings_or_numbers_in_their_format() {
    let mut unquoted = String::new();
    let day = |record| a(record).time::<Date>("%d/%m/%Y", &mut String::new()).map(|day| day.to_string());
    assert_eq!(day(r#"{"a": "22\/11\/2026"}"#).unwrap(), "2026-11-22");
    assert_eq!(day(r#"{"a": ""}"#).unwrap_err().as_str(), "an empty string is not null, and no time");
    assert_eq!(day(r#"{"a": {}}"#).unwrap_err().as_str(), "`{}` is an object, not a string or a number");
    let second = a(r#"{"a": 1700000000}"#).time::<Timestamp>("%s", &mut unquoted).unwrap();
    assert_eq!(second.to_string(), "2023-11-14T22:13:20Z");
}

#[test]
fn strings_without_escapes_are_borrowed_from_the_record() {
    let record = r#"{"a": "plain", "b": "with \"quotes\" and \ud83d\ude00"}"#;
    let [a, b, ..] = read(record).unwrap();
    let (mut one, mut other) = (String::new(), String::new());
    assert!(record.as_bytes().as_ptr_range().contains(&a.text(&mut one).unwrap().as_ptr()));
    assert_eq!(b.text(&mut other).unwrap(), "with \"quotes\" and 😀");
    assert!(one.is_empty() && !other.is_empty());
}

#[test]
fn half_of_an_escaped_character_is_refused_where_it_is_text_and_nowhere_else() {
    for half in [r"\ud83d", r"x\ude00", r"\ud83d\u0041", r"\ud83dude00", r"\ud83d\ud83d"] {
        let record = format!(r#"{{"a": "{half}", "x": "{half}", "{half}": 1}}"#);
        let reason = text(a(&record)).unwrap_err();
        assert!(reason.ends_with("is half of a character, and its other half is not there"), "{reason}");
        assert_eq!(a(&record).check_text().unwrap_err().to_string(), reason);
    }
}

#[test]
fn what_is_no_json_object_is_refused_with_its_place() {
    let reasons = [
        (&b""[..], "empty, not a JSON object"),
        (b"  ", "empty, not a JSON object"),
        (b"[1]", "the record is an array, not a JSON object"),
        (b"17", "the record is a number, not a JSON object"),
        (b"no json", "malformed JSON at byte 0 of the record: expected a value"),
        (b"{} {}", "text after the JSON object, at byte 3 of the record"),
        (b"{\"a\": 1", "malformed JSON: the record ends where `,` or `}` is expected"),
        (b"{\"a\": 1,}", "malformed JSON at byte 8 of the record: expected a name in quotes"),
        (b"{\"a\" 1}", "malformed JSON at byte 5 of the record: expected `:`"),
        (b"{\"a\": nul}", "malformed JSON at byte 6 of the record: expected a value"),
        (b"{\"a\": NaN}", "malformed JSON at byte 6 of the record: expected a value"),
        (b"{\"x\": [1 2]}", "malformed JSON at byte 9 of the record: expected `,` or `]`"),
        (b"{\"x\": 01}", "malformed JSON at byte 7 of the record: expected `,` or `}`"),
        (b"{\"x\": 1.}", "malformed JSON at byte 8 of the record: expected a digit"),
        (b"{\"x\": \"\\x\"}", "malformed JSON at byte 7 of the record: expected an escape"),
        (b"{\"x\": \"a\tb\"}", "malformed JSON at byte 8 of the record: expected no control character in a string"),
        (b"{\"x\": \"a", "malformed JSON: the record ends where the closing quote of a string is expected"),
        (b"{\"x\": \"\xff\"}", "not UTF-8 at byte 7 of the record"),
    ];
    for (record, reason) in reasons {
        assert_eq!(refusal(record), reason, "{}", record.escape_ascii());
    }
}

#[test]
fn nesting_ends_before_the_stack_does() {
    let nested = |depth: usize| format!("{{\"x\": {}{}}}", "[".repeat(depth), "]".repeat(depth));
    assert!(read(&nested(127)).is_ok());
    assert_eq!(refusal(nested(128).as_bytes()), "nested deeper than 128, at byte 133 of the record");
    assert!(refusal("{\"x\":".repeat(100_000).as_bytes()).starts_with("nested deeper than 128"));
    // What was closed does not count.
    assert!(read(&format!("{{\"x\": [{}0]}}", "[],{},[0],{\"y\":0},".repeat(200))).is_ok());
}

/// Any JSON, its names mostly those that are asked for.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        // Few digits: of more, serde_json reads its own as a neighbour.
        any::<i32>().prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        ".{0,6}".prop_map(Value::from),
        r#"["\\/\n\t\u{8}\u{c}\u{1}é😀a]{0,6}"#.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        let name = prop_oneof![4 => "[abcdex]", 1 => Just("größe".to_owned()), 1 => ".{0,3}"];
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            4 => prop::collection::btree_map(name, inner, 0..5).prop_map(|map| map.into_iter().collect::<Value>()),
        ]
    })
}

/// As other programs would write it: with spaces, with everything escaped that is not ASCII.
fn written(value: &Value, is_spaced: bool, is_escaped: bool) -> String {
    let text = if is_spaced { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) }.unwrap();
    let escape = |letter: char| match letter.is_ascii() {
        true => letter.to_string(),
        false => letter.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
    };
    if is_escaped { text.chars().map(escape).collect() } else { text }
}

/// What serde_json says of a value, as a field of a kind that fits it.
fn assert_same(found: JsonValue<'_>, expected: Option<&Value>) {
    match expected {
        None => assert!(matches!(found.kind, Kind::Missing | Kind::Outside(..))),
        Some(Value::Null) => assert_eq!(found.optional(), None),
        Some(Value::Bool(value)) => assert_eq!(found.boolean(), Ok(*value)),
        Some(Value::Number(number)) => match number.as_i64() {
            Some(value) => assert_eq!(found.number::<i64>(()), Ok(value)),
            None => assert_eq!(found.number::<f64>(()).ok(), number.as_f64()),
        },
        Some(Value::String(value)) => assert_eq!(&text(found).unwrap(), value),
        Some(value) => assert_eq!(&serde_json::from_str::<Value>(&text(found).unwrap()).unwrap(), value),
    }
}

proptest! {
    #[test]
    fn what_serde_json_writes_is_read(record in any_json(), is_spaced: bool, is_escaped: bool) {
        let record = if record.is_object() { record } else { json!({ "a": record }) };
        let line = written(&record, is_spaced, is_escaped);
        for (value, pointer) in read(&line).unwrap().into_iter().zip(POINTERS) {
            assert_same(value, record.pointer(pointer));
        }
    }

    #[test]
    fn what_serde_json_refuses_is_refused(parts in prop::collection::vec(
        prop_oneof![
            r#"[{}\[\]:,"\\ \n0-9eE.+\-]"#,
            prop::sample::select(vec!["true", "null", "\"a\"", "\"a\":", "{\"x\":", "-0", "1.5e3", "\\u00e9", "\\ud83d"])
                .prop_map(str::to_owned),
        ],
        0..12,
    )) {
        for line in [parts.concat(), format!("{{\"x\":{}}}", parts.concat())] {
            let is_json = line.trim_start_matches([' ', '\n', '\t', '\r']).starts_with('{')
                && serde_json::from_str::<IgnoredAny>(&line).is_ok();
            prop_assert_eq!(read(&line).is_ok(), is_json, "{}", line);
        }
    }

    #[test]
    fn reading_a_string_fails_as_checking_it_does(parts in prop::collection::vec(
        prop::sample::select(vec!["\\u00e9", "\\ud83d", "\\ude00", "\\uD83D\\uDE00", "\\\\", "\\\"", "a", "é"]), 0..6,
    )) {
        let record = format!("{{\"a\":\"{}\"}}", parts.concat());
        let expected = serde_json::from_str::<Value>(&record).ok().and_then(|value| Some(value["a"].as_str()?.to_owned()));
        let value = a(&record);
        prop_assert_eq!(text(value).ok(), expected.clone());
        prop_assert_eq!(value.check_text().is_ok(), expected.is_some());
    }
}
