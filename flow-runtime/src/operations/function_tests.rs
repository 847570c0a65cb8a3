//! Shows that the shapes of what Rust functions return are inferred.

use std::{borrow::Cow, num::ParseIntError};

use super::{call, call2, optional_of, required_of, returned_of};

type Text<'a> = Cow<'a, str>;

fn owned(text: &str) -> String {
    text.to_uppercase()
}

fn borrowed(text: &str) -> Option<&str> {
    text.split(' ').nth(1)
}

fn number(text: &str) -> Result<i64, ParseIntError> {
    text.parse()
}

fn number_or_null(text: &str) -> Result<Option<i64>, ParseIntError> {
    if text == "-" { Ok(None) } else { text.parse().map(Some) }
}

#[test]
fn text_may_be_owned_or_borrowed() {
    let line = String::from("get /index");
    assert_eq!(required_of::<Text<'_>, _, _>(call(owned, line.as_str())).unwrap(), "GET /INDEX");
    assert!(matches!(required_of::<Text<'_>, _, _>(call(borrowed, line.as_str())), Ok(Cow::Borrowed("/index"))));
    assert_eq!(optional_of::<Text<'_>, _, _>(call(owned, line.as_str())).unwrap().unwrap(), "GET /INDEX");
    assert_eq!(required_of::<Text<'_>, _, _>(call(Cow::Borrowed, line.as_str())).unwrap(), "get /index");
    assert_eq!(required_of::<Text<'_>, _, _>(call(|text: &str| Box::<str>::from(text), "a")).unwrap(), "a");
    assert_eq!(required_of::<Cow<'_, [u8]>, _, _>(call(str::as_bytes, "a")).unwrap(), b"a".as_slice());
}

#[test]
fn none_is_trapped_where_a_field_cannot_be_null_and_null_where_it_can() {
    assert_eq!(required_of::<Text<'_>, _, _>(call(borrowed, "get")).unwrap_err().as_str(), "returned None");
    assert_eq!(optional_of::<Text<'_>, _, _>(call(borrowed, "get")), Ok(None));
    assert_eq!(optional_of::<i64, _, _>(call(|_| None::<i64>, "get")), Ok(None));
}

#[test]
fn an_error_is_trapped_with_its_text() {
    assert_eq!(required_of::<i64, _, _>(call(number, "7")), Ok(7));
    assert_eq!(optional_of::<i64, _, _>(call(number, "7")), Ok(Some(7)));
    assert_eq!(optional_of::<i64, _, _>(call(number_or_null, "-")), Ok(None));
    let reasons =
        [required_of::<i64, _, _>(call(number, "x")), optional_of(call(number_or_null, "x")).map(Option::unwrap)];
    for reason in reasons {
        assert_eq!(reason.unwrap_err().as_str(), "invalid digit found in string");
    }
}

#[test]
fn closures_learn_their_arguments_types_and_numbers_their_fields() {
    assert_eq!(required_of::<i64, _, _>(call(|text| text.len() as i64, "four")), Ok(4));
    assert_eq!(required_of::<i16, _, _>(call(|_| 5, "four")), Ok(5));
    assert_eq!(optional_of::<i64, _, _>(call(|text| Some(text.len() as i64), "four")), Ok(Some(4)));
    assert_eq!(required_of::<f64, _, _>(call2(|a, b| a as f64 / b, 1_i64, 2.0)), Ok(0.5));
    assert_eq!(required_of::<Text<'_>, _, _>(call(|text| text.trim(), " a ")).unwrap(), "a");
}

#[test]
fn several_results_come_as_a_tuple_and_each_is_a_field() {
    fn pair(text: &str) -> (&str, i64) {
        (text, 1)
    }
    let (text, number) = returned_of(call(pair, "a")).unwrap();
    assert_eq!(required_of::<Text<'_>, _, _>(text).unwrap(), "a");
    assert_eq!(optional_of::<i64, _, _>(number), Ok(Some(1)));

    let (text, number) = returned_of(call(|text| text.split_once('='), "a=1")).unwrap();
    assert_eq!(required_of::<Text<'_>, _, _>(text).unwrap(), "a");
    assert_eq!(required_of::<i64, _, _>(call(number_of, number)), Ok(1));
    assert_eq!(returned_of(call(|text| text.split_once('='), "a")).unwrap_err().as_str(), "returned None");

    let failed = returned_of(call(|_| Err::<(i64, i64), _>("no numbers"), "a"));
    assert_eq!(failed.unwrap_err().as_str(), "no numbers");
}

fn number_of(text: &str) -> Option<i64> {
    text.parse().ok()
}
