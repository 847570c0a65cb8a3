//! The sink against a table in memory: what loads make of it, whatever fails and whoever acts in between.

mod conforms;
mod faults;
mod memory;
mod mutants;
mod types;

use std::sync::Arc;

use memory::{Fault, MemoryTable};

use super::*;
use crate::{
    plan::PortKind,
    sink::fixtures::{Place, Row, added, field, nullable, sink, ticket},
    value::Type,
};

/// How often, which last, by host.
static COUNTS: PortPlan =
    sink("counts", &[field("host", Type::Text), added("count", Type::I64), nullable("path", Type::Text)], &[0]);

/// Events of their own keys, of a host and a number.
static EVENTS: PortPlan =
    sink("events", &[field("host", Type::Text), field("number", Type::I64), nullable("path", Type::Text)], &[0, 1]);

fn table(port: &PortPlan) -> Arc<MemoryTable> {
    Arc::new(MemoryTable::new(definition(port)))
}

/// A tap as a process of its own would open it.
fn tap(table: &Arc<MemoryTable>, port: &'static PortPlan) -> DynamoDbSinkTap {
    let comes_once = port.name == "events";
    DynamoDbSinkTap {
        table: Arc::clone(table) as Arc<dyn Table>,
        name: "hits".to_owned(),
        place: "dynamodb://hits".to_owned(),
        shape: SinkShape { port, mode: Mode::Merge },
        layout: Layout::of(port, comes_once).unwrap(),
    }
}

type Counts = [(&'static str, Option<i64>, Option<&'static str>)];

fn stage(place: &Place, rows: &[impl Row]) -> Staged {
    place.stage(&COUNTS, rows)
}

fn load(table: &Arc<MemoryTable>, rows: &Counts, ticket: &Ticket) -> Result<Published, Error> {
    tap(table, &COUNTS).publish(&stage(&Place::new(), rows), Some(ticket))
}

fn held(done: Result<Published, Error>) -> String {
    match done {
        Err(Error::Held(failure)) => failure.account(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn rows_are_added_to_and_replaced_by_key_in_their_order() {
    let table = table(&COUNTS);
    let first: &Counts = &[("a", Some(1), Some("/x")), ("b", None, None), ("a", Some(2), Some("/y"))];
    assert_eq!(load(&table, first, &ticket(&COUNTS, 0)).unwrap(), Published::Now);
    assert_eq!(table.seen(), ["count=3 host=a path=/y", "host=b"]);
    let second: &Counts = &[("a", Some(4), None), ("b", Some(5), Some("/z"))];
    assert_eq!(load(&table, second, &ticket(&COUNTS, 1)).unwrap(), Published::Now);
    assert_eq!(table.seen(), ["count=7 host=a", "count=5 host=b path=/z"]);
    assert_eq!(load(&table, second, &ticket(&COUNTS, 1)).unwrap(), Published::Before);
    assert_eq!(table.seen(), ["count=7 host=a", "count=5 host=b path=/z"]);
    assert_eq!(table.marks(), ["flow:hits/counts"; 2]);
}

#[test]
fn items_whose_keys_come_once_are_put_in_batches_without_a_mark() {
    let (table, place) = (table(&EVENTS), Place::new());
    let mut rows: Vec<(&str, i64, Option<&str>)> = (0..2000).map(|n| ("a", n, Some("/x"))).collect();
    // Somebody has sent two of them twice.
    rows.extend([("a", 0, Some("/y")), ("a", 0, Some("/z")), ("a", 1999, None)]);
    let staged = place.stage(&EVENTS, &rows);
    assert_eq!(tap(&table, &EVENTS).publish(&staged, Some(&ticket(&EVENTS, 0))).unwrap(), Published::Now);
    let seen = table.seen();
    assert_eq!((seen.len(), table.batch(), table.marks().len()), (2000, BATCH_MAX, 0));
    assert_eq!((seen.iter().filter(|item| item.ends_with("path=/x")).count()), 1998);
    assert!(seen.contains(&"host=a number=0 path=/z".to_owned()) && seen.contains(&"host=a number=1999".to_owned()));
    assert!(table.calls() < 16 + 2000 / 25 + 10, "{} calls", table.calls());
}

const BATCH_MAX: usize = crate::aws::limits::BATCH_WRITES_MAX;

#[test]
fn what_the_ledger_and_the_store_disagree_on_is_held() {
    let table = table(&COUNTS);
    let rows: &Counts = &[("a", Some(1), None)];
    load(&table, rows, &ticket(&COUNTS, 0)).unwrap();
    let of = |epoch: &str, iteration, hash: &str| Ticket {
        epoch: epoch.to_owned(),
        hash: hash.to_owned(),
        ..ticket(&COUNTS, iteration)
    };
    assert!(held(load(&table, rows, &of("e2", 0, "h"))).contains("another checkpoint store"));
    assert!(held(load(&table, rows, &of("e1", 0, "other"))).contains("other rows"));
    assert!(held(load(&table, rows, &of("e1", 2, "h"))).contains("lacks an iteration"));
    assert!(tap(&table, &COUNTS).check_ledger(&of("e1", 1, "")).is_ok_and(|has| !has));
    assert!(tap(&table, &COUNTS).check_ledger(&ticket(&COUNTS, 0)).unwrap());
    table.drop_and_make();
    assert!(held(load(&table, rows, &ticket(&COUNTS, 1))).contains("the table is gone"));
    assert_eq!(table.seen(), [""; 0]);
    let from = Ticket { from: Some(1), ..ticket(&COUNTS, 1) };
    tap(&table, &COUNTS).forget("hits", false).unwrap();
    assert_eq!(load(&table, rows, &from).unwrap(), Published::Now);
}

#[test]
fn what_is_half_loaded_is_not_taken_for_other_rows_or_for_nothing() {
    let table = table(&COUNTS);
    let rows: &Counts = &[("a", Some(1), None), ("b", Some(1), None)];
    // The ledger is written, then an item; the next call fails.
    table.fail(4, Fault::Refused);
    assert!(load(&table, rows, &ticket(&COUNTS, 0)).is_err());
    assert_eq!(table.seen().len(), 1);
    let other = Ticket { hash: "other".to_owned(), ..ticket(&COUNTS, 0) };
    assert!(held(load(&table, rows, &other)).contains("a part of iteration 0 is there"));
    let unsealed = Ticket { hash: String::new(), ..ticket(&COUNTS, 0) };
    let said = tap(&table, &COUNTS).check_ledger(&unsealed).unwrap_err().to_string();
    assert!(said.contains("ahead of the checkpoint store"), "{said}");
    let foreign = Ticket { epoch: "e2".to_owned(), ..ticket(&COUNTS, 0) };
    assert!(held(load(&table, rows, &foreign)).contains("another checkpoint store"));
    assert_eq!(load(&table, rows, &ticket(&COUNTS, 0)).unwrap(), Published::Now);
    assert_eq!(table.seen(), ["count=1 host=a", "count=1 host=b"]);
}

#[test]
fn a_flow_that_was_forgotten_begins_anew_on_the_items_of_before_or_on_none() {
    for (empty, expected) in [(false, ["count=3 host=a"]), (true, ["count=2 host=a"])] {
        let table = table(&COUNTS);
        load(&table, &[("a", Some(1), None)], &ticket(&COUNTS, 0)).unwrap();
        tap(&table, &COUNTS).forget("hits", empty).unwrap();
        let anew = Ticket { epoch: "e2".to_owned(), ..ticket(&COUNTS, 0) };
        assert_eq!(load(&table, &[("a", Some(2), None)], &anew).unwrap(), Published::Now);
        assert_eq!(table.seen(), expected);
    }
}

#[test]
fn a_table_that_was_not_emptied_to_the_end_is_held_until_it_is() {
    let table = table(&COUNTS);
    load(&table, &[("a", Some(1), None), ("b", Some(1), None)], &ticket(&COUNTS, 0)).unwrap();
    let first = table.calls();
    // Its ledger is read, that of others, and written, an item is deleted, then the next call fails.
    table.fail(first + 4, Fault::Refused);
    assert!(tap(&table, &COUNTS).forget("hits", true).is_err());
    assert_eq!(table.seen(), ["count=1 host=b"]);
    let next = ticket(&COUNTS, 1);
    assert!(held(load(&table, &[("a", Some(1), None)], &next)).contains("not emptied to the end"));
    tap(&table, &COUNTS).forget("hits", true).unwrap();
    assert_eq!(table.seen(), [""; 0]);
}

#[test]
fn rows_of_another_flow_are_not_deleted_with_those_of_one() {
    let table = table(&COUNTS);
    let of = |flow: &str| Ticket { flow: flow.to_owned(), ..ticket(&COUNTS, 0) };
    load(&table, &[("a", Some(1), None)], &of("hits")).unwrap();
    load(&table, &[("b", Some(1), None)], &of("orders")).unwrap();
    let said = tap(&table, &COUNTS).forget("hits", true).unwrap_err().to_string();
    assert!(said.contains("names port `counts` of flow orders"), "{said}");
    assert_eq!(table.seen(), ["count=1 host=a", "count=1 host=b"]);
    tap(&table, &COUNTS).forget("orders", false).unwrap();
    tap(&table, &COUNTS).forget("hits", true).unwrap();
    assert_eq!(table.seen(), [""; 0]);
}

#[test]
fn items_that_are_put_whole_share_a_table_with_none_that_are_added_to() {
    static ADDED: PortPlan =
        sink("added", &[field("host", Type::Text), field("number", Type::I64), added("count", Type::I64)], &[0, 1]);
    let (place, of) = (Place::new(), |port, flow: &str| Ticket { flow: flow.to_owned(), ..ticket(port, 0) });
    let (events, counts) = (|| place.stage(&EVENTS, &[("a", 1, Some("/x"))]), || place.stage(&ADDED, &[("a", 1, 5)]));
    let refused = |table: &Arc<MemoryTable>, port, flow: &str| {
        tap(table, port).check_ledger(&of(port, flow)).map(drop).map_err(|error| error.to_string())
    };

    let first_put = table(&EVENTS);
    tap(&first_put, &EVENTS).publish(&events(), Some(&of(&EVENTS, "orders"))).unwrap();
    let said = refused(&first_put, &ADDED, "hits").unwrap_err();
    assert!(said.contains("port `events` of flow orders puts its items whole, by keys=once"), "{said}");
    refused(&first_put, &EVENTS, "orders").unwrap();

    let first_added = table(&ADDED);
    tap(&first_added, &ADDED).publish(&counts(), Some(&of(&ADDED, "hits"))).unwrap();
    let said = refused(&first_added, &EVENTS, "orders").unwrap_err();
    assert!(
        said.contains("port `added` of flow hits has rows there, too; nothing was changed; leave keys=once out"),
        "{said}"
    );
    refused(&first_added, &ADDED, "orders").unwrap();
}

#[test]
fn an_item_that_is_refused_is_named_by_its_key() {
    let (table_of_counts, table_of_events, place) = (table(&COUNTS), table(&EVENTS), Place::new());
    table_of_counts.refuse(Some("b"));
    let rows: &Counts = &[("a", Some(1), None), ("b", Some(1), None)];
    let said = load(&table_of_counts, rows, &ticket(&COUNTS, 0)).unwrap_err().to_string();
    assert!(said.contains("row 1 of the iteration, item host=b"), "{said}");

    table_of_events.refuse(Some("b"));
    let rows: Vec<(&str, i64, Option<&str>)> = (0..10).map(|n| (if n == 7 { "b" } else { "a" }, n, None)).collect();
    let staged = place.stage(&EVENTS, &rows);
    let said = tap(&table_of_events, &EVENTS).publish(&staged, Some(&ticket(&EVENTS, 0))).unwrap_err().to_string();
    assert!(said.contains("row 7 of the iteration, item host=b, number=7"), "{said}");
}

#[test]
fn of_a_half_loaded_iteration_no_other_is_begun() {
    let table = table(&COUNTS);
    table.fail(4, Fault::Refused);
    assert!(load(&table, &[("a", Some(1), None), ("b", Some(1), None)], &ticket(&COUNTS, 0)).is_err());
    let later = Ticket { from: Some(1), ..ticket(&COUNTS, 1) };
    assert!(held(load(&table, &[], &later)).contains("a part of iteration 0 is there"));
}

#[test]
fn a_run_without_a_store_fills_an_empty_table_and_no_other() {
    let (place, without) = (Place::new(), table(&COUNTS));
    let rows: &Counts = &[("a", Some(1), None), ("a", Some(2), None)];
    let staged = stage(&place, rows);
    let publish = |table: &Arc<MemoryTable>| tap(table, &COUNTS).publish(&staged, None);
    assert_eq!(publish(&without).unwrap(), Published::Now);
    assert_eq!(without.seen(), ["count=3 host=a"]);
    let said = publish(&without).unwrap_err().to_string();
    assert!(said.contains("there are rows already"), "{said}");
    let kept = table(&COUNTS);
    load(&kept, &[], &ticket(&COUNTS, 0)).unwrap();
    let said = tap(&kept, &COUNTS).check_without_store().unwrap_err().to_string();
    assert!(said.contains("its ledger names port `counts` of flow hits"), "{said}");
}

#[test]
fn a_ledger_that_was_lost_is_begun_above_the_marks_of_before() {
    let table = table(&COUNTS);
    let later = |ticket: &Ticket, now_us: i64| {
        let world = Arc::new(At(now_us));
        crate::effect::in_world(world, || load(&table, &[("a", Some(1), None)], ticket))
    };
    assert_eq!(later(&ticket(&COUNTS, 0), 1_000_000).unwrap(), Published::Now);
    table.lose_ledger();
    let anew = Ticket { epoch: "e2".to_owned(), ..ticket(&COUNTS, 0) };
    assert_eq!(later(&anew, 2_000_000).unwrap(), Published::Now);
    assert_eq!(table.seen(), ["count=2 host=a"]);
    // By a clock that was put back it is not: no row is passed over without a word.
    table.lose_ledger();
    let said = later(&Ticket { epoch: "e3".to_owned(), ..ticket(&COUNTS, 0) }, 0).unwrap_err().to_string();
    assert!(said.contains("the table is ahead of its ledger"), "{said}");
    assert_eq!(table.seen(), ["count=2 host=a"]);
}

/// A world at this time.
#[derive(Debug)]
struct At(i64);

impl crate::effect::World for At {
    fn now_us(&self) -> i64 {
        self.0
    }
}

#[test]
fn marks_sort_as_generations_iterations_and_rows_do() {
    let mark = |generation, iteration, row| Marker::new("hits/counts", generation, iteration).of_row(row);
    let marks = [
        mark(9, 0, 0),
        mark(1_763_841_600_000_000, 2, 9),
        mark(1_763_841_600_000_000, 2, 10),
        mark(1_763_841_600_000_000, 10, 0),
    ];
    assert!(marks.is_sorted());
    assert!(Marker::new("hits/counts", 9, 0).has(&marks[0]) && !Marker::new("hits/counts", 9, 1).has(&marks[0]));
}

#[test]
fn what_a_table_of_dynamodb_cannot_be_is_said_with_what_to_do() {
    static NO_KEY: PortPlan = sink("plain", &[field("host", Type::Text)], &[]);
    static FLAG: PortPlan = sink("flags", &[field("is", Type::Bool)], &[0]);
    static WIDE: PortPlan =
        sink("wide", &[field("a", Type::Text), field("b", Type::Text), field("c", Type::Text)], &[0, 1, 2]);
    static FLOATS: PortPlan = sink("floats", &[field("host", Type::Text), added("total", Type::F64)], &[0]);
    static TRAP: PortPlan = PortPlan { kind: PortKind::Trap, ..sink("bad", &[], &[]) };
    let refusal = |address: &str, mode, port: &'static PortPlan| {
        let opened = DynamoDbSinkTap::open(&address.parse().unwrap(), SinkShape { port, mode });
        opened.unwrap_err().to_string()
    };
    for (address, mode, port, said) in [
        (
            "dynamodb://counts",
            Mode::Append,
            &COUNTS,
            "add mode=merge; where each row has a key of its own, keys=once too",
        ),
        ("dynamodb://counts", Mode::Replace, &COUNTS, "cannot be replaced"),
        ("dynamodb://counts", Mode::Append, &TRAP, "give the trap a file:"),
        ("dynamodb://counts", Mode::Merge, &NO_KEY, "declare `key(partition)`"),
        ("dynamodb://counts", Mode::Merge, &WIDE, "a key of 3 fields"),
        ("dynamodb://counts", Mode::Merge, &FLAG, "`is` is of type bool"),
        ("dynamodb://counts?keys=once", Mode::Merge, &COUNTS, "`count` is added to"),
        ("dynamodb://counts", Mode::Merge, &FLOATS, "its type is f64"),
        ("dynamodb://counts?keys=twice", Mode::Merge, &COUNTS, "takes the word `once`"),
        ("dynamodb://ab", Mode::Merge, &COUNTS, "3 to 255"),
        ("dynamodb://flow_ledger", Mode::Merge, &COUNTS, "no name of a table"),
        ("dynamodb://counts?table=x", Mode::Merge, &COUNTS, "unknown option `table`"),
    ] {
        let text = refusal(address, mode, port);
        assert!(text.contains(said), "{address}: {text}");
    }
}
