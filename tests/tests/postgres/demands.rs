//! What a sink demands of its rows, against a server: it refuses what the server would, and nothing else.

use flow_runtime::{
    plan::{FieldPlan, PortPlan},
    sink::Mode,
    value::{Date, Decimal, Encode, RowBuffer, Timestamp, Type},
};

use super::place::{Place, refused, sink, ticket};

/// A sink of one field with this column.
fn sink_of(number: usize, ty: Type, column: &'static str) -> &'static PortPlan {
    let column = Some(column).filter(|column| !column.is_empty());
    let fields = Box::leak(Box::new([FieldPlan { name: "value", ty, nullable: true, column, add: false }]));
    Box::leak(Box::new(sink(format!("sink_{number}").leak(), fields, &[])))
}

/// What is not refused is published together, what is refused each value by itself.
fn compare(place: &Place, port: &'static PortPlan, values: &[&dyn Encode]) {
    let mut tap = place.tap(Mode::Append, port);
    let demands = tap.demands();
    let (mut accepted, mut unfit) = (RowBuffer::default(), Vec::new());
    for value in values {
        value.encode(accepted.row());
        if let Err(reason) = demands.check(accepted.last_row()) {
            accepted.take_back();
            unfit.push((*value, reason));
        }
    }
    let field = &port.fields[0];
    let stored = tap.publish(&place.stage_buffer(port, &accepted), Some(&ticket(port, 0)));
    assert!(stored.is_ok(), "{field:?}: {stored:?}");
    for (value, reason) in unfit {
        let mut alone = RowBuffer::default();
        value.encode(alone.row());
        let text = refused(tap.publish(&place.stage_buffer(port, &alone), Some(&ticket(port, 1))));
        let is_of_the_row = text.contains("line 1") || text.contains("row 1 of the iteration");
        assert!(is_of_the_row, "{field:?}, {reason}: {text}");
    }
}

#[test]
fn a_row_is_refused_before_staging_just_when_the_server_would_refuse_it() {
    let Some(place) = Place::new("demands") else { return };
    let mut number = 0;
    let mut compare = |ty, column: &'static str, values: &[&dyn Encode]| {
        number += 1;
        compare(&place, sink_of(number, ty, column), values);
    };
    let text: [&dyn Encode; 12] = [
        &"",
        &"abcd",
        &"abcde",
        &"äöüß",
        &"äöüßx",
        &"🦀🦀🦀🦀",
        &"🦀🦀🦀🦀🦀",
        &"ab      ",
        &"      ",
        &"abcd  e",
        &"abcd\t",
        &"a\0",
    ];
    for column in ["", "text", "varchar", "varchar(4)", "Character Varying ( 4 )", "char(4)", "bpchar", "char"] {
        compare(Type::Text, column, &text);
    }
    compare(Type::Text, "", &[&"\u{1}", &"\u{fdd0}", &"\u{fffe}", &"\u{ffff}", &"\u{1ffff}", &"\u{10ffff}"]);
    compare(Type::Bytes, "", &[&&b"\x00\xff"[..]]);

    let whole = [0, -1, 999, 1_000, -999, -1_000, 9_999, 10_000, 32_767, 32_768, -32_768, -32_769, i64::MAX, i64::MIN];
    let whole: Vec<&dyn Encode> = whole.iter().map(|value| value as &dyn Encode).collect();
    for column in
        ["", "smallint", "int2", "integer", "bigint", "numeric(5, 2)", "numeric(2, 2)", "numeric(38)", "varchar(4)"]
    {
        compare(Type::I64, column, &whole);
    }
    compare(Type::I32, "smallint", &[&32_767_i32, &32_768_i32, &i32::MIN]);

    let decimals =
        [(99_999, 2), (100_000, 2), (-100_000, 2), (999_994, 3), (999_995, 3), (-999_995, 3), (0, 1), (9, 3)];
    let decimals = decimals.map(|(units, scale)| Decimal::new(units, scale));
    let decimals: Vec<&dyn Encode> = decimals.iter().map(|value| value as &dyn Encode).collect();
    for column in ["", "numeric", "numeric(5, 2)", "decimal(3)", "dec(3, 5)", "numeric(100, 50)"] {
        compare(Type::Decimal(6, 3), column, &decimals[3..]);
        compare(Type::Decimal(6, 2), column, &decimals[..3]);
    }

    let floats = [
        0.0,
        -0.0,
        1.5,
        999.994,
        999.995,
        -999.995,
        1e3,
        3.4e38,
        3.5e38,
        -1e300,
        1e-40,
        1e-60,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ];
    let floats: Vec<&dyn Encode> = floats.iter().map(|value| value as &dyn Encode).collect();
    for column in ["", "real", "float(24)", "float(25)", "numeric", "numeric(5, 2)"] {
        compare(Type::F64, column, &floats);
    }

    const DAY: i64 = 86_400_000_000;
    let days = [-2_440_588, -2_440_589, -4_371_587, 0, 2_932_896, 2_932_897, i32::MIN].map(Date::from_days);
    let days: Vec<&dyn Encode> = days.iter().map(|value| value as &dyn Encode).collect();
    let moments = [-2_440_588 * DAY, -2_440_588 * DAY - 1, 0, 253_402_207_200_000_000, i64::MAX, i64::MIN];
    let moments = moments.map(Timestamp::from_microseconds);
    let moments: Vec<&dyn Encode> = moments.iter().map(|value| value as &dyn Encode).collect();
    for column in ["", "date", "text"] {
        compare(Type::Date("%F"), column, &days);
    }
    for column in ["", "timestamp(3)", "timestamptz", "timestamp without time zone", "date", "text"] {
        compare(Type::Timestamp("%s"), column, &moments);
    }
}
