//! Reading a whole table of DynamoDB, in segments, its items as JSON.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_types::base64;

use super::{Tables, call};
use crate::aws::Trouble;

/// Reading a page of a table.
pub(crate) const SCAN: &str = "dynamodb.scan";

/// Which page of which segment.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) index: u16,
    pub(crate) of: u16,
    /// Where the page before it ended.
    after: Option<HashMap<String, AttributeValue>>,
}

/// Some items, each as a line of JSON; DynamoDB gives no more than a megabyte at once.
#[derive(Debug)]
pub(crate) struct Items {
    pub(crate) json: Vec<u8>,
    /// Where each ends, without its line end.
    pub(crate) ends: Vec<usize>,
    /// The next page, if there may be one.
    pub(crate) next: Option<Segment>,
}

impl Segment {
    /// All segments of a table.
    pub(crate) fn all(of: u16) -> impl Iterator<Item = Self> {
        (0..of).map(move |index| Self { index, of, after: None })
    }
}

impl Tables {
    /// A page of a segment, as it is now: a table is read over some time, and may change meanwhile. At most `most` items.
    pub(crate) async fn scan(&self, table: &str, segment: &Segment, most: Option<u16>) -> Result<Items, Trouble> {
        let Segment { index, of, after } = segment.clone();
        let request = self
            .client
            .scan()
            .table_name(table)
            .consistent_read(true)
            .segment(index.into())
            .total_segments(of.into())
            .set_exclusive_start_key(after)
            .set_limit(most.map(i32::from));
        let answer = call(SCAN, request.send()).await?;
        let (mut json, mut ends) = (Vec::new(), Vec::new());
        for item in answer.items.unwrap_or_default() {
            object(&item, &mut json);
            ends.push(json.len());
            json.push(b'\n');
        }
        let next = answer.last_evaluated_key.map(|key| Segment { index, of, after: Some(key) });
        Ok(Items { json, ends, next })
    }
}

/// An item, or a map in one: its attributes in the order of their names, so that equal items are equal texts.
fn object(attributes: &HashMap<String, AttributeValue>, json: &mut Vec<u8>) {
    let mut names: Vec<&String> = attributes.keys().collect();
    names.sort_unstable();
    json.push(b'{');
    for (index, name) in names.into_iter().enumerate() {
        separate(index, json);
        text(name, json);
        json.push(b':');
        value(&attributes[name], json);
    }
    json.push(b'}');
}

fn value(attribute: &AttributeValue, json: &mut Vec<u8>) {
    match attribute {
        AttributeValue::S(string) => text(string, json),
        AttributeValue::N(number) => self::number(number, json),
        AttributeValue::B(bytes) => text(&base64::encode(bytes), json),
        AttributeValue::Bool(is) => json.extend_from_slice(if *is { b"true" } else { b"false" }),
        AttributeValue::L(values) => array(values, json, value),
        AttributeValue::M(attributes) => object(attributes, json),
        AttributeValue::Ss(strings) => array(&sorted(strings.clone()), json, |string, json| text(string, json)),
        AttributeValue::Ns(numbers) => array(&sorted(numbers.clone()), json, |number, json| self::number(number, json)),
        AttributeValue::Bs(all) => {
            let texts = all.iter().map(base64::encode).collect();
            array(&sorted(texts), json, |bytes, json| text(bytes, json));
        }
        // Null, and whatever DynamoDB may have some day.
        _ => json.extend_from_slice(b"null"),
    }
}

/// A set has no order of its own.
fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort_unstable();
    texts
}

fn array<T>(values: &[T], json: &mut Vec<u8>, value: impl Fn(&T, &mut Vec<u8>)) {
    json.push(b'[');
    for (index, element) in values.iter().enumerate() {
        separate(index, json);
        value(element, json);
    }
    json.push(b']');
}

fn separate(index: usize, json: &mut Vec<u8>) {
    if index > 0 {
        json.push(b',');
    }
}

/// A number of up to 38 digits, none of which is lost; as a text, should it ever not be one of JSON.
fn number(number: &str, json: &mut Vec<u8>) {
    if serde_json::from_str::<serde_json::Number>(number).is_ok() {
        json.extend_from_slice(number.as_bytes());
    } else {
        text(number, json);
    }
}

fn text(text: &str, json: &mut Vec<u8>) {
    // What is written into memory cannot fail.
    let _ = serde_json::to_writer(json, text);
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::Blob;

    use super::*;

    fn json(attribute: AttributeValue) -> String {
        let mut json = Vec::new();
        value(&attribute, &mut json);
        String::from_utf8(json).unwrap()
    }

    #[test]
    fn every_type_has_its_plain_json() {
        use AttributeValue as V;
        let strings = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let map = [("b", V::Null(true)), ("a", V::L(vec![V::Bool(true), V::S("x".to_owned())]))];
        let map = map.map(|(name, value)| (name.to_owned(), value)).into();
        for (attribute, expected) in [
            (V::S("a\"b\n\u{1}é".to_owned()), "\"a\\\"b\\n\\u0001é\""),
            (V::N("0.5".to_owned()), "0.5"),
            (V::N("12345678901234567890123456789012345678".to_owned()), "12345678901234567890123456789012345678"),
            (V::N("1E+125".to_owned()), "1E+125"),
            (V::N("Infinity".to_owned()), "\"Infinity\""),
            (V::B(Blob::new(b"\x00\xff\x10")), "\"AP8Q\""),
            (V::Bool(false), "false"),
            (V::Null(true), "null"),
            (V::Ss(strings(&["b", "a"])), "[\"a\",\"b\"]"),
            (V::Ns(strings(&["2", "1"])), "[1,2]"),
            (V::Bs(vec![Blob::new(b"b"), Blob::new(b"a")]), "[\"YQ==\",\"Yg==\"]"),
            (V::L(Vec::new()), "[]"),
            (V::M(map), "{\"a\":[true,\"x\"],\"b\":null}"),
        ] {
            assert_eq!(json(attribute), expected);
        }
    }
}
