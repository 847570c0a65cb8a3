//! The held side gives every row once, in order, for any number of workers.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{JoinBuild, JoinTable, Matched};
use crate::value::{Encode, Type};

fn key(value: Option<i16>) -> Vec<u8> {
    let mut key = Vec::new();
    value.encode(&mut key);
    key
}

/// A held side whose row is its own index; block `sequence` has four rows and goes to worker `sequence % workers`.
fn held(keys: &[Option<i16>], workers: usize) -> JoinTable<usize> {
    let mut builds: Vec<JoinBuild<usize>> = Vec::new();
    builds.resize_with(workers, JoinBuild::default);
    for (row, &value) in keys.iter().enumerate() {
        let sequence = row / 4;
        builds[sequence % workers].push(sequence as u64, &key(value), row);
    }
    let mut all = JoinBuild::default();
    // The order in which workers end is not that of their blocks.
    builds.into_iter().rev().for_each(|build| all.append(build));
    JoinTable::freeze(all, &[Type::I16])
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
        let mut expected = BTreeMap::<Option<i16>, Vec<usize>>::new();
        for (row, value) in keys.iter().enumerate() {
            expected.entry(*value).or_default().push(row);
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
        let unmatched: Vec<usize> = table.unmatched(&merged).copied().collect();
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
    assert_eq!(table.unmatched(&Matched::default()).count(), 0);
}
