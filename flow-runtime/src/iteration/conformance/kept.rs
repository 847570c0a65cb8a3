//! What is kept and shown: lists, one iteration in full, attempts that failed.

use std::time::Duration;

use super::{Bench, Case, GIVEN_UP, begin, contents, named};
use crate::iteration::{
    State,
    decide::AttemptState,
    store::{GivenUp, SealEnd, seal},
};

pub(super) const CASES: &[Case] = named![
    iterations_are_listed_while_a_run_is_going_on,
    an_attempt_that_was_held_is_listed_with_its_reason_until_the_next,
    a_held_iteration_is_listed_with_its_reason_and_can_still_be_finished,
    an_iteration_is_shown_in_full,
    what_a_table_held_before_is_shown_beside_what_it_held,
    an_iteration_that_is_not_sealed_shows_its_attempts,
    why_an_attempt_was_given_up_is_said_once,
    an_attempt_for_which_nothing_was_new_is_forgotten_and_may_not_be_sealed,
    a_sealed_attempt_is_not_forgotten_by_a_late_word_that_nothing_was_new,
    the_last_iterations_are_listed_and_those_before_are_counted,
];

fn iterations_are_listed_while_a_run_is_going_on(bench: &Bench) {
    let store = bench.open();
    let attempt = begin(&*store, "a", 0);
    seal(&*store, &attempt, &contents("s", "40", &["counts"])).unwrap();
    store.mark_output_loaded(0, "counts", "h").unwrap();
    store.mark_loaded(0, 3_000_000).unwrap();
    store.mark_done(0, 4_000_000).unwrap();
    begin(&*store, "b", 1);

    let rows = bench.list();
    assert_eq!(
        rows.iter().map(|row| (row.number, row.state)).collect::<Vec<_>>(),
        [(0, State::Done), (1, State::Open)]
    );
    assert_eq!(rows[0].took, Some(Duration::from_secs(3)));
    assert_eq!((rows[0].records, rows[0].trapped), (5, 2));
    assert_eq!(rows[0].rows, [("counts".to_owned(), 3)]);
    assert_eq!(rows[0].started, std::time::UNIX_EPOCH + Duration::from_secs(1));
    assert_eq!(rows[1].note, "pid 1");
}

fn an_attempt_that_was_held_is_listed_with_its_reason_until_the_next(bench: &Bench) {
    let store = bench.open();
    store.revoke(&begin(&*store, "a", 0).id, GivenUp::Held("access.log changed")).unwrap();
    let rows = bench.list();
    assert_eq!((rows[0].state, rows[0].note.as_str()), (State::Held, "access.log changed"));
    store.revoke(&begin(&*store, "b", 0).id, GIVEN_UP).unwrap();
    assert_eq!(bench.list(), []);
}

fn a_held_iteration_is_listed_with_its_reason_and_can_still_be_finished(bench: &Bench) {
    let store = bench.open();
    let attempt = begin(&*store, "a", 0);
    seal(&*store, &attempt, &contents("s", "40", &["counts"])).unwrap();
    store.mark_held(0, "the ledger is ahead").unwrap();
    let rows = bench.list();
    assert_eq!((rows[0].state, rows[0].note.as_str()), (State::Held, "the ledger is ahead"));
    assert_eq!(store.unfinished().unwrap().len(), 1);
    store.mark_output_loaded(0, "counts", "h").unwrap();
    store.mark_loaded(0, 3).unwrap();
    assert_eq!((bench.list()[0].state, bench.list()[0].note.as_str()), (State::Loaded, ""));
}

fn an_iteration_is_shown_in_full(bench: &Bench) {
    let store = bench.open();
    store.revoke(&begin(&*store, "a", 0).id, GIVEN_UP).unwrap();
    let attempt = begin(&*store, "b", 0);
    let sealed = contents("s", "40", &["bad", "counts"]);
    seal(&*store, &attempt, &sealed).unwrap();
    let shown = bench.in_full(0);
    let tries: Vec<_> =
        shown.tries.iter().map(|tried| (tried.attempt.id.as_str(), tried.state, &*tried.note)).collect();
    assert_eq!(tries, [("a", AttemptState::Revoked, "it failed"), ("b", AttemptState::Sealed, "")]);
    let detail = shown.sealed.unwrap();
    assert_eq!((shown.state, detail.attempt.as_str(), &detail.seal), (State::Sealed, "b", &sealed));
    assert_eq!((detail.loaded_us, detail.done_us, detail.tables_before), (None, None, vec![]));
    assert_eq!(bench.detail(1), None);
}

fn what_a_table_held_before_is_shown_beside_what_it_held(bench: &Bench) {
    let store = bench.open();
    for (iteration, hash) in [(0, "old"), (2, "new")] {
        let mut contents = contents("s", "40", &[]);
        contents.tables[0].hash = hash.to_owned();
        seal(&*store, &begin(&*store, hash, iteration), &contents).unwrap();
    }
    let sealed = bench.in_full(2).sealed.unwrap();
    assert_eq!((sealed.seal.tables[0].hash.as_str(), sealed.tables_before[0].hash.as_str()), ("new", "old"));
}

fn an_iteration_that_is_not_sealed_shows_its_attempts(bench: &Bench) {
    let store = bench.open();
    store.revoke(&begin(&*store, "a", 0).id, GivenUp::Held("access.log changed")).unwrap();
    let shown = bench.in_full(0);
    assert_eq!((shown.state, shown.note.as_str(), shown.sealed), (State::Held, "access.log changed", None));
    begin(&*store, "b", 0);
    assert_eq!((bench.in_full(0).state, bench.in_full(0).tries.len()), (State::Open, 2));
}

fn why_an_attempt_was_given_up_is_said_once(bench: &Bench) {
    let store = bench.open();
    begin(&*store, "a", 0);
    store.revoke("a", GivenUp::Held("access.log changed")).unwrap();
    store.revoke("a", GIVEN_UP).unwrap();
    assert_eq!((bench.list()[0].state, bench.list()[0].note.as_str()), (State::Held, "access.log changed"));
}

fn an_attempt_for_which_nothing_was_new_is_forgotten_and_may_not_be_sealed(bench: &Bench) {
    let store = bench.open();
    let attempt = begin(&*store, "a", 0);
    assert!(store.revoke("a", GivenUp::Unneeded).unwrap());
    assert_eq!(bench.detail(0), None);
    assert_eq!(seal(&*store, &attempt, &contents("s", "40", &[])).unwrap(), SealEnd::Lost);
}

fn a_sealed_attempt_is_not_forgotten_by_a_late_word_that_nothing_was_new(bench: &Bench) {
    let store = bench.open();
    seal(&*store, &begin(&*store, "a", 0), &contents("s", "40", &[])).unwrap();
    assert!(!store.revoke("a", GivenUp::Unneeded).unwrap());
    assert_eq!(bench.in_full(0).tries.len(), 1);
}

fn the_last_iterations_are_listed_and_those_before_are_counted(bench: &Bench) {
    let store = bench.open();
    for iteration in 0..5 {
        seal(&*store, &begin(&*store, &format!("attempt {iteration}"), iteration), &contents("s", "40", &[])).unwrap();
    }
    begin(&*store, "the next", 5);
    let listing = bench.listing(Some(2));
    assert_eq!((listing.rows.iter().map(|row| row.number).collect::<Vec<_>>(), listing.earlier), (vec![3, 4, 5], 3));
    assert_eq!((listing.rows[0].records, listing.rows[0].bytes), (5, 40));
}
