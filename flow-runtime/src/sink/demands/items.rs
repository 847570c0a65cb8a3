//! What an item of DynamoDB asks of the fields of its sink.

use super::{Column, Demands, Together, limit::Limit};
use crate::{
    aws::limits::{ITEM_BYTES_MAX, PARTITION_KEY_BYTES_MAX, SORT_KEY_BYTES_MAX},
    plan::FieldPlan,
    value::{Type, Value},
};

/// What is kept for the mark of the row that changed an item last, with the names of flow and port in it.
const MARK_BYTES: usize = 512;

/// Of a number, at most: two digits a byte, and two bytes more ("DynamoDB item sizes and formats", 2026-11-22).
const NUMBER_BYTES: usize = 21;

/// The text of a moment, or a day, with a year of six digits.
const TIME_BYTES: usize = 33;

impl Demands {
    /// What a table of DynamoDB asks of `fields`, of which those with the indexes `key` are its key: the partition key, then
    /// the sort key.
    #[must_use]
    pub(crate) fn of_items(fields: &'static [FieldPlan], key: &[usize]) -> Self {
        let column = |(index, field): (usize, &'static FieldPlan)| {
            let place = key.iter().position(|&key| key == index);
            let of_key = place.map(|place| Limit::Key {
                bytes_max: if place == 0 { PARTITION_KEY_BYTES_MAX } else { SORT_KEY_BYTES_MAX },
            });
            let of_type = match field.ty {
                Type::F32 | Type::F64 | Type::Decimal(..) => Some(Limit::ItemNumber),
                Type::Timestamp(_) | Type::Date(_) => Some(Limit::Calendar { first_day: i32::MIN }),
                _ => None,
            };
            Column { field, limits: of_key.into_iter().chain(of_type).collect() }
        };
        let columns = fields.iter().enumerate().map(column).collect();
        let together = Together::Item { bytes_max: ITEM_BYTES_MAX - MARK_BYTES };
        Self { columns, row: None, together: Some(together) }
    }
}

/// Of an attribute, at most: its name, and its value.
pub(super) fn attribute_bytes(name: &str, value: Value<'_>) -> usize {
    let of_value = match value {
        Value::Null => return 0,
        Value::Bool(_) => 1,
        Value::Int(_) | Value::Float(_) | Value::Decimal(_) => NUMBER_BYTES,
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::Timestamp(_) | Value::Date(_) => TIME_BYTES,
    };
    name.len() + of_value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Decimal, Encode, Timestamp};

    static FIELDS: [FieldPlan; 5] = [
        field("host", Type::Text),
        field("day", Type::Text),
        field("ratio", Type::F64),
        field("paid", Type::Decimal(38, 2)),
        field("note", Type::Text),
    ];

    const fn field(name: &'static str, ty: Type) -> FieldPlan {
        FieldPlan { name, ty, nullable: true, column: None, add: false }
    }

    fn refusal(values: [&dyn Encode; 5]) -> Option<String> {
        let mut row = Vec::new();
        values.iter().for_each(|value| value.encode(&mut row));
        Demands::of_items(&FIELDS, &[0, 1]).check(&row).err().map(|reason| reason.to_string())
    }

    #[test]
    fn a_key_is_something_and_not_too_long() {
        let of_keys = |host: &dyn Encode, day: &dyn Encode| refusal([host, day, &1.5, &Decimal::new(1, 2), &"x"]);
        assert_eq!(of_keys(&"a", &"d"), None);
        assert_eq!(of_keys(&None::<&str>, &"d").unwrap(), "`host`: it is null, and no key of DynamoDB can be");
        assert_eq!(of_keys(&"a", &"").unwrap(), "`day`: it is empty, and no key of DynamoDB can be");
        let long = "é".repeat(1024);
        assert_eq!((of_keys(&long.as_str(), &"d"), of_keys(&"a", &&long[..1024])), (None, None));
        let told = of_keys(&"a", &long.as_str()).unwrap();
        assert_eq!(told, "`day`: 2048 bytes are too many for a key of DynamoDB: 1024");
        assert!(of_keys(&format!("{long}a").as_str(), &"d").is_some());
    }

    #[test]
    fn numbers_are_those_of_dynamodb() {
        let of = |ratio: f64, paid: i128| refusal([&"a", &"d", &ratio, &Decimal::new(paid, 2), &None::<&str>]);
        for ratio in [0.0, -0.0, 1e-130, -9.99e125, 0.1] {
            assert_eq!(of(ratio, 10_i128.pow(38) - 1), None, "{ratio:e}");
        }
        for ratio in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e126, -1e126, 9e-131, 5e-324] {
            assert!(of(ratio, 0).unwrap().contains("is no number that DynamoDB stores"), "{ratio:e}");
        }
        assert!(of(1.0, -(10_i128.pow(38))).unwrap().contains("has more digits than DynamoDB stores"));
    }

    #[test]
    fn an_item_has_400_kilobytes_with_all_names_and_its_mark() {
        let of = |note: usize| refusal([&"a", &"d", &None::<f64>, &None::<Decimal>, &"x".repeat(note).as_str()]);
        let rest = "host".len() + 1 + "day".len() + 1 + "note".len() + MARK_BYTES;
        assert_eq!(of(400 * 1024 - rest), None);
        assert_eq!(of(400 * 1024 - rest + 1).unwrap(), "an item of 409089 bytes, and DynamoDB takes 409088");
    }

    #[test]
    fn a_moment_must_lie_in_the_calendar() {
        static AT: [FieldPlan; 1] = [field("at", Type::Timestamp("%s"))];
        let of = |at: i64| {
            let mut row = Vec::new();
            Timestamp::from_microseconds(at).encode(&mut row);
            Demands::of_items(&AT, &[0]).check(&row)
        };
        assert!(of(0).is_ok() && of(i64::MAX).is_err());
    }
}
