//! Which partition key a record gets: the records of one key go to one shard, in their order.

use std::{borrow::Cow, str::FromStr};

use serde_json::Value;

use crate::aws::limits::PARTITION_KEY_CHARS_MAX;

/// What a record's partition key is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum KeyBy {
    /// A random text, which spreads records evenly over all shards.
    #[default]
    Random,
    /// The nth of the words that blanks part, from 1 on.
    Word(usize),
    /// The field of a JSON object, nested ones with `.` between their names.
    Json(String),
}

/// The key of a record that has no such field, for a key must not be empty.
const NO_FIELD: &str = "-";

impl FromStr for KeyBy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "random" => return Ok(Self::Random),
            Some(("word", number)) => {
                if let Ok(number @ 1..) = number.parse() {
                    return Ok(Self::Word(number));
                }
            }
            Some(("json", name)) if !name.is_empty() => return Ok(Self::Json(name.to_owned())),
            _ => {}
        }
        Err("write it as random, word:1 (the first word of the line) or json:user.id (a field of a JSON object)".into())
    }
}

impl KeyBy {
    /// The key of this record; `None` for a random one.
    pub(crate) fn key_of(&self, record: &[u8]) -> Option<String> {
        let found: Option<Cow<'_, str>> = match self {
            Self::Random => return None,
            Self::Word(number) => word(record, *number).map(String::from_utf8_lossy),
            Self::Json(name) => field(record, name).map(Cow::Owned),
        };
        let found = found.filter(|key| !key.is_empty()).unwrap_or(NO_FIELD.into());
        Some(found.chars().take(PARTITION_KEY_CHARS_MAX).collect())
    }
}

/// A key that no other record is likely to have.
pub(crate) fn random_key() -> String {
    format!("{:016x}", fastrand::u64(..))
}

fn word(record: &[u8], number: usize) -> Option<&[u8]> {
    record.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).nth(number - 1)
}

fn field(record: &[u8], name: &str) -> Option<String> {
    let record: Value = serde_json::from_slice(record).ok()?;
    let found = name.split('.').try_fold(&record, |object, name| object.get(name))?;
    match found {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_word_or_a_field_of_the_record() {
        for (by, record, key) in [
            ("word:1", "10.0.0.1 - - GET", "10.0.0.1"),
            ("word:4", "10.0.0.1 - -  GET\r", "GET"),
            ("word:9", "10.0.0.1", "-"),
            ("json:user", r#"{"user": "ann"}"#, "ann"),
            ("json:user.id", r#"{"user": {"id": 7}}"#, "7"),
            ("json:user", r#"{"user": null}"#, "-"),
            ("json:user", "no object", "-"),
        ] {
            assert_eq!(by.parse::<KeyBy>().unwrap().key_of(record.as_bytes()).as_deref(), Some(key), "{by} {record}");
        }
        assert_eq!(KeyBy::Random.key_of(b"x"), None);
    }

    #[test]
    fn a_key_is_as_long_as_the_service_allows_whatever_the_record_holds() {
        let record = "ü\u{fffd}".repeat(300);
        assert_eq!(KeyBy::Word(1).key_of(record.as_bytes()).unwrap().chars().count(), PARTITION_KEY_CHARS_MAX);
        assert_eq!(KeyBy::Word(1).key_of(b"\xff\xfe").unwrap(), "\u{fffd}\u{fffd}");
    }

    #[test]
    fn what_is_no_rule_is_refused_with_those_that_there_are() {
        for text in ["", "word:0", "word:x", "json:", "line"] {
            assert!(text.parse::<KeyBy>().unwrap_err().starts_with("write it as random"), "{text}");
        }
    }
}
