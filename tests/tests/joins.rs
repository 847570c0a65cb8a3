//! The four joins against nested loops, for any number of workers: duplicates on both sides, nulls, keys without partner.

use flow_runtime::{MemoryRecords, MemoryRows, Sink, Source, Table, flow};
use flow_tests::{WORKERS, run};

flow! {
    /// Every join of the same two sides.
    pub flow Joins {
        source events: TextDelimited(delimiter = ",") { key: Option<&str>, day: i32, n: i64 };
        table  names: TextDelimited(delimiter = ",") { name_key: Option<&str>, name_day: Option<i32>, label: &str };
        sink inner { key: Option<&str>, n: i64, label: &str };
        sink left { key: Option<&str>, n: i64, label: Option<&str> };
        sink right { key: Option<&str>, n: Option<i64>, label: &str };
        sink outer { key: Option<&str>, n: Option<i64>, label: Option<&str> };

        HashJoin(events on (key, day), names on (name_key, name_day), InnerJoin) -> inner;
        HashJoin(events on (key, day), names on (name_key, name_day), LeftJoin) -> left;
        HashJoin(events on (key, day), names on (name_key, name_day), RightJoin) -> right;
        HashJoin(events on (key, day), names on (name_key, name_day), OuterJoin) -> outer;
    }
}

type Key = (Option<String>, Option<i32>);
type Row = Vec<Option<String>>;

struct Sides {
    events: Vec<(Key, i64)>,
    names: Vec<(Key, String)>,
}

/// Keys from a small range, so that all cases occur; some null, some on one side only.
fn sides() -> Sides {
    let mut random = fastrand::Rng::with_seed(7);
    let mut key = |from: u32, to: u32| {
        let text = (random.u32(0..8) > 0).then(|| format!("k{:02}", random.u32(from..to)));
        (text, Some(random.i32(0..3)))
    };
    let events = (0..20_000).map(|n| (key(0, 30), n)).collect();
    let mut names: Vec<(Key, String)> = (0..120).map(|n| (key(10, 45), format!("label {n}"))).collect();
    names.push(((None, None), "nothing".to_owned()));
    Sides { events, names }
}

/// Nested loops: streamed rows in order, each with its held rows in order; then what nobody met, by key, null first.
fn expected(sides: &Sides, keeps_streamed: bool, keeps_held: bool) -> Vec<Row> {
    let mut rows = Vec::new();
    for (key, n) in &sides.events {
        let met: Vec<_> = sides.names.iter().filter(|(other, _)| other == key).collect();
        let n = Some(n.to_string());
        rows.extend(met.iter().map(|(_, label)| vec![key.0.clone(), n.clone(), Some(label.clone())]));
        if met.is_empty() && keeps_streamed {
            rows.push(vec![key.0.clone(), n, None]);
        }
    }
    if keeps_held {
        let mut unmet: Vec<_> =
            sides.names.iter().filter(|(key, _)| sides.events.iter().all(|(other, _)| other != key)).collect();
        unmet.sort_by(|a, b| a.0.cmp(&b.0));
        rows.extend(unmet.into_iter().map(|(_, label)| vec![None, None, Some(label.clone())]));
    }
    rows
}

fn lines<V: ToString>(rows: &[(Key, V)]) -> MemoryRecords {
    MemoryRecords::lines(rows.iter().map(|((text, day), value)| {
        let day = day.map(|day| day.to_string()).unwrap_or_default();
        format!("{},{day},{}", text.as_deref().unwrap_or_default(), value.to_string())
    }))
}

#[test]
fn joins_give_what_nested_loops_give_for_any_number_of_workers() {
    let sides = sides();
    for workers in WORKERS {
        let [inner, left, right, outer] = std::array::from_fn(|_| MemoryRows::default());
        let flow = Joins {
            events: Source::memory(&lines(&sides.events)),
            names: Table::memory(&lines(&sides.names)),
            inner: Sink::memory(&inner),
            left: Sink::memory(&left),
            right: Sink::memory(&right),
            outer: Sink::memory(&outer),
        };
        run(&flow, workers).unwrap();
        assert_eq!(inner.values(), expected(&sides, false, false), "inner, {workers} workers");
        assert_eq!(left.values(), expected(&sides, true, false), "left, {workers} workers");
        assert_eq!(right.values(), expected(&sides, false, true), "right, {workers} workers");
        assert_eq!(outer.values(), expected(&sides, true, true), "outer, {workers} workers");
    }
}

#[test]
fn an_empty_streamed_side_leaves_every_held_row_once() {
    let sides = Sides { events: Vec::new(), ..sides() };
    for workers in WORKERS {
        let [inner, left, right, outer] = std::array::from_fn(|_| MemoryRows::default());
        let flow = Joins {
            events: Source::memory(&lines(&sides.events)),
            names: Table::memory(&lines(&sides.names)),
            inner: Sink::memory(&inner),
            left: Sink::memory(&left),
            right: Sink::memory(&right),
            outer: Sink::memory(&outer),
        };
        run(&flow, workers).unwrap();
        assert!(inner.is_empty() && left.is_empty());
        assert_eq!(right.values(), expected(&sides, false, true));
        assert_eq!(outer.values(), expected(&sides, true, true));
    }
}

#[test]
fn an_empty_held_side_leaves_the_streamed_rows_of_left_and_outer_joins() {
    let sides = Sides { names: Vec::new(), ..sides() };
    let [inner, left, right, outer] = std::array::from_fn(|_| MemoryRows::default());
    let flow = Joins {
        events: Source::memory(&lines(&sides.events)),
        names: Table::memory(&lines(&sides.names)),
        inner: Sink::memory(&inner),
        left: Sink::memory(&left),
        right: Sink::memory(&right),
        outer: Sink::memory(&outer),
    };
    run(&flow, 2).unwrap();
    assert!(inner.is_empty() && right.is_empty());
    assert_eq!(left.values(), expected(&sides, true, false));
    assert_eq!(outer.values(), expected(&sides, true, true));
}
