//! How often positions are written, what becomes of those that are replaced, and who reads them meanwhile.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use super::{
    super::{
        items::{Item, Items, Write},
        memory::MemoryTable,
    },
    *,
};
use crate::iteration::{
    Seal,
    conformance::{begin, range},
    store::{GivenUp, Store as _, seal},
};

const FLOW: &str = "hits";

/// A table in memory that counts the lines that are written to it, and lets somebody else go first.
#[derive(Debug, Default)]
struct Watched {
    table: MemoryTable,
    lines: AtomicU64,
    keeps_all: AtomicBool,
    /// This table: somebody else seals a hundred iterations before the next span is read.
    meddling: Mutex<Option<Arc<Watched>>>,
}

impl Items for Watched {
    fn get(&self, key: &Key) -> Result<Option<Item>, Error> {
        self.table.get(key)
    }

    fn put(&self, writes: &[Write]) -> Result<bool, Error> {
        let parts = writes.iter().filter(|write| group::name_of(&write.key).is_some());
        let lines: usize = parts.map(|write| write.body.lines().count()).sum();
        self.lines.fetch_add(lines as u64, Ordering::Relaxed);
        self.table.put(writes)
    }

    fn remove(&self, key: &Key) -> Result<(), Error> {
        match self.keeps_all.load(Ordering::Relaxed) {
            true => Err(Error::Store(Failure::new("no removals today"))),
            false => self.table.remove(key),
        }
    }

    fn items(&self, span: Span<'_>) -> Result<Vec<Item>, Error> {
        let meddling = self.meddling.lock().unwrap().take();
        if let Some(table) = meddling {
            let other = open(&table);
            let next = other.latest().unwrap().unwrap() + 1;
            go_on(&other, next, 100, 1);
        }
        self.table.items(span)
    }

    fn place(&self) -> &str {
        self.table.place()
    }
}

fn open(table: &Arc<Watched>) -> DynamoDbStore {
    DynamoDbStore::open(Arc::clone(table) as Arc<dyn Items>, FLOW, "e", 1).unwrap()
}

/// Seals so many iterations from `first` on, each with so many new shards.
fn go_on(store: &DynamoDbStore, first: u64, iterations: u64, new_shards: u64) {
    for iteration in first..first + iterations {
        let attempt = begin(store, &format!("attempt {iteration}"), iteration);
        let of = |shard| range(&format!("{iteration}-{shard}"), "0", "1", 1);
        seal(store, &attempt, &Seal { ranges: (0..new_shards).map(of).collect(), ..Seal::default() }).unwrap();
        store.mark_loaded(iteration, 2).unwrap();
        store.mark_done(iteration, 2).unwrap();
    }
}

/// The names of all groups that are there, and of those that should be.
fn groups(store: &DynamoDbStore) -> (BTreeSet<String>, BTreeSet<String>) {
    let items = store.items.items(group::span(&store.partition)).unwrap();
    let there = items.iter().map(|item| group::name_of(&item.key).unwrap().to_owned()).collect();
    let head = store.head().unwrap();
    let done = store.done_from((0, u64::MAX), false, None).unwrap().into_iter().map(|entry| entry.contents);
    (there, done.chain(head.layers).chain(head.superseded).map(|group| group.name).collect())
}

#[test]
fn a_line_is_written_again_as_often_as_the_lines_can_be_halved() {
    for (name, sizes) in [
        ("one at a time", vec![1; 20_000]),
        ("many, then one at a time", [vec![100_000], vec![1; 5_000]].concat()),
        ("ever more", (1..2_000).collect()),
        ("ever fewer", (1..2_000).rev().collect()),
        ("none", vec![0; 1_000]),
    ] {
        let (mut layers, mut written, mut most) = (Vec::new(), 0, 0);
        for size in &sizes {
            layers.push(*size);
            if let Some(first) = first_outgrown(&layers) {
                let merged = layers.drain(first..).sum();
                layers.push(merged);
                written += merged;
            }
            most = most.max(layers.len());
        }
        let all: u64 = sizes.iter().sum();
        let halves = u64::from(all.max(1).ilog2()) + 1;
        assert!(written <= all * halves && most <= LAYERS_MAX + 8, "{name}: {written} of {all}, {most} layers");
    }
}

#[test]
fn few_new_shards_do_not_have_all_positions_written_again() {
    let table = Arc::new(Watched::default());
    let store = open(&table);
    go_on(&store, 0, 1, 3000);
    table.lines.store(0, Ordering::Relaxed);
    go_on(&store, 1, 300, 1);
    let written = table.lines.load(Ordering::Relaxed);
    // 300 of their own; those merged are 300 again, some times.
    assert!((300..3000).contains(&written), "{written}");
    assert_eq!(open(&table).shards().unwrap().len(), 3300);
}

#[test]
fn what_is_superseded_is_removed_by_whoever_seals_next() {
    let table = Arc::new(Watched::default());
    for iteration in 0..60 {
        // Each as a process of its own.
        go_on(&open(&table), iteration, 1, 2);
        let (there, named) = groups(&open(&table));
        assert_eq!(there, named, "after iteration {iteration}");
    }
    let head = open(&table).head().unwrap();
    assert!(head.superseded.len() <= LAYERS_MAX && head.layers.iter().any(|layer| layer.is_merged), "{head:?}");
}

#[test]
fn a_removal_that_fails_fails_no_seal_and_is_made_later() {
    let table = Arc::new(Watched::default());
    let store = open(&table);
    table.keeps_all.store(true, Ordering::Relaxed);
    go_on(&store, 0, 60, 2);
    let kept = store.head().unwrap().superseded;
    assert!(kept.len() > 1, "{kept:?}");
    table.keeps_all.store(false, Ordering::Relaxed);
    go_on(&store, 60, 1, 2);
    let left = store.head().unwrap().superseded;
    assert!(kept.iter().all(|group| !left.contains(group)), "{left:?}");
    let (there, named) = groups(&store);
    assert_eq!(there, named);
}

#[test]
fn a_reader_whose_layers_are_replaced_while_it_reads_finds_the_new_ones() {
    let table = Arc::new(Watched::default());
    go_on(&open(&table), 0, 40, 1);
    let reader = open(&table);
    *table.meddling.lock().unwrap() = Some(Arc::clone(&table));
    assert_eq!(reader.shards().unwrap().len(), 140);
    assert_eq!(open(&table).shards().unwrap().len(), 140);
}

#[test]
fn what_a_dead_attempt_has_written_goes_when_it_is_revoked() {
    let table = Arc::new(Watched::default());
    let store = open(&table);
    go_on(&store, 0, 1, 2);
    let dead = begin(&store, "dead", 1);
    for attempt in [dead.id.as_str(), "dead too"] {
        let line = store.shards().unwrap().into_iter().map(Line::Shard).next().unwrap();
        group::write(&*store.items, &store.partition, attempt, &[line]).unwrap();
    }
    assert_eq!(groups(&store).0.len(), 3);
    assert!(store.revoke(&dead.id, GivenUp::Revoked("its run has died")).unwrap());
    let (there, _) = groups(&store);
    assert!(there.len() == 2 && there.iter().all(|name| !name.starts_with("dead/")), "{there:?}");
    // What is sealed stays, whoever asks.
    store.revoke("attempt 0", GivenUp::Revoked("by mistake")).unwrap();
    assert_eq!(groups(&store).0, there);
}
