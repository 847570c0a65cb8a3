//! The store over a table in memory: its contract, as it is, with every reply lost, and with every write arriving again.

use std::sync::Mutex;

use super::{memory::MemoryTable, *};
use crate::iteration::conformance::{self, Bench};

fn bench(items: Arc<dyn Items>) -> Bench {
    let (listed, shown) = (Arc::clone(&items), Arc::clone(&items));
    Bench {
        flow: "access_log_counts".to_owned(),
        open: Box::new(move |flow, epoch| Box::new(DynamoDbStore::open(Arc::clone(&items), flow, epoch, 1).unwrap())),
        list: Box::new(move |flow, last| listing::list(&listed, flow, last).unwrap()),
        detail: Box::new(move |flow, iteration| listing::detail(&shown, flow, iteration).unwrap()),
    }
}

#[test]
fn the_contract_of_a_store_holds() {
    for (name, case) in conformance::cases() {
        println!("{name}");
        case(&bench(Arc::new(MemoryTable::default())));
    }
}

/// A table in memory whose writes come otherwise than they were sent.
#[derive(Debug, Default)]
struct Unreliable {
    table: MemoryTable,
    /// The reply to the first try of every write is lost, and it is tried again.
    loses_replies: bool,
    /// Every write that ever was arrives again after every other.
    repeats: bool,
    written: Mutex<Vec<Vec<Write>>>,
    removed: Mutex<Vec<Key>>,
}

impl Items for Unreliable {
    fn get(&self, key: &Key) -> Result<Option<items::Item>, Error> {
        self.table.get(key)
    }

    fn put(&self, writes: &[Write]) -> Result<bool, Error> {
        let mut is_written = self.table.put(writes)?;
        if self.loses_replies {
            is_written = self.table.put(writes)?;
        }
        if self.repeats {
            let mut written = self.written.lock().unwrap();
            let removed = self.removed.lock().unwrap();
            // What was removed comes back, and nobody looks at it: its name is never used again.
            let is_gone = |late: &[Write]| late.iter().any(|write| removed.contains(&write.key));
            for late in written.iter().filter(|late| !is_gone(late)) {
                assert!(!self.table.put(late)?, "{late:?} came through twice");
            }
            written.push(writes.to_vec());
        }
        Ok(is_written)
    }

    fn remove(&self, key: &Key) -> Result<(), Error> {
        self.removed.lock().unwrap().push(key.clone());
        self.table.remove(key)
    }

    fn items(&self, span: Span<'_>) -> Result<Vec<items::Item>, Error> {
        self.table.items(span)
    }

    fn place(&self) -> &str {
        "a table in memory"
    }
}

#[test]
fn the_contract_holds_when_the_reply_to_every_write_is_lost() {
    // Those that look at the reply itself.
    let about_replies = |name: &str| name.contains("whose_reply_was_lost");
    for (name, case) in conformance::cases().filter(|(name, _)| !about_replies(name)) {
        println!("{name}");
        case(&bench(Arc::new(Unreliable { loses_replies: true, ..Unreliable::default() })));
    }
}

#[test]
fn the_contract_holds_when_every_write_arrives_again_after_every_other() {
    for (name, case) in conformance::cases() {
        println!("{name}");
        case(&bench(Arc::new(Unreliable { repeats: true, ..Unreliable::default() })));
    }
}

#[test]
fn an_iteration_writes_its_head_six_times_and_three_items_besides() {
    let table = Arc::new(Unreliable { repeats: true, ..Unreliable::default() });
    let store = DynamoDbStore::open(table.clone(), "hits", "e", 1).unwrap();
    let attempt = conformance::begin(&store, "a", 0);
    crate::iteration::store::seal(&store, &attempt, &conformance::contents("s", "40", &["counts"])).unwrap();
    store.mark_output_loaded(0, "counts", "h").unwrap();
    store.mark_loaded(0, 2).unwrap();
    store.mark_done(0, 3).unwrap();
    let written = table.written.lock().unwrap();
    let sorts: Vec<&str> = written.iter().flatten().map(|write| &write.key.sort[..4]).collect();
    assert_eq!(sorts, ["flow", "head", "part", "head", "head", "head", "done", "head"]);
}

#[test]
fn parts_that_nobody_names_go_when_iterations_are_forgotten_and_those_of_open_attempts_stay() {
    let table: Arc<dyn Items> = Arc::new(MemoryTable::default());
    let store = DynamoDbStore::open(Arc::clone(&table), "hits", "e", 1).unwrap();
    let parts = || table.items(group::span("hits#e")).unwrap().len();
    let lines = [Line::Shard(SealedShard {
        port: "log".to_owned(),
        shard: "s".to_owned(),
        name: "s".to_owned(),
        mark: String::new(),
        next: crate::source::Position::new("1"),
        last: None,
        covered_us: None,
    })];
    let open = conformance::begin(&store, "open", 0);
    for attempt in ["dead", &open.id] {
        group::write(&*table, "hits#e", attempt, &lines).unwrap();
    }
    assert_eq!(parts(), 2);
    crate::iteration::upkeep::Upkeep::forget_iterations(&store, 1).unwrap();
    assert_eq!(parts(), 1);
}

#[test]
fn a_part_that_is_missing_or_changed_is_told() {
    let table = MemoryTable::default();
    let counts = |rows_in| {
        let counts = crate::flow::Counts { rows_in, ..Default::default() };
        Line::Counts(crate::iteration::OperatorCounts { operator: "x".repeat(200_000), counts })
    };
    let written = group::write(&table, "p", "a", &[counts(1), counts(2)]).unwrap();
    assert_eq!((written.items, group::read(&table, "p", &written).unwrap().len()), (2, 2));
    let first = table.items(group::span("p")).unwrap().remove(0);
    table
        .put(&[Write { key: first.key.clone(), was: 1, body: first.body.replace("\"rows_in\":1", "\"rows_in\":3") }])
        .unwrap();
    assert!(group::read(&table, "p", &written).unwrap_err().to_string().contains("not what was written"));
    table.remove(&first.key).unwrap();
    assert!(group::read(&table, "p", &written).unwrap_err().to_string().contains("parts are missing"));
}

#[test]
fn an_item_of_somebody_else_is_refused() {
    let table: Arc<dyn Items> = Arc::new(MemoryTable::default());
    let open = || DynamoDbStore::open(Arc::clone(&table), "hits", "e", 1).map(drop).unwrap_err().to_string();
    let key = register::flow_key("hits");
    table.put(&[Write { key: key.clone(), was: 0, body: "{}".to_owned() }]).unwrap();
    assert!(open().contains("is not flow's") && open().contains("a table of its own"), "{}", open());
    let new = "{\"format\":9,\"epoch\":\"e\",\"created_us\":1,\"former\":[]}";
    table.put(&[Write { key, was: 1, body: new.to_owned() }]).unwrap();
    assert!(open().contains("its format is 9, this program knows 1"), "{}", open());
}

#[test]
fn flows_of_one_name_in_two_tables_never_stage_in_one_folder_and_a_reset_keeps_it() {
    use crate::iteration::upkeep::Upkeep as _;
    let place = DynamoDbPlace::of(&"dynamodb://flow".parse().unwrap()).unwrap();
    let [here, there]: [Arc<dyn Items>; 2] = std::array::from_fn(|_| Arc::new(MemoryTable::default()) as _);
    let staging = |table: &Arc<dyn Items>, new_epoch: &str| {
        place.staging("hits", DynamoDbStore::open(Arc::clone(table), "hits", new_epoch, 1).unwrap().origin())
    };
    let before = staging(&here, "one");
    assert_ne!(before, staging(&there, "two"));
    let store = DynamoDbStore::open(Arc::clone(&here), "hits", "-", 1).unwrap();
    assert!(store.write_reset("three", 2).unwrap());
    let store = DynamoDbStore::open(Arc::clone(&here), "hits", "-", 1).unwrap();
    store.forget_epoch("one").unwrap();
    assert_eq!((store.epoch(), staging(&here, "-")), ("three", before));
}

#[test]
fn as_many_items_are_found_as_are_wanted_however_many_pages_they_are_on() {
    let table = MemoryTable::default();
    let key = |number: u64| Key { partition: "p".to_owned(), sort: done_sort(number) };
    for number in 0..11 {
        table.put(&[Write { key: key(number), was: 0, body: String::new() }]).unwrap();
    }
    let (from, to) = (done_sort(0), done_sort(u64::MAX));
    for limit in [1, 3, 4, 6, 8, 10, 11, 12] {
        let span = Span { partition: "p", from: &from, to: &to, backwards: true, limit: Some(limit) };
        let found: Vec<Key> = table.items(span).unwrap().into_iter().map(|item| item.key).collect();
        assert_eq!(found, (0..11).rev().take(limit).map(key).collect::<Vec<_>>(), "{limit}");
    }
}

#[test]
fn the_ranges_of_a_thousand_shards_are_in_several_items() {
    let table: Arc<dyn Items> = Arc::new(MemoryTable::default());
    let (_, big) = conformance::cases().find(|(name, _)| name.contains("thousand_shards")).unwrap();
    big(&bench(Arc::clone(&table)));
    let flow = read_flow(&*table, "access_log_counts").unwrap().unwrap().value;
    let store = DynamoDbStore::of_epoch(Arc::clone(&table), "access_log_counts", &flow.epoch);
    assert!(store.head().unwrap().layers.iter().all(|layer| layer.items > 1));
}
