//! Calls that fail or lose their answers at every place, others who act in between, and who asks the load to stop.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

const ITERATIONS: [&Counts; 3] = [
    &[("a", Some(1), Some("/1")), ("b", Some(1), None), ("a", Some(1), Some("/2")), ("c", None, Some("/3"))],
    &[("b", Some(10), Some("/4")), ("d", Some(10), None), ("b", Some(10), None)],
    &[("a", Some(100), None), ("c", Some(100), Some("/5")), ("d", Some(100), Some("/6"))],
];

pub(super) const EXPECTED: [&str; 4] =
    ["count=102 host=a", "count=21 host=b", "count=100 host=c path=/5", "count=110 host=d path=/6"];

fn iteration(of: u64) -> &'static Counts {
    ITERATIONS[usize::try_from(of).unwrap()]
}

/// Loads an iteration again and again, each time as a process of its own, until it is there.
fn load_whatever_fails(table: &Arc<MemoryTable>, of: u64) {
    while let Err(error) = load(table, iteration(of), &ticket(&COUNTS, of)) {
        assert!(matches!(error, Error::Target(_)), "{error}");
    }
}

/// Loads all iterations; one call may go wrong.
pub(super) fn load_all(fault: Option<(usize, Fault)>) -> Arc<MemoryTable> {
    let table = table(&COUNTS);
    if let Some((call, fault)) = fault {
        table.fail(call, fault);
    }
    (0..3).for_each(|of| load_whatever_fails(&table, of));
    table
}

#[test]
fn whichever_call_fails_or_loses_its_answer_each_row_counts_once() {
    let table = load_all(None);
    assert_eq!(table.seen(), EXPECTED);
    let calls = table.calls();
    assert!(calls > 20, "{calls}");
    for call in 0..calls {
        for fault in [Fault::Refused, Fault::Unanswered, Fault::Repeated] {
            assert_eq!(load_all(Some((call, fault))).seen(), EXPECTED, "call {call}, {fault:?}");
        }
    }
}

#[test]
fn who_slept_at_any_call_changes_nothing_when_others_went_on() {
    for of in 0..2 {
        for call in 0.. {
            let table = table(&COUNTS);
            (0..of).for_each(|of| load_whatever_fails(&table, of));
            let (first, other) = (table.calls(), Arc::clone(&table));
            table.meanwhile(first + call, move || (of..3).for_each(|of| load_whatever_fails(&other, of)));
            let slept = load(&table, iteration(of), &ticket(&COUNTS, of));
            let has_ended = table.calls() <= first + call;
            if has_ended {
                assert!(call > 5, "{call}");
                break;
            }
            // Whether it is there already or the ledger is ahead, the store is asked once more.
            assert!(matches!(slept, Ok(Published::Before) | Err(Error::Held(_))), "{of}, call {call}: {slept:?}");
            assert_eq!(table.seen(), EXPECTED, "{of}, call {call}: {slept:?}");
        }
    }
}

#[test]
fn two_that_load_an_iteration_at_once_load_it_once() {
    for call in 0..8 {
        let table = table(&COUNTS);
        let other = Arc::clone(&table);
        table.meanwhile(call, move || load_whatever_fails(&other, 0));
        load(&table, iteration(0), &ticket(&COUNTS, 0)).unwrap();
        (1..3).for_each(|of| load_whatever_fails(&table, of));
        assert_eq!(table.seen(), EXPECTED, "call {call}");
    }
}

#[test]
fn who_slept_before_a_reset_takes_nothing_from_what_came_after_it() {
    static LAST: PortPlan = sink("last", &[field("host", Type::Text), nullable("path", Type::Text)], &[0]);
    let rows = |path| ["a", "b", "c", "d"].map(|host| (host, path));
    for call in 3..8 {
        let table = table(&LAST);
        let load = move |table: &Arc<MemoryTable>, path: &'static str, ticket: &Ticket| {
            tap(table, &LAST).publish(&Place::new().stage(&LAST, &rows(path)), Some(ticket))
        };
        let other = Arc::clone(&table);
        table.meanwhile(call, move || {
            tap(&other, &LAST).forget("hits", call % 2 == 0).unwrap();
            let anew = |of| Ticket { epoch: "e2".to_owned(), ..ticket(&LAST, of) };
            (0..3).for_each(|of| assert_eq!(load(&other, "/new", &anew(of)).unwrap(), Published::Now));
        });
        let slept = load(&table, "/old", &ticket(&LAST, 0));
        assert!(held(slept).contains("another checkpoint store"), "call {call}");
        assert_eq!(table.seen(), ["a", "b", "c", "d"].map(|host| format!("host={host} path=/new")), "call {call}");
    }
}

#[test]
fn a_load_whose_ledger_is_made_to_forget_it_is_held_and_adds_nothing_twice() {
    for empty in [false, true] {
        let calls = {
            let table = table(&COUNTS);
            load(&table, iteration(0), &ticket(&COUNTS, 0)).unwrap();
            table.calls()
        };
        // Right before the ledger would say that all of it is there.
        let (table, last) = (table(&COUNTS), calls - 1);
        let other = Arc::clone(&table);
        table.meanwhile(last, move || tap(&other, &COUNTS).forget("hits", empty).unwrap());
        let said = held(load(&table, iteration(0), &ticket(&COUNTS, 0)));
        assert!(said.contains("made to forget the flow while it was loaded"), "{said}");
        let once = ["count=2 host=a path=/2", "count=1 host=b", "host=c path=/3"];
        assert_eq!(table.seen(), if empty { &[][..] } else { &once[..] });
        // Nor by the next run.
        let said = held(load(&table, iteration(0), &ticket(&COUNTS, 0)));
        assert!(said.contains("not emptied to the end"), "{said}");
        let said = tap(&table, &COUNTS).forget("hits", false).unwrap_err().to_string();
        assert!(said.contains("give --empty"), "{said}");
        tap(&table, &COUNTS).forget("hits", true).unwrap();
        (0..3).for_each(|of| load_whatever_fails(&table, of));
        assert_eq!(table.seen(), EXPECTED);
    }
}

#[test]
fn a_load_that_is_asked_to_stop_ends_and_the_next_one_adds_nothing_twice() {
    let rows: Vec<(&str, Option<i64>, Option<&str>)> = (0..10_000).map(|_| ("a", Some(1), None)).collect();
    let (table, place, stop) = (table(&COUNTS), Place::new(), Arc::new(AtomicBool::new(false)));
    let staged = place.stage(&COUNTS, &rows).until(&stop);
    let asked = Arc::clone(&stop);
    table.meanwhile(100, move || asked.store(true, Ordering::Relaxed));
    let stopped = tap(&table, &COUNTS).publish(&staged, Some(&ticket(&COUNTS, 0)));
    assert!(matches!(stopped, Err(Error::Interrupted)), "{stopped:?}");
    assert!((100..200).contains(&table.calls()), "{}", table.calls());
    stop.store(false, Ordering::Relaxed);
    assert_eq!(tap(&table, &COUNTS).publish(&staged, Some(&ticket(&COUNTS, 0))).unwrap(), Published::Now);
    assert_eq!(table.seen(), ["count=10000 host=a"]);
}
