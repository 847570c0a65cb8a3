//! Calls that come late, twice, or from before a reset: nothing is undone by them.

use super::{Bench, Case, GIVEN_UP, begin, contents, named};
use crate::iteration::{
    State,
    store::{SealEnd, seal},
};

pub(super) const CASES: &[Case] = named![
    an_attempt_of_an_earlier_epoch_is_never_sealed,
    whoever_opened_the_store_before_a_reset_neither_sees_nor_marks_what_came_after,
    what_was_sealed_before_a_reset_is_garbage_and_what_was_sealed_after_is_not_whoever_asks,
    what_is_staged_is_garbage_when_it_is_revoked_unknown_or_done,
    a_revoked_attempt_cannot_be_opened_again,
    a_late_note_changes_nothing,
];

fn reset(bench: &Bench) {
    crate::iteration::upkeep::reset(&*bench.open(), "e2", 5).unwrap();
}

fn an_attempt_of_an_earlier_epoch_is_never_sealed(bench: &Bench) {
    let store = bench.open();
    let attempt = begin(&*store, "a", 0);
    reset(bench);
    assert_eq!(seal(&*store, &attempt, &contents("s", "40", &["counts"])).unwrap(), SealEnd::Lost);
    assert_eq!(bench.open().epoch(), "e2");
}

fn whoever_opened_the_store_before_a_reset_neither_sees_nor_marks_what_came_after(bench: &Bench) {
    let old = bench.open();
    seal(&*old, &begin(&*old, "a", 0), &contents("s", "40", &["counts"])).unwrap();
    reset(bench);
    let new = bench.open();
    assert_eq!((new.latest().unwrap(), new.unfinished().unwrap().len(), new.shards().unwrap().len()), (None, 0, 0));
    assert_eq!(bench.list(), []);

    seal(&*new, &begin(&*new, "b", 0), &contents("s", "40", &["counts"])).unwrap();
    old.mark_output_loaded(0, "counts", "h").unwrap();
    old.mark_loaded(0, 3).unwrap();
    old.mark_done(0, 3).unwrap();
    assert!(!new.is_output_loaded(0, "counts").unwrap());
    assert_eq!((new.unfinished().unwrap().len(), bench.list()[0].state), (1, State::Sealed));
}

fn what_was_sealed_before_a_reset_is_garbage_and_what_was_sealed_after_is_not_whoever_asks(bench: &Bench) {
    let old = bench.open();
    seal(&*old, &begin(&*old, "a", 0), &contents("s", "40", &["counts"])).unwrap();
    reset(bench);
    let new = bench.open();
    seal(&*new, &begin(&*new, "b", 0), &contents("s", "40", &["counts"])).unwrap();
    for store in [&old, &new] {
        assert_eq!((store.revoke("a", GIVEN_UP).unwrap(), store.revoke("b", GIVEN_UP).unwrap()), (true, false));
    }
}

fn what_is_staged_is_garbage_when_it_is_revoked_unknown_or_done(bench: &Bench) {
    let store = bench.open();
    let attempt = begin(&*store, "a", 0);
    seal(&*store, &attempt, &contents("s", "40", &[])).unwrap();
    assert!(!store.revoke("a", GIVEN_UP).unwrap());
    store.mark_loaded(0, 3).unwrap();
    assert!(!store.revoke("a", GIVEN_UP).unwrap());
    store.mark_done(0, 3).unwrap();
    assert!(store.revoke("a", GIVEN_UP).unwrap() && store.revoke("never heard of", GIVEN_UP).unwrap());
    assert_eq!(store.sealed_attempt(0).unwrap().as_deref(), Some("a"));
}

fn a_revoked_attempt_cannot_be_opened_again(bench: &Bench) {
    let store = bench.open();
    let attempt = begin(&*store, "a", 0);
    store.revoke("a", GIVEN_UP).unwrap();
    begin(&*store, "b", 0);
    assert!(store.open(&attempt).is_err());
    assert_eq!(seal(&*store, &attempt, &contents("s", "40", &[])).unwrap(), SealEnd::Lost);
}

fn a_late_note_changes_nothing(bench: &Bench) {
    let store = bench.open();
    seal(&*store, &begin(&*store, "a", 0), &contents("s", "40", &["counts"])).unwrap();
    store.mark_output_loaded(0, "counts", "h").unwrap();
    store.mark_loaded(0, 3_000_000).unwrap();
    store.mark_done(0, 4_000_000).unwrap();
    let done = bench.list();
    store.mark_output_loaded(0, "counts", "h").unwrap();
    store.mark_loaded(0, 5_000_000).unwrap();
    store.mark_done(0, 5_000_000).unwrap();
    store.mark_held(0, "late").unwrap();
    assert_eq!(bench.list(), done);
}
