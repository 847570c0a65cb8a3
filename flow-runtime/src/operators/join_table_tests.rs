//! The held side gives every row once, in order, for any number of workers.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{BYTES_BESIDES_KEY, JoinBuild, JoinTable, Matched, Pending, ROWS_MOVED_MAX, UNMATCHED_ROWS_MAX};
use crate::{
    flow::Drained,
    value::{Encode, Type},
};

fn key(value: Option<i16>) -> Vec<u8> {
    let mut key = Vec::new();
    value.encode(&mut key);
    key
}

/// A held side whose row is its own index; block `sequence` has four rows and goes to worker `sequence % workers`.
fn held(keys: &[Option<i16>], workers: usize) -> JoinTable<i64> {
    let mut builds: Vec<JoinBuild<i64>> = Vec::new();
    builds.resize_with(workers, JoinBuild::default);
    for (row, &value) in keys.iter().enumerate() {
        let sequence = row / 4;
        builds[sequence % workers].push(sequence as u64, &key(value), row as i64);
    }
    let mut all = JoinBuild::default();
    // The order in which workers end is not that of their blocks.
    builds.into_iter().rev().for_each(|build| all.append(build));
    JoinTable::freeze(all, &[Type::I16])
}

/// The unmatched rows of all pieces.
fn all_unmatched<'a, R>(table: &'a JoinTable<R>, matched: &mut Matched) -> Vec<&'a R> {
    let mut all = Vec::new();
    while matched.drained() == Drained::Partly {
        let piece: Vec<_> = table.unmatched(matched).collect();
        assert!(piece.len() <= UNMATCHED_ROWS_MAX);
        all.extend(piece);
    }
    all
}

fn any_key() -> impl Strategy<Value = Option<i16>> {
    prop::option::of(-2..5_i16)
}

proptest! {
    #[test]
    fn rows_of_a_key_come_in_order_and_unmatched_ones_once_in_key_order(
        keys in prop::collection::vec(any_key(), 0..80),
        streamed in prop::collection::vec(any_key(), 0..6),
        workers in 1..4_usize,
    ) {
        let table = held(&keys, workers);
        let mut expected = BTreeMap::<Option<i16>, Vec<i64>>::new();
        for (row, value) in keys.iter().enumerate() {
            expected.entry(*value).or_default().push(row as i64);
        }
        let mut matched: Vec<Matched> = vec![Matched::default(); workers];
        for (index, value) in streamed.iter().enumerate() {
            let rows = table.find(&key(*value)).map(|entry| {
                matched[index % workers].mark(entry);
                table.rows(entry)
            });
            prop_assert_eq!(rows, expected.get(value).map(Vec::as_slice));
        }
        expected.retain(|value, _| !streamed.contains(value));
        let mut merged = Matched::default();
        matched.into_iter().for_each(|worker| merged.merge(worker));
        let unmatched: Vec<i64> = all_unmatched(&table, &mut merged).into_iter().copied().collect();
        prop_assert_eq!(unmatched, Vec::from_iter(expected.into_values().flatten()));
    }
}

#[test]
fn null_meets_null() {
    let table = held(&[None, Some(0)], 1);
    assert_eq!(table.find(&key(None)).map(|entry| table.rows(entry)), Some(&[0][..]));
}

#[test]
fn an_empty_held_side_has_neither_keys_nor_unmatched_rows() {
    let table = JoinTable::<()>::default();
    assert_eq!(table.find(&key(None)), None);
    assert_eq!(all_unmatched(&table, &mut Matched::default()).len(), 0);
}

#[test]
fn unmatched_rows_come_in_pieces_however_many_a_key_has() {
    let mut build = JoinBuild::default();
    let mut expected = Vec::new();
    for (value, rows) in [(3_i16, 5000), (1, UNMATCHED_ROWS_MAX), (2, 1), (0, 0)] {
        (0..rows).for_each(|row| build.push(0, &key(Some(value)), i64::from(value) * 10_000 + row as i64));
        expected.extend((0..rows).map(|row| i64::from(value) * 10_000 + row as i64));
    }
    expected.sort_unstable();
    let table = JoinTable::freeze(build, &[Type::I16]);
    let unmatched: Vec<i64> = all_unmatched(&table, &mut Matched::default()).into_iter().copied().collect();
    assert_eq!(unmatched, expected);
}

#[test]
fn many_rows_of_many_workers_keep_their_order() {
    let mut builds = [JoinBuild::default(), JoinBuild::default()];
    let rows = 3 * ROWS_MOVED_MAX + 7;
    (0..rows).for_each(|row| builds[row / 100 % 2].push((row / 100) as u64, &key(Some(0)), row as i64));
    let [mut all, other] = builds;
    all.append(other);
    let table = JoinTable::freeze(all, &[Type::I16]);
    let entry = table.find(&key(Some(0))).unwrap();
    assert!(table.rows(entry).iter().copied().eq(0..rows as i64));
}

#[test]
fn what_is_held_is_what_is_allocated_before_and_after_freezing() {
    let mut build = JoinBuild::default();
    assert_eq!(build.held_bytes(), 0);
    for row in 0..1000_i16 {
        build.push(0, &key(Some(row)), "a".repeat(100));
    }
    let (texts, rows) = (1000 * 112, 1000 * size_of::<Pending<String>>());
    let held = build.held_bytes();
    assert!((texts + rows..2 * (texts + rows)).contains(&held), "{held}");
    let table = JoinTable::freeze(build, &[Type::I16]);
    let rows = 1000 * size_of::<String>();
    assert!(table.held_bytes() >= texts + rows + 1000 * (3 + BYTES_BESIDES_KEY));
    assert!(table.held_bytes() < held);
}
