//! What is true of the file alone; the contract of a store is `iteration/conformance/`. `kept.rs` has former formats and
//! damage.

mod kept;
mod upkeep;

use super::*;
use crate::iteration::{
    conformance::{self, Bench, GIVEN_UP, begin, contents, range},
    iterations,
    store::{SealEnd, seal},
};

const FLOW: &str = "access_log_counts";

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
}

impl Folder {
    fn bench(self) -> Bench {
        let place = self.path();
        let (opened, listed, shown) = (place.clone(), place.clone(), place);
        Bench {
            flow: FLOW.to_owned(),
            open: Box::new(move |flow, epoch| {
                // Held as long as the store may be opened.
                let _ = &self;
                Box::new(SqliteStore::open(&opened, flow, epoch, 1).unwrap())
            }),
            list: Box::new(move |flow, last| listing::list(&listed, flow, last).unwrap()),
            detail: Box::new(move |flow, iteration| listing::detail(&shown, flow, iteration).unwrap()),
        }
    }
}

#[test]
fn the_contract_of_a_store_holds() {
    for (name, case) in conformance::cases() {
        println!("{name}");
        case(&Folder::new().bench());
    }
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
