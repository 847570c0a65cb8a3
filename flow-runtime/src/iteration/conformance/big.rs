//! A thousand shards, with positions and marks as long as those of a stream: more than an item of a table has room for.

use super::{Bench, Case, begin, contents, named, range};
use crate::iteration::{
    Range, Seal,
    store::{SealEnd, seal},
};

pub(super) const CASES: &[Case] = named![
    what_was_read_of_a_thousand_shards_is_sealed_at_once,
    positions_stay_through_many_iterations_and_in_the_order_of_first_sight,
];

/// A sequence number of Kinesis.
fn position(number: u64) -> String {
    format!("{number:056}")
}

fn shard(number: u64) -> String {
    format!("shardId-{number:012}")
}

fn ranges(count: u64, round: u64) -> Vec<Range> {
    let one = |number| {
        let [first, next] = [round, round + 1].map(|round| position(1_000_000 * number + round));
        // Hash keys as long as they get.
        let mark = format!("{{\"parents\":[],\"hash_keys\":[\"{number:039}\",\"{:039}\"]}}", number + 1);
        Range { mark, hash: format!("{number:032x}"), ..range(&shard(number), &first, &next, 7) }
    };
    (0..count).map(one).collect()
}

fn what_was_read_of_a_thousand_shards_is_sealed_at_once(bench: &Bench) {
    let store = bench.open();
    for round in 0..3 {
        let attempt = begin(&*store, &format!("attempt {round}"), round);
        let sealed = Seal { ranges: ranges(1000, round), ..contents("s", "40", &["counts"]) };
        assert_eq!(seal(&*store, &attempt, &sealed).unwrap(), SealEnd::Won);
        assert_eq!(bench.in_full(round).sealed.unwrap().seal.ranges, sealed.ranges);
    }
    let shards = bench.open().shards().unwrap();
    assert_eq!(shards.len(), 1000);
    for (number, known) in (0..).zip(shards) {
        assert_eq!((known.shard, known.next.as_str()), (shard(number), &*position(1_000_000 * number + 3)));
    }
}

fn positions_stay_through_many_iterations_and_in_the_order_of_first_sight(bench: &Bench) {
    let store = bench.open();
    for round in 0..40 {
        let attempt = begin(&*store, &format!("attempt {round}"), round);
        // One shard that is there all the time, one that is new, from the end of the alphabet to its beginning.
        let new = range(&shard(99 - round), &position(round), &position(round), 0);
        let ranges = vec![range("all", &position(round), &position(round + 1), 1), new];
        seal(&*store, &attempt, &Seal { ranges, ..Seal::default() }).unwrap();
        store.mark_loaded(round, 3).unwrap();
        store.mark_done(round, 3).unwrap();
    }
    let found: Vec<String> = bench.open().shards().unwrap().into_iter().map(|shard| shard.shard).collect();
    let expected: Vec<String> =
        std::iter::once("all".to_owned()).chain((0..40).map(|round| shard(99 - round))).collect();
    assert_eq!(found, expected);
    assert_eq!(store.shards().unwrap(), bench.open().shards().unwrap());
    store.forget_iterations(5).unwrap();
    assert_eq!(bench.open().shards().unwrap().len(), 41);
}
