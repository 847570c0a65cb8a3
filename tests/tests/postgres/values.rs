//! Every type of value, there and back.

use flow_runtime::{
    plan::{FieldPlan, PortKind, PortPlan},
    sink::{Head, Mode, Ticket},
    trap::FailedRecord,
    value::{Date, Decimal, RowBuffer, Timestamp, Type},
};

use super::place::{COUNTS, FIRST, Place, nullable, refused, sink, ticket};

static ALL: PortPlan = sink(
    "every",
    &[
        nullable("truth", Type::Bool),
        nullable("small", Type::I16),
        nullable("middle", Type::I32),
        nullable("large", Type::I64),
        nullable("real", Type::F32),
        nullable("float", Type::F64),
        nullable("words", Type::Text),
        nullable("bytes", Type::Bytes),
        nullable("moment", Type::Timestamp("%d/%b/%Y:%H:%M:%S %z")),
        nullable("day", Type::Date("%d.%m.%Y")),
        nullable("paid", Type::Decimal(38, 4)),
    ],
    &[],
);

#[test]
fn every_type_has_its_column() {
    let Some(place) = Place::new("columns") else { return };
    let none: [(Option<bool>,); 0] = [];
    place.publish(Mode::Append, &ALL, &none, 0).unwrap();
    let types = "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'columns.every'::regclass \
                 AND attnum > 0 ORDER BY attnum";
    let expected = "boolean\nsmallint\ninteger\nbigint\nreal\ndouble precision\ntext\nbytea\n\
                    timestamp with time zone\ndate\nnumeric(38,4)";
    assert_eq!(place.ask(types), expected);
}

#[test]
fn values_arrive_as_they_were() {
    let Some(place) = Place::new("values") else { return };
    let at = |microseconds| Some(Timestamp::from_microseconds(microseconds));
    let day = |days| Some(Date::from_days(days));
    let rows = [
        (
            Some(true),
            Some(i16::MIN),
            Some(i32::MAX),
            Some(i64::MIN),
            Some(0.1_f32),
            Some(f64::MAX),
            Some("tab\t back\\slash \\N \\. \r\n ü 漢 🦀 'quoted' \"too\""),
            Some(&b"\x00\xff\\x41"[..]),
            at(1_577_836_800_123_456),
            day(18_262),
            Some(Decimal::new(-99_999_999_999_999_999_999_999_999_999_999_999_999, 4)),
        ),
        (
            Some(false),
            Some(0),
            Some(0),
            Some(0),
            Some(f32::NAN),
            Some(f64::NEG_INFINITY),
            Some(""),
            Some(&b""[..]),
            at(-62_135_596_800_000_001),
            day(-735_234),
            Some(Decimal::new(1, 4)),
        ),
        (None, None, None, None, None, None, None, None, None, None, None),
    ];
    place.publish(Mode::Append, &ALL, &rows, 0).unwrap();
    let ask = |columns: &str| {
        place.ask(&format!("SET TimeZone = 'UTC'; SELECT {columns} FROM every ORDER BY truth DESC NULLS LAST"))
    };
    assert_eq!(ask("truth, small, middle, large"), "t|-32768|2147483647|-9223372036854775808\nf|0|0|0\n∅|∅|∅|∅");
    assert_eq!(ask("real, float"), "0.1|1.7976931348623157e+308\nNaN|-Infinity\n∅|∅");
    // By their bytes, for what a terminal shows of them says little.
    let words = "tab\t back\\slash \\N \\. \r\n ü 漢 🦀 'quoted' \"too\"";
    let words: String = words.bytes().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(ask("encode(convert_to(words, 'UTF8'), 'hex')"), format!("{words}\n\n∅"));
    assert_eq!(ask("bytes"), "\\x00ff5c783431\n\\x\n∅");
    assert_eq!(ask("moment"), "2020-01-01 00:00:00.123456+00\n0001-12-31 23:59:59.999999+00 BC\n∅");
    assert_eq!(ask("day"), "2020-01-01\n0045-12-31 BC\n∅");
    assert_eq!(ask("paid"), "-9999999999999999999999999999999999.9999\n0.0001\n∅");
}

const fn typed(name: &'static str, ty: Type, column: &'static str) -> FieldPlan {
    FieldPlan { name, ty, nullable: true, column: Some(column), add: false }
}

#[test]
fn a_sink_chooses_the_types_of_its_columns() {
    static TYPED: PortPlan = sink(
        "typed",
        &[
            typed("ip", Type::Text, "inet"),
            typed("name", Type::Text, "varchar(5)"),
            typed("size", Type::I64, "integer"),
            typed("at", Type::Timestamp("%s"), "timestamp(0)"),
        ],
        &[],
    );
    let Some(place) = Place::new("typed") else { return };
    let at = Timestamp::from_microseconds(1_577_836_800_000_000);
    for iteration in 0..2 {
        place.publish(Mode::Append, &TYPED, &[("10.0.0.1", "abcde", 5_i64, at)], iteration).unwrap();
    }
    assert_eq!(place.ask("SELECT * FROM typed LIMIT 1"), "10.0.0.1|abcde|5|2020-01-01 00:00:00");
    let error = refused(place.publish(Mode::Append, &TYPED, &[("::1", "ab", 1_i64, at), ("::2", "abcdef", 1, at)], 2));
    assert!(error.contains("value too long for type character varying(5); COPY typed, line 2"), "{error}");
    assert!(error.contains("line n is row n of the iteration"), "{error}");
    assert_eq!(place.ask("SELECT count(*) FROM typed; SELECT max(iteration) FROM flow_ledger"), "2\n1");
}

#[test]
fn a_row_that_no_table_can_hold_is_named() {
    let Some(place) = Place::new("unfit") else { return };
    let rows = [("a", 1_i64), ("b\0c", 2)];
    let error = refused(place.publish(Mode::Append, &COUNTS, &rows, 0));
    assert!(error.contains("row 2 of the iteration, field `ip`") && error.contains("NUL"), "{error}");
    assert_eq!(place.ask("SELECT to_regclass('unfit.counts'), count(*) FROM flow_ledger"), "∅|0");
}

#[test]
fn a_traps_records_keep_their_bytes() {
    static BAD_LINES: PortPlan = PortPlan { kind: PortKind::Trap, ..sink("bad_lines", &[], &[]) };
    let Some(place) = Place::new("traps") else { return };
    let mut rows = RowBuffer::default();
    let (record, source, shard, position) = (Some(&b"\xff\x00|"[..]), Some("log"), Some("a.log"), Some("7"));
    FailedRecord { record, source, shard, position, operator: "Each", reason: "no match" }.encode(&mut rows);
    let staged = place.stage_buffer(&BAD_LINES, &rows);
    // A trap has no entry for iterations in which nothing failed.
    let ticket = Ticket { after: None, ..ticket(&BAD_LINES, 4) };
    place.tap(Mode::Append, &BAD_LINES).publish(&staged, Some(&ticket)).unwrap();
    assert_eq!(place.ask("SELECT * FROM bad_lines"), "\\xff007c|log|a.log|7|Each|no match");
}

#[test]
fn the_first_rows_can_be_seen() {
    let Some(place) = Place::new("heads") else { return };
    assert_eq!(place.tap(Mode::Append, &COUNTS).head(5).unwrap(), None);
    place.publish(Mode::Append, &COUNTS, &FIRST, 0).unwrap();
    let text = |text: &str| Some(text.to_owned());
    let rows = vec![vec![None, text("1")], vec![text("a"), text("2")]];
    assert_eq!(place.tap(Mode::Append, &COUNTS).head(2).unwrap(), Some(Head { rows, row_count: 3 }));
}
