//! The store's contract, sentence by sentence; `late.rs` has what comes late or twice, `kept.rs` what is kept and shown.

mod kept;
mod late;
mod upkeep;

use super::*;
use crate::{
    flow::Counts,
    iteration::{
        IterationRow, OperatorCounts, Range, State, TableVersion, iterations,
        store::{SealEnd, seal},
        upkeep::Upkeep as _,
    },
    sink::{Mode, staging::StagedManifest},
    source::{LastRead, Position},
};

const FLOW: &str = "access_log_counts";
const GIVEN_UP: GivenUp<'_> = GivenUp::Revoked("it failed");

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> std::path::PathBuf {
        self.0.path().join("store.db")
    }

    fn open(&self) -> SqliteStore {
        SqliteStore::open(&self.path(), FLOW, "e1", 1).unwrap()
    }

    fn list(&self) -> Vec<IterationRow> {
        iterations(&self.path(), FLOW).unwrap()
    }
}

fn begin(store: &SqliteStore, id: &str, iteration: u64) -> Attempt {
    let attempt =
        Attempt { id: id.to_owned(), iteration, owner: "pid 1".to_owned(), opened_us: 1_000_000, plan_hash: u64::MAX };
    store.open(&attempt).unwrap();
    attempt
}

fn range(shard: &str, first: &str, next: &str, records: u64) -> Range {
    let [port, mark, hash] = ["log", "m", "h"].map(str::to_owned);
    let (shard, name) = (shard.to_owned(), format!("{shard}.log"));
    let (first, next) = (Position::new(first), Position::new(next));
    Range { port, shard, name, mark, first, next, records, bytes: 40, hash, covered_us: Some(7) }
}

fn output(port: &str) -> Output {
    let [port, hash, fields] = [port, "h", "ip: &str"].map(str::to_owned);
    let staged = StagedManifest { file: Some(format!("{port}.rows")), port, rows: 3, bytes: 30, hash, fields };
    Output { staged, place: "sqlite:a.db".to_owned(), mode: Mode::Merge, loaded: false }
}

fn contents(shard: &str, next: &str, outputs: &[&str]) -> Seal {
    let operator = "Each".to_owned();
    Seal {
        sealed_us: 2_000_000,
        note: String::new(),
        ranges: vec![range(shard, "0", next, 5)],
        tables: vec![TableVersion { port: "hosts".to_owned(), records: 2, bytes: 20, hash: "t".to_owned() }],
        outputs: outputs.iter().map(|port| output(port)).collect(),
        counts: vec![OperatorCounts { operator, counts: Counts { rows_in: 5, rows_out: 3, filtered: 0, trapped: 2 } }],
    }
}

#[test]
fn what_was_sealed_is_read_back() {
    let folder = Folder::new();
    let store = folder.open();
    let attempt = begin(&store, "a", 0);
    assert_eq!(store.latest().unwrap(), None);
    assert_eq!(store.open_attempts().unwrap(), std::slice::from_ref(&attempt));
    assert_eq!(seal(&store, &attempt, &contents("s", "40", &["counts", "bad"])).unwrap(), SealEnd::Won);

    let store = folder.open();
    assert_eq!(store.latest().unwrap(), Some(0));
    assert_eq!(store.open_attempts().unwrap(), []);
    let [sealed] = &store.unfinished().unwrap()[..] else { panic!("one iteration is unfinished") };
    assert_eq!((sealed.iteration, sealed.attempt.as_str()), (0, "a"));
    assert_eq!(sealed.outputs, [output("bad"), output("counts")]);
    let shards = store.shards().unwrap();
    assert_eq!((shards[0].shard.as_str(), shards[0].next.as_str()), ("s", "40"));
}

#[test]
fn of_each_shard_the_last_range_that_is_not_empty_is_kept() {
    let folder = Folder::new();
    let store = folder.open();
    for (iteration, range) in
        [range("s", "0", "40", 5), Range { hash: "other".to_owned(), ..range("s", "40", "60", 2) }]
            .into_iter()
            .enumerate()
    {
        let attempt = begin(&store, &format!("a{iteration}"), iteration as u64);
        store.write_seal(&attempt, &Seal { ranges: vec![range], ..Seal::default() }).unwrap();
    }
    let moved_on = store.shards().unwrap();
    let last = LastRead { first: Position::new("40"), next: Position::new("60"), hash: "other".to_owned() };
    assert_eq!(moved_on[0].last, Some(last));

    let [name, mark] = ["s.log.1", "grown"].map(str::to_owned);
    let renamed = Range { name: name.clone(), mark: mark.clone(), ..range("s", "60", "60", 0) };
    store.write_seal(&begin(&store, "a2", 2), &Seal { ranges: vec![renamed], ..Seal::default() }).unwrap();
    assert_eq!(store.shards().unwrap(), [SealedShard { name, mark, ..moved_on[0].clone() }]);
}

#[test]
fn up_to_when_a_shard_was_read_is_kept_until_it_is_known_anew() {
    let folder = Folder::new();
    let store = folder.open();
    for (iteration, (covered_us, kept)) in
        [(None, None), (Some(7), Some(7)), (None, Some(7)), (Some(9), Some(9))].into_iter().enumerate()
    {
        let attempt = begin(&store, &format!("a{iteration}"), iteration as u64);
        let ranges = vec![Range { covered_us, ..range("s", "0", "40", 5) }];
        store.write_seal(&attempt, &Seal { ranges, ..Seal::default() }).unwrap();
        assert_eq!(store.shards().unwrap()[0].covered_us, kept);
    }
}

#[test]
fn a_logical_name_is_as_old_as_its_first_run_or_its_last_reset() {
    let folder = Folder::new();
    folder.open();
    assert_eq!(SqliteStore::open(&folder.path(), FLOW, "e2", 5).unwrap().created_us(), 1);
    assert!(folder.open().write_reset("e3", 9).unwrap());
    assert_eq!(folder.open().created_us(), 9);
    assert_eq!(SqliteStore::look(&folder.path(), FLOW).unwrap().unwrap().created_us(), 9);
}

#[test]
fn of_two_attempts_at_an_iteration_the_first_to_seal_wins() {
    let folder = Folder::new();
    let (one, other) = (folder.open(), folder.open());
    let (first, second) = (begin(&one, "a", 0), begin(&other, "b", 0));
    assert_eq!(seal(&one, &first, &contents("s", "40", &["counts"])).unwrap(), SealEnd::Won);
    assert_eq!(seal(&other, &second, &contents("s", "99", &["counts"])).unwrap(), SealEnd::Lost);
    assert_eq!(one.shards().unwrap()[0].next.as_str(), "40");
    assert_eq!(one.sealed_attempt(0).unwrap().as_deref(), Some("a"));
}

#[test]
fn an_attempt_whose_reply_was_lost_has_won_when_it_tries_again() {
    let folder = Folder::new();
    let store = folder.open();
    let attempt = begin(&store, "a", 0);
    assert!(store.write_seal(&attempt, &contents("s", "40", &[])).unwrap());
    assert!(!store.write_seal(&attempt, &contents("s", "40", &[])).unwrap());
    assert_eq!(seal(&store, &attempt, &contents("s", "40", &[])).unwrap(), SealEnd::Won);
}

#[test]
fn a_revoked_attempt_is_never_sealed() {
    let folder = Folder::new();
    let store = folder.open();
    let attempt = begin(&store, "a", 0);
    assert!(store.revoke(&attempt.id, GIVEN_UP).unwrap());
    assert_eq!(seal(&store, &attempt, &contents("s", "40", &[])).unwrap(), SealEnd::Lost);
    assert_eq!(store.latest().unwrap(), None);
    assert_eq!(store.shards().unwrap(), []);
}

#[test]
fn a_sealed_attempt_is_never_revoked() {
    let folder = Folder::new();
    let store = folder.open();
    let attempt = begin(&store, "a", 0);
    seal(&store, &attempt, &contents("s", "40", &[])).unwrap();
    assert!(!store.revoke(&attempt.id, GIVEN_UP).unwrap());
    assert_eq!(store.unfinished().unwrap().len(), 1);
}

#[test]
fn a_seal_that_fails_half_way_leaves_nothing() {
    let folder = Folder::new();
    let store = folder.open();
    let attempt = begin(&store, "a", 0);
    // The same output twice breaks the last of the seal's statements.
    let error = seal(&store, &attempt, &contents("s", "40", &["counts", "counts"])).unwrap_err();
    assert!(matches!(error, Error::Store(_)), "{error}");
    assert_eq!((store.latest().unwrap(), store.shards().unwrap().len()), (None, 0));
    assert_eq!(seal(&store, &attempt, &contents("s", "40", &["counts"])).unwrap(), SealEnd::Won);
}

#[test]
fn a_full_disk_is_an_error_of_the_store_and_leaves_nothing() {
    let folder = Folder::new();
    let store = folder.open();
    let attempt = begin(&store, "a", 0);
    let pages: i64 = store.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    store.connection.pragma_update(None, "max_page_count", pages).unwrap();
    let mut big = contents("s", "40", &["counts"]);
    big.ranges.extend((0..1000).map(|shard| range(&format!("shard number {shard}"), "0", "40", 5)));
    let error = seal(&store, &attempt, &big).unwrap_err().to_string();
    assert!(error.contains("full") && error.contains("make room"), "{error}");
    assert_eq!(store.latest().unwrap(), None);
}

#[test]
fn an_iteration_is_loaded_only_when_every_output_is() {
    let folder = Folder::new();
    let store = folder.open();
    let attempt = begin(&store, "a", 0);
    seal(&store, &attempt, &contents("s", "40", &["counts", "bad"])).unwrap();
    store.mark_output_loaded(0, "counts", "h").unwrap();
    assert!(store.mark_loaded(0, 3).is_err());
    assert!(store.mark_done(0, 3).is_err());
    store.mark_output_loaded(0, "bad", "h").unwrap();
    store.mark_loaded(0, 3).unwrap();
    store.mark_done(0, 4_000_000).unwrap();
    assert_eq!(store.unfinished().unwrap(), []);
    assert_eq!(store.latest().unwrap(), Some(0));
}

#[test]
fn each_shard_goes_on_where_it_was_sealed_last_and_they_keep_their_order() {
    let folder = Folder::new();
    let store = folder.open();
    for (iteration, shard, next) in [(0, "z", "10"), (1, "a", "20"), (2, "z", "30")] {
        let attempt = begin(&store, &format!("attempt {iteration}"), iteration);
        seal(&store, &attempt, &contents(shard, next, &[])).unwrap();
    }
    let shards = store.shards().unwrap();
    let found: Vec<_> = shards.iter().map(|shard| (shard.shard.as_str(), shard.next.as_str())).collect();
    assert_eq!(found, [("z", "30"), ("a", "20")]);
}

#[test]
fn the_last_output_of_a_port_skips_iterations_that_had_none() {
    let folder = Folder::new();
    let store = folder.open();
    for (iteration, outputs) in [(0, &["counts", "bad"][..]), (1, &["counts"]), (2, &[])] {
        let attempt = begin(&store, &format!("attempt {iteration}"), iteration);
        seal(&store, &attempt, &contents("s", "40", outputs)).unwrap();
    }
    assert_eq!(store.last_output("counts", 3).unwrap(), Some(1));
    assert_eq!(store.last_output("counts", 1).unwrap(), Some(0));
    assert_eq!(store.last_output("bad", 3).unwrap(), Some(0));
    assert_eq!(store.last_output("bad", 0).unwrap(), None);
}

#[test]
fn flows_of_one_file_know_nothing_of_each_other() {
    let folder = Folder::new();
    let store = folder.open();
    let attempt = begin(&store, "a", 0);
    seal(&store, &attempt, &contents("s", "40", &["counts"])).unwrap();
    let other = SqliteStore::open(&folder.path(), "another", "e2", 1).unwrap();
    assert_eq!((other.epoch(), other.latest().unwrap()), ("e2", None));
    assert_eq!(other.shards().unwrap(), []);
    assert_eq!(other.unfinished().unwrap(), []);
    assert_eq!(other.last_output("counts", 9).unwrap(), None);
    assert_eq!(iterations(&folder.path(), "another").unwrap(), []);
}

#[test]
fn iterations_are_listed_while_a_run_is_going_on() {
    let folder = Folder::new();
    let store = folder.open();
    let attempt = begin(&store, "a", 0);
    seal(&store, &attempt, &contents("s", "40", &["counts"])).unwrap();
    store.mark_output_loaded(0, "counts", "h").unwrap();
    store.mark_loaded(0, 3_000_000).unwrap();
    store.mark_done(0, 4_000_000).unwrap();
    begin(&store, "b", 1);

    let rows = folder.list();
    assert_eq!(
        rows.iter().map(|row| (row.number, row.state)).collect::<Vec<_>>(),
        [(0, State::Done), (1, State::Open)]
    );
    assert_eq!(rows[0].took, Some(Duration::from_secs(3)));
    assert_eq!((rows[0].records, rows[0].trapped), (5, 2));
    assert_eq!(rows[0].rows, [("counts".to_owned(), 3)]);
    assert_eq!(rows[0].started, std::time::UNIX_EPOCH + Duration::from_secs(1));
    assert_eq!(rows[1].note, "pid 1");
}

#[test]
fn an_attempt_that_was_held_is_listed_with_its_reason_until_the_next() {
    let folder = Folder::new();
    let store = folder.open();
    store.revoke(&begin(&store, "a", 0).id, GivenUp::Held("access.log changed")).unwrap();
    let rows = folder.list();
    assert_eq!((rows[0].state, rows[0].note.as_str()), (State::Held, "access.log changed"));
    store.revoke(&begin(&store, "b", 0).id, GIVEN_UP).unwrap();
    assert_eq!(folder.list(), []);
}

#[test]
fn a_held_iteration_is_listed_with_its_reason_and_can_still_be_finished() {
    let folder = Folder::new();
    let store = folder.open();
    let attempt = begin(&store, "a", 0);
    seal(&store, &attempt, &contents("s", "40", &["counts"])).unwrap();
    store.mark_held(0, "the ledger is ahead").unwrap();
    let rows = folder.list();
    assert_eq!((rows[0].state, rows[0].note.as_str()), (State::Held, "the ledger is ahead"));
    assert_eq!(store.unfinished().unwrap().len(), 1);
    store.mark_output_loaded(0, "counts", "h").unwrap();
    store.mark_loaded(0, 3).unwrap();
    assert_eq!((folder.list()[0].state, folder.list()[0].note.as_str()), (State::Loaded, ""));
}

#[test]
fn commits_are_synced() {
    let folder = Folder::new();
    let pragma = |name| folder.open().connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
    // EXTRA: as durable if SQLite keeps a rollback journal instead, which it does without a word.
    assert_eq!(pragma("synchronous"), 3);
    assert_eq!(pragma("foreign_keys"), 1);
}

#[test]
fn a_file_that_is_no_store_is_refused_and_left_alone() {
    let folder = Folder::new();
    std::fs::write(
        folder.path(),
        "some text, longer than a header of SQLite would be, and nothing like it\n".repeat(9),
    )
    .unwrap();
    let error = SqliteStore::open(&folder.path(), FLOW, "e", 1).unwrap_err().to_string();
    assert!(error.contains("cannot open the checkpoint store") && error.contains("not a database"), "{error}");
    assert!(error.ends_with("give --checkpoint another file"), "{error}");
    assert!(std::fs::read_to_string(folder.path()).unwrap().starts_with("some text"));
}

#[test]
fn a_database_of_something_else_is_refused_and_left_alone() {
    let folder = Folder::new();
    let theirs = Connection::open(folder.path()).unwrap();
    theirs.execute_batch("CREATE TABLE counts (ip TEXT)").unwrap();
    let error = SqliteStore::open(&folder.path(), FLOW, "e", 1).unwrap_err().to_string();
    assert!(error.contains("not a checkpoint store"), "{error}");
    let tables: i64 = theirs.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
    assert_eq!(tables, 1);
}

#[test]
fn listing_makes_no_store() {
    let folder = Folder::new();
    let error = iterations(&folder.path(), FLOW).unwrap_err();
    assert!(matches!(&error, Error::Store(_)) && error.to_string().contains("has not run with it yet"), "{error}");
    assert!(!folder.path().exists());
    let error = iterations(folder.path().parent().unwrap(), FLOW).unwrap_err();
    assert!(error.to_string().contains("it is a folder; give --checkpoint the path of a file"), "{error}");
}
