//! `JsonLine`: records of a source and of a table, as objects whose values are found by name.

use flow_runtime::{MemoryRecords, MemoryRows, Sink, Source, Table, Trap, flow};
use flow_tests::run;

/// Rows as `a|b`, null as `-`.
fn shown(rows: &MemoryRows) -> Vec<String> {
    let cell = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    rows.values().into_iter().map(|row| row.into_iter().map(cell).collect::<Vec<_>>().join("|")).collect()
}

flow! {
    pub flow EveryType {
        source input: JsonLine {
            yes: bool, small: i16, middle: i32, large: i64, rough: f32, fine: f64, text: &str, price: Decimal(6, 2),
            day: Date("%d.%m.%Y"), at: Timestamp("%s"), r#type: &str, "a.b" as nested: i64, r"a\.b" as pointed: i64
        };
        sink out {
            yes: bool, small: i16, middle: i32, large: i64, rough: f32, fine: f64, text: &str, price: Decimal(6, 2),
            day: Date("%Y-%m-%d"), at: Timestamp("%Y-%m-%dT%H:%M:%S%z"), r#type: &str, nested: i64, pointed: i64
        };
        trap bad;
        input -> out;
    }
}

#[test]
fn every_type_is_read_from_json() {
    let good =
        r#"{"yes": true, "small": -7, "middle": 70000, "large": 5000000000, "rough": 0.5, "fine": 1e-3, "text": "a\tb",
        "price": 12.5, "day": "22.11.2026", "at": 1700000000, "type": "x", "a": {"b": 1}, "a.b": 2}"#
            .replace('\n', " ");
    // In turn each value, and what makes it none of its type.
    let flaws = [
        ("true", "\"true\""),
        ("-7", "-32769"),
        ("70000", "70000.0"),
        ("5000000000", "\"5000000000\""),
        ("0.5", "1e39"),
        ("1e-3", "\"NaN\""),
        (r#""a\tb""#, "17"),
        ("12.5", "12.505"),
        ("22.11.2026", "31.02.2026"),
        ("1700000000", "\"\""),
        ("\"x\"", "null"),
        ("{\"b\": 1}", "[1]"),
        ("\"a.b\": 2", "\"a.c\": 2"),
    ];
    let flawed: Vec<String> = flaws.iter().map(|(value, flaw)| good.replace(value, flaw)).collect();
    let lines = flawed.iter().chain([&good]).map(String::as_str);
    let (out, bad) = (MemoryRows::default(), MemoryRows::default());
    let input = Source::memory(&MemoryRecords::lines(lines));
    run(&EveryType { input, out: Sink::memory(&out).append(), bad: Trap::memory(&bad) }, 2).unwrap();

    let row = "true|-7|70000|5000000000|0.5|0.001|a\tb|12.50|2026-11-22|2023-11-14T22:13:20+0000|x|1|2";
    assert_eq!(shown(&out), [row]);
    let reasons: Vec<String> = bad.trapped().into_iter().map(|row| row.reason).collect();
    let fields: Vec<&str> = reasons.iter().filter_map(|reason| reason.split('`').nth(1)).collect();
    let names = "yes small middle large rough fine text price day at type nested pointed";
    assert_eq!(fields, names.split(' ').collect::<Vec<_>>(), "{reasons:#?}");
}

flow! {
    pub flow Unread {
        source input: JsonLine {
            id: i64, text: &str, perhaps: Option<&str>, count: Option<i64>, at: Option<Date("%Y-%m-%d")>, "deep.er" as deep: &str
        };
        sink out { id: i64 };
        trap bad;
        input -> Retain(id) -> out;
    }
}

#[test]
fn fields_that_nobody_reads_are_refused_as_those_that_are_read() {
    let lines = [
        r#"{"id": 1, "text": "", "deep": {"er": {}}}"#,
        r#"{"id": 2, "text": null, "deep": {"er": "x"}}"#,
        r#"{"id": 3, "text": "x", "perhaps": 5, "deep": {"er": "x"}}"#,
        r#"{"id": 4, "text": "x", "count": 1.5, "deep": {"er": "x"}}"#,
        r#"{"id": 5, "text": "x", "at": "today", "deep": {"er": "x"}}"#,
        r#"{"id": 6, "text": "x", "deep": null}"#,
        r#"{"id": 7, "text": "\ud83d", "deep": {"er": "x"}}"#,
        r#"{"id": 8, "text": "x", "perhaps": null, "count": null, "at": null, "deep": {"er": []}, "unknown": 1}"#,
        r#"{"id": 9, "text": "x", "deep": {"er": "x"}"#,
        "",
    ];
    let (out, bad) = (MemoryRows::default(), MemoryRows::default());
    let input = Source::memory(&MemoryRecords::lines(lines));
    run(&Unread { input, out: Sink::memory(&out).append(), bad: Trap::memory(&bad) }, 2).unwrap();
    assert_eq!(shown(&out), ["1", "8"]);
    let reasons: Vec<String> = bad.trapped().into_iter().map(|row| row.reason).collect();
    let expected = [
        "`text`: null, but required",
        "`perhaps`: `5` is a number, not text",
        "`count`: `1.5` is not an i64",
        "`at`: `today` is not a Date(\"%Y-%m-%d\")",
        "`deep`: missing, but required",
        "`text`: `\\ud83d` is half of a character, and its other half is not there",
        "malformed JSON: the record ends where `,` or `}` is expected",
        "empty, not a JSON object",
    ];
    assert_eq!(reasons, expected);
}

flow! {
    pub flow Joined {
        source clicks: JsonLine { "ad.id" as ad: i64, site: Option<&str> };
        table campaigns: JsonLine { ad_id: i64, category: &str };
        sink out { site: Option<&str>, category: &str, clicks: i64 };
        trap bad;
        HashJoin(clicks on ad, campaigns on ad_id, InnerJoin)
            -> GroupBy(site, category)
            -> Every(Count => clicks)
            -> out;
    }
}

#[test]
fn a_table_is_json_too() {
    let clicks = [
        r#"{"ad": {"id": 1}, "site": "s"}"#,
        r#"{"ad": {"id": 2}, "site": "s"}"#,
        r#"{"ad": {"id": 1}}"#,
        r#"{"ad": {"id": 3}, "site": "s"}"#,
    ];
    let campaigns = [r#"{"ad_id": 1, "category": "toys"}"#, r#"{"category": "caf\u00e9s", "ad_id": 2}"#];
    let (out, bad) = (MemoryRows::default(), MemoryRows::default());
    let flow = Joined {
        clicks: Source::memory(&MemoryRecords::lines(clicks)),
        campaigns: Table::memory(&MemoryRecords::lines(campaigns)),
        out: Sink::memory(&out).append(),
        bad: Trap::memory(&bad),
    };
    run(&flow, 2).unwrap();
    assert_eq!(shown(&out), ["-|toys|1", "s|cafés|1", "s|toys|1"]);
}
