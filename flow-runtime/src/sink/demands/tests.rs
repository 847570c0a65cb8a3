use super::*;
use crate::value::{Date, Decimal, Encode, Timestamp};

/// Whether a field of this type takes the value into this column.
fn takes(dialect: Dialect, ty: Type, column: &'static str, value: &dyn Encode) -> bool {
    refusal(dialect, ty, column, value).is_none()
}

fn refusal(dialect: Dialect, ty: Type, column: &'static str, value: &dyn Encode) -> Option<String> {
    let column = Some(column).filter(|column| !column.is_empty());
    let field = |name| FieldPlan { name, ty, nullable: true, column, add: false };
    let fields = Box::leak(Box::new([
        FieldPlan { name: "first", ty: Type::I64, nullable: true, column: None, add: false },
        field("value"),
        FieldPlan { name: "last", ty: Type::Bool, nullable: true, column: None, add: false },
    ]));
    let mut row = Vec::new();
    7_i64.encode(&mut row);
    value.encode(&mut row);
    true.encode(&mut row);
    Demands::new(dialect, fields).check(&row).err().map(|reason| reason.to_string())
}

use Dialect::{Postgres, Redshift};

#[test]
fn text_is_measured_in_characters_or_in_bytes() {
    let text = |dialect, column, value: &str| takes(dialect, Type::Text, column, &value);
    for (value, in_postgres, in_redshift) in [
        ("", true, true),
        ("abcd", true, true),
        ("abcde", false, false),
        ("äöüß", true, false),
        ("äö", true, true),
        ("äöüßx", false, false),
        ("🦀", true, true),
        ("🦀🦀", true, false),
        ("🦀🦀🦀🦀", true, false),
        ("🦀🦀🦀🦀🦀", false, false),
        ("ab    ", true, false),
        ("      ", true, false),
        ("abcd  e", false, false),
    ] {
        assert_eq!(text(Postgres, "varchar(4)", value), in_postgres, "{value:?}");
        assert_eq!(text(Redshift, "varchar(4)", value), in_redshift, "{value:?}");
    }
    let long = "x".repeat(70_000);
    assert!(text(Postgres, "", &long) && text(Postgres, "text", &long) && text(Postgres, "varchar", &long));
    assert!(!text(Redshift, "", &long) && text(Redshift, "", &long[..65_535]));
    assert!(!text(Redshift, "text", &long[..257]) && text(Redshift, "text", &long[..256]));
}

#[test]
fn the_names_of_types_are_read_as_the_servers_read_them() {
    let abc = |column| takes(Postgres, Type::Text, column, &"abc");
    for column in ["VARCHAR(2)", "character varying ( 2 )", "Character  Varying(2)", "char(2)", "bpchar(2)", "char"] {
        assert!(!abc(column), "{column}");
    }
    for column in ["varchar(3)", "bpchar", "varchar", "text", "inet", "varchar(many)", "varchar(", "(2)", "name(2)"] {
        assert!(abc(column), "{column}");
    }
    assert!(!takes(Redshift, Type::Text, "nvarchar(2)", &"abc") && !takes(Redshift, Type::Text, "char", &"ab"));
}

#[test]
fn only_the_code_points_that_a_server_refuses_are_refused() {
    for (letter, in_redshift) in [
        ('\u{1}', true),
        ('\u{7f}', true),
        ('\u{d7ff}', true),
        ('\u{e000}', true),
        ('\u{fdcf}', true),
        ('\u{fdd0}', false),
        ('\u{fdef}', false),
        ('\u{fdf0}', true),
        ('\u{fffd}', true),
        ('\u{fffe}', false),
        ('\u{ffff}', false),
        ('\u{10000}', true),
        ('\u{1f600}', true),
        ('\u{10fffd}', true),
    ] {
        let text = format!("ab{letter}c");
        assert!(takes(Postgres, Type::Text, "text", &text.as_str()), "{letter:?}");
        assert_eq!(takes(Redshift, Type::Text, "varchar(9)", &text.as_str()), in_redshift, "{letter:?}");
        assert_eq!(takes(Redshift, Type::Text, "char(9)", &text.as_str()), letter.is_ascii(), "{letter:?}");
    }
    for dialect in [Postgres, Redshift] {
        for column in ["text", "varchar(9)", "char(9)", "inet", ""] {
            assert!(!takes(dialect, Type::Text, column, &"a\0"), "{column}");
            assert!(takes(dialect, Type::Bytes, "", &&b"a\0"[..]));
        }
    }
}

#[test]
fn whole_numbers_must_fit_narrower_columns() {
    for (column, least, greatest) in [
        ("smallint", -32_768, 32_767),
        ("integer", -2_147_483_648, 2_147_483_647),
        ("numeric(5, 2)", -999, 999),
        ("decimal(3)", -999, 999),
        ("varchar(4)", -999, 9_999),
        ("numeric(2, 2)", 0, 0),
    ] {
        for dialect in [Postgres, Redshift] {
            let fits = |value: i64| takes(dialect, Type::I64, column, &value);
            assert!(fits(least) && fits(greatest), "{column}");
            assert!(!fits(least - 1) && !fits(greatest + 1), "{column}");
        }
    }
    for column in ["", "bigint", "numeric(38, 0)", "numeric(21, 2)", "varchar(20)", "text", "double precision"] {
        assert!(takes(Postgres, Type::I64, column, &i64::MIN) && takes(Postgres, Type::I64, column, &i64::MAX));
    }
    assert!(!takes(Postgres, Type::I32, "smallint", &40_000_i32) && takes(Postgres, Type::I16, "integer", &i16::MIN));
    assert_eq!(refusal(Postgres, Type::I64, "smallint", &40_000_i64).unwrap(), "`value`: 40000 does not fit smallint");
}

#[test]
fn decimals_are_rounded_or_cut_off_before_they_must_fit() {
    for (units, scale, column, in_postgres, in_redshift) in [
        (99_999, 2, "numeric(5, 2)", true, true),
        (100_000, 2, "numeric(5, 2)", false, false),
        (-100_000, 2, "numeric(5, 2)", false, false),
        (999_994, 3, "numeric(5, 2)", true, true),
        (999_995, 3, "numeric(5, 2)", false, true),
        (-999_995, 3, "numeric(5, 2)", false, true),
        (1_000, 0, "numeric(5, 2)", false, false),
        (999, 0, "numeric(5, 2)", true, true),
        (9, 3, "numeric(3, 5)", true, true),
        (10, 3, "numeric(3, 5)", false, false),
        (0, 1, "numeric(1, 5)", true, true),
        (i128::MAX / 2, 0, "numeric(100, 50)", true, true),
        (10_i128.pow(37), 38, "numeric(38, 0)", true, true),
    ] {
        let value = Decimal::new(units, scale);
        let fits = |dialect| takes(dialect, Type::Decimal(38, scale), column, &value);
        assert_eq!((fits(Postgres), fits(Redshift)), (in_postgres, in_redshift), "{value} as {column}");
    }
    assert!(takes(Postgres, Type::Decimal(38, 2), "", &Decimal::new(10_i128.pow(37), 2)));
}

#[test]
fn floats_must_be_numbers_where_the_server_asks_for_them() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(takes(Postgres, Type::F64, "", &value) && takes(Postgres, Type::F64, "real", &value));
        assert!(!takes(Redshift, Type::F64, "", &value) && !takes(Redshift, Type::F64, "numeric(5, 2)", &value));
        assert!(!takes(Redshift, Type::F32, "real", &(value as f32)));
        assert_eq!(takes(Postgres, Type::F64, "numeric(5, 2)", &value), value.is_nan());
    }
    let fits = |column, value: f64| takes(Postgres, Type::F64, column, &value);
    assert!(fits("real", 3.4e38) && !fits("real", 3.5e38) && !fits("real", 1e-60) && fits("real", 0.0));
    assert!(fits("numeric(5, 2)", 999.994) && !fits("numeric(5, 2)", 999.995) && !fits("numeric(5, 2)", -1e3));
    assert!(takes(Redshift, Type::F64, "numeric(5, 2)", &999.999) && fits("double precision", f64::MAX));
}

#[test]
fn what_is_no_text_must_fit_a_redshift_column_of_text() {
    let day = Date::from_days(20_000);
    let moment = Timestamp::from_microseconds(1);
    let values: [(Type, &dyn Encode, usize); 6] = [
        (Type::Bool, &true, 1),
        (Type::Date("%F"), &day, 10),
        (Type::Timestamp("%s"), &moment, 26),
        (Type::Decimal(9, 2), &Decimal::new(-1_234, 2), 6),
        (Type::F64, &-1e-7_f64, 10),
        (Type::F32, &0.1_f32, 3),
    ];
    for (ty, value, bytes) in values {
        for kind in ["varchar", "char"] {
            let fits = |dialect, bytes: usize| takes(dialect, ty, Box::leak(format!("{kind}({bytes})").into()), value);
            assert!(fits(Redshift, bytes) && fits(Redshift, bytes + 1), "{ty:?}");
            assert!(bytes == 1 || !fits(Redshift, bytes - 1) && fits(Postgres, bytes - 1), "{ty:?}");
        }
    }
}

#[test]
fn days_and_moments_must_lie_in_the_calendar() {
    const DAY: i64 = 86_400_000_000;
    let first = i64::from(-2_440_588) * DAY;
    let moment = |column, at| takes(Postgres, Type::Timestamp("%s"), column, &Timestamp::from_microseconds(at));
    let day = |column, days| takes(Postgres, Type::Date("%F"), column, &Date::from_days(days));
    assert!(moment("", first) && !moment("", first - 1) && !moment("timestamp(3) with time zone", first - 1));
    assert!(day("", -2_440_588) && !day("", -2_440_589) && day("text", -2_440_589));
    assert!(day("", 2_932_896) && !day("", 2_932_897) && !day("text", i32::MIN));
    assert!(moment("", 253_402_207_200_000_000) && !moment("", i64::MAX) && !moment("text", i64::MIN));
}

#[test]
fn a_row_must_not_be_longer_than_copy_takes() {
    const TEXT: FieldPlan = FieldPlan { name: "text", ty: Type::Text, nullable: false, column: None, add: false };
    static FIELDS: [FieldPlan; 64] = [TEXT; 64];
    let check = |dialect, text: &str| {
        let mut row = Vec::new();
        FIELDS.iter().for_each(|_| text.encode(&mut row));
        Demands::new(dialect, &FIELDS).check(&row).map_err(|reason| reason.to_string())
    };
    let (short, long, quotes) = ("x".repeat(62_000), "x".repeat(65_000), "\"".repeat(32_000));
    assert!(check(Redshift, &short).is_ok() && check(Postgres, &long).is_ok() && check(Postgres, &quotes).is_ok());
    for text in [long, quotes] {
        let said = check(Redshift, &text).unwrap_err();
        assert!(
            said.starts_with("a row of 4") && said.ends_with("bytes is longer than Redshift loads, 4000000"),
            "{said}"
        );
    }
}

#[test]
fn a_null_is_never_refused() {
    for (ty, column) in
        [(Type::Text, "varchar(1)"), (Type::I64, "smallint"), (Type::F64, "real"), (Type::Date("%F"), "")]
    {
        assert!(takes(Redshift, ty, column, &None::<i64>));
    }
}

#[test]
fn a_reason_says_what_does_not_fit_where() {
    let text = |dialect, column, value: &str| refusal(dialect, Type::Text, column, &value).unwrap();
    assert_eq!(text(Redshift, "varchar(4)", "äöü"), "`value`: 6 bytes do not fit varchar(4)");
    assert_eq!(text(Postgres, "varchar(2)", "äöü"), "`value`: 3 characters do not fit varchar(2)");
    let nul = text(Postgres, "varchar(2)", "äö\0");
    assert_eq!(nul, "`value`: it holds U+0000 at byte 4, which PostgreSQL takes in no text");
}

#[cfg(feature = "redshift")]
#[test]
fn a_column_of_another_kind_takes_nothing() {
    for (column, taken) in [
        ("integer", "whole"),
        ("numeric(5, 2)", "whole float decimal"),
        ("double precision", "whole float decimal"),
        ("real", "whole float decimal"),
        ("date", "day"),
        ("timestamptz", "day"),
        ("boolean", "bool"),
        ("varchar(9)", "text whole float decimal day bool"),
        ("super", "text whole float decimal day bool"),
    ] {
        for (name, ty) in [
            ("text", Type::Text),
            ("whole", Type::I64),
            ("float", Type::F32),
            ("decimal", Type::Decimal(9, 2)),
            ("day", Type::Date("%F")),
            ("bool", Type::Bool),
        ] {
            let field = FieldPlan { name: "value", ty, nullable: true, column: Some(column), add: false };
            assert_eq!(Redshift.takes(&field), taken.contains(name), "{name} as {column}");
        }
    }
}

#[test]
fn nothing_is_asked_of_columns_that_hold_all_of_their_fields() {
    const fn field(name: &'static str, ty: Type) -> FieldPlan {
        FieldPlan { name, ty, nullable: false, column: None, add: false }
    }
    static NUMBERS: [FieldPlan; 3] =
        [field("count", Type::I64), field("paid", Type::Decimal(10, 2)), field("bytes", Type::Bytes)];
    assert!(Demands::new(Postgres, &NUMBERS).is_empty() && Demands::default().is_empty());
    assert!(Demands::default().check(b"whatever").is_ok());
}
