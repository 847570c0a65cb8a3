//! What is trapped: the whole record with its reason, the same records whatever is read of them.

use flow_runtime::{
    Error, MemoryRecords, MemoryRows, Sink, Source, Trap, flow,
    sink::Dialect::{Postgres, Redshift},
};
use flow_tests::{WORKERS, run};

flow! {
    /// Reads every field.
    pub flow ReadsAll {
        source lines { line: &str };
        sink out { word: &str, number: i16, rest: Option<&str>, half: f64, shout: &str };
        trap bad;
        lines
            -> Each(line => RegexParser(r"^(\w+) (-?\d+)(?: (.*))?$") => word, number: i16, rest)
            -> Each(number => halve => ALL, half: f64)
            -> Insert(shout: &str = word.to_uppercase())
            -> out;
    }
}

flow! {
    /// Reads one field only.
    pub flow ReadsOne {
        source lines { line: &str };
        sink out { rest: Option<&str> };
        trap bad;
        lines
            -> Each(line => RegexParser(r"^(\w+) (-?\d+)(?: (.*))?$") => word, number: i16, rest)
            -> Each(number => halve => ALL, half: f64)
            -> Insert(shout: &str = word.to_uppercase())
            -> out;
    }
}

fn halve(number: i16) -> Result<f64, String> {
    if number == 13 { Err("unlucky".to_owned()) } else { Ok(f64::from(number) / 2.0) }
}

fn lines() -> MemoryRecords {
    let good = (0..9_000).map(|n| format!("word{n} {}", n % 12).into_bytes());
    let bad =
        ["", "no number", "big 40000", "unlucky 13 tail", "fine 12 and more"].map(|line| line.as_bytes().to_vec());
    MemoryRecords::lines(good.chain(bad).chain([b"not \xff utf8".to_vec()]))
}

const REASONS: [(&str, &str); 5] = [
    ("", "the pattern does not match"),
    ("no number", "the pattern does not match"),
    ("big 40000", "`number`: "),
    ("unlucky 13 tail", "`half`: unlucky"),
    ("not \u{fffd} utf8", "not UTF-8 at byte 4 of the record"),
];

#[test]
fn the_same_records_are_trapped_whatever_is_read_of_them() {
    for workers in WORKERS {
        let [all_bad, one_bad, all_out, one_out] = std::array::from_fn(|_| MemoryRows::default());
        let all =
            ReadsAll { lines: Source::memory(&lines()), out: Sink::memory(&all_out), bad: Trap::memory(&all_bad) };
        let one =
            ReadsOne { lines: Source::memory(&lines()), out: Sink::memory(&one_out), bad: Trap::memory(&one_bad) };
        run(&all, workers).unwrap();
        run(&one, workers).unwrap();
        let trapped = all_bad.trapped();
        assert_eq!(trapped, one_bad.trapped());
        assert_eq!(trapped.len(), REASONS.len());
        for (row, (record, reason)) in trapped.iter().zip(REASONS) {
            assert_eq!(String::from_utf8_lossy(&row.record), record);
            assert!(row.reason.starts_with(reason), "{} for {record:?}", row.reason);
            assert_eq!(row.source.as_deref(), Some("lines"));
        }
        assert_eq!(all_out.len(), 9_001);
        assert_eq!(one_out.len(), 9_001);
        let last = all_out.values().pop().unwrap();
        assert_eq!(last.into_iter().flatten().collect::<Vec<_>>(), ["fine", "12", "and more", "6", "FINE"]);
    }
}

flow! {
    /// A trap for one pipe only.
    pub flow OnePipe {
        source lines { line: &str };
        sink numbers { number: i64 };
        trap bad for parsed;
        parsed = lines -> Each(line => RegexParser(r"(\d+)") => number: i64);
        parsed -> Each(number => |number: i64| (number < 100).then_some(number) => small: i64)
            -> Rename(small => number) -> numbers;
    }
}

#[test]
fn a_record_that_fails_where_no_trap_reaches_stops_the_run_and_nothing_is_published() {
    let (numbers, bad) = (MemoryRows::default(), MemoryRows::default());
    let flow = OnePipe {
        lines: Source::memory(&MemoryRecords::lines(["1", "x", "100"])),
        numbers: Sink::memory(&numbers),
        bad: Trap::memory(&bad),
    };
    let error = run(&flow, 2).unwrap_err();
    assert!(matches!(error, Error::Record(_)), "{error}");
    let text = error.to_string();
    assert!(text.contains("lines") && text.contains('2') && text.contains("small"), "{text}");
    assert!(numbers.is_empty() && bad.is_empty());
}

#[test]
fn a_trap_of_a_pipe_takes_what_its_operators_refuse() {
    let (numbers, bad) = (MemoryRows::default(), MemoryRows::default());
    let flow = OnePipe {
        lines: Source::memory(&MemoryRecords::lines(["1", "x", "99"])),
        numbers: Sink::memory(&numbers),
        bad: Trap::memory(&bad),
    };
    run(&flow, 2).unwrap();
    assert_eq!(numbers.len(), 2);
    assert_eq!(bad.trapped()[0].record, b"x");
}

flow! {
    /// A trap behind a group.
    pub flow BehindGroup {
        source lines { word: &str };
        sink counts { word: &str, count: i64 };
        trap bad;
        lines
            -> GroupBy(word)
            -> Every(Count => count)
            -> Each(count => |count: i64| if count > 1 { Err("too many") } else { Ok(count) } => REPLACE)
            -> counts;
    }
}

#[test]
fn behind_a_group_the_trapped_record_is_the_groups_row() {
    let (counts, bad) = (MemoryRows::default(), MemoryRows::default());
    let flow = BehindGroup {
        lines: Source::memory(&MemoryRecords::lines(["a", "b", "b"])),
        counts: Sink::memory(&counts).append(),
        bad: Trap::memory(&bad),
    };
    run(&flow, 2).unwrap();
    assert_eq!(counts.len(), 1);
    let trapped = bad.trapped();
    assert_eq!(String::from_utf8_lossy(&trapped[0].record), "word=\"b\", count=2");
    assert_eq!((trapped[0].source.as_deref(), trapped[0].reason.as_str()), (None, "`count`: too many"));
}

flow! {
    /// A function that panics.
    pub flow Panics {
        source lines { line: &str };
        sink out { length: i64 };
        trap bad;
        lines -> Each(line => length_of => length: i64) -> out;
    }
}

fn length_of(line: &str) -> i64 {
    assert!(line != "boom", "a bug of the user's");
    line.len() as i64
}

#[test]
fn a_panic_in_user_code_stops_the_run_and_names_the_record() {
    let out = MemoryRows::default();
    let flow = Panics {
        lines: Source::memory(&MemoryRecords::lines(["fine", "boom"])),
        out: Sink::memory(&out),
        bad: Trap::memory(&MemoryRows::default()),
    };
    let text = run(&flow, 2).unwrap_err().to_string();
    assert!(text.contains("a bug of the user's") && text.contains("lines"), "{text}");
    assert!(out.is_empty());
}

flow! {
    /// What is trapped behind a group is not read any more.
    pub flow KeyUnread {
        source lines { word: &str };
        sink counts { count: i64 };
        trap bad;
        lines
            -> GroupBy(word)
            -> Every(Count => count)
            -> Each(count => |count: i64| if count > 1 { Err("too many") } else { Ok(count) } => REPLACE)
            -> Retain(count)
            -> counts;
    }
}

#[test]
fn the_trapped_row_of_a_group_has_its_key_though_nobody_reads_it() {
    let bad = MemoryRows::default();
    let flow = KeyUnread {
        lines: Source::memory(&MemoryRecords::lines(["b", "b"])),
        counts: Sink::memory(&MemoryRows::default()).append(),
        bad: Trap::memory(&bad),
    };
    run(&flow, 1).unwrap();
    assert_eq!(String::from_utf8_lossy(&bad.trapped()[0].record), "word=\"b\", count=2");
}

flow! {
    /// A sink whose columns are narrower than its fields.
    pub flow Narrow {
        source lines { line: &str };
        sink narrow { name: &str as varchar(4), size: i64 as smallint };
        sink wide { name: &str };
        trap bad for narrow;
        parsed = lines -> Each(line => RegexParser(r"^(\S*) (-?\d+)$") => name, size: i64);
        parsed -> narrow;
        parsed -> wide;
    }
}

#[test]
fn what_a_sink_cannot_store_is_trapped_as_its_record_and_goes_wherever_else_it_fits() {
    let lines = ["ab 1", "abcde 2", "a\0b 3", "abc 40000", "äöüß -5"];
    let nul = |server| format!("`name`: it holds U+0000 at byte 1, which {server} takes in no text");
    let in_postgres = [
        (1, "`name`: 5 characters do not fit varchar(4)".to_owned()),
        (2, nul("PostgreSQL")),
        (3, "`size`: 40000 does not fit smallint".to_owned()),
    ];
    let in_redshift = [
        (1, "`name`: 5 bytes do not fit varchar(4)".to_owned()),
        (2, nul("Redshift")),
        (3, "`size`: 40000 does not fit smallint".to_owned()),
        (4, "`name`: 8 bytes do not fit varchar(4)".to_owned()),
    ];
    for (dialect, refused) in [(Postgres, &in_postgres[..]), (Redshift, &in_redshift)] {
        for workers in WORKERS {
            let (narrow, wide, bad) = (MemoryRows::like(dialect), MemoryRows::default(), MemoryRows::default());
            let flow = Narrow {
                lines: Source::memory(&MemoryRecords::lines(lines)),
                narrow: Sink::memory(&narrow),
                wide: Sink::memory(&wide),
                bad: Trap::memory(&bad),
            };
            run(&flow, workers).unwrap();
            let trapped = bad.trapped();
            let found: Vec<(&[u8], &str)> = trapped.iter().map(|row| (&*row.record, row.reason.as_str())).collect();
            let expected: Vec<(&[u8], &str)> =
                refused.iter().map(|(line, reason)| (lines[*line].as_bytes(), reason.as_str())).collect();
            assert_eq!(found, expected);
            assert_eq!((trapped[0].source.as_deref(), trapped[0].operator.as_str()), (Some("lines"), "sink narrow"));
            assert_eq!((narrow.len(), wide.len()), (lines.len() - refused.len(), lines.len()));
        }
    }
}

flow! {
    /// A sink behind a group.
    pub flow NarrowCounts {
        source lines { word: &str };
        sink counts { count: i64 as varchar(1) };
        trap bad;
        lines -> GroupBy(word) -> Every(Count => count) -> counts;
    }
}

#[test]
fn behind_a_group_what_a_sink_cannot_store_is_trapped_as_the_groups_row() {
    let (counts, bad) = (MemoryRows::like(Postgres), MemoryRows::default());
    let flow = NarrowCounts {
        lines: Source::memory(&MemoryRecords::lines([["a"; 9].as_slice(), &["b"; 10]].concat())),
        counts: Sink::memory(&counts).append(),
        bad: Trap::memory(&bad),
    };
    run(&flow, 2).unwrap();
    assert_eq!(counts.values(), [[Some("9".to_owned())]]);
    let trapped = bad.trapped();
    assert_eq!(String::from_utf8_lossy(&trapped[0].record), "word=\"b\", count=10");
    assert_eq!((trapped[0].source.as_deref(), &*trapped[0].reason), (None, "`count`: 10 does not fit varchar(1)"));
}

flow! {
    /// A trap that does not cover the sink.
    pub flow Uncovered {
        source lines { line: &str };
        sink out { line: &str as varchar(3) };
        sink other { line: &str };
        trap bad for read;
        read = lines -> Assert(NotNull);
        read -> out;
        read -> other;
    }
}

#[test]
fn where_no_trap_covers_a_sink_what_it_cannot_store_stops_the_run_and_nothing_is_published() {
    let (out, other, bad) = (MemoryRows::like(Postgres), MemoryRows::default(), MemoryRows::default());
    let flow = Uncovered {
        lines: Source::memory(&MemoryRecords::lines(["abc", "abcd"])),
        out: Sink::memory(&out),
        other: Sink::memory(&other),
        bad: Trap::memory(&bad),
    };
    let error = run(&flow, 2).unwrap_err();
    assert!(matches!(error, Error::Record(_)), "{error}");
    let text = error.to_string();
    assert!(text.contains("sink out: `line`: 4 characters do not fit varchar(3); it is `abcd`"), "{text}");
    assert!(text.contains("add `trap bad for out;` to the flow"), "{text}");
    assert!(out.is_empty() && other.is_empty() && bad.is_empty());
}
