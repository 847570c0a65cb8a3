//! Mending and tidying.

use super::{Bench, Case, GIVEN_UP, begin, contents, named, output};
use crate::iteration::{
    State,
    decide::AttemptState,
    store::{SealEnd, seal},
    upkeep::{Swap, Upkeep, reset, swap},
};

pub(super) const CASES: &[Case] = named![
    a_manifest_is_swapped_but_for_what_is_loaded,
    a_swap_whose_reply_was_lost_has_won_when_it_is_tried_again,
    a_manifest_with_which_somebody_went_on_is_not_swapped,
    only_an_open_attempt_of_this_epoch_takes_the_place_of_another,
    a_target_that_took_the_former_manifest_is_not_noted_for_the_new_one,
    a_reset_ends_the_epoch_once,
    a_former_epoch_is_forgotten_and_the_present_one_is_not,
    what_a_ledger_goes_by_and_what_is_not_done_is_not_forgotten,
    a_forgotten_iteration_is_not_sealed_again_and_late_notes_of_it_change_nothing,
];

/// A store in which attempt `a` is sealed as iteration 0, with `counts` loaded and `bad` not, and `b` is open.
fn half_loaded(bench: &Bench) -> Box<dyn Upkeep> {
    let store = bench.open();
    seal(&*store, &begin(&*store, "a", 0), &contents("s", "40", &["bad", "counts"])).unwrap();
    store.mark_output_loaded(0, "counts", "h").unwrap();
    begin(&*store, "b", 0);
    store
}

fn anew() -> Swap<'static> {
    let mut output = output("bad");
    output.staged.hash = "new".to_owned();
    let outputs = vec![output];
    let unloaded = vec!["bad".to_owned()];
    Swap { iteration: 0, from: "a", to: "b", unloaded, outputs, tables: Vec::new(), counts: Vec::new() }
}

fn a_manifest_is_swapped_but_for_what_is_loaded(bench: &Bench) {
    let store = half_loaded(bench);
    store.mark_held(0, "the staged rows are gone").unwrap();
    assert_eq!(swap(&*store, &anew()).unwrap(), SealEnd::Won);
    let detail = store.iteration(0).unwrap().unwrap();
    let sealed = detail.sealed.unwrap();
    assert_eq!((detail.state, detail.note.as_str(), sealed.attempt.as_str()), (State::Sealed, "restaged", "b"));
    let outputs: Vec<_> = sealed.seal.outputs.iter().map(|output| (&*output.staged.hash, output.loaded)).collect();
    assert_eq!(outputs, [("new", false), ("h", true)]);
    assert_eq!((sealed.seal.ranges.len(), sealed.seal.tables.len(), sealed.seal.counts.len()), (1, 0, 0));
    assert_eq!(detail.tries[0].state, AttemptState::Revoked);
    assert!(store.revoke("a", GIVEN_UP).unwrap() && !store.revoke("b", GIVEN_UP).unwrap());
}

fn a_swap_whose_reply_was_lost_has_won_when_it_is_tried_again(bench: &Bench) {
    let store = half_loaded(bench);
    assert!(store.write_swap(&anew()).unwrap());
    assert!(!store.write_swap(&anew()).unwrap());
    assert_eq!(swap(&*store, &anew()).unwrap(), SealEnd::Won);
}

fn a_manifest_with_which_somebody_went_on_is_not_swapped(bench: &Bench) {
    let store = half_loaded(bench);
    store.mark_output_loaded(0, "bad", "h").unwrap();
    assert_eq!(swap(&*store, &anew()).unwrap(), SealEnd::Lost);
    store.mark_loaded(0, 3).unwrap();
    assert_eq!(swap(&*store, &Swap { unloaded: Vec::new(), ..anew() }).unwrap(), SealEnd::Lost);
    assert_eq!(store.sealed_attempt(0).unwrap().as_deref(), Some("a"));
}

fn only_an_open_attempt_of_this_epoch_takes_the_place_of_another(bench: &Bench) {
    let store = half_loaded(bench);
    store.revoke("b", GIVEN_UP).unwrap();
    assert_eq!(swap(&*store, &anew()).unwrap(), SealEnd::Lost);
    begin(&*store, "c", 0);
    assert_eq!(reset(&*store, "e2", 5).unwrap(), SealEnd::Won);
    assert_eq!(swap(&*store, &Swap { to: "c", ..anew() }).unwrap(), SealEnd::Lost);
}

fn a_target_that_took_the_former_manifest_is_not_noted_for_the_new_one(bench: &Bench) {
    let store = half_loaded(bench);
    swap(&*store, &anew()).unwrap();
    assert!(store.mark_output_loaded(0, "bad", "h").is_err());
    assert!(!store.is_output_loaded(0, "bad").unwrap());
    store.mark_output_loaded(0, "bad", "new").unwrap();
}

fn a_reset_ends_the_epoch_once(bench: &Bench) {
    let (store, other) = (half_loaded(bench), bench.open());
    assert_eq!(reset(&*store, "e2", 5).unwrap(), SealEnd::Won);
    assert_eq!(reset(&*store, "e2", 5).unwrap(), SealEnd::Won, "its reply was lost");
    assert_eq!(reset(&*other, "e3", 6).unwrap(), SealEnd::Lost);
    let new = bench.open();
    assert_eq!((new.epoch(), new.latest().unwrap(), new.former_epochs().unwrap().len()), ("e2", None, 1));
    assert!(store.revoke("b", GIVEN_UP).unwrap());
    let former = &new.former_epochs().unwrap()[0];
    assert_eq!((former.epoch.as_str(), former.ended_us, former.iterations), ("e1", 5, 1));
}

fn a_former_epoch_is_forgotten_and_the_present_one_is_not(bench: &Bench) {
    let old = half_loaded(bench);
    reset(&*old, "e2", 5).unwrap();
    let store = bench.open();
    seal(&*store, &begin(&*store, "z", 0), &contents("s", "40", &["counts"])).unwrap();
    for epoch in ["e2", "e1", "e1"] {
        store.forget_epoch(epoch).unwrap();
    }
    assert_eq!((store.former_epochs().unwrap(), store.latest().unwrap()), (vec![], Some(0)));
    // Nor does it begin anew for one who still has it open.
    let late = begin(&*old, "late", 0);
    assert_eq!(seal(&*old, &late, &contents("s", "40", &[])).unwrap(), SealEnd::Lost);
}

fn what_a_ledger_goes_by_and_what_is_not_done_is_not_forgotten(bench: &Bench) {
    let store = bench.open();
    done(&*store, &[&["counts", "bad"], &["counts"], &["counts"], &["counts"]]);
    assert_eq!(store.forgettable(1).unwrap(), [1, 2]);
    assert_eq!(store.forgettable(3).unwrap(), [] as [u64; 0]);
    // The next is sealed and not loaded: its ledger goes by the one before.
    seal(&*store, &begin(&*store, "next", 4), &contents("s", "40", &["counts", "bad"])).unwrap();
    assert_eq!(store.forgettable(1).unwrap(), [1, 2]);
    store.forget_iterations(1).unwrap();
    assert_eq!(store.last_output("counts", 4).unwrap(), Some(3));
    assert_eq!(store.last_output("bad", 4).unwrap(), Some(0));
    assert_eq!((store.latest().unwrap(), store.shards().unwrap().len()), (Some(4), 1));
    assert_eq!(bench.list().iter().map(|row| row.number).collect::<Vec<_>>(), [0, 3, 4]);
}

fn a_forgotten_iteration_is_not_sealed_again_and_late_notes_of_it_change_nothing(bench: &Bench) {
    let store = bench.open();
    let late = begin(&*store, "late", 1);
    done(&*store, &[&["counts"], &["counts"], &["counts"]]);
    store.forget_iterations(1).unwrap();
    assert_eq!(bench.list().len(), 1);
    assert_eq!(seal(&*store, &late, &contents("s", "99", &["counts"])).unwrap(), SealEnd::Lost);
    // Even by one that is opened only now.
    let later = begin(&*store, "later", 1);
    assert_eq!(seal(&*store, &later, &contents("s", "99", &["counts"])).unwrap(), SealEnd::Lost);
    assert!(store.is_output_loaded(1, "counts").unwrap());
    store.mark_output_loaded(1, "counts", "h").unwrap();
    store.mark_loaded(1, 9).unwrap();
    store.mark_done(1, 9).unwrap();
    store.mark_held(1, "late").unwrap();
    assert_eq!((bench.list().len(), store.latest().unwrap()), (1, Some(2)));
}

/// Seals iterations with these outputs, and has them done.
fn done(store: &dyn Upkeep, outputs: &[&[&str]]) {
    for (iteration, outputs) in (0..).zip(outputs) {
        let attempt = begin(store, &format!("attempt {iteration}"), iteration);
        seal(store, &attempt, &contents("s", "40", outputs)).unwrap();
        outputs.iter().for_each(|port| store.mark_output_loaded(iteration, port, "h").unwrap());
        store.mark_loaded(iteration, 3).unwrap();
        store.mark_done(iteration, 3).unwrap();
    }
}
