//! What is sealed, and how far it has come.

use super::{Bench, Case, GIVEN_UP, begin, contents, named, output, range};
use crate::{
    iteration::{
        Range, Seal, SealedShard,
        store::{SealEnd, seal},
    },
    source::{LastRead, Position},
};

pub(super) const CASES: &[Case] = named![
    what_was_sealed_is_read_back,
    of_each_shard_the_last_range_that_is_not_empty_is_kept,
    up_to_when_a_shard_was_read_is_kept_until_it_is_known_anew,
    a_logical_name_is_as_old_as_its_first_run_or_its_last_reset,
    of_two_attempts_at_an_iteration_the_first_to_seal_wins,
    an_attempt_whose_reply_was_lost_has_won_when_it_tries_again,
    a_revoked_attempt_is_never_sealed,
    a_sealed_attempt_is_never_revoked,
    an_iteration_is_loaded_only_when_every_output_is,
    each_shard_goes_on_where_it_was_sealed_last_and_they_keep_their_order,
    the_last_output_of_a_port_skips_iterations_that_had_none,
    flows_of_one_store_know_nothing_of_each_other,
];

fn what_was_sealed_is_read_back(bench: &Bench) {
    let store = bench.open();
    let attempt = begin(&*store, "a", 0);
    assert_eq!(store.latest().unwrap(), None);
    assert_eq!(store.open_attempts().unwrap(), std::slice::from_ref(&attempt));
    assert_eq!(seal(&*store, &attempt, &contents("s", "40", &["counts", "bad"])).unwrap(), SealEnd::Won);

    let store = bench.open();
    assert_eq!(store.latest().unwrap(), Some(0));
    assert_eq!(store.open_attempts().unwrap(), []);
    let [sealed] = &store.unfinished().unwrap()[..] else { panic!("one iteration is unfinished") };
    assert_eq!((sealed.iteration, sealed.attempt.as_str()), (0, "a"));
    assert_eq!(sealed.outputs, [output("bad"), output("counts")]);
    let shards = store.shards().unwrap();
    assert_eq!((shards[0].shard.as_str(), shards[0].next.as_str()), ("s", "40"));
}

fn of_each_shard_the_last_range_that_is_not_empty_is_kept(bench: &Bench) {
    let store = bench.open();
    for (iteration, range) in
        [range("s", "0", "40", 5), Range { hash: "other".to_owned(), ..range("s", "40", "60", 2) }]
            .into_iter()
            .enumerate()
    {
        let attempt = begin(&*store, &format!("a{iteration}"), iteration as u64);
        store.write_seal(&attempt, &Seal { ranges: vec![range], ..Seal::default() }).unwrap();
    }
    let moved_on = store.shards().unwrap();
    let last = LastRead { first: Position::new("40"), next: Position::new("60"), hash: "other".to_owned() };
    assert_eq!(moved_on[0].last, Some(last));

    let [name, mark] = ["s.log.1", "grown"].map(str::to_owned);
    let renamed = Range { name: name.clone(), mark: mark.clone(), ..range("s", "60", "60", 0) };
    store.write_seal(&begin(&*store, "a2", 2), &Seal { ranges: vec![renamed], ..Seal::default() }).unwrap();
    assert_eq!(store.shards().unwrap(), [SealedShard { name, mark, ..moved_on[0].clone() }]);
}

fn up_to_when_a_shard_was_read_is_kept_until_it_is_known_anew(bench: &Bench) {
    let store = bench.open();
    for (iteration, (covered_us, kept)) in
        [(None, None), (Some(7), Some(7)), (None, Some(7)), (Some(9), Some(9))].into_iter().enumerate()
    {
        let attempt = begin(&*store, &format!("a{iteration}"), iteration as u64);
        let ranges = vec![Range { covered_us, ..range("s", "0", "40", 5) }];
        store.write_seal(&attempt, &Seal { ranges, ..Seal::default() }).unwrap();
        assert_eq!(store.shards().unwrap()[0].covered_us, kept);
    }
}

fn a_logical_name_is_as_old_as_its_first_run_or_its_last_reset(bench: &Bench) {
    assert_eq!(bench.open().created_us(), 1);
    assert_eq!(crate::iteration::upkeep::reset(&*bench.open(), "e3", 9).unwrap(), SealEnd::Won);
    assert_eq!(bench.open().created_us(), 9);
}

fn of_two_attempts_at_an_iteration_the_first_to_seal_wins(bench: &Bench) {
    let (one, other) = (bench.open(), bench.open());
    let (first, second) = (begin(&*one, "a", 0), begin(&*other, "b", 0));
    assert_eq!(seal(&*one, &first, &contents("s", "40", &["counts"])).unwrap(), SealEnd::Won);
    assert_eq!(seal(&*other, &second, &contents("s", "99", &["counts"])).unwrap(), SealEnd::Lost);
    assert_eq!(one.shards().unwrap()[0].next.as_str(), "40");
    assert_eq!(one.sealed_attempt(0).unwrap().as_deref(), Some("a"));
}

fn an_attempt_whose_reply_was_lost_has_won_when_it_tries_again(bench: &Bench) {
    let store = bench.open();
    let attempt = begin(&*store, "a", 0);
    assert!(store.write_seal(&attempt, &contents("s", "40", &[])).unwrap());
    assert!(!store.write_seal(&attempt, &contents("s", "40", &[])).unwrap());
    assert_eq!(seal(&*store, &attempt, &contents("s", "40", &[])).unwrap(), SealEnd::Won);
}

fn a_revoked_attempt_is_never_sealed(bench: &Bench) {
    let store = bench.open();
    let attempt = begin(&*store, "a", 0);
    assert!(store.revoke(&attempt.id, GIVEN_UP).unwrap());
    assert_eq!(seal(&*store, &attempt, &contents("s", "40", &[])).unwrap(), SealEnd::Lost);
    assert_eq!(store.latest().unwrap(), None);
    assert_eq!(store.shards().unwrap(), []);
}

fn a_sealed_attempt_is_never_revoked(bench: &Bench) {
    let store = bench.open();
    let attempt = begin(&*store, "a", 0);
    seal(&*store, &attempt, &contents("s", "40", &[])).unwrap();
    assert!(!store.revoke(&attempt.id, GIVEN_UP).unwrap());
    assert_eq!(store.unfinished().unwrap().len(), 1);
}

fn an_iteration_is_loaded_only_when_every_output_is(bench: &Bench) {
    let store = bench.open();
    let attempt = begin(&*store, "a", 0);
    seal(&*store, &attempt, &contents("s", "40", &["counts", "bad"])).unwrap();
    store.mark_output_loaded(0, "counts", "h").unwrap();
    assert!(store.mark_loaded(0, 3).is_err());
    assert!(store.mark_done(0, 3).is_err());
    store.mark_output_loaded(0, "bad", "h").unwrap();
    store.mark_loaded(0, 3).unwrap();
    store.mark_done(0, 4_000_000).unwrap();
    assert_eq!(store.unfinished().unwrap(), []);
    assert_eq!(store.latest().unwrap(), Some(0));
}

fn each_shard_goes_on_where_it_was_sealed_last_and_they_keep_their_order(bench: &Bench) {
    let store = bench.open();
    for (iteration, shard, next) in [(0, "z", "10"), (1, "a", "20"), (2, "z", "30")] {
        let attempt = begin(&*store, &format!("attempt {iteration}"), iteration);
        seal(&*store, &attempt, &contents(shard, next, &[])).unwrap();
    }
    let shards = store.shards().unwrap();
    let found: Vec<_> = shards.iter().map(|shard| (shard.shard.as_str(), shard.next.as_str())).collect();
    assert_eq!(found, [("z", "30"), ("a", "20")]);
}

fn the_last_output_of_a_port_skips_iterations_that_had_none(bench: &Bench) {
    let store = bench.open();
    for (iteration, outputs) in [(0, &["counts", "bad"][..]), (1, &["counts"]), (2, &[])] {
        let attempt = begin(&*store, &format!("attempt {iteration}"), iteration);
        seal(&*store, &attempt, &contents("s", "40", outputs)).unwrap();
    }
    assert_eq!(store.last_output("counts", 3).unwrap(), Some(1));
    assert_eq!(store.last_output("counts", 1).unwrap(), Some(0));
    assert_eq!(store.last_output("bad", 3).unwrap(), Some(0));
    assert_eq!(store.last_output("bad", 0).unwrap(), None);
}

fn flows_of_one_store_know_nothing_of_each_other(bench: &Bench) {
    let store = bench.open();
    let attempt = begin(&*store, "a", 0);
    seal(&*store, &attempt, &contents("s", "40", &["counts"])).unwrap();
    let another = format!("{}_too", bench.flow);
    let other = (bench.open)(&another, "e2");
    assert_eq!((other.epoch(), other.latest().unwrap()), ("e2", None));
    assert_eq!(other.shards().unwrap(), []);
    assert_eq!(other.unfinished().unwrap(), []);
    assert_eq!(other.last_output("counts", 9).unwrap(), None);
    assert_eq!((bench.list)(&another, None).rows, []);
}
