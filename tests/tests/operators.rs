//! Every operator in a flow of its own: what goes in, what comes out, in which order.

#![expect(clippy::unwrap_used, reason = "a test may")]

use flow_runtime::{Flow, MemoryRecords, MemoryRows, Sink, Source, Table, Trap, flow, value::Decimal};
use flow_tests::run;

/// Runs a flow of one source and one sink, and shows its rows as `a|b`, null as `-`.
fn rows<F: Flow>(make: impl FnOnce(Source, Sink) -> F, lines: &[&str]) -> Vec<String> {
    let out = MemoryRows::default();
    run(&make(Source::memory(&MemoryRecords::lines(lines)), Sink::memory(&out).append()), 2).unwrap();
    let cell = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    out.values().into_iter().map(|row| row.into_iter().map(cell).collect::<Vec<_>>().join("|")).collect()
}

flow! {
    pub flow Projections {
        source input: TextDelimited(delimiter = ",") { a: i16, b: &str, c: Option<&str> };
        sink out { x: i16, y: &str, c: &str };
        trap bad;
        kept = input -> Retain(c, a, b) -> Assert(c => NotNull);
        kept -> Rename(a, b => x, y) -> Discard(c) -> Insert(c: &str = "end") -> out;
    }
}

#[test]
fn projections_rename_keep_and_drop() {
    let make = |input, out| Projections { input, out, bad: Trap::memory(&MemoryRows::default()) };
    assert_eq!(rows(make, &["1,one,i", "2,two,", "3,three,iii"]), ["1|one|end", "3|three|end"]);
}

flow! {
    pub flow Swap {
        source input: TextDelimited(delimiter = ",") { a: &str, b: &str };
        sink out { a: &str, b: &str };
        input -> Rename(a, b => b, a) -> out;
    }
}

#[test]
fn two_fields_can_swap_their_names() {
    assert_eq!(rows(|input, out| Swap { input, out }, &["x,y"]), ["y|x"]);
}

fn both(a: i32, b: i32) -> (i32, i32) {
    (a + b, a * b)
}

fn halves(text: &str) -> Option<(&str, &str)> {
    text.split_once('-')
}

flow! {
    pub flow Functions {
        source input: TextDelimited(delimiter = ",") { a: i32, b: i32, text: &str };
        sink out { sum: i32, product: i32, left: &str, right: Option<&str>, a: i32, text: &str, length: i64 };
        trap bad;
        input
            -> Each(a, b => both => ALL, sum: i32, product: i32)
            -> Each(text => halves => ALL, left: &str, right: Option<&str>)
            -> Each(a => |a: i32| a.checked_add(1) => REPLACE)
            -> Each(text => str::to_uppercase => REPLACE)
            -> Each(text => |text: &str| text.len() as i64 => ALL, length: i64)
            -> out;
    }
}

#[test]
fn rust_functions_take_and_return_several_fields() {
    let bad = MemoryRows::default();
    let make = |input, out| Functions { input, out, bad: Trap::memory(&bad) };
    let lines = ["2,3,x-y", "1,1,none", "2147483647,0,a-b", "5,0,é-"];
    assert_eq!(rows(make, &lines), ["5|6|x|y|3|X-Y|3", "5|0|é||6|É-|3"]);
    let reasons: Vec<String> = bad.trapped().into_iter().map(|row| row.reason).collect();
    assert_eq!(reasons, ["returned None", "`a`: returned None"]);
}

fn price(text: &str) -> Option<Decimal> {
    let (units, scale) = text.split_once('e')?;
    Some(Decimal::new(units.parse().ok()?, scale.parse().ok()?))
}

flow! {
    pub flow Prices {
        source input: TextDelimited(delimiter = ",") { shop: &str, text: &str };
        sink out { shop: &str, paid: Decimal(38, 2), half: Option<Decimal(38, 1)> };
        trap bad;
        input
            -> Each(text => price => ALL, price: Decimal(5, 2))
            -> Insert(half: Option<Decimal(5, 1)> = Some(Decimal::new(price.units() / 2, 2)))
            -> GroupBy(shop)
            -> Every(price => Sum => paid)
            -> Every(half => Sum => half)
            -> out;
    }
}

#[test]
fn decimals_of_rust_code_come_to_the_scale_of_their_field_or_to_the_trap() {
    let bad = MemoryRows::default();
    let make = |input, out| Prices { input, out, bad: Trap::memory(&bad) };
    assert_eq!(rows(make, &["a,1260e2", "a,126000e4", "a,12605e3", "a,1000e0", "a,100e3", "a,2e1"]), ["a|25.40|12.7"]);
    let reasons: Vec<String> = bad.trapped().into_iter().map(|row| row.reason).collect();
    assert_eq!(
        reasons,
        [
            "`price`: `12.605` does not fit a Decimal(5, 2)",
            "`price`: `1000` does not fit a Decimal(5, 2)",
            "`half`: `0.05` does not fit a Decimal(5, 1)",
        ]
    );
}

flow! {
    pub flow Expressions {
        source input: TextDelimited(delimiter = ",") { size: Option<i64>, name: &str, r#type: &str };
        sink out { name: &str, kb: f64, line: &str };
        input
            -> Filter(size.is_some_and(|size| size >= 500) && !r#type.is_empty())
            -> Insert(kb: f64 = size.unwrap_or_default() as f64 / 1e3, line: &str = format!("{name}:{type}", type = r#type))
            -> out;
    }
}

#[test]
fn expressions_see_the_live_fields_as_variables() {
    let lines = ["500,a,t", "499,b,t", ",c,t", "1500,d,", "2500,e,u"];
    assert_eq!(rows(|input, out| Expressions { input, out }, &lines), ["a|0.5|a:t", "e|2.5|e:u"]);
}

flow! {
    pub flow NamedGroups {
        source line { line: &str };
        sink out { key: &str, value: Option<&str> };
        trap bad;
        line -> Each(line => RegexParser(r"^(?<key>\w+)(?:=(?<value>\d+))?$")) -> out;
    }
}

#[test]
fn named_groups_name_the_fields_and_an_optional_group_is_nullable() {
    let make = |line, out| NamedGroups { line, out, bad: Trap::memory(&MemoryRows::default()) };
    assert_eq!(rows(make, &["a=1", "b", "=", "é=2"]), ["a|1", "b|-"]);
}

flow! {
    pub flow Branches {
        source numbers { n: i64 };
        table  others: TextDelimited(delimiter = ",") { n: Option<i64> };
        sink out { n: Option<i64>, from: &str };
        sink odd { n: i64 };
        trap bad;

        all = numbers;
        small = all -> Filter(n < 10) -> Insert(from: &str = "small");
        big = all -> Filter(n >= 10) -> Insert(from: &str = "big");
        tabled = others -> Insert(from: &str = "table");
        Merge(small, big, tabled) -> out;
        all -> Filter(n % 2 == 1) -> odd;
    }
}

#[test]
fn a_pipe_used_twice_is_a_branch_and_merge_joins_branches_and_ports() {
    let (out, odd, bad) = (MemoryRows::default(), MemoryRows::default(), MemoryRows::default());
    let flow = Branches {
        numbers: Source::memory(&MemoryRecords::lines(["1", "x", "12", "3"])),
        others: Table::memory(&MemoryRecords::lines(["7", ""])),
        out: Sink::memory(&out),
        odd: Sink::memory(&odd),
        bad: Trap::memory(&bad),
    };
    let outcome = run(&flow, 2).unwrap();
    let mut rows = out.rows::<branches::OwnedOutRow>();
    rows.sort_by_key(|row| (row.from.clone(), row.n));
    let rows: Vec<_> = rows.iter().map(|row| (row.n, row.from.as_str())).collect();
    assert_eq!(rows, [(Some(12), "big"), (Some(1), "small"), (Some(3), "small"), (None, "table"), (Some(7), "table")]);
    assert_eq!(odd.values(), [[Some("1".to_owned())], [Some("3".to_owned())]]);
    // Its prefix ran once: a record that does not parse is trapped once.
    assert_eq!(bad.len(), 1);
    assert_eq!(outcome.counts[0].rows_in, 4);
}

flow! {
    pub flow Delimited {
        source input: TextDelimited(delimiter = "||", quote = '\'', header, strict = false) {
            a: &str, b: Option<i32>, c: Option<&str>
        };
        sink out { a: &str, b: Option<i32>, c: Option<&str> };
        trap bad;
        input -> out;
    }
}

#[test]
fn delimited_text_has_headers_quotes_and_lines_of_other_lengths() {
    let bad = MemoryRows::default();
    let make = |input, out| Delimited { input, out, bad: Trap::memory(&bad) };
    let lines = ["a||b||c", "'x||y'||1||it''s", "'it''s'||2", "z", "||||", "a||1||b||cut", "q||no", "'open"];
    assert_eq!(rows(make, &lines), ["x||y|1|it''s", "it's|2|-", "z|-|-", "|-|-", "a|1|b"]);
    let reasons: Vec<String> = bad.trapped().into_iter().map(|row| row.reason).collect();
    assert!(reasons[0].starts_with("`b`: "), "{reasons:?}");
    assert_eq!(reasons.len(), 2);
}

flow! {
    pub flow Typed {
        source input: TextDelimited(delimiter = "|") {
            flag: bool, price: Decimal(6, 2), day: Date("%d.%m.%Y"), at: Timestamp("%d/%b/%Y:%H:%M:%S %z"), raw: &[u8], ratio: f32
        };
        sink out {
            flag: bool, price: Decimal(6, 2), day: Date("%Y-%m-%d"), at: Timestamp("%Y-%m-%dT%H:%M:%S%z"), raw: &[u8], ratio: f32
        };
        trap bad;
        input -> out;
    }
}

#[test]
fn every_type_is_read_and_written() {
    let bad = MemoryRows::default();
    let make = |input, out| Typed { input, out, bad: Trap::memory(&bad) };
    let good = "true|12.5|22.11.2026|22/Nov/2026:12:00:00 +0100|x|0.5";
    let lines = [
        good,
        "yes|1|22.11.2026|22/Nov/2026:12:00:00 +0100|x|0.5",
        "true|1.234|22.11.2026|22/Nov/2026:12:00:00 +0100|x|0.5",
        "true|1|31.02.2026|22/Nov/2026:12:00:00 +0100|x|0.5",
        "true|1|22.11.2026|yesterday|x|0.5",
        "true|1|22.11.2026|22/Nov/2026:12:00:00 +0100|x",
    ];
    assert_eq!(rows(make, &lines), ["true|12.50|2026-11-22|2026-11-22T11:00:00+0000|x|0.5"]);
    let reasons: Vec<String> = bad.trapped().into_iter().map(|row| row.reason).collect();
    let fields: Vec<&str> = reasons.iter().filter_map(|reason| reason.split(':').next()).collect();
    assert_eq!(fields, ["`flag`", "`price`", "`day`", "`at`", "expected 6 columns, found 5"]);
}

flow! {
    pub flow Chain {
        source input: TextDelimited(delimiter = ",") { day: i32, host: &str };
        table  hosts { host: &str };
        sink busiest { hosts: i64, most: i64 };
        trap bad;

        listed = hosts -> Rename(host => listed);
        daily = input -> GroupBy(day, host) -> Every(Count => hits);
        HashJoin(daily on host, listed on listed, InnerJoin)
            -> GroupBy(day)
            -> Every(Count => hosts)
            -> Every(hits => Max => most)
            -> Retain(hosts, most)
            -> busiest;
    }
}

#[test]
fn a_group_can_be_joined_and_grouped_again() {
    let out = MemoryRows::default();
    let flow = Chain {
        input: Source::memory(&MemoryRecords::lines(["2,a", "1,a", "1,b", "1,a", "1,zz", "2,a", "2,a"])),
        hosts: Table::memory(&MemoryRecords::lines(["a", "b", "unused"])),
        busiest: Sink::memory(&out).append(),
        bad: Trap::unbound(),
    };
    run(&flow, 7).unwrap();
    let rows = out.rows::<chain::OwnedBusiestRow>();
    assert_eq!(rows, [chain::OwnedBusiestRow { hosts: 2, most: 2 }, chain::OwnedBusiestRow { hosts: 1, most: 3 }]);
}

flow! {
    pub flow HeldGroup {
        source left: TextDelimited(delimiter = ",") { key: &str };
        table  right: TextDelimited(delimiter = ",") { other: &str, n: i64 };
        sink out { key: Option<&str>, total: Option<i64> };
        totals = right -> GroupBy(other) -> Every(n => Sum => total);
        HashJoin(left on key, totals on other, OuterJoin) -> out;
    }
}

#[test]
fn a_group_can_be_the_held_side_of_a_join() {
    let out = MemoryRows::default();
    let flow = HeldGroup {
        left: Source::memory(&MemoryRecords::lines(["a", "c"])),
        right: Table::memory(&MemoryRecords::lines(["a,1", "b,2", "a,3"])),
        out: Sink::memory(&out).append(),
    };
    run(&flow, 2).unwrap();
    let rows: Vec<_> = out.rows::<held_group::OwnedOutRow>().into_iter().map(|row| (row.key, row.total)).collect();
    assert_eq!(rows, [(Some("a".to_owned()), Some(4)), (Some("c".to_owned()), None), (None, Some(2))]);
}

flow! {
    pub flow OwnNames {
        source text: TextDelimited(delimiter = ",") { text: &str, data: &str, end_0: i64, part: &str };
        sink out { text: &str, first: &str, end: &str, end_0: i64, part: &str };
        trap bad;
        text -> Each(data => RegexParser(r"^([^ ]*) ([^ ]*) ") => ALL, first, end) -> out;
    }
}

#[test]
fn fields_may_have_the_names_of_the_loops_own_variables() {
    let make = |text, out| OwnNames { text, out, bad: Trap::unbound() };
    assert_eq!(rows(make, &["t,one two three,7,p"]), ["t|one|two|7|p"]);
}

flow! {
    pub flow ReadAgain {
        source lines { line: &str };
        sink out { line: &str };
        sink long { line: &str };
        all = lines -> Filter(!line.is_empty()) -> out;
        all -> Filter(line.len() > 3) -> long;
    }
}

#[test]
fn a_named_pipe_that_ends_in_a_sink_can_be_read_again() {
    let (out, long) = (MemoryRows::default(), MemoryRows::default());
    let flow = ReadAgain {
        lines: Source::memory(&MemoryRecords::lines(["abcd", "", "ab"])),
        out: Sink::memory(&out),
        long: Sink::memory(&long),
    };
    run(&flow, 2).unwrap();
    assert_eq!((out.len(), long.len()), (2, 1));
}

flow! {
    pub flow Returned {
        source left: TextDelimited(delimiter = ",") { k: &str, b: &str };
        table  right { other: &str };
        sink out { k: &str, b: Option<&str> };
        trap bad;
        HashJoin(left on k, right on other, OuterJoin)
            -> Discard(other)
            -> Each(k, b => |k: Option<&str>, b: Option<&str>| (k.map(str::to_uppercase), b.map(str::to_owned)) => k: &str, b: Option<&str>)
            -> out;
    }
}

#[test]
fn owned_results_may_take_the_names_of_the_arguments() {
    let (out, bad) = (MemoryRows::default(), MemoryRows::default());
    let flow = Returned {
        left: Source::memory(&MemoryRecords::lines(["a,x"])),
        right: Table::memory(&MemoryRecords::lines(["b"])),
        out: Sink::memory(&out),
        bad: Trap::memory(&bad),
    };
    run(&flow, 1).unwrap();
    assert_eq!(out.values(), [[Some("A".to_owned()), Some("x".to_owned())]]);
    assert_eq!(String::from_utf8_lossy(&bad.trapped()[0].record), "k=None, b=None");
}

fn trip(text: &str) -> i64 {
    text.len() as i64
}

flow! {
    pub flow Nulls {
        source input: TextDelimited(delimiter = ",") { trim: &str, x: Option<&str> };
        sink out { trim: &str, n: Option<i64>, size: Option<i64>, trimmed: &str };
        input
            -> Insert(n: Option<i64> = None, size: Option<i64> = x.map(trip))
            -> Each(trim => <str>::trim => ALL, trimmed: &str)
            -> out;
    }
}

#[test]
fn null_can_be_inserted_and_a_function_handed_to_a_method() {
    assert_eq!(rows(|input, out| Nulls { input, out }, &[" a ,xy", "b,"]), [" a |-|2|a", "b|-|-|b"]);
}
