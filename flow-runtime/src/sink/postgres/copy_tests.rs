use proptest::prelude::*;

use super::*;
use crate::value::{Decimal, Encode};

fn written(value: impl Encode, ty: Type) -> Result<String, &'static str> {
    let mut row = Vec::new();
    value.encode(&mut row);
    let mut line = String::new();
    write_value(RowReader::new(&row).value(ty), ty, &mut line).map(|()| line)
}

fn text(value: impl Encode, ty: Type) -> String {
    written(value, ty).unwrap()
}

#[test]
fn values_are_spelt_as_the_server_reads_them() {
    assert_eq!(text(None::<i64>, Type::I64), r"\N");
    assert_eq!((text(true, Type::Bool), text(false, Type::Bool)), ("t".to_owned(), "f".to_owned()));
    assert_eq!(text(i64::MIN, Type::I64), "-9223372036854775808");
    assert_eq!(text("a\tb\\c\nd\re|ü", Type::Text), r"a\tb\\c\nd\re|ü");
    assert_eq!(text(r"\N", Type::Text), r"\\N");
    assert_eq!(text(r"\.", Type::Text), r"\\.");
    assert_eq!(text(&b"\x00\\\xff"[..], Type::Bytes), r"\\x005cff");
    assert_eq!(text(Decimal::new(-5, 2), Type::Decimal(9, 2)), "-0.05");
}

#[test]
fn floats_keep_their_value_and_what_is_no_number_its_name() {
    assert_eq!(text(0.1_f32, Type::F32), "1e-1");
    assert_eq!(text(1e300_f64, Type::F64), "1e300");
    assert_eq!(text(-0.0_f64, Type::F64), "-0e0");
    assert_eq!(text(f64::NAN, Type::F64), "NaN");
    assert_eq!(text(f32::INFINITY, Type::F32), "Infinity");
    assert_eq!(text(f64::NEG_INFINITY, Type::F64), "-Infinity");
}

#[test]
fn moments_are_utc_and_years_before_the_first_are_bc() {
    let (moment, day) = (Type::Timestamp("%s"), Type::Date("%F"));
    let at = |microseconds| Timestamp::from_microseconds(microseconds);
    assert_eq!(text(at(1_500_000), moment), "1970-01-01 00:00:01.500000+00");
    assert_eq!(text(at(-1), moment), "1969-12-31 23:59:59.999999+00");
    assert_eq!(text(at(-62_135_596_800_000_001), moment), "0001-12-31 23:59:59.999999+00 BC");
    assert_eq!(text(Date::from_days(365), day), "1971-01-01");
    assert_eq!(text(Date::from_days(-735_234), day), "0045-12-31 BC");
    assert_eq!(written(at(i64::MAX), moment), Err(OUTSIDE));
    assert_eq!(written(Date::from_days(i32::MIN), day), Err(OUTSIDE));
}

#[test]
fn text_with_a_nul_is_unfit_and_its_field_is_named() {
    static FIELDS: [FieldPlan; 1] =
        [FieldPlan { name: "ip", ty: Type::Text, nullable: false, column: None, add: false }];
    let mut row = Vec::new();
    "a\0b".encode(&mut row);
    let unfit = write_row(&FIELDS, None, RowReader::new(&row), &mut String::new()).unwrap_err();
    assert_eq!(unfit.field, "ip");
    assert!(unfit.why.contains("NUL"));
}

/// What the server does with a line, by the rules of its manual.
fn unescaped(line: &str) -> String {
    let mut text = String::new();
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        text.extend(match letter {
            '\\' => match letters.next() {
                Some('n') => Some('\n'),
                Some('r') => Some('\r'),
                Some('t') => Some('\t'),
                other => other,
            },
            other => Some(other),
        });
    }
    text
}

proptest! {
    #[test]
    fn text_stays_on_its_line_and_reads_back(value in "[^\0]*") {
        let line = text(value.as_str(), Type::Text);
        prop_assert!(!line.contains(['\n', '\r', '\t']) && line != r"\N" && line != r"\.");
        prop_assert_eq!(unescaped(&line), value);
    }
}
