//! Groups are the same for any number of workers, and wherever they have been in the meantime.

use std::{collections::BTreeMap, fs};

use proptest::prelude::*;
use tempfile::TempDir;

use super::{Accumulators, GROUPS_LOADED_MAX, GroupTable, RUNS_MERGED_MAX, SpillGroups, SpillPlace};
use crate::{
    flow::Drained,
    operations::{Count, Max, MaxBytes, Min, MinText, SumDecimal, SumInt},
    value::{Decimal, Decode, Encode, RowReader, Type},
};

/// One of each aggregator whose result does not depend on the order of rows.
#[derive(Debug, Default)]
struct Everything {
    count: Count,
    sum: SumInt,
    total: SumDecimal,
    least: Min<i64>,
    greatest: Max<Decimal>,
    first: MinText,
    last: MaxBytes,
}

impl Accumulators for Everything {
    fn merge(&mut self, other: Self) {
        self.count.merge(other.count);
        self.sum.merge(other.sum);
        self.total.merge(other.total);
        self.least.merge(other.least);
        self.greatest.merge(other.greatest);
        self.first.merge(other.first);
        self.last.merge(other.last);
    }

    fn encode(&self, bytes: &mut Vec<u8>) {
        self.count.encode(bytes);
        self.sum.encode(bytes);
        self.total.encode(bytes);
        self.least.encode(bytes);
        self.greatest.encode(bytes);
        self.first.encode(bytes);
        self.last.encode(bytes);
    }

    fn decode(row: &mut RowReader<'_>) -> Self {
        Self {
            count: Decode::decode(row),
            sum: Decode::decode(row),
            total: Decode::decode(row),
            least: Decode::decode(row),
            greatest: Decode::decode(row),
            first: Decode::decode(row),
            last: Decode::decode(row),
        }
    }
}

impl Everything {
    fn update(&mut self, row: &Row, heap_bytes: &mut usize) {
        let decimal = row.number.map(|number| Decimal::new(i128::from(number) << 60, 3));
        self.count.update();
        self.sum.update(row.number);
        self.total.update(decimal);
        self.least.update(row.number);
        self.greatest.update(decimal);
        self.first.update(row.text.as_deref(), heap_bytes);
        self.last.update(row.text.as_deref().map(str::as_bytes), heap_bytes);
    }

    /// Everything as text, the reason where a sum overflows.
    fn finish(&self) -> String {
        let Self { count, sum, total, least, greatest, first, last } = self;
        let (least, greatest, first, last) = (least.finish(), greatest.finish(), first.finish(), last.finish());
        format!("{} {:?} {:?} {least:?} {greatest:?} {first:?} {last:?}", count.finish(), sum.finish(), total.finish())
    }
}

const KEY: &[Type] = &[Type::Text, Type::I16];

type Key = (Option<String>, i16);

#[derive(Clone, Debug)]
struct Row {
    key: Key,
    number: Option<i64>,
    text: Option<String>,
}

/// A table with a place to spill to.
struct Bench {
    folder: TempDir,
    place: SpillPlace,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { place: SpillPlace::new(folder.path().join("spill")), folder }
    }

    /// The table of all workers, merged; each spills when it holds more than `bound` bytes.
    fn gathered(&self, rows: &[Row], workers: usize, bound: usize) -> GroupTable<Everything> {
        let mut tables: Vec<GroupTable<Everything>> = (0..workers).map(|_| GroupTable::new(KEY)).collect();
        let mut key = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            key.clear();
            row.key.0.as_deref().encode(&mut key);
            row.key.1.encode(&mut key);
            let table = &mut tables[index % workers];
            let (group, heap_bytes) = table.group(&key);
            group.update(row, heap_bytes);
            if table.held_bytes() > bound {
                table.spill(&self.place).unwrap();
                assert_eq!(table.held_bytes(), 0);
            }
        }
        let mut all = tables.remove(0);
        tables.into_iter().for_each(|table| all.merge(table));
        all
    }

    /// What comes out of a table; between two pieces, `between` is done with it.
    fn drained(
        &self,
        mut table: GroupTable<Everything>,
        mut between: impl FnMut(&mut GroupTable<Everything>),
    ) -> Vec<(Key, String)> {
        let mut rows = Vec::new();
        loop {
            table.load(&self.place).unwrap();
            let groups = table.take_loaded();
            assert!(groups.groups.len() <= GROUPS_LOADED_MAX);
            rows.extend(groups.iter().map(|(mut key, group)| {
                let key = (Option::<&str>::decode(&mut key).map(str::to_owned), i16::decode(&mut key));
                (key, group.finish())
            }));
            if table.drained() == Drained::Wholly {
                return rows;
            }
            between(&mut table);
        }
    }

    fn files(&self) -> usize {
        fs::read_dir(self.folder.path().join("spill")).map_or(0, Iterator::count)
    }
}

fn expected(rows: &[Row]) -> Vec<(Key, String)> {
    let mut groups = BTreeMap::<Key, Everything>::new();
    for row in rows {
        groups.entry(row.key.clone()).or_default().update(row, &mut 0);
    }
    groups.into_iter().map(|(key, group)| (key, group.finish())).collect()
}

fn any_row() -> impl Strategy<Value = Row> {
    // Sums of a few such numbers exceed 64 bits, and their decimals 38 digits.
    let number = prop_oneof![any::<i64>(), Just(i64::MAX), -9..9_i64];
    let key = (prop::option::of("[ab]{0,2}"), 0..3_i16);
    (key, prop::option::of(number), prop::option::of(".{0,20}")).prop_map(|(key, number, text)| Row {
        key,
        number,
        text,
    })
}

/// So many groups, each of two rows.
fn many_rows(groups: i16) -> Vec<Row> {
    let row = |key: i16| Row { key: (Some(format!("{}", key % 7)), key), number: Some(1), text: None };
    (0..groups).chain((0..groups).rev()).map(row).collect()
}

proptest! {
    #[test]
    fn groups_are_the_same_for_any_number_of_workers_and_any_bound(
        rows in prop::collection::vec(any_row(), 0..80),
        workers in 1..4_usize,
        bound in prop_oneof![Just(0), 0..4000_usize, Just(usize::MAX)],
    ) {
        let bench = Bench::new();
        let table = bench.gathered(&rows, workers, bound);
        prop_assert_eq!(bench.drained(table, |_| {}), expected(&rows));
        prop_assert_eq!(bench.files(), 0);
    }
}

#[test]
fn no_row_makes_no_group() {
    let bench = Bench::new();
    let mut table = bench.gathered(&[], 2, 0);
    table.spill(&bench.place).unwrap();
    assert_eq!((bench.files(), bench.drained(table, |_| {})), (0, vec![]));
}

#[test]
fn keys_whose_texts_run_together_are_not_one_key() {
    let mut table = GroupTable::<Everything>::new(&[Type::Text, Type::Text]);
    for (a, b) in [("a", "bc"), ("ab", "c")] {
        let mut key = Vec::new();
        a.encode(&mut key);
        b.encode(&mut key);
        table.group(&key).0.count.update();
    }
    table.load(&Bench::new().place).unwrap();
    assert_eq!(table.take_loaded().iter().count(), 2);
}

#[test]
fn groups_can_go_to_disk_while_they_go_on() {
    let rows = many_rows(3 * GROUPS_LOADED_MAX as i16 + 5);
    for bound in [0, 20_000, usize::MAX] {
        let bench = Bench::new();
        let table = bench.gathered(&rows[..if bound == 0 { 100 } else { rows.len() }], 2, bound);
        let held = table.held_bytes();
        let drained = bench.drained(table, |table| {
            table.spill(&bench.place).unwrap();
            assert_eq!(table.held_bytes(), 0);
        });
        assert!(bound == 0 || held > 0);
        assert_eq!(drained, expected(&rows[..if bound == 0 { 100 } else { rows.len() }]));
        assert_eq!(bench.files(), 0);
    }
}

#[test]
fn more_runs_than_are_read_at_once_are_merged_first() {
    for runs in [RUNS_MERGED_MAX, RUNS_MERGED_MAX + 1, 3 * RUNS_MERGED_MAX] {
        let bench = Bench::new();
        let rows = many_rows(runs as i16);
        let table = bench.gathered(&rows[..runs], 3, 0);
        assert_eq!(bench.files(), runs);
        let mut pieces = 0;
        let drained = bench.drained(table, |_| {
            pieces += 1;
            // A merged run has taken the place of those it was made of.
            assert_eq!(bench.files(), runs - pieces * (RUNS_MERGED_MAX - 1));
        });
        assert_eq!(pieces, runs.saturating_sub(RUNS_MERGED_MAX).div_ceil(RUNS_MERGED_MAX - 1));
        assert_eq!(drained, expected(&rows[..runs]));
    }
}

#[test]
fn what_is_held_is_at_least_what_was_put_in() {
    let bench = Bench::new();
    let mut rows = many_rows(1000);
    rows.iter_mut().for_each(|row| row.text = Some("x".repeat(100)));
    let table = bench.gathered(&rows, 1, usize::MAX);
    let least = 1000 * (size_of::<Everything>() + 2 * 100 + 6);
    assert!((least..2 * least).contains(&table.held_bytes()), "{} of {least}", table.held_bytes());
}
