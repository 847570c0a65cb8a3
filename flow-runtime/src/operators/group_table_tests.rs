//! Groups are the same for any number of workers.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Accumulators, GroupTable};
use crate::{
    operations::{Count, SumInt},
    value::{Decode, Encode, Type},
};

#[derive(Debug, Default)]
struct CountAndSum {
    count: Count,
    sum: SumInt,
}

impl Accumulators for CountAndSum {
    fn merge(&mut self, other: Self) {
        self.count.merge(other.count);
        self.sum.merge(other.sum);
    }
}

const KEY: &[Type] = &[Type::Text, Type::I16];

type Row = (Option<String>, i16, Option<i64>);
type Groups = Vec<((Option<String>, i16), (i64, Option<i64>))>;

fn grouped(rows: &[Row], workers: usize) -> Groups {
    let mut tables: Vec<GroupTable<CountAndSum>> = Vec::new();
    tables.resize_with(workers, GroupTable::default);
    let mut key = Vec::new();
    for (index, (text, number, value)) in rows.iter().enumerate() {
        key.clear();
        text.as_deref().encode(&mut key);
        number.encode(&mut key);
        let group = tables[index % workers].group(&key);
        group.count.update();
        group.sum.update(*value);
    }
    let mut merged = GroupTable::default();
    tables.into_iter().for_each(|table| merged.merge(table));
    let groups = merged.sorted(KEY);
    let rows = groups.iter().map(|(mut key, group)| {
        let key = (Option::<&str>::decode(&mut key).map(str::to_owned), i16::decode(&mut key));
        (key, (group.count.finish(), group.sum.finish().unwrap()))
    });
    rows.collect()
}

fn any_row() -> impl Strategy<Value = Row> {
    (prop::option::of("[ab]{0,2}"), 0..3_i16, prop::option::of(-9..9_i64))
}

proptest! {
    #[test]
    fn groups_are_those_of_a_sorted_map_for_any_number_of_workers(
        rows in prop::collection::vec(any_row(), 0..60),
        workers in 1..4_usize,
    ) {
        let mut expected = BTreeMap::<_, (i64, Option<i64>)>::new();
        for (text, number, value) in &rows {
            let group = expected.entry((text.clone(), *number)).or_default();
            group.0 += 1;
            group.1 = value.map_or(group.1, |value| Some(group.1.unwrap_or(0) + value));
        }
        prop_assert_eq!(grouped(&rows, workers), Vec::from_iter(expected));
    }
}

#[test]
fn no_row_makes_no_group() {
    assert_eq!(grouped(&[], 2), []);
}

#[test]
fn keys_whose_texts_run_together_are_not_one_key() {
    let mut table = GroupTable::<CountAndSum>::default();
    for (a, b) in [("a", "bc"), ("ab", "c")] {
        let mut key = Vec::new();
        a.encode(&mut key);
        b.encode(&mut key);
        table.group(&key).count.update();
    }
    assert_eq!(table.sorted(&[Type::Text, Type::Text]).iter().count(), 2);
}
