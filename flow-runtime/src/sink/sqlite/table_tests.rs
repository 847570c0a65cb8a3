use rusqlite::types::Value as Stored;

use super::super::tests::{DAILY, FIRST, SECOND, int, refused, run, select, text};
use super::*;
use crate::{
    plan::PortPlan,
    sink::{
        Target,
        fixtures::{COUNTS, Place, added, field, nullable, publish, sink, tap},
    },
    value::{Date, Decimal, Timestamp},
};

#[test]
fn merging_finds_rows_by_an_index() {
    let place = Place::new();
    let target = place.address("sqlite", "x.db");
    let row = [(None::<Date>, Some("x"), None::<&str>, None::<Decimal>)];
    publish(&target, Mode::Merge, &DAILY, &place.stage(&DAILY, &row), 0).unwrap();
    let plan = select(&place, "EXPLAIN QUERY PLAN UPDATE daily SET last = 'x' WHERE ip IS 'a' AND day IS NULL");
    let Stored::Text(plan) = &plan[0][3] else { panic!("{plan:?}") };
    assert!(plan.contains("USING INDEX daily_by_ip_day (ip=? AND day=?)"), "{plan}");
}

static ALL: PortPlan = sink(
    "all \"types\"",
    &[
        field("flag", Type::Bool),
        field("float", Type::F64),
        field("bytes", Type::Bytes),
        field("from", Type::Timestamp("%d/%b/%Y")),
    ],
    &[],
);

#[test]
fn values_and_column_types_are_sqlites_and_names_may_be_anything() {
    let place = Place::new();
    let rows = [
        (true, 1.5, &b"\xff\0"[..], Timestamp::from_microseconds(0)),
        (false, f64::NAN, b"", Timestamp::from_microseconds(1_000_001)),
    ];
    publish(&place.address("sqlite", "x.db"), Mode::Append, &ALL, &place.stage(&ALL, &rows), 0).unwrap();
    let Stored::Text(sql) = &select(&place, "SELECT sql FROM sqlite_schema WHERE name LIKE 'all%'")[0][0] else {
        panic!()
    };
    let columns = r#"("flag" INTEGER NOT NULL, "float" REAL NOT NULL, "bytes" BLOB NOT NULL, "from" TEXT NOT NULL)"#;
    assert!(sql.ends_with(columns), "{sql}");
    let rows = select(&place, r#"SELECT * FROM "all ""types""" "#);
    let epoch = text("1970-01-01T00:00:00.000000Z");
    assert_eq!(rows[0], [int(1), Stored::Real(1.5), Stored::Blob(vec![0xff, 0]), epoch]);
    assert_eq!(rows[1][..3], [int(0), text("NaN"), Stored::Blob(vec![])]);
    tap(&place.address("sqlite", "x.db"), Mode::Append, &ALL).check().unwrap();
}

#[test]
fn times_sort_as_text_whatever_their_fraction() {
    static TIMES: PortPlan =
        sink("times", &[FieldPlan { column: Some("timestamp"), ..field("at", Type::Timestamp("%s")) }], &[]);
    let place = Place::new();
    let times = [1_500_000, 1_000_000, 1_000_001].map(|time| (Timestamp::from_microseconds(time),));
    publish(&place.address("sqlite", "x.db"), Mode::Append, &TIMES, &place.stage(&TIMES, &times), 0).unwrap();
    assert_eq!(
        select(&place, "SELECT at FROM times ORDER BY at"),
        ["1970-01-01T00:00:01.000000Z", "1970-01-01T00:00:01.000001Z", "1970-01-01T00:00:01.500000Z"]
            .map(|time| [text(time)])
    );
}

#[test]
fn no_column_type_changes_a_value_or_makes_two_keys_one() {
    const fn typed(field: FieldPlan, column: &'static str) -> FieldPlan {
        FieldPlan { column: Some(column), ..field }
    }
    static TYPED: PortPlan = sink(
        "typed",
        &[
            typed(nullable("code", Type::Text), "numeric"),
            typed(nullable("long", Type::Decimal(38, 10)), "decimal(38, 10)"),
            typed(nullable("number", Type::I64), "double precision"),
            typed(nullable("float", Type::F64), "varchar(20)"),
        ],
        &[0],
    );
    let place = Place::new();
    let target = place.address("sqlite", "x.db");
    let long = Decimal::new(10_i128.pow(37) + 1, 10);
    let (number, float) = ((1_i64 << 53) + 1, 0.1_f64 + 0.2);
    let rows = ["1e5", "100000", "007", "7"].map(|code| (code, long, number, float));
    publish(&target, Mode::Merge, &TYPED, &place.stage(&TYPED, &rows), 0).unwrap();
    let kept = ["1e5", "100000", "007", "7"]
        .map(|code| [text(code), text(&long.to_string()), int(number), Stored::Real(float)]);
    assert_eq!(select(&place, "SELECT * FROM typed"), kept);
    tap(&target, Mode::Merge, &TYPED).check().unwrap();
}

#[test]
fn a_sinks_own_column_types_are_used() {
    static TYPED: PortPlan = sink(
        "typed",
        &[
            FieldPlan { column: Some("varchar(100)"), ..nullable("ip", Type::Text) },
            FieldPlan { column: Some("decimal(10, 2)"), ..added("paid", Type::Decimal(10, 2)) },
        ],
        &[0],
    );
    let place = Place::new();
    let target = place.address("sqlite", "x.db");
    let staged =
        place.stage(&TYPED, &[("a", Decimal::new(150, 2)), ("a", Decimal::new(150, 2)), ("b", Decimal::new(1, 2))]);
    publish(&target, Mode::Merge, &TYPED, &staged, 0).unwrap();
    assert_eq!(select(&place, "SELECT * FROM typed"), [[text("a"), int(3)], [text("b"), Stored::Real(0.01)]]);
    tap(&target, Mode::Merge, &TYPED).check().unwrap();
    static HOSTILE: PortPlan =
        sink("hostile", &[FieldPlan { column: Some("text); DROP TABLE x; --"), ..nullable("ip", Type::Text) }], &[]);
    let error = crate::sink::open(&target, None, &HOSTILE).unwrap_err();
    assert!(error.to_string().contains("is no column type"), "{error}");
}

#[test]
fn a_table_of_another_shape_is_refused_with_both_lists() {
    let other_shapes = [
        ("ip TEXT", "found (ip TEXT)"),
        ("ip TEXT, count TEXT", "found (ip TEXT, count TEXT)"),
        ("ip TEXT NOT NULL, count INTEGER", "found (ip TEXT NOT NULL, count INTEGER)"),
        ("ip TEXT, count INTEGER, more TEXT", "more TEXT)"),
    ];
    for (columns, found) in other_shapes {
        let place = Place::new();
        run(&place, &format!("CREATE TABLE counts ({columns})"));
        let target = place.address("sqlite", "x.db");
        let staged = place.stage(&COUNTS, &FIRST);
        let error = refused(publish(&target, Mode::Append, &COUNTS, &staged, 0));
        assert!(error.contains(r#"expected ("ip" TEXT, "count" INTEGER)"#) && error.contains(found), "{error}");
        let error = tap(&target, Mode::Append, &COUNTS).check().unwrap_err();
        assert!(error.to_string().contains(found), "{error}");
        assert!(select(&place, "SELECT name FROM sqlite_schema WHERE name = 'flow_ledger'").is_empty());
    }
}

#[test]
fn a_table_of_like_types_in_another_order_fits() {
    let place = Place::new();
    run(&place, "CREATE TABLE counts (COUNT bigint, IP varchar(9))");
    let target = place.address("sqlite", "x.db?table=COUNTS");
    publish(&target, Mode::Replace, &COUNTS, &place.stage(&COUNTS, &SECOND), 0).unwrap();
    assert_eq!(select(&place, "SELECT ip FROM counts WHERE count = 5"), [[text("b")]]);
}

#[test]
fn a_view_is_no_table() {
    let place = Place::new();
    run(&place, "CREATE VIEW counts AS SELECT 'a' AS ip, 1 AS count");
    let staged = place.stage(&COUNTS, &FIRST);
    let error = refused(publish(&place.address("sqlite", "x.db"), Mode::Append, &COUNTS, &staged, 0));
    assert!(error.contains("is no table"), "{error}");
}

#[test]
fn names_that_are_flows_or_sqlites_are_no_sinks() {
    for name in ["Flow_Ledger", "SQLite_master", "sqlite_mine", ""] {
        let address = Target::Address(format!("sqlite:x.db?table={name}"));
        let error = crate::sink::open(&address, None, &COUNTS).unwrap_err();
        assert!(error.to_string().contains("cannot be the name of a table"), "{error}");
    }
}

#[test]
fn a_big_table_is_shown_without_going_through_it() {
    let place = Place::new();
    let target = place.address("sqlite", "x.db");
    publish(&target, Mode::Append, &COUNTS, &place.stage(&COUNTS, &[("b", 1_i64), ("a", 2)]), 0).unwrap();
    let first = |mode| {
        let head = tap(&target, mode, &COUNTS).head(1).unwrap().unwrap();
        (head.rows[0][0].clone().unwrap_or_default(), head.row_count)
    };
    assert_eq!(first(Mode::Append), ("a".to_owned(), 2));
    run(
        &place,
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 150000)
         INSERT INTO counts SELECT 'c', n FROM n",
    );
    assert_eq!(first(Mode::Append), ("b".to_owned(), ROWS_COUNTED_MAX + 1));
    // Merging keeps an index of the key.
    publish(&target, Mode::Merge, &COUNTS, &place.stage(&COUNTS, &[("b", 1_i64)]), 1).unwrap();
    assert_eq!(first(Mode::Merge), ("a".to_owned(), ROWS_COUNTED_MAX + 1));
}
