//! Shows that the shapes of what Rust functions return are inferred.

use std::{borrow::Cow, num::ParseIntError};

use super::{Optional, Required, Returned, call, call2};

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
    assert_eq!(Required::<&str, _>::required(call(owned, line.as_str())).unwrap(), "GET /INDEX");
    assert!(matches!(Required::<&str, _>::required(call(borrowed, line.as_str())), Ok(Cow::Borrowed("/index"))));
    assert_eq!(Optional::<&str, _>::optional(call(owned, line.as_str())).unwrap().unwrap(), "GET /INDEX");
    assert_eq!(Required::<&str, _>::required(call(Cow::Borrowed, line.as_str())).unwrap(), "get /index");
    assert_eq!(Required::<&str, _>::required(call(|text: &str| Box::<str>::from(text), "a")).unwrap(), "a");
    assert_eq!(Required::<&[u8], _>::required(call(str::as_bytes, "a")).unwrap(), b"a".as_slice());
}

#[test]
fn none_is_trapped_where_a_field_cannot_be_null_and_null_where_it_can() {
    assert_eq!(Required::<&str, _>::required(call(borrowed, "get")).unwrap_err().as_str(), "returned None");
    assert_eq!(Optional::<&str, _>::optional(call(borrowed, "get")), Ok(None));
    assert_eq!(Optional::<i64, _>::optional(call(|_| None::<i64>, "get")), Ok(None));
}

#[test]
fn an_error_is_trapped_with_its_text() {
    assert_eq!(Required::<i64, _>::required(call(number, "7")), Ok(7));
    assert_eq!(Optional::<i64, _>::optional(call(number, "7")), Ok(Some(7)));
    assert_eq!(Optional::<i64, _>::optional(call(number_or_null, "-")), Ok(None));
    let reasons = [
        Required::<i64, _>::required(call(number, "x")),
        Optional::<i64, _>::optional(call(number_or_null, "x")).map(Option::unwrap),
    ];
    for reason in reasons {
        assert_eq!(reason.unwrap_err().as_str(), "invalid digit found in string");
    }
}

#[test]
fn closures_learn_their_arguments_types_and_numbers_their_fields() {
    assert_eq!(Required::<i64, _>::required(call(|text| text.len() as i64, "four")), Ok(4));
    assert_eq!(Required::<i16, _>::required(call(|_| 5, "four")), Ok(5));
    assert_eq!(Optional::<i64, _>::optional(call(|text| Some(text.len() as i64), "four")), Ok(Some(4)));
    assert_eq!(Required::<f64, _>::required(call2(|a, b| a as f64 / b, 1_i64, 2.0)), Ok(0.5));
    assert_eq!(Required::<&str, _>::required(call(|text| text.trim(), " a ")).unwrap(), "a");
}

#[test]
fn several_results_come_as_a_tuple_and_each_is_a_field() {
    fn pair(text: &str) -> (&str, i64) {
        (text, 1)
    }
    let (text, number) = Returned::<(_, _), _>::returned(call(pair, "a")).unwrap();
    assert_eq!(Required::<&str, _>::required(text).unwrap(), "a");
    assert_eq!(Optional::<i64, _>::optional(number), Ok(Some(1)));

    let (text, number) = Returned::<(_, _), _>::returned(call(|text| text.split_once('='), "a=1")).unwrap();
    assert_eq!(Required::<&str, _>::required(text).unwrap(), "a");
    assert_eq!(Required::<i64, _>::required(call(number_of, number)), Ok(1));
    assert_eq!(
        Returned::<(_, _), _>::returned(call(|text| text.split_once('='), "a")).unwrap_err().as_str(),
        "returned None"
    );

    let failed = Returned::<(_, _), _>::returned(call(|_| Err::<(i64, i64), _>("no numbers"), "a"));
    assert_eq!(failed.unwrap_err().as_str(), "no numbers");
}

fn number_of(text: &str) -> Option<i64> {
    text.parse().ok()
}
