//! What each type of flow is in an item.

use super::*;
use crate::{
    aws::clients::writes::Scalar,
    value::{Date, Decimal, Encode, Timestamp},
};

/// The attribute that a value is, beside its key; none if it is removed.
fn attribute(ty: Type, value: impl Encode) -> Option<Scalar> {
    let fields = Box::leak(Box::new([field("key", Type::Text), nullable("value", ty)]));
    let port = Box::leak(Box::new(sink("typed", fields, &[0])));
    let (place, layout) = (Place::new(), Layout::of(port, false).unwrap());
    let staged = place.stage(port, &[("k", value)]);
    let mut rows = staged.rows().unwrap();
    let change = layout.row(rows.next_row().unwrap().unwrap()).change;
    assert_eq!(change.key, [("key", Scalar::Text("k".to_owned()))]);
    match (change.set.as_slice(), change.remove.as_slice()) {
        ([(_, scalar)], []) => Some(scalar.clone()),
        ([], ["value"]) => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_value_of_each_type_is_an_attribute_with_all_its_digits() {
    let number = |text: &str| Some(Scalar::Number(text.to_owned()));
    let text = |text: &str| Some(Scalar::Text(text.to_owned()));
    let decimal = Decimal::new(-1_234_567_890_123_456_789_010, 2);
    assert_eq!(attribute(Type::Bool, true), Some(Scalar::Bool(true)));
    assert_eq!(attribute(Type::I16, i16::MIN), number("-32768"));
    assert_eq!(attribute(Type::I32, i32::MAX), number("2147483647"));
    assert_eq!(attribute(Type::I64, i64::MIN), number("-9223372036854775808"));
    assert_eq!(attribute(Type::F32, 0.1f32), number("1E-1"));
    assert_eq!(attribute(Type::F64, 1234567.5f64), number("1.2345675E6"));
    assert_eq!(attribute(Type::F64, -0.0f64), number("-0E0"));
    assert_eq!(attribute(Type::Decimal(22, 2), decimal), number("-12345678901234567890.10"));
    assert_eq!(attribute(Type::Text, "caf\u{e9}"), text("caf\u{e9}"));
    assert_eq!(attribute(Type::Bytes, &[0u8, 255][..]), Some(Scalar::Bytes(vec![0, 255])));
    let moment = Timestamp::from_microseconds(1_425_168_007_000_000);
    assert_eq!(attribute(Type::Timestamp("%+"), moment), text("2015-03-01T00:00:07.000000Z"));
    assert_eq!(attribute(Type::Date("%Y-%m-%d"), Date::from_days(16_495)), text("2015-03-01"));
    assert_eq!(attribute(Type::I64, None::<i64>), None);
}
