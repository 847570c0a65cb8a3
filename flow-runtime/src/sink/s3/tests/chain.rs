//! Manifests that are found without going from one to the next, and who wrote no index.

use bytes::Bytes;

use super::*;
use crate::{
    aws::clients::objects::If,
    sink::{
        read_back::Mark,
        s3::chain::{RECENT_MAX, manifests},
    },
    source::Position,
    trap::FailedRecord,
};

const CURRENT: &str = "hits/_flow/current.json";

fn json(bucket: &MemoryBucket, key: &str) -> Value {
    serde_json::from_slice(&bucket.get(key).unwrap()).unwrap()
}

fn texts(of: &Value) -> Vec<String> {
    of.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// The manifests, the oldest first, as a reader finds them who goes by the indexes.
fn indexed(bucket: &MemoryBucket) -> Vec<String> {
    let current = json(bucket, CURRENT);
    let mut keys = texts(&current["recent"]);
    keys.push(current["manifest"].as_str().unwrap().to_owned());
    let mut next = current["index"].as_str().map(str::to_owned);
    while let Some(key) = next {
        let index = json(bucket, &key);
        keys.splice(0..0, texts(&index["manifests"]));
        next = index["previous"].as_str().map(str::to_owned);
    }
    keys
}

/// The same as one finds them who goes from one to the next.
fn linked(bucket: &MemoryBucket) -> Vec<String> {
    let mut keys = Vec::new();
    let mut next = json(bucket, CURRENT)["manifest"].as_str().map(str::to_owned);
    while let Some(key) = next {
        next = json(bucket, &key)["previous"].as_str().map(str::to_owned);
        keys.insert(0, key);
    }
    keys
}

/// Has the ledger say what a program would that knows of no index.
fn without_index(bucket: &MemoryBucket) {
    let mut current = json(bucket, CURRENT);
    for name in ["recent", "index"] {
        current.as_object_mut().unwrap().remove(name);
    }
    Bucket::put(bucket, CURRENT, &Bytes::from(current.to_string()), If::Always).unwrap();
}

/// Loads one row an iteration, the same, with nothing on the disk of this machine.
struct Loader {
    tap: S3SinkTap,
    folder: Folder,
    rows: RowBuffer,
    like: StagedManifest,
}

impl Loader {
    fn of(tap: S3SinkTap, rows: RowBuffer) -> Self {
        let folder = Folder::new();
        let mut here = folder.area().attempt("any", plan_of(tap.shape.port));
        here.write(0, &rows).unwrap();
        let like = here.finish().unwrap().remove(0);
        Self { tap, folder, rows, like }
    }

    fn load(&mut self, iteration: u64) {
        let attempt = format!("{iteration}-only");
        let mut stager = self.tap.stager(0, &attempt).unwrap();
        stager.write(&self.rows).unwrap();
        let manifest = StagedManifest { file: Some(stager.finish().unwrap()), ..self.like.clone() };
        assert_eq!(publish(&mut self.tap, &self.folder, &manifest, iteration).unwrap(), Published::Now);
        self.tap.remove_staged(&attempt).unwrap();
    }
}

fn calls_of<T>(bucket: &MemoryBucket, act: impl FnOnce() -> T) -> (usize, T) {
    let before = bucket.calls();
    let done = act();
    (bucket.calls() - before, done)
}

#[test]
fn among_more_than_a_thousand_manifests_few_calls_find_what_is_left() {
    const ITERATIONS: u64 = 1_100;
    let bucket: Arc<MemoryBucket> = Arc::default();
    let mut loader = Loader::of(tap(&bucket, Mode::Append), rows(&[("a", 1)]));
    let mut calls = Vec::new();
    for iteration in 0..ITERATIONS {
        calls.push(calls_of(&bucket, || loader.load(iteration)).0);
    }
    let (tap, folder) = (loader.tap, loader.folder);
    let usual = calls[1];
    let others: Vec<usize> = calls.iter().copied().filter(|calls| *calls != usual).collect();
    assert_eq!(others, [usual + 1; 4], "an index is one call more, at each iteration the same");
    assert_eq!((indexed(&bucket), linked(&bucket).len()), (linked(&bucket), 1_100));
    assert!(bucket.get(CURRENT).unwrap().len() < RECENT_MAX * 100, "it does not grow with them");
    stage(&tap, &folder, "1100-dead", &rows(&[("b", 2)])).unwrap();
    let (calls, left) = calls_of(&bucket, || tap.left_behind("hits").unwrap());
    assert_eq!(left.iter().map(|left| &*left.attempt).collect::<Vec<_>>(), ["1100-dead"]);
    assert!(calls < 10, "{calls}");
    let (calls, ()) =
        calls_of(&bucket, || tap.remove_left_behind(&["1100-dead".to_owned(), "7-only".to_owned()]).unwrap());
    assert!(calls < 25, "{calls}");
    assert_eq!(followed(&bucket).len(), 1_100);
}

#[test]
fn manifests_of_who_wrote_no_index_are_found_too() {
    let bucket: Arc<MemoryBucket> = Arc::default();
    let mut loader = Loader::of(tap(&bucket, Mode::Append), rows(&[("a", 1)]));
    let found = |tap: &S3SinkTap| manifests(&tap.place, &tap.ledger(None).unwrap().current).unwrap();
    let turns = RECENT_MAX as u64 + 2;
    for iteration in 0..2 * turns {
        loader.load(iteration);
        if [1, 3, turns].contains(&iteration) {
            without_index(&bucket);
            assert_eq!(found(&loader.tap), linked(&bucket));
        }
    }
    assert_eq!(found(&loader.tap), linked(&bucket));
    assert!(loader.tap.left_behind("hits").unwrap().is_empty());
}

#[test]
fn rows_that_stay_when_the_flow_is_forgotten_are_not_taken_for_left_behind() {
    let (bucket, folder): (Arc<MemoryBucket>, _) = (Arc::default(), Folder::new());
    let mut tap = tap(&bucket, Mode::Append);
    for iteration in 0..3 {
        load(&mut tap, &folder, iteration, &[("a", 1)]);
    }
    tap.forget("hits", false).unwrap();
    assert!(tap.left_behind("hits").unwrap().is_empty());
    tap.forget("hits", true).unwrap();
    assert_eq!(tap.left_behind("hits").unwrap().len(), 3);
}

#[test]
fn the_index_of_an_attempt_that_is_given_up_goes_with_it() {
    let (bucket, folder): (Arc<MemoryBucket>, _) = (Arc::default(), Folder::new());
    let mut loader = Loader::of(tap(&bucket, Mode::Append), rows(&[("a", 1)]));
    let last = RECENT_MAX as u64 + 1;
    for iteration in 0..last {
        loader.load(iteration);
    }
    let mut tap = loader.tap;
    let manifest = stage(&tap, &folder, &format!("{last}-x"), &rows(&[("b", 2)])).unwrap();
    bucket.lock_ledger(true);
    publish(&mut tap, &folder, &manifest, last).unwrap_err();
    bucket.lock_ledger(false);
    let of_attempt = format!("hits/_flow/manifests/{last}-x/");
    assert_eq!(bucket.keys(&of_attempt).len(), 2, "a manifest, and an index");
    tap.remove_staged(&format!("{last}-x")).unwrap();
    tap.remove_left_behind(&[format!("{last}-x")]).unwrap();
    assert_eq!((bucket.keys(&of_attempt), tap.left_behind("hits").unwrap()), (Vec::new(), Vec::new()));
    assert_eq!(load(&mut tap, &folder, last, &[("b", 2)]), Published::Now);
    assert_eq!((indexed(&bucket), followed(&bucket).len() as u64), (linked(&bucket), last + 1));
}

/// Traps a record of each of so many iterations.
fn trap_each(bucket: &Arc<MemoryBucket>, iterations: u64) {
    let mut buffer = RowBuffer::default();
    let (record, source, shard, position) = (Some(&b"bad"[..]), Some("log"), Some("a.log"), Some("47"));
    FailedRecord { record, source, shard, position, operator: "Each", reason: "no line" }.encode(&mut buffer);
    let mut loader = Loader::of(tap_of(bucket, &BAD_LINES, Mode::Append, ""), buffer);
    (0..iterations).for_each(|iteration| loader.load(iteration));
}

/// The positions after each of the records from a position on.
fn retried(bucket: &Arc<MemoryBucket>, from: Option<&Position>) -> Vec<Position> {
    let reader = tap_of(bucket, &BAD_LINES, Mode::Append, "").trapped("hits").unwrap().unwrap();
    let mut entries = reader.entries(from).unwrap();
    let mut found = Vec::new();
    while let Some(entry) = entries.next().unwrap() {
        assert_eq!(entry.record.as_deref(), Some(&b"bad"[..]));
        found.push(entry.next);
    }
    found
}

#[test]
fn a_trap_is_read_on_without_the_manifests_before_its_position() {
    let bucket: Arc<MemoryBucket> = Arc::default();
    trap_each(&bucket, 1_010);
    let all = retried(&bucket, None);
    let expected: Vec<String> = linked(&bucket).iter().map(|key| format!("1@{key}")).collect();
    assert_eq!(all.iter().map(Position::as_str).collect::<Vec<_>>(), expected);
    for begin in [1, 64, 65, 500, 1_007, 1_010] {
        let (calls, found) = calls_of(&bucket, || retried(&bucket, Some(&all[begin - 1])));
        assert_eq!(found, all[begin..], "from {begin}");
        // What is to be read, and the ledger, its indexes, the oldest manifest, and the one of the position.
        assert!(calls <= 2 * (1_010 - begin) + 1 + 4 + 1 + 1, "{calls} calls from {begin}");
    }
}

#[test]
fn a_position_of_former_programs_is_a_number_of_records() {
    let bucket: Arc<MemoryBucket> = Arc::default();
    trap_each(&bucket, 5);
    let (all, first) = (retried(&bucket, None), linked(&bucket).remove(0));
    for at in 1..=5 {
        let former = Mark::new(at, first.as_bytes()).position();
        assert_eq!(retried(&bucket, Some(&former)), all[at as usize..]);
    }
    let reader = tap_of(&bucket, &BAD_LINES, Mode::Append, "").trapped("hits").unwrap().unwrap();
    for wrong in [Mark::new(6, first.as_bytes()).position(), Mark::new(1, b"another").position()] {
        assert!(matches!(reader.entries(Some(&wrong)), Err(Error::Held(_))), "{wrong:?}");
    }
    for wrong in ["x", "x@hits", "1@hits/_flow/manifests/0-other/1.json"] {
        assert!(matches!(reader.entries(Some(&Position::new(wrong))), Err(Error::Held(_))), "{wrong}");
    }
}
