//! Text becomes values, values become text, and what cannot says why.

use proptest::prelude::*;

use super::{optional, required};
use crate::value::{Date, Decimal, Timestamp, Type, Value};

const LOG_TIME: &str = "%d/%b/%Y:%H:%M:%S %z";

fn reason<T: std::fmt::Debug>(result: Result<T, crate::flow::Reason>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn numbers_say_whether_they_are_none_or_too_large() {
    assert_eq!(required::<i16>(Some("-32768"), ()), Ok(i16::MIN));
    assert_eq!(reason(required::<i16>(Some("32768"), ())), "`32768` does not fit an i16");
    assert_eq!(reason(required::<i32>(Some(" 5"), ())), "` 5` is not an i32");
    assert_eq!(reason(required::<i64>(Some("5.0"), ())), "`5.0` is not an i64");
    assert_eq!(required::<f64>(Some("5e-1"), ()), Ok(0.5));
    assert_eq!(reason(required::<f32>(Some("half"), ())), "`half` is not an f32");
}

#[test]
fn a_float_is_infinite_only_where_the_text_says_so() {
    assert_eq!(reason(required::<f64>(Some("1e999"), ())), "`1e999` does not fit an f64");
    assert_eq!(reason(optional::<f32>(Some("-1e39"), ())), "`-1e39` does not fit an f32");
    assert_eq!(required::<f64>(Some("1e39"), ()), Ok(1e39));
    assert_eq!(required::<f64>(Some("-inf"), ()), Ok(f64::NEG_INFINITY));
    assert_eq!(required::<f32>(Some("Infinity"), ()), Ok(f32::INFINITY));
}

#[test]
fn nothing_is_null_only_where_null_may_be() {
    assert_eq!(optional::<i64>(None, ()), Ok(None));
    assert_eq!(optional::<i64>(Some(""), ()), Ok(None));
    assert_eq!(optional::<&str>(Some(""), ()), Ok(None));
    assert_eq!(required::<&str>(None, ()), Ok(""));
    assert_eq!(required::<&[u8]>(Some("a"), ()), Ok(b"a".as_slice()));
    assert_eq!(reason(required::<i64>(Some(""), ())), "empty, but an i64 cannot be null");
    assert_eq!(reason(required::<bool>(None, ())), "empty, but a bool cannot be null");
    assert_eq!(reason(optional::<i64>(Some("-"), ())), "`-` is not an i64");
}

#[test]
fn only_true_and_false_are_bools() {
    assert_eq!(required::<bool>(Some("true"), ()), Ok(true));
    assert_eq!(optional::<bool>(Some("false"), ()), Ok(Some(false)));
    assert_eq!(reason(required::<bool>(Some("TRUE"), ())), "`TRUE` is not a bool");
}

#[test]
fn a_reason_cuts_long_text_between_characters() {
    let long = "ä".repeat(100_000);
    assert_eq!(reason(required::<i64>(Some(&long), ())), format!("`{}…` is not an i64", "ä".repeat(40)));
}

#[test]
fn timestamps_heed_their_offset_and_are_utc_without_one() {
    let parse = |text, format| required::<Timestamp>(Some(text), format).map(Timestamp::microseconds);
    assert_eq!(parse("01/Jan/1970:01:00:01 +0100", LOG_TIME), Ok(1_000_000));
    assert_eq!(parse("1970-01-01 00:00:01.5", "%Y-%m-%d %H:%M:%S%.f"), Ok(1_500_000));
    assert_eq!(parse("1970-01-02", "%Y-%m-%d"), Ok(86_400_000_000));
    assert_eq!(parse("17", "%s"), Ok(17_000_000));
    assert_eq!(
        reason(parse("01/Foo/1970:01:00:01 +0100", LOG_TIME)),
        "`01/Foo/1970:01:00:01 +0100` is not a Timestamp(\"%d/%b/%Y:%H:%M:%S %z\")"
    );
    assert_eq!(optional::<Timestamp>(Some(""), LOG_TIME), Ok(None));
}

#[test]
fn what_is_finer_than_a_microsecond_is_cut_off_before_1970_too() {
    let parse = |text| required::<Timestamp>(Some(text), "%Y-%m-%dT%H:%M:%S%.f").map(Timestamp::microseconds);
    assert_eq!(parse("1970-01-01T00:00:00.0000019"), Ok(1));
    assert_eq!(parse("1969-12-31T23:59:59.9999999"), Ok(-1));
    assert_eq!(parse("1969-12-31T23:59:59.9999990"), Ok(-1));
}

#[test]
fn timestamps_print_themselves_in_their_format() {
    let second = Timestamp::from_microseconds(1_000_000);
    let text = Value::from(second).display(Type::Timestamp(LOG_TIME)).to_string();
    assert_eq!(text, "01/Jan/1970:00:00:01 +0000");
    assert_eq!(Value::from(second).display(Type::Timestamp("%!")).to_string(), "1970-01-01T00:00:01Z");
    assert_eq!(Timestamp::from_microseconds(i64::MAX).to_string(), "1970-01-01T00:00:00Z+9223372036854775807us");
    assert_eq!(Timestamp::from_microseconds(-1).date(), Date::from_days(-1));
}

#[test]
fn dates_count_from_the_epoch_whatever_the_year() {
    let parse = |text| required::<Date>(Some(text), "%Y-%m-%d");
    assert_eq!(parse("1970-01-01"), Ok(Date::from_days(0)));
    assert_eq!(parse("2000-03-01"), Ok(Date::from_days(11_017)));
    assert_eq!(parse("9999-12-31").unwrap().to_string(), "9999-12-31");
    assert_eq!(reason(parse("2001-02-29")), "`2001-02-29` is not a Date(\"%Y-%m-%d\")");
    assert_eq!(Date::from_days(i32::MIN).to_string(), "1970-01-01-2147483648d");
}

#[test]
fn decimals_keep_every_digit_or_are_refused() {
    let parse = |text| required::<Decimal>(Some(text), (5, 2));
    for (text, units) in [("123.45", 12_345), ("-1.5", -150), ("+.5", 50), ("7.", 700), ("0.100", 10), ("-0", 0)] {
        assert_eq!(parse(text), Ok(Decimal::new(units, 2)), "{text}");
    }
    assert_eq!(reason(parse("1234.00")), "`1234.00` does not fit a Decimal(5, 2)");
    assert_eq!(reason(parse("1.234")), "`1.234` does not fit a Decimal(5, 2)");
    let long = "9".repeat(40);
    assert_eq!(reason(parse(&long)), format!("`{long}` does not fit a Decimal(5, 2)"));
    for text in [".", "-", "1.2.3", "1e3", "1,5", "--1"] {
        assert_eq!(reason(parse(text)), format!("`{text}` is not a Decimal(5, 2)"));
    }
    let most = "9".repeat(38);
    assert_eq!(required::<Decimal>(Some(&most), (38, 0)).unwrap().to_string(), most);
}

#[test]
fn decimals_are_brought_to_a_scale_or_refused() {
    let most = 10_i128.pow(38) - 1;
    for ((units, scale), fit) in [
        ((1250, 2), Some(1250)),
        ((-125, 1), Some(-1250)),
        ((12_500, 3), Some(1250)),
        ((12_505, 3), None),
        ((99_999, 2), Some(99_999)),
        ((-100_000, 2), None),
        ((1000, 0), None),
        ((0, 38), Some(0)),
        ((0, 0), Some(0)),
        ((i128::MIN, 38), None),
        ((i128::MAX, 0), None),
    ] {
        assert_eq!(
            Decimal::new(units, scale).fit(5, 2).ok(),
            fit.map(|units| Decimal::new(units, 2)),
            "{units} {scale}"
        );
    }
    assert_eq!(Decimal::new(most, 38).fit(38, 38), Ok(Decimal::new(most, 38)));
    assert_eq!(Decimal::new(i128::MAX, 38).fit(38, 38).ok(), None);
}

#[test]
fn decimals_of_several_scales_compare_as_numbers() {
    let mut decimals = [(15, 1), (-5, 1), (150, 2), (149, 2), (-51, 2), (i128::MAX, 0), (2, 0)];
    decimals.sort_by_key(|&(units, scale)| Decimal::new(units, scale));
    assert_eq!(decimals, [(-51, 2), (-5, 1), (149, 2), (15, 1), (150, 2), (2, 0), (i128::MAX, 0)]);
}

#[test]
fn values_print_plainly() {
    let print = |value: Value<'_>, ty| value.display(ty).to_string();
    assert_eq!(print(Value::Null, Type::I64), "");
    assert_eq!(print(Value::from(true), Type::Bool), "true");
    assert_eq!(print(Value::from(0.1_f32), Type::F32), "0.1");
    assert_eq!(print(Value::from(2.5_f64), Type::F64), "2.5");
    assert_eq!(print(Value::from(b"a\xffb".as_slice()), Type::Bytes), "a\u{fffd}b");
    assert_eq!(print(Value::from(Decimal::new(-5, 2)), Type::Decimal(4, 2)), "-0.05");
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(int: i64, float: f64, single: f32, units in -10_i128.pow(18)..10_i128.pow(18)) {
        let print = |value: Value<'_>, ty| value.display(ty).to_string();
        prop_assert_eq!(required::<i64>(Some(&print(int.into(), Type::I64)), ()), Ok(int));
        prop_assert_eq!(required::<f64>(Some(&print(float.into(), Type::F64)), ()), Ok(float));
        prop_assert_eq!(required::<f32>(Some(&print(single.into(), Type::F32)), ()), Ok(single));
        let decimal = Decimal::new(units, 6);
        prop_assert_eq!(required::<Decimal>(Some(&print(decimal.into(), Type::Decimal(18, 6))), (18, 6)), Ok(decimal));
    }

    #[test]
    fn moments_and_days_read_back(seconds in -10_000_000_000_i64..100_000_000_000, days in -100_000..1_000_000_i32) {
        let moment = Timestamp::from_microseconds(seconds * 1_000_000);
        let text = Value::from(moment).display(Type::Timestamp(LOG_TIME)).to_string();
        prop_assert_eq!(required::<Timestamp>(Some(&text), LOG_TIME), Ok(moment));
        let day = Date::from_days(days);
        let text = Value::from(day).display(Type::Date("%d.%m.%Y")).to_string();
        prop_assert_eq!(required::<Date>(Some(&text), "%d.%m.%Y"), Ok(day));
    }

    #[test]
    fn no_text_makes_a_type_panic(text: String) {
        let _ = required::<bool>(Some(&text), ());
        let _ = required::<i16>(Some(&text), ());
        let _ = required::<f64>(Some(&text), ());
        let _ = required::<Timestamp>(Some(&text), LOG_TIME);
        let _ = required::<Date>(Some(&text), "%Y-%m-%d");
        let _ = required::<Decimal>(Some(&text), (10, 2));
    }
}
